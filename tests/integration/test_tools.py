"""pap-push submit and listen from the outside, against peers written here: a gateway that can be told to misbehave, and
curl for what listens.  No ppgd: test_first_push has the whole.
"""

import calendar
import hashlib
import json
import re
import socket
import threading
import time
import xml.etree.ElementTree

from harness import case, check, check_eq, main
from peers import ACCEPTED, NOTIFICATION, Gateway, Raw, control_of, parts_of, yes


def submit(bench, url, *args, **more):
    return bench.run("pap-push", "submit", "--url", url, "--to", "+15550100", "--text", "hi", *args, **more)


@case
def submit_accepted(bench):
    gateway = Gateway(bench, yes)
    done = submit(bench, gateway.url, "--id", "a1@pi")
    check_eq((done.returncode, done.stdout, done.stderr), (0, "1001 Accepted for Processing push-id=a1@pi\n", ""))
    control, content = parts_of(gateway.requests[0])
    check_eq(control[0], {"content-type": "application/xml"})
    check_eq(content, ({"content-type": "text/plain"}, b"hi"))
    check(b'"-//WAPFORUM//DTD PAP 2.0//EN"' in control[1], control[1])


@case
def submit_every_option(bench):
    gateway = Gateway(bench, yes)
    rdf = bench.write("rdf", "<rdf/>")
    content = bench.write("content", bytes(range(256)))
    done = bench.run(
        "pap-push", "submit", "--url", gateway.url, "--id", 'x"<&>', "--to", "WAPPUSH=+1/TYPE=PLMN@ppg", "--to", "a@b.example",
        "--to", "sip:c@d.example", "--to", "192.0.2.1", "--to", "+44-1", "--file", content, "--type", "image/png", "--app",
        "x-wap-application:mms.ua", "--initiator-uri", "https://pi.example/", "--header", "Cache-Control: no-transform",
        "--protection", "full", "--priority", "high", "--method", "confirmed", "--network", "GSM", "--network-required",
        "--bearer", "SMS", "--bearer-required", "--after", "2030-01-01T00:00:00Z", "--before", "+10m", "--notify",
        "http://127.0.0.1/n", "--source-reference", "news", "--progress", "--capabilities", rdf, "--pap-version", "2.1",
    )
    check_eq(done.returncode, 0, done.stderr)
    parts = parts_of(gateway.requests[0])
    push = control_of(gateway.requests[0])[0]
    before = push.attrib.pop("deliver-before-timestamp")
    minutes = (calendar.timegm(time.strptime(before, "%Y-%m-%dT%H:%M:%SZ")) - time.time()) / 60
    check(8 < minutes < 11, before)
    check_eq(
        push.attrib,
        {"push-id": 'x"<&>', "deliver-after-timestamp": "2030-01-01T00:00:00Z", "source-reference": "news",
         "progress-notes-requested": "true", "ppg-notify-requested-to": "http://127.0.0.1/n"},
    )
    check_eq(
        [a.get("address-value") for a in push.findall("address")],
        ["WAPPUSH=+1/TYPE=PLMN@ppg", "WAPPUSH=a%40b.example/TYPE=USER", "WAPPUSH=sip%3Ac%40d.example/TYPE=USER",
         "WAPPUSH=192.0.2.1/TYPE=IPV4", "WAPPUSH=+44-1/TYPE=PLMN"],
    )
    check_eq(
        push.find("quality-of-service").attrib,
        {"priority": "high", "delivery-method": "confirmed", "network": "GSM", "network-required": "true",
         "bearer": "SMS", "bearer-required": "true"},
    )
    check_eq(
        parts[1],
        ({"content-type": "image/png", "x-wap-application-id": "x-wap-application:mms.ua", "x-wap-initiator-uri":
          "https://pi.example/", "x-push-protection": "full", "cache-control": "no-transform"}, bytes(range(256))),
    )
    check_eq(parts[2], ({"content-type": "application/rdf+xml"}, b"<rdf/>"))
    check(b'"-//WAPFORUM//DTD PAP 2.1//EN"' in parts[0][1], parts[0][1])


@case
def submit_standard_input(bench):
    gateway = Gateway(bench, yes)
    done = bench.run("pap-push", "submit", "--url", gateway.url, "--to", "+1", stdin="from a pipe")
    check_eq(done.returncode, 0, done.stderr)
    check_eq(parts_of(gateway.requests[0])[1][1], b"from a pipe")
    push_id = control_of(gateway.requests[0])[0].get("push-id")
    check(re.fullmatch(r"[0-9a-f]{16}@.+", push_id), push_id)


@case
def submit_code_classes(bench):
    for code, want in (("1000", 0), ("1001", 0), ("1999", 0), ("2001", 2), ("2007", 2), ("3000", 3), ("3999", 3),
                       ("4001", 4), ("5026", 5)):
        for status in (200, 202):
            gateway = Gateway(bench, lambda r, c=code, s=status: yes(r, c, "because", s))
            done = submit(bench, gateway.url, "--id", "i")
            check_eq(done.returncode, want, f"code {code}")
            check(re.fullmatch(rf"{code} [A-Z].* push-id=i: because\n", done.stdout), done.stdout)


@case
def submit_bad_message(bench):
    bad = '<pap><badmessage-response {} bad-message-fragment="&lt;pap"/></pap>'
    for attributes, want, first in (('code="2000" desc="no"', 2, "2000 Bad Request: no"), ('code="3002"', 3,
                                    "3002 Version Not Supported"), ("", 2, "2000 Bad Request")):
        gateway = Gateway(bench, lambda r, a=attributes: (202, [], bad.format(a)))
        done = submit(bench, gateway.url)
        check_eq((done.returncode, done.stdout), (want, first + "\nfragment <pap\n"))
        told = json.loads(submit(bench, gateway.url, "--json").stdout)
        check_eq((told["code"] // 1000, told["fragment"]), (want, "<pap"))


@case
def submit_json_and_notes(bench):
    answer = (
        '<pap><push-response push-id="n" sender-name="G&#xfc;te" reply-time="2030-01-01T00:00:00Z">'
        '<progress-note stage="received" note="got &quot;it&quot;" time="2030-01-01T00:00:00Z"/><progress-note '
        'stage="queued"/><response-result code="1001"/></push-response></pap>'
    )
    gateway = Gateway(bench, lambda r: (202, [], answer))
    done = submit(bench, gateway.url, "--id", "n", "--json")
    told = json.loads(done.stdout)
    check_eq((done.returncode, told["code"], told["push_id"], told["sender_name"]), (0, 1001, "n", "Güte"))
    check_eq(told["progress"], [{"stage": "received", "note": 'got "it"', "time": "2030-01-01T00:00:00Z"},
                                {"stage": "queued"}])
    text = submit(bench, gateway.url, "--id", "n").stdout
    check_eq(text.split("\n")[1:], ['note received 2030-01-01T00:00:00Z: got "it"', "note queued", ""])


@case
def submit_broken_answers(bench):
    other = ACCEPTED.format(id="other", code="1001", desc="")
    for answer in ("", "<pap", "<html/>", other, NOTIFICATION.format(id="i"), "<pap/>",
                   '<!DOCTYPE pap [<!ENTITY x "y">]><pap/>'):
        gateway = Gateway(bench, lambda r, a=answer: (202, [], a))
        done = submit(bench, gateway.url, "--id", "i")
        check_eq((done.returncode, done.stdout), (76, ""), answer)
        check(done.stderr.startswith("pap-push: "), done.stderr)
        check_eq(json.loads(submit(bench, gateway.url, "--id", "i", "--json").stdout)["exit"], 76)


@case
def submit_http_statuses(bench):
    for status, want in ((204, 76), (301, 76), (400, 76), (403, 77), (404, 76), (429, 69), (500, 76), (503, 69)):
        gateway = Gateway(bench, lambda r, s=status: (s, [], ""))
        check_eq(submit(bench, gateway.url).returncode, want, f"HTTP {status}")


@case
def submit_broken_http(bench):
    for wire, want in ((b"", 69), (b"HTTP/1.1 202", 69), (b"nonsense\r\n\r\n", 76), (b"HTTP/1.1 202 ok\nX: y\n\n", 76),
                       (b"HTTP/1.1 200 ok\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", 76),
                       (b"HTTP/1.1 200 ok\r\nContent-Length: 99999999999\r\n\r\n", 76)):
        raw = Raw(bench, lambda c, w=wire: c.sendall(w))
        done = submit(bench, raw.url)
        check_eq(done.returncode, want, f"{wire!r}: {done.stderr}")


@case
def submit_nobody_there(bench):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))  # bound and not listening
        done = submit(bench, f"http://127.0.0.1:{s.getsockname()[1]}/")
    check_eq(done.returncode, 69, done.stderr)
    check_eq(submit(bench, "http://no-such-name.invalid/").returncode, 69)


@case
def submit_timeout(bench):
    gone = threading.Event()
    raw = Raw(bench, lambda c: gone.wait(120))
    started = time.monotonic()
    done = submit(bench, raw.url, "--timeout", "1")
    gone.set()
    check_eq(done.returncode, 69, done.stderr)
    check("no answer in 1000 ms" in done.stderr, done.stderr)
    check(0.9 < time.monotonic() - started < 60, "it waited otherwise")


def digest_gateway(bench, algorithm, password="sesame", rspauth="good", challenge=None, **tls):
    """Asks for Digest and checks the answer by the formulas of RFC 7616 §3.4."""
    def h(text):
        return (hashlib.md5 if algorithm == "MD5" else hashlib.sha256)(text.encode()).hexdigest()

    def act(request):
        header = request["headers"]["Authorization"]
        if not header:
            offers = challenge or [f'Digest realm="r", nonce="n-{algorithm}", algorithm={algorithm}, qop="auth"']
            return 401, [("WWW-Authenticate", offer) for offer in offers], ""
        got = {k: q or t for k, q, t in re.findall(r'(\w+)=(?:"([^"]*)"|([^,\s]+))', header)}
        check_eq((got["username"], got["uri"], got["nc"]), ("mms", "/pap", "00000001"))
        ha1 = h(f"mms:r:{password}")
        middle = f"{got['nonce']}:{got['nc']}:{got['cnonce']}:{got['qop']}"
        if got["response"] != h(f"{ha1}:{middle}:{h('POST:/pap')}"):
            return 401, [("WWW-Authenticate", f'Digest realm="r", nonce="m", algorithm={algorithm}, qop="auth"')], ""
        proof = h(f"{ha1}:{middle}:{h(':/pap')}") if rspauth == "good" else "0" * len(ha1)
        info = f'rspauth="{proof}", qop=auth, nc={got["nc"]}, cnonce="{got["cnonce"]}"'
        return yes(request, headers=[("Authentication-Info", info)] if rspauth else [])

    return Gateway(bench, act, **tls)


@case
def digest_good(bench):
    password = bench.write("password", "sesame\n", 0o600)
    for algorithm in ("SHA-256", "MD5"):
        for rspauth in ("good", None):
            gateway = digest_gateway(bench, algorithm, rspauth=rspauth)
            done = submit(bench, gateway.url, "--user", "mms", "--password-file", password)
            check_eq(done.returncode, 0, f"{algorithm} {rspauth}: {done.stderr}")
            check_eq(len(gateway.requests), 2)


@case
def digest_prefers_sha256(bench):
    offers = ['Basic realm="r"', 'Digest realm="r", nonce="n", algorithm=MD5, qop="auth"',
              'Digest realm="r", nonce="n", algorithm=SHA-256, qop="auth"']
    password = bench.write("password", "sesame", 0o600)
    gateway = digest_gateway(bench, "SHA-256", challenge=offers)
    done = submit(bench, gateway.url, "--user", "mms", "--password-file", password)
    check_eq(done.returncode, 0, done.stderr)
    check("SHA-256" in gateway.requests[1]["headers"]["Authorization"], "another algorithm was taken")


@case
def digest_wrong_password(bench):
    password = bench.write("password", "guess", 0o600)
    gateway = digest_gateway(bench, "SHA-256")
    done = submit(bench, gateway.url, "--user", "mms", "--password-file", password)
    check_eq((done.returncode, len(gateway.requests)), (77, 2), done.stderr)
    check("guess" not in done.stdout + done.stderr, "the password is printed")


@case
def digest_wrong_rspauth(bench):
    password = bench.write("password", "sesame", 0o600)
    for algorithm in ("SHA-256", "MD5"):
        gateway = digest_gateway(bench, algorithm, rspauth="bad")
        done = submit(bench, gateway.url, "--user", "mms", "--password-file", password)
        check_eq((done.returncode, done.stdout), (77, ""), done.stderr)


@case
def digest_without_user(bench):
    gateway = digest_gateway(bench, "SHA-256")
    done = submit(bench, gateway.url)
    check_eq((done.returncode, len(gateway.requests)), (77, 1), done.stderr)


@case
def digest_bad_challenges(bench):
    password = bench.write("password", "sesame", 0o600)
    for offers in (["Digest"], ['Digest realm="r"'], ['Digest realm="r", nonce="n", algorithm=SHA-1, qop="auth"'], [],
                   ['Negotiate'], ['Digest realm="r, nonce="n"']):
        gateway = Gateway(bench, lambda r, o=offers: (401, [("WWW-Authenticate", v) for v in o], ""))
        done = submit(bench, gateway.url, "--user", "mms", "--password-file", password)
        check_eq((done.returncode, len(gateway.requests)), (77, 1), f"{offers}: {done.stderr}")


def basic_act(request):
    if not request["headers"]["Authorization"]:
        return 401, [("WWW-Authenticate", 'Basic realm="r"')], ""
    return yes(request) if request["headers"]["Authorization"] == "Basic bW1zOnNlc2FtZQ==" else (401, [], "")


@case
def basic_only_when_allowed(bench):
    login = ("--user", "mms", "--password-file", bench.write("password", "sesame", 0o600))
    ca = bench.ca()
    tls = Gateway(bench, basic_act, bench.certificate(ca, "gateway"))
    clear = Gateway(bench, basic_act)
    check_eq(submit(bench, tls.url, "--ca", ca[0], "--basic", *login).returncode, 0)
    check_eq(submit(bench, tls.url, "--ca", ca[0], *login).returncode, 77)
    check_eq(submit(bench, clear.url, "--basic", *login).returncode, 77)
    check_eq(len([r for r in tls.requests + clear.requests if r["headers"]["Authorization"]]), 1)


@case
def tls_good_and_bad_names(bench):
    ca, stranger = bench.ca(), bench.ca("stranger")
    for alt, signer, trusted, want in (("IP:127.0.0.1", ca, ca, 0), ("IP:127.0.0.2", ca, ca, 77),
                                       ("DNS:localhost", ca, ca, 77), ("IP:127.0.0.1", stranger, ca, 77)):
        gateway = Gateway(bench, yes, bench.certificate(signer, "gateway", alt))
        done = submit(bench, gateway.url, "--ca", trusted[0])
        check_eq((done.returncode, len(gateway.requests)), (want, 0 if want else 1), f"{alt}: {done.stderr}")


@case
def tls_system_list_does_not_know_us(bench):
    gateway = Gateway(bench, yes, bench.certificate(bench.ca(), "gateway"))
    check(submit(bench, gateway.url).returncode in (64, 77), "it was trusted, or no list is a fault of its own")


@case
def tls_client_certificate(bench):
    ca = bench.ca()
    gateway = Gateway(bench, yes, bench.certificate(ca, "gateway"), ca[0])
    mine = bench.certificate(ca, "pi", "URI:https://pi.example.net")
    check_eq(submit(bench, gateway.url, "--ca", ca[0], "--cert", mine[0], "--key", mine[1]).returncode, 0)
    done = submit(bench, gateway.url, "--ca", ca[0])
    check(done.returncode in (69, 77), f"{done.returncode}: {done.stderr}")
    check_eq(len(gateway.requests), 1)


@case
def submit_usage(bench):
    url = ("--url", "http://127.0.0.1:1/")
    to = ("--to", "+1")
    secret = bench.write("password", "x", 0o600)
    for args in ((), to, url, ("--nonsense",), ("-x",), (*url, *to, "--url"), (*url, *to, "word"),
                 (*url, *to, "--file", "a", "--text", "b"), (*url, *to, "--file", bench.path("absent")),
                 (*url, *to, "--protection", "some"), (*url, *to, "--priority", "HIGH"), (*url, *to, "--method", "x"),
                 (*url, *to, "--after", "soon"), (*url, *to, "--before", "2030-02-30T00:00:00Z"),
                 (*url, *to, "--pap-version", "3.0"), (*url, *to, "--header", "no colon"), (*url, *to, "--progress=1"),
                 (*url, *to, "--header", "A: b\r\nC: d"), (*url, *to, "--type", "a\nb"), (*url, *to, "--timeout", "0"),
                 (*url, *to, "--network-required"), (*url, *to, "--bearer-required"), (*url, *to, "--user", "a"),
                 (*url, *to, "--password-file", secret), ("--url", "ftp://h/", *to), ("--url", "http://u@h/", *to),
                 ("--url", "https://h/", *to, "--ca", bench.path("absent")), (*url, *to, "--timeout", "1x"),
                 ("--url", "https://h/", *to, "--ca", secret), ("--url", "https://127.0.0.1:1/", *to, "--cert", secret)):
        done = bench.run("pap-push", "submit", *args)
        check_eq((done.returncode, done.stdout), (64, ""), f"{args}: {done.stderr}")
        check(done.stderr.startswith("pap-push: "), f"{args}: {done.stderr}")


@case
def help_and_version(bench):
    for args, word in ((("pap-push", "--help"), "listen"), (("pap-push", "submit", "--help"), "--protection"),
                       (("pap-push", "listen", "--help"), "--http-status"),
                       (("pap-push", "--version"), "pap-push 0."), (("pap-push", "submit", "--version"), "pap-push 0."),
                       (("pap-push", "listen", "--version"), "pap-push 0.")):
        done = bench.run(*args)
        check_eq((done.returncode, done.stderr), (0, ""), args)
        check(word in done.stdout, f"{args}: {done.stdout}")
    for args in (("pap-push",), ("pap-push", "resubmit"), ("pap-push", "--id", "x")):
        done = bench.run(*args)
        check_eq(done.returncode, 64, args)
        check("submit" in done.stderr and "listen" in done.stderr, done.stderr)


def listening(bench, *args, tls=False):
    ports = bench.path(f"port{len(bench.programs)}")
    ear = bench.start("pap-push", "listen", "--bind", "127.0.0.1:0", "--port-file", ports, *args)
    return ear, f"{'https' if tls else 'http'}://127.0.0.1:{int(bench.wait_for_file(ports, ear))}"


def post(bench, url, body, *args):
    """(HTTP status, body) by curl."""
    out = bench.tool("curl", "-sS", "-m", "60", "--noproxy", "*", "-H", "Content-Type: application/xml", "-w",
                     "\n%{http_code}", *args, "--data-binary", "@-", url, stdin=body)
    text, _, status = out.rpartition("\n")
    return int(status), text


@case
def listen_counts_and_ends(bench):
    ear, url = listening(bench, "--count", "2", "--timeout", "60", "--json")
    for name in ("one", "two"):
        status, answer = post(bench, url + "/notify", NOTIFICATION.format(id=name))
        got = xml.etree.ElementTree.fromstring(answer)[0]
        check_eq((status, got.tag, got.get("code"), got.get("push-id")), (202, "resultnotification-response", "1000", name))
        check_eq(got[0].get("address-value"), "WAPPUSH=+1555/TYPE=PLMN@ppg")
    check_eq(ear.wait(), 0, ear.err())
    told = [json.loads(line) for line in ear.lines()]
    check_eq([t["push_id"] for t in told], ["one", "two"])
    check_eq(told[0], {"push_id": "one", "state": "delivered", "code": 1000, "text": "OK", "description": "OK",
                       "event_time": "2030-01-31T12:00:00Z", "addresses": ["WAPPUSH=+1555/TYPE=PLMN@ppg"]})


@case
def listen_text_path_and_answer(bench):
    ear, url = listening(bench, "--count", "1", "--path", "/n", "--answer", "2000", "--http-status", "200")
    check_eq(post(bench, url + "/notify", NOTIFICATION.format(id="x"))[0], 404)
    check_eq(bench.tool("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--noproxy", "*", url + "/n"), "405")
    status, answer = post(bench, url + "/n", NOTIFICATION.format(id="a b"))
    check_eq((status, xml.etree.ElementTree.fromstring(answer)[0].get("code")), (200, "2000"))
    check_eq(ear.wait(), 0, ear.err())
    check_eq(ear.out(), "delivered 1000 OK push-id=a b address=WAPPUSH=+1555/TYPE=PLMN@ppg "
                        "event-time=2030-01-31T12:00:00Z\n")


@case
def listen_refuses_noise(bench):
    ear, url = listening(bench, "--count", "1", "--timeout", "60")
    for noise in ("", "<pap", "<pap/>", ACCEPTED.format(id="i", code="1001", desc=""), "x" * 100000):
        status, answer = post(bench, url + "/notify", noise)
        check_eq((status, xml.etree.ElementTree.fromstring(answer)[0].tag), (202, "badmessage-response"), noise[:20])
    check_eq(post(bench, url + "/notify", NOTIFICATION.format(id="good"))[0], 202)
    check_eq(ear.wait(), 0, ear.err())
    check_eq(len(ear.lines()), 1)


@case
def listen_failing_on_purpose(bench):
    ear, url = listening(bench, "--count", "1", "--http-status", "503")
    check_eq(post(bench, url + "/notify", NOTIFICATION.format(id="i")), (503, ""))
    check_eq(ear.wait(), 0, ear.err())


@case
def listen_tls(bench):
    ca = bench.ca()
    cert, key = bench.certificate(ca, "pi")
    ear, url = listening(bench, "--cert", cert, "--key", key, "--count", "1", tls=True)
    check_eq(post(bench, url + "/notify", NOTIFICATION.format(id="i"), "--cacert", ca[0])[0], 202)
    check_eq(ear.wait(), 0, ear.err())


@case
def a_port_in_use_is_not_shared(bench):
    """Two who listen on one port would each get a part of what comes, and neither would know."""
    for program in ("pap-push", "push-terminal"):
        first = bench.start(program, "listen", "--bind", "127.0.0.1:0", "--port-file", bench.path(program + ".port"))
        port = bench.wait_for_file(bench.path(program + ".port"), first).split(":")[-1].strip()
        done = bench.run(program, "listen", "--bind", f"127.0.0.1:{port}", "--timeout", "1")
        check(done.returncode in (2, 64) and "in use" in done.stderr, f"{program}: {done}")
        check(first.running(), program)


@case
def what_cannot_be_read_or_reached_is_told_by_name(bench):
    url = "http://127.0.0.1:1/pap"
    for args, words in ((("--text", "a", "--url", f"http://{'a' * 64}.example/pap"), "a.example/pap: no such host"),
                        (("--text", "a", "--url", url), url + ": "), (("--file", bench.path("none"), "--url", url), "none: No such file"),
                        (("--file", bench.folder, "--url", url), "Is a directory"),
                        (("--text", "a", "--url", url, "--to-file", bench.path("list")), "list: No such file"),
                        (("--text", "a", "--url", "https://127.0.0.1:1/", "--cert", bench.path("c"), "--key", bench.path("k")),
                         "c: No such file")):
        done = bench.run("pap-push", "submit", "--to", "+15550100", *args)
        check(done.returncode in (64, 69) and words in done.stderr, f"{args}: {done}")


@case
def listen_timeout_and_usage(bench):
    started = time.monotonic()
    done = bench.run("pap-push", "listen", "--bind", "127.0.0.1:0", "--count", "1", "--timeout", "1")
    check_eq((done.returncode, done.stdout), (1, ""), done.stderr)
    check(time.monotonic() - started > 0.9, "too early")
    for args in ((), ("--bind", "x"), ("--bind", "127.0.0.1:99999"), ("--bind", "localhost:0"), ("--bind", "127.0.0.1:0",
                 "--cert", "a"), ("--bind", "127.0.0.1:0", "--answer", "7"), ("--bind", "127.0.0.1:0", "--http-status", "99"),
                 ("--bind", "127.0.0.1:0", "--count", "0"), ("--bind", "127.0.0.1:0", "--port-file", "/absent/x")):
        done = bench.run("pap-push", "listen", *args, timeout_s=60)
        check_eq(done.returncode, 64, f"{args}: {done.stderr}")


if __name__ == "__main__":
    main("tools")
