"""push-terminal against a gateway written here: HTTP over a plain socket, and sealing with Python's own HMAC, so that
neither the HTTP nor the cryptography of the product is checked by itself.  Usage: test_push_terminal.py BUILD_DIR."""

import os
import signal
import ssl

from harness import case, check, check_eq, main
from terminal import Terminal, association, inner, seal


@case
def sealed_push_is_opened_and_told(bench):
    wire = bench.path("wire")
    t = Terminal(bench, "--association", association(bench), "--count", "1", "--wire", wire)
    status, event = t.push(seal(1, inner(b"m1")))
    check_eq(status, "400")
    wanted = {"event": "push", "content": "hello", "protection": "integrity", "suite": "hmac-sha256", "sn": 1,
              "authenticated": True, "trusted": False, "initiator_uri": "https://bank.example/", "message_id": "m1",
              "content_type": "text/plain", "server": "127.0.0.1", "tls": False}
    check_eq({k: event.get(k) for k in wanted}, wanted)
    check_eq(t.program.wait(), 0, "exit status")
    with open(wire, "rb") as f:
        check(b"hello" in f.read(), "this suite does not hide the content")


@case
def a_pin_opens_a_flagged_push(bench):
    """Asked for when a push needs the user, by its application or its own word; three wrong in a row are enough."""
    pin, typed = bench.write("pin", "47110815\n", 0o600), bench.write("typed", "47110815\n0000\n47110815\n1\n2\n3\n47110815\n")
    with open(typed, "rb") as hand:
        t = Terminal(bench, "--association", association(bench), "--pin", pin, "--pin-app", "x-wap-application:mms.ua", stdin=hand)

    def push(number, head=b"", body=b"secret"):
        message = b"Content-Type: text/plain\r\nX-Push-Message-ID: p%d\r\n" % number + head + b"\r\n" + body
        status, event = t.push(seal(number, message))
        return status, event["event"], event.get("content"), event.get("reason")

    flag, mms = b"X-User-Authentication: required\r\n", b"X-Wap-Application-Id: x-wap-application:mms.ua\r\n"
    check_eq(push(1), ("400", "push", "secret", None), "needs no PIN")
    check_eq(push(2, flag), ("400", "push", "secret", None), "the right one")
    check_eq(push(3, mms), ("235", "dropped", None, "user"), "a wrong one")
    check_eq(push(4, mms), ("400", "push", "secret", None))
    check_eq([push(n, flag)[1] for n in (5, 6, 7)], ["dropped"] * 3)
    check_eq(push(8, flag)[3], "user", "the right one comes too late")
    check_eq(push(9)[1], "push", "what needs none goes on")
    check_eq(t.program.err().count("PIN to open a push for"), 6)
    check("47110815" not in t.program.err() + t.program.out(), "the PIN shows")
    for bad in (bench.path("nothing"), bench.write("short", "123\n", 0o600)):
        check_eq(bench.run("push-terminal", "listen", "--bind", "127.0.0.1:0", "--pin", bad).returncode, 2)


@case
def forged_and_replayed_are_dropped(bench):
    t = Terminal(bench, "--association", association(bench))
    good = seal(1, inner(b"m1"))
    bad = bytearray(good)
    bad[-20] ^= 1
    status, event = t.push(bytes(bad))
    check_eq((status, event["event"], event["reason"]), ("235", "dropped", "mac"))
    check_eq(t.push(good)[0], "400")
    status, event = t.push(good)
    check_eq((status, event["event"], event["reason"]), ("235", "dropped", "replay"))
    status, event = t.push(seal(2, inner(b"m1")))
    check_eq((status, event["event"]), ("400", "duplicate"))


@case
def restart_remembers(bench):
    state = bench.path("state")
    options = ("--association", association(bench), "--state", state)
    t = Terminal(bench, *options)
    check_eq(t.push(seal(5, inner(b"m1")))[0], "400")
    t.program.signal(signal.SIGKILL)  # no chance to tidy up
    t.program.wait()
    check_eq(os.stat(state).st_mode & 0o777, 0o600, "mode")
    t = Terminal(bench, *options)
    check_eq(t.push(seal(5, inner(b"m2")))[1]["reason"], "replay")
    check_eq(t.push(seal(6, inner(b"m1")))[1]["event"], "duplicate")
    check_eq(t.push(seal(7, inner(b"m2")))[1]["event"], "push")


OPEN = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n\xff\x00"
FLAGS = {"X-Wap-Push-Info": "authenticated, trusted"}


@case
def open_push_is_not_believed(bench):
    status, event = Terminal(bench).push(OPEN, "application/http", **FLAGS)
    check_eq((status, event["event"], event["protection"]), ("400", "push", "none"))
    check_eq((event["authenticated"], event["trusted"], event["content_base64"]), (False, False, "/wA="))
    for option, reason in ((("--require", "integrity"), "protection-below-floor"), (("--trusted-only",), "untrusted"),
                           (("--app", "b.ua"), "application")):
        status, event = Terminal(bench, *option).push(OPEN, "application/http", **FLAGS)
        check_eq((event["event"], event["reason"]), ("dropped", reason))


@case
def gateway_certificate_is_proof(bench):
    ca = bench.ca()
    ours, other = bench.certificate(ca, "terminal"), bench.certificate(ca, "gateway", "DNS:ppg.example.net")
    tls = ssl.create_default_context(cafile=ca[0])
    tls.load_cert_chain(*other)
    options = ("--cert", ours[0], "--key", ours[1], "--ca", ca[0], "--require", "full", "--trusted-only", "--server")
    status, event = Terminal(bench, *options, "ppg.example.net", tls=tls).push(OPEN, "application/http", **FLAGS)
    check_eq((status, event["event"], event["server"]), ("400", "push", "ppg.example.net"))
    check_eq((event["authenticated"], event["trusted"], event["server_proved"]), (True, True, True))
    t = Terminal(bench, *options, "elsewhere.example.net", tls=tls)
    check_eq(t.tag, None, "tag told to a server not listed")


@case
def gateway_without_certificate_gets_nowhere(bench):
    ca = bench.ca()
    ours = bench.certificate(ca, "terminal")
    tls = ssl.create_default_context(cafile=ca[0])
    try:
        Terminal(bench, "--cert", ours[0], "--key", ours[1], "--ca", ca[0], tls=tls)
    except (OSError, ssl.SSLError):
        return
    except Exception as closed:  # TLS 1.3: the refusal comes after our first octets
        check("closed" in str(closed), closed)
        return
    check(False, "it was let in")


@case
def mistakes_are_told(bench):
    anywhere = ("--bind", "127.0.0.1:0")
    rows = [[], ["listen"], ["listen", "--bind", "nowhere"], ["listen", *anywhere, "--require", "some"],
            ["listen", *anywhere, "--association", association(bench, 0o644)],
            ["listen", *anywhere, "--association", "missing"], ["listen", *anywhere, "--ca", "missing"],
            ["listen", *anywhere, "--login", "nofile"], ["listen", *anywhere, "--what"], ["connect"],
            ["listen", *anywhere, "--state", bench.write("state", "push-terminal-state 9\n")],
            ["listen", *anywhere, "--state", bench.path("missing", "state")],
            ["listen", *anywhere, "--terminal-id", "4+1555 0100"], ["listen", *anywhere, "--app", "x\r\nX-Wap-CPITag: y"]]
    for row in rows:
        done = bench.run("push-terminal", *row)
        check(done.returncode == 2 and done.stderr.startswith("push-terminal: "), (row, done))


@case
def a_port_is_shared_with_nobody(bench):
    """A second one on the port of the first would take half of its pushes."""
    first = Terminal(bench, "--association", association(bench))
    at = "127.0.0.1:%d" % first.s.getpeername()[1]
    programs = (("push-terminal", 2), ("pap-push", 64))
    for name, usage in programs:
        done = bench.run(name, "listen", "--timeout", "1", "--bind", at)
        check_eq((done.returncode, "in use" in done.stderr), (usage, True), done)
    check_eq(first.push(seal(1, inner(b"m1")))[0], "400")
    port_file = bench.path("ear")
    ear = bench.start("pap-push", "listen", "--bind", "127.0.0.1:0", "--timeout", "60", "--port-file", port_file)
    at = "127.0.0.1:" + bench.wait_for_file(port_file, ear).strip()
    for name, usage in programs:
        done = bench.run(name, "listen", "--timeout", "1", "--bind", at)
        check_eq((done.returncode, "in use" in done.stderr), (usage, True), done)


@case
def time_runs_out(bench):
    check_eq(bench.run("push-terminal", "listen", "--bind", "127.0.0.1:0", "--timeout", "1").returncode, 1)


main("push_terminal")
