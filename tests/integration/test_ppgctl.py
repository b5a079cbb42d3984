"""ppgctl from the outside, against an operator's socket written here that says what it is told to: the requests it makes,
the answers it prints, its exit status.  With a ppgd behind it: test_explain.py, test_operator.py.
"""

import json
import re
import threading

from harness import case, check, check_eq, main
from peers import Raw


STATUS = {"version": "0.1.0", "uptime_s": 5, "draining": False, "targets": {"live": 3}, "events": {"accept.done": 7}}
PUSH = {"push_id": "i", "content_octets": 5, "targets": [{"address": "+1", "state": "delivered"}, {"address": "+2"}]}


def operator_socket(bench, status, body):
    body = body if isinstance(body, str) else json.dumps(body)
    path = bench.path(f"s{len(bench.closers)}")
    return Raw(bench, lambda c: c.sendall(f"HTTP/1.1 {status} x\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()), path)


@case
def status_as_words(bench):
    gateway = operator_socket(bench, 200, STATUS)
    done = bench.run("ppgctl", "--socket", gateway.url, "status")
    check_eq((done.returncode, done.stderr), (0, ""))
    for line in (r"version +0\.1\.0", r"uptime s +5", r"draining +no", r"  live +3", r"  accept\.done +7"):
        check(re.search(rf"^{line}$", done.stdout, re.M), f"{line}: {done.stdout}")
    check(gateway.heard[0].startswith(b"GET /status HTTP/1.1\r\nHost: localhost\r\n"), gateway.heard[0])
    done = bench.run("ppgctl", "status", "--json", env={"PPG_SOCKET": gateway.url})
    check_eq((done.returncode, json.loads(done.stdout)), (0, STATUS))


@case
def push_show(bench):
    gateway = operator_socket(bench, 200, PUSH)
    done = bench.run("ppgctl", "push", "show", "a b&c=/é@h", "--initiator", "m&s", "--socket", gateway.url)
    check_eq((done.returncode, done.stderr), (0, ""))
    check(gateway.heard[0].startswith(b"GET /push?id=a%20b%26c%3D%2F%C3%A9%40h&initiator=m%26s HTTP/1.1\r\n"),
          gateway.heard[0])
    for line in (r"push id +i", r"targets +\(2\)", r"  address +\+1", r"  state +delivered", r"  address +\+2"):
        check(re.search(rf"^{line}$", done.stdout, re.M), f"{line}: {done.stdout}")


@case
def reload_and_drain(bench):
    gateway = operator_socket(bench, 200, {"generation": 2})
    check_eq(bench.run("ppgctl", "--socket", gateway.url, "reload").stdout.split(), ["generation", "2"])
    check_eq(bench.run("ppgctl", "--socket", gateway.url, "drain").returncode, 0)
    check_eq([h.split(b" HTTP")[0] for h in gateway.heard], [b"POST /reload", b"POST /drain"])


@case
def refusals(bench):
    gateway = operator_socket(bench, 422, {"error": "bad", "errors": ["ppg.conf:3: pap.path: what", "b:1: c"], "more": 9})
    done = bench.run("ppgctl", "--socket", gateway.url, "reload")
    check_eq((done.returncode, done.stdout), (1, ""))
    check_eq(done.stderr, "ppg.conf:3: pap.path: what\nb:1: c\nand 9 more\n")
    for status, body, line in ((404, {"error": "no such push"}, "no such push"), (403, "", "Forbidden"),
                               (409, {"error": 5}, "Conflict"), (500, "[]", "Internal Server Error"),
                               (404, {"error": "a\x1b[31mb"}, "a?[31mb")):
        gateway = operator_socket(bench, status, body)
        done = bench.run("ppgctl", "--socket", gateway.url, "push", "show", "x")
        check_eq((done.returncode, done.stdout, done.stderr), (1, "", f"ppgctl: {line}\n"))


@case
def broken_answers(bench):
    for wire in (b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 ok\r\nContent-Length: 9\r\n\r\n{", b"HTTP/1.1 200 ok\n\n{}",
                 b"HTTP/1.1 200 ok\r\nContent-Length: 2\r\n\r\n{]", b"HTTP/1.1 200 ok\r\nContent-Length: 2\r\n\r\n[]",
                 b"HTTP/1.1 200 ok\r\nContent-Length: 0\r\n\r\n"):
        raw = Raw(bench, lambda c, w=wire: c.sendall(w), bench.path(f"s{len(bench.closers)}"))
        done = bench.run("ppgctl", "--socket", raw.url, "status")
        check_eq((done.returncode, done.stdout), (3, ""), f"{wire!r}: {done.stderr}")


@case
def nobody_and_timeout(bench):
    for path in (bench.path("absent"), bench.write("file", ""), "x" * 200, ""):
        check_eq(bench.run("ppgctl", "--socket", path, "status").returncode, 3, path)
    gone = threading.Event()
    raw = Raw(bench, lambda c: gone.wait(120), bench.path("s"))
    done = bench.run("ppgctl", "--socket", raw.url, "--timeout", "1", "status", timeout_s=60)
    gone.set()
    check_eq(done.returncode, 3, done.stderr)


@case
def usage(bench):
    for args in ((), ("nonsense",), ("push",), ("push", "show"), ("push", "show", ""), ("push", "hide", "x"),
                 ("push", "show", "x", "y"), ("status", "x"), ("status", "--initiator", "x"), ("--socket",),
                 ("status", "--timeout", "0"), ("status", "--nonsense"), ("queue", "x"), ("queue", "--heads", "1001"),
                 ("queue", "--heads", "-1"), ("queue", "--as", "x"), ("push", "explain"), ("push", "explain", "a", "b"),
                 ("push", "cancel"), ("push", "cancel", "a", ""), ("push", "cancel", "a", "--heads", "1"), ("push", "replay",
                 "a"), ("push", "replay", "--initiator", "n"), ("push", "cancel", "a", "--as", "b"), ("drain", "--heads", "1"),
                 ("initiator",), ("initiator", "show"), ("initiator", "list", "x"), ("initiator", "list", "--initiator", "x"),
                 ("initiator", "test", "a", "b"), ("whitelist",), ("whitelist", "list", "x"), ("whitelist", "test"),
                 ("whitelist", "test", "--initiator", "a", "x"), ("whitelist", "add"), ("whitelist", "add", ""),
                 ("whitelist", "add", "--line", "0", "x"), ("whitelist", "remove"), ("whitelist", "remove", "--line", "3", "x"),
                 ("whitelist", "diff"), ("whitelist", "diff", "a", "b"), ("whitelist", "diff", "/no/such/file"),
                 ("whitelist", "diff", "/dev/null", "--replay", "24"), ("whitelist", "import", "/no/such/file"),
                 ("whitelist", "import", "/dev/null", "--replay", "1h"), ("audit",), ("audit", "tail", "x"),
                 ("audit", "verify", "a", "b"), ("backup",), ("backup", "a", "b"), ("backup", ""), ("backup", "a", "--file", "b"), ("audit", "tail", "--count", "10001")):
        done = bench.run("ppgctl", *args)
        check_eq((done.returncode, done.stdout), (2, ""), f"{args}: {done.stderr}")
        last = done.stderr.splitlines()[-1]  # in sight, whatever stands before it
        check(last.startswith("ppgctl: ") and len(done.stderr.splitlines()) < 40, f"{args}: {done.stderr}")
    check("usage: ppgctl [OPTIONS] push replay" in bench.run("ppgctl", "push", "replay", "a").stderr, "its own help")


def heard(gateway):
    """(method, target, body as JSON) of the last request."""
    head, _, body = gateway.heard[-1].partition(b"\r\n\r\n")
    method, target, _ = head.decode().split("\r\n")[0].split(" ")
    return method, target, json.loads(body) if body else None


QUEUE = {"initiators": [{"initiator": "news", "waiting": 1200, "leased": 3, "notices": 0, "next_due": "2030-01-01T00:00:00Z"},
                        {"initiator": "b", "waiting": 1, "leased": 0, "notices": 7}],
         "due_longest": [{"due": "2030-01-01T00:00:00Z", "initiator": "news", "push_id": "i", "address": "+1", "tries": 2,
                          "leased": False, "note": "a\x1bb"}]}


@case
def queue_as_tables(bench):
    gateway = operator_socket(bench, 200, QUEUE)
    done = bench.run("ppgctl", "--socket", gateway.url, "queue")
    check_eq((done.returncode, done.stderr, heard(gateway)), (0, "", ("GET", "/queue", None)))
    check_eq(done.stdout.splitlines(), [
        "initiator  waiting  leased  notices  next due",
        "news          1200       3        0  2030-01-01T00:00:00Z",
        "b                1       0        7  -", "", "due longest:",
        "due                   initiator  push id  address  tries  leased  note",
        "2030-01-01T00:00:00Z  news       i        +1           2  no      a?b"])
    done = bench.run("ppgctl", "--socket", gateway.url, "queue", "--initiator", "a b", "--heads", "0", "--json")
    check_eq((done.returncode, json.loads(done.stdout), heard(gateway)),
             (0, QUEUE, ("GET", "/queue?initiator=a%20b&heads=0", None)))
    gateway = operator_socket(bench, 200, {"initiators": [], "due_longest": []})
    check_eq(bench.run("ppgctl", "--socket", gateway.url, "queue").stdout, "nothing waits\n")


@case
def cancel(bench):
    gateway = operator_socket(bench, 200, {"push_id": "i", "cancelled": 1, "results": [
        {"address": "+1", "result": "cancelled"}, {"address": "+2", "result": "too late"}]})
    done = bench.run("ppgctl", "--socket", gateway.url, "push", "cancel", "a \u00e9\"", "+1", "+2", "--initiator", "n")
    check_eq((done.returncode, done.stderr, heard(gateway)),
             (0, "", ("POST", "/push/cancel", {"id": "a \u00e9\"", "initiator": "n", "to": ["+1", "+2"]})))
    check_eq(done.stdout.splitlines(), ["cancelled 1 of i", "address  result", "+1       cancelled", "+2       too late"])
    bench.run("ppgctl", "--socket", gateway.url, "push", "cancel", "a")
    check_eq(heard(gateway)[2], {"id": "a"})
    gateway = operator_socket(bench, 409, {"error": "nothing could be cancelled", "results": [
        {"address": "+2", "result": "too late"}]})
    done = bench.run("ppgctl", "--socket", gateway.url, "push", "cancel", "a")
    check_eq((done.returncode, done.stdout, done.stderr), (1, "", "ppgctl: nothing could be cancelled\n+2: too late\n"))


@case
def replay(bench):
    gateway = operator_socket(bench, 200, {"push_id": "i.replay-1", "initiator": "n", "replayed": 2, "refused": [
        {"address": "+3", "why": "deny rule"}]})
    done = bench.run("ppgctl", "--socket", gateway.url, "push", "replay", "i", "--initiator", "n", "--as", "j", "+1")
    check_eq((done.returncode, heard(gateway)),
             (0, ("POST", "/push/replay", {"id": "i", "initiator": "n", "as": "j", "to": ["+1"]})), done.stderr)
    check_eq(done.stdout.splitlines(), ["replayed 2 as i.replay-1", "address  why", "+3       deny rule"])
    gateway = operator_socket(bench, 409, {"error": "none", "refused": [{"address": "+3", "why": "deny rule"}]})
    done = bench.run("ppgctl", "--socket", gateway.url, "push", "replay", "i", "--initiator", "n")
    check_eq((done.returncode, done.stdout, done.stderr), (1, "", "ppgctl: none\n+3: deny rule\n"))


TOLD = {
    "push_id": "i@pi", "initiator": "news", "let_in_by": "Digest SHA-256 as n from 192.0.2.1 over TLS", "authenticated": True,
    "initiator_uri": "https://n.example/", "trusted": False, "content_type": "text/plain", "content_octets": 2,
    "accepted": "2030-01-01T00:00:00Z", "expires": "2030-01-02T00:00:00Z", "notify_url": "https://n.example/n",
    "priority": "high", "method": "confirmed", "protection_asked": "full", "bearer": "SMS", "bearer_required": True,
    "checks_passed": ["fields", "whitelist"], "targets": [
        {"address": "+1", "state": "expired", "code": 4000, "text": "Service Failure", "tries": 2, "demanded": "full",
         "event": "2030-01-01T00:00:09Z", "rule": "w.conf:1 allow protect=full", "note": "too late", "notification": "owed",
         "notification_tries": 3, "notification_due": "2030-01-01T00:10:00Z", "attempts": [
             {"no": 1, "began": "2030-01-01T00:00:01Z", "took_ms": 12, "bearer": "http", "octets": 99, "protection": "level=full",
              "note": "HTTP 503"}, {"no": 2, "began": "2030-01-01T00:00:02Z", "octets": 0}]},
        {"address": "$all", "state": "pending", "tries": 0, "notification": "none", "rule": "w.conf:2 allow", "members": [
            {"address": "+2", "state": "pending", "tries": 1, "demanded": "none", "due": "2030-01-01T01:00:00Z", "leased": False},
            {"address": "+3", "state": "pending", "tries": 1, "demanded": "none", "due": "2030-01-01T01:00:00Z", "leased": True},
            {"address": "+4\x07", "state": "delivered", "code": 1000, "text": "OK", "event": "2030-01-01T00:00:03Z",
             "demanded": "none"}]},
        {"address": "+5", "state": "delivered", "code": 1000, "text": "OK", "event": "2030-01-01T00:00:03Z", "demanded": "none",
         "notification": "told", "notification_answer": 1000}]}


@case
def explain_in_plain_words(bench):
    gateway = operator_socket(bench, 200, TOLD)
    done = bench.run("ppgctl", "--socket", gateway.url, "push", "explain", "i@pi", "--initiator", "news")
    check_eq((done.returncode, done.stderr, heard(gateway)), (0, "", ("GET", "/push/explain?id=i%40pi&initiator=news", None)))
    check_eq(done.stdout.splitlines(), [
        "push i@pi of initiator news",
        "  accepted 2030-01-01T00:00:00Z; let in by: Digest SHA-256 as n from 192.0.2.1 over TLS",
        "  says it comes from https://n.example/: it may say so, content not trusted",
        "  asked for: protection full, priority high, method confirmed, required bearer SMS",
        "  content: text/plain, 2 octets",
        "  times: given up at 2030-01-02T00:00:00Z",
        "  result: to be told to https://n.example/n",
        "  passed: fields, whitelist, unused push-id",
        "recipient +1",
        "  let through by w.conf:1 allow protect=full",
        "  protection demanded: full",
        "  try 1 2030-01-01T00:00:01Z, 12 ms, by http, 99 octets: HTTP 503",
        "    protected: level=full",
        "  try 2 2030-01-01T00:00:02Z, 0 octets",
        "  expired 2030-01-01T00:00:09Z: 4000 Service Failure (too late)",
        "  notification: owed, tried 3 times, next 2030-01-01T00:10:00Z",
        "group $all",
        "  let through by w.conf:2 allow",
        "  pending until the last member is done",
        "  member +2",
        "    protection demanded: none",
        "    pending, tried again 2030-01-01T01:00:00Z",
        "  member +3",
        "    protection demanded: none",
        "    pending, in work now, 1 tries begun",
        "  member +4?",
        "    protection demanded: none",
        "    delivered 2030-01-01T00:00:03Z: 1000 OK",
        "recipient +5",
        "  protection demanded: none",
        "  delivered 2030-01-01T00:00:03Z: 1000 OK",
        "  notification: told, answered 1000"])
    done = bench.run("ppgctl", "--socket", gateway.url, "push", "explain", "i@pi", "--json")
    check_eq((done.returncode, json.loads(done.stdout)), (0, TOLD))


@case
def explain_of_odd_answers(bench):
    for told in ({}, {"targets": 5}, {"targets": [1, "x", None]}, {"targets": [{"attempts": [7], "members": [8]}]},
                 {"checks_passed": [{}, 1], "push_id": 5}, {"push_id": "x" * 10000}):
        gateway = operator_socket(bench, 200, told)
        done = bench.run("ppgctl", "--socket", gateway.url, "push", "explain", "i")
        check_eq((done.returncode, done.stderr), (0, ""), told)
        for command in (("queue",), ("push", "cancel", "i"), ("push", "show", "i")):
            check_eq(bench.run("ppgctl", "--socket", gateway.url, *command).returncode, 0, told)
    for odd in ({"initiators": [1, {}], "due_longest": ["x"]}, {"initiators": 5}, {"due_longest": [{"a": {}, "b": [1]}]}):
        gateway = operator_socket(bench, 200, odd)
        check_eq(bench.run("ppgctl", "--socket", gateway.url, "queue").returncode, 0, odd)


def requests(gateway, bench, *rows):
    """Each command line makes this request."""
    for args, want in rows:
        done = bench.run("ppgctl", "--socket", gateway.url, *args)
        check_eq((done.returncode, done.stderr, heard(gateway)), (0, "", want), args)


@case
def lists_over_the_wire(bench):
    gateway = operator_socket(bench, 200, {})
    requests(gateway, bench, (("initiator", "list", "--from", "5", "--count", "2"), ("GET", "/initiator?count=2&from=5", None)),
             (("initiator", "show", "a b"), ("GET", "/initiator?initiator=a%20b", None)),
             (("initiator", "test", "a", "--san", "URI:https://h", "--source", "::1"),
              ("GET", "/initiator/test?initiator=a&san=URI%3Ahttps%3A%2F%2Fh&source=%3A%3A1", None)),
             (("whitelist", "list"), ("GET", "/whitelist", None)),
             (("whitelist", "test", "--initiator", "a", "--recipient", "+1", "--size", "7"),
              ("GET", "/whitelist/test?initiator=a&recipient=%2B1&size=7", None)),
             (("whitelist", "add", "allow", "a", "* *"), ("POST", "/whitelist/add", {"rule": "allow a * *"})),
             (("whitelist", "add", "--line", "4", "x"), ("POST", "/whitelist/add", {"rule": "x", "line": "4"})),
             (("whitelist", "remove", "--line", "4"), ("POST", "/whitelist/remove", {"line": "4"})),
             (("audit", "tail", "--count", "0"), ("GET", "/audit?count=0", None)),
             (("audit", "verify"), ("GET", "/audit/verify", None)))
    path = bench.write("a.list", '{"not": "taken apart"}')
    requests(gateway, bench, (("whitelist", "import", path), ("POST", "/whitelist/import", {"not": "taken apart"})),
             (("whitelist", "diff", path, "--replay", "24h"), ("POST", "/whitelist/diff?replay=86400", {"not": "taken apart"})))


@case
def tests_that_say_no(bench):
    for answer, args in (({"allow": False, "reason": "no rule", "file": "w"}, ("whitelist", "test", "--initiator", "a")),
                         ({"good": False, "checks": []}, ("initiator", "test", "a")),
                         ({"good": False, "lines": 3, "bad_line": 4, "what": "x\x1b", "last": "0"}, ("audit", "verify"))):
        gateway = operator_socket(bench, 200, answer)
        check_eq(bench.run("ppgctl", "--socket", gateway.url, *args).returncode, 1)
        done = bench.run("ppgctl", "--socket", gateway.url, "--json", *args)
        check_eq((done.returncode, json.loads(done.stdout)), (1, answer))


@case
def odd_answers_about_lists(bench):
    for told in ({}, {"rules": 5, "removed": [1], "added": [{}], "removed_in_all": 7}, {"lines": [1, {}, {"before": 3}]},
                 {"initiators": "x", "checks": {}, "otherwise": [[]], "pushes": 1}):
        gateway = operator_socket(bench, 200, told)
        path = bench.write("a.list", "")
        for args in (("initiator", "list"), ("initiator", "show", "a"), ("initiator", "test", "a"), ("whitelist", "list"),
                     ("whitelist", "test", "--initiator", "a"), ("whitelist", "add", "x"), ("whitelist", "import", path),
                     ("whitelist", "diff", path), ("audit", "tail"), ("audit", "verify")):
            done = bench.run("ppgctl", "--socket", gateway.url, *args)
            check_eq((done.returncode, done.stderr), (0, ""), (args, told))


@case
def help_and_version(bench):
    done = bench.run("ppgctl", "whitelist", "diff", "--help")
    check_eq((done.returncode, done.stderr), (0, ""))
    check(done.stdout.startswith("usage: ppgctl [OPTIONS] whitelist diff FILE\n") and "--replay TIME" in done.stdout and
          "--recipient" not in done.stdout, done.stdout)
    for args, words in ((("--help",), ("push show ID", "push explain ID", "queue", "push replay ID [ADDRESS...]", "--heads N")),
                        (("--version",), ("ppgctl 0.",))):
        done = bench.run("ppgctl", *args)
        check_eq((done.returncode, done.stderr), (0, ""), args)
        check(all(w in done.stdout for w in words), done.stdout)


if __name__ == "__main__":
    main("ppgctl")
