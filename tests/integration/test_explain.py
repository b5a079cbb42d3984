"""The commands of initiators and operators against a ppgd: pap-push replace, cancel, status and capabilities; ppgctl queue,
push explain, cancel and replay.  Groups are in test_groups.py; the tools against peers that misbehave in test_pap_push.py
and test_ppgctl.py."""

import json
import re

from gateway import ANY_LEVEL, Ear, Gateway, Terminal, as_news, good_push, pap_push
from harness import case, check, check_eq, main, wait_until

PHONE = "[terminal +15550100]\nroute = http://127.0.0.1:9\n[terminal +15550101]\nroute = http://127.0.0.1:9\n"
A, B = ("WAPPUSH=+15550100/TYPE=PLMN", "WAPPUSH=+15550101/TYPE=PLMN")


def closed(bench, terminals=PHONE, rules=ANY_LEVEL, **conf):
    """Nobody answers, and the next try is an hour away."""
    conf = {"delivery.retry-first": "1h", "delivery.retry-max": "1h",
            **{k.replace("__", ".").replace("_", "-"): v for k, v in conf.items()}}
    return Gateway(bench, terminals, rules, conf=conf)


def news(bench, gateway, command, *args):
    """A pap-push command as `news` over TLS."""
    return bench.run("pap-push", command, *args, "--url", gateway.tls_url, "--ca", bench.path("ca.crt"), *as_news(bench))


def explain(gateway, push_id, *args):
    done = gateway.ctl("--json", "push", "explain", push_id, *args)
    check_eq(done.returncode, 0, done.stderr)
    return json.loads(done.stdout)


def words(gateway, push_id):
    done = gateway.ctl("push", "explain", push_id)
    check_eq((done.returncode, done.stderr), (0, ""))
    return done.stdout


def calm(gateway, push_id):
    """Until each recipient was tried and waits."""
    wait_until(lambda: all(t["tries"] and not t["note"] == "" for t in explain(gateway, push_id)["targets"]), "a first try")


@case
def cancel_and_status_of_an_initiator(bench):
    gateway = closed(bench)
    push_id = good_push(bench, gateway, to=("+15550100", "+15550101"))
    done = news(bench, gateway, "status", push_id)
    check_eq((done.returncode, [line.split(" push-id")[0] for line in done.stdout.splitlines()]),
             (0, ["pending 1001 Accepted for Processing"] * 2))
    done = wait_until(lambda: (d := news(bench, gateway, "cancel", push_id, "+15550100")).returncode == 0 and d, "a calm moment")
    check_eq(done.stdout, f"1000 OK push-id={push_id} address={A}\n")
    done = news(bench, gateway, "status", push_id, "--json")
    check_eq({(r["state"], r["code"], r["addresses"][0][:20]) for r in map(json.loads, done.stdout.splitlines())},
             {("cancelled", 1000, "WAPPUSH=+15550100/TY"), ("pending", 1001, "WAPPUSH=+15550101/TY")})
    done = wait_until(lambda: (d := news(bench, gateway, "cancel", push_id)).returncode == 2 and "1000" in d.stdout and d,
                      "the other one")
    check_eq(sorted(line.split(" ")[0] for line in done.stdout.splitlines()), ["1000", "2008"])
    for args, code in ((("unknown",), 2004), ((push_id, "+15550109"), 2003), ((push_id, "x" * 600), 2002)):
        for command in ("cancel", "status"):
            done = news(bench, gateway, command, *args)
            check((done.returncode, str(code) in done.stdout) == (2, True), f"{command} {args}: {done.stdout}{done.stderr}")
    password = ("--user", "pass", "--password-file", bench.path("password"), "--ca", bench.path("ca.crt"))
    done = bench.run("pap-push", "status", push_id, "--url", gateway.tls_url, *password)
    check((done.returncode, "2004" in done.stdout) == (2, True), "another initiator's push: " + done.stdout)


@case
def replace_from_the_command_line(bench):
    gateway = closed(bench)
    old = good_push(bench, gateway, to=("+15550100", "+15550101"))
    calm(gateway, old)
    done = news(bench, gateway, "replace", old, "--id", "new@pi", "--to", "+15550100", "--text", "newer", "--method",
                "pending-only")
    check_eq((done.returncode, done.stdout[:4]), (0, "1001"), done.stderr)
    shown = explain(gateway, old)["targets"]
    check_eq([t["state"] for t in shown], ["cancelled", "pending"])
    check("replaced by new@pi" in words(gateway, old), words(gateway, old))
    check_eq([t["state"] for t in explain(gateway, "new@pi")["targets"]], ["pending"])
    done = news(bench, gateway, "replace", "unknown", "--to", "+15550100", "--text", "x")
    check_eq((done.returncode, done.stdout[:4]), (2, "2004"))


@case
def capabilities_from_the_command_line(bench):
    gateway = closed(bench, PHONE.replace("route", "accept = image/png\nroute", 1))
    done = news(bench, gateway, "capabilities", "+15550100", "--out", bench.path("rdf"))
    check_eq((done.returncode, done.stdout), (0, f"1000 OK address={A}\n"), done.stderr)
    with open(bench.path("rdf"), encoding="utf-8") as f:
        check("image/png" in f.read(), "the operator's words")
    check("rdf" in news(bench, gateway, "capabilities", "+15550100").stdout.lower(), "no RDF on standard output")
    for address, code in (("+15550101", 3008), ("+15550109", 2002)):
        done = news(bench, gateway, "capabilities", address)
        check_eq((done.returncode, done.stdout[:4]), (code // 1000, str(code)))


@case
def ten_thousand_recipients_in_one_submission(bench):
    numbers = [f"+1555{n:07}" for n in range(10000)]
    gateway = closed(bench, "".join(f"[terminal {n}]\nroute = http://127.0.0.1:9\n" for n in numbers), pap__recipients_max="10000",
                     pap__control_max="2M", pap__body_max="4M")
    done = pap_push(bench, gateway, "--to-file", bench.write("numbers", "\n".join(numbers)), "--text", "x", "--id", "many")
    check_eq((done.returncode, done.stdout), (0, "1001 Accepted for Processing push-id=many\n"), done.stderr)
    check_eq(len(explain(gateway, "many")["targets"]), 10000)
    done = news(bench, gateway, "status", "many", "--to-file", bench.path("numbers"))
    check_eq((done.returncode, len(done.stdout.splitlines())), (0, 10000))
    queue = json.loads(gateway.ctl("--json", "queue", "--heads", "3").stdout)
    check_eq((queue["initiators"][0]["waiting"] + queue["initiators"][0]["leased"], len(queue["due_longest"])), (10000, 3))
    done = wait_until(lambda: (d := news(bench, gateway, "cancel", "many")).returncode in (0, 2) and
                      not [t for t in explain(gateway, "many")["targets"] if t["state"] != "cancelled"] and d, "all to be cancelled", 60)


@case
def queue_tells_initiators_apart(bench):
    gateway = closed(bench)
    for n in range(3):
        good_push(bench, gateway, to=("+15550100", "+15550101"))
    password = ("--user", "pass", "--password-file", bench.path("password"), "--ca", bench.path("ca.crt"))
    done = bench.run("pap-push", "submit", "--url", gateway.tls_url, "--to", "+15550100", "--text", "x", "--id", "p", *password)
    check_eq(done.returncode, 0, done.stdout + done.stderr)
    queue = json.loads(gateway.ctl("--json", "queue").stdout)
    check_eq([(i["initiator"], i["waiting"] + i["leased"]) for i in queue["initiators"]], [("news", 6), ("pass", 1)])
    queue = json.loads(gateway.ctl("--json", "queue", "--initiator", "pass").stdout)
    check_eq([(h["initiator"], h["push_id"]) for h in queue["due_longest"]], [("pass", "p")])
    done = gateway.ctl("queue")
    check(re.search(r"(?m)^initiator +waiting +leased +notices +next due$", done.stdout), done.stdout)
    check_eq(gateway.ctl("queue", "--initiator", "nobody").returncode, 0)


@case
def explain_names_how_each_was_let_in(bench):
    phone = Terminal(bench)
    gateway = Gateway(bench, phone.route("+15550100"), "# rules\nallow news +1555* * protect=full\nallow pass * *\n")
    login = ("--to", "+15550100", "--text", "x", "--user", "pass", "--password-file", bench.path("password"))
    good_push(bench, gateway, push_id="cert")
    for push_id, url, more in (("digest", gateway.url, ()), ("tls", gateway.tls_url, ("--ca", bench.path("ca.crt")))):
        done = bench.run("pap-push", "submit", "--url", url, "--id", push_id, *login, *more)
        check_eq(done.returncode, 0, done.stdout + done.stderr)
    bench.tool("curl", "-sS", "--http1.1", "--cacert", bench.path("ca.crt"), "-o", "/dev/null", "--basic", "--user",
               "pass:correct-horse-7391", "-H", 'Content-Type: multipart/related; boundary=b; type="application/xml"',
               "--data-binary", '--b\r\nContent-Type: application/xml\r\n\r\n<pap><push-message push-id="basic"><address '
               'address-value="WAPPUSH=+15550100/TYPE=PLMN"/></push-message></pap>\r\n--b\r\nContent-Type: text/plain\r\n\r\nx'
               '\r\n--b--\r\n', gateway.tls_url)
    for push_id, how, rule in (
            ("cert", "TLS certificate URI:https://news.example.com from 127.0.0.1 over TLS", "whitelist.conf:2 allow protect=full"),
            ("digest", "Digest SHA-256 as pass from 127.0.0.1 without TLS", "whitelist.conf:3 allow"),
            ("tls", "Digest SHA-256 as pass from 127.0.0.1 over TLS", "whitelist.conf:3 allow"),
            ("basic", "Basic as pass from 127.0.0.1 over TLS", "whitelist.conf:3 allow")):
        shown = explain(gateway, push_id)
        check_eq((push_id, shown["let_in_by"], shown["targets"][0]["rule"]), (push_id, how, rule))
        check(f"let in by: {how}" in words(gateway, push_id), words(gateway, push_id))


@case
def explain_of_a_push_that_was_tried_again(bench):
    phone, ear = Terminal(bench), Ear(bench)
    phone.kill()
    gateway = Gateway(bench, phone.route("+15550100"))
    push_id = good_push(bench, gateway, attributes={"ppg-notify-requested-to": ear.url})
    wait_until(lambda: len(explain(gateway, push_id)["targets"][0]["attempts"]) >= 2, "two tries in the history")
    phone.start()
    ear.wait_heard(1)
    shown = wait_until(lambda: (p := explain(gateway, push_id))["targets"][0]["notification"] == "told" and p, "the telling")
    target = shown["targets"][0]
    check_eq((target["state"], target["code"], target["notification_answer"]), ("delivered", 1000, 1000))
    attempts = target["attempts"]
    check_eq([a["no"] for a in attempts], sorted(a["no"] for a in attempts))
    last = attempts[-1]
    check_eq((last["no"], last["bearer"], last["octets"] > 0, "level=full" in last["protection"]),
             (target["tries"], "http", True, True), last)
    check(all(a["began"] and a["took_ms"] >= 0 for a in attempts) and attempts[0]["note"] != last["note"], attempts)
    text = words(gateway, push_id)
    for line in (rf"push {push_id} of initiator news, for Example News", r"  passed: fields of the control entity, .*,", r"    (.*, )?whitelist, .*",
                 r"recipient WAPPUSH=\+15550100/TYPE=PLMN@ppg\.example\.net",
                 r"  let through by whitelist\.conf:1 allow protect=full", r"  protection demanded: full",
                 r"  try 1 20\S+Z, \d+ ms.*", rf"  try {last['no']} 20\S+Z, \d+ ms, by http, \d+ octets.*",
                 r"    protected: .*level=full.*", r"  delivered 20\S+Z: 1000 OK.*", r"  notification: told, answered 1000"):
        check(re.search(rf"(?m)^{line}$", text), f"{line}: {text}")


@case
def explain_of_a_notification_that_is_owed(bench):
    phone = Terminal(bench)
    gateway = Gateway(bench, phone.route("+15550100"), conf={"notify.retries": "1h"})
    push_id = good_push(bench, gateway, attributes={"ppg-notify-requested-to": "http://127.0.0.1:9/n"})
    target = wait_until(lambda: (t := explain(gateway, push_id)["targets"][0])["notification"] == "owed" and
                        t.get("notification_tries") and t, "a try to tell")
    check_eq((target["state"], target["notification_tries"]), ("delivered", 1))
    check(re.search(r"(?m)^  notification: owed, tried 1 times, next 20\S+Z$", words(gateway, push_id)), words(gateway, push_id))


@case
def operator_cancels(bench):
    gateway = closed(bench)
    push_id = good_push(bench, gateway, to=("+15550100", "+15550101"))
    calm(gateway, push_id)
    done = wait_until(lambda: (d := gateway.ctl("push", "cancel", push_id, "+15550101", "+15550199", "--initiator", "news"))
                      .returncode == 0 and d, "a calm moment")
    check_eq(done.stdout.splitlines()[0], f"cancelled 1 of {push_id}")
    check("no recipient of this push" in done.stdout, done.stdout)
    check_eq([t["state"] for t in explain(gateway, push_id)["targets"]], ["pending", "cancelled"])
    check("(cancelled by the operator)" in words(gateway, push_id), words(gateway, push_id))
    check_eq(gateway.ctl("push", "cancel", push_id, "--initiator", "pass").returncode, 1)
    check_eq(gateway.ctl("push", "cancel", "unknown").stderr, "ppgctl: no such push\n")
    check_eq(gateway.ctl("push", "cancel", push_id, "+15550101").returncode, 1)
    check_eq(gateway.ctl("push", "explain", "unknown").returncode, 1)


def expired(bench, gateway, *to):
    """A push nobody got before its time was over."""
    done = pap_push(bench, gateway, *(w for t in to for w in ("--to", t)), "--text", "again", "--before", "+6s", "--id", "dead")  # it must be there before
    check_eq(done.returncode, 0, done.stdout + done.stderr)
    return gateway.wait_state("dead", "expired")


@case
def replay_of_an_expired_push_is_delivered(bench):
    phone = Terminal(bench)
    phone.kill()
    gateway = Gateway(bench, phone.route("+15550100") + phone.route("+15550101", port=9))
    expired(bench, gateway, "+15550100", "+15550101")
    check(re.search(r"(?m)^  expired 20\S+Z: 4000", words(gateway, "dead")), words(gateway, "dead"))
    phone.start()
    gateway.write("whitelist.conf", "allow news +1555* * protect=full\ndeny news +15550101 *\n")
    check_eq(gateway.ctl("reload").returncode, 0)
    done = wait_until(lambda: (d := gateway.ctl("push", "replay", "dead", "--initiator", "news", "--as", f"n{len(gateway.events())}"))
                      .returncode == 0 and "deny rule" in d.stdout and d, "the list to be in force")
    check_eq(done.stdout.splitlines()[0][:13], "replayed 1 as")
    new = done.stdout.split("\n")[0].split(" as ")[1]
    check("again" in [e["content"] for e in phone.wait_events(1)], phone.events())
    gateway.wait_state(new, "delivered")
    check_eq(explain(gateway, new)["let_in_by"], "replayed by the operator from dead")
    check_eq([t["state"] for t in explain(gateway, "dead")["targets"]], ["expired", "expired"])
    done = gateway.ctl("push", "replay", "dead", "+15550101", "--initiator", "news")
    check_eq((done.returncode, done.stdout), (1, ""))
    check("deny rule" in done.stderr, done.stderr)
    done = gateway.ctl("push", "replay", "dead", "--initiator", "news", "--as", new)
    check((done.returncode, "used already" in done.stderr) == (1, True), done.stderr)
    done = gateway.ctl("--json", "push", "replay", "dead", "--initiator", "news")
    check(json.loads(done.stdout)["push_id"].startswith("dead.replay-"), done.stdout)
    for args in (("unknown", "--initiator", "news"), ("dead", "--initiator", "pass"), (new, "--initiator", "news")):
        check_eq(gateway.ctl("push", "replay", *args).returncode, 1, args)


if __name__ == "__main__":
    main("explain")
