"""Terminals that call in (TO-TCP): push-terminal connect, and a terminal made of Python's sockets and ssl, against a
gateway with a clear and a TLS door."""

import json
import os
import signal
import socket
import ssl
import threading

from callers import CERTIFICATE, DIGEST, ID, NONE, TAKEN, Caller, Doors, Hand, digest, registered, with_certificate
from gateway import Relay, Terminal, curl, good_push, mime, push
from harness import case, check, check_eq, hang_up, main, wait_until

@case
def a_terminal_with_a_certificate_is_pushed_to_on_its_own_connection(bench):
    gateway = Doors(bench, CERTIFICATE)
    caller = Caller(bench, gateway, *with_certificate(bench))
    check_eq(gateway.wait_event("ota.called")["tls"], True)
    push_id = good_push(bench, gateway, content="Hello", headers={"X-Push-Protection": "full"})
    gateway.wait_state(push_id, "delivered")
    got = caller.wait_events(1)[0]
    check_eq((got["content"], got["tls"], got["server_proved"], got["authenticated"]), ("Hello", True, True, True))
    protection = gateway.show(push_id)["targets"][0]["protection"]
    check("level=full auth=transport int=transport conf=transport" in protection, protection)


@case
def a_certificate_out_of_one_file(bench):
    """UC-B.5-3: certificate and key as PEM files, or in one PKCS #12 file with a password; as client and as server."""
    gateway = Doors(bench, CERTIFICATE)
    options = with_certificate(bench)
    cert, key = options[options.index("--cert") + 1], options[options.index("--key") + 1]
    rest = [o for o in options if o not in ("--cert", cert, "--key", key)]
    secret, wrong, store = bench.write("p12.secret", "sesame-7391\n", 0o600), bench.write("wrong", "sesame\n", 0o600), bench.path("p12")
    bench.tool("openssl", "pkcs12", "-export", "-in", cert, "-inkey", key, "-passout", f"file:{secret}", "-out", store)
    caller = Caller(bench, gateway, *rest, "--pkcs12", store, "--pkcs12-password", secret)
    push_id = good_push(bench, gateway, content="Hello", headers={"X-Push-Protection": "full"})
    gateway.wait_state(push_id, "delivered")
    check_eq(caller.wait_events(1)[0]["content"], "Hello")
    anywhere = ("push-terminal", "listen", "--bind", "127.0.0.1:0", "--timeout", "1")
    for code, said, given in ((2, "another password", ("--pkcs12-password", wrong)), (2, "another password", ()), (1, "", ("--pkcs12-password", secret)),
                              (2, "stands for --cert and --key", ("--pkcs12-password", secret, "--cert", cert, "--key", key))):
        done = bench.run(*anywhere, "--pkcs12", store, *given)
        check_eq((done.returncode, said in done.stderr), (code, True), done.stderr)
    for path in (cert, bench.path("missing")):
        check_eq(bench.run(*anywhere, "--pkcs12", path).returncode, 2, path)


@case
def what_was_queued_comes_when_the_terminal_calls(bench):
    gateway = Doors(bench, CERTIFICATE)
    ids = [good_push(bench, gateway, content=f"number {n}") for n in range(20)]
    check_eq({t["state"] for i in ids for t in gateway.show(i)["targets"]}, {"pending"})
    check_eq({t["tries"] for i in ids for t in gateway.show(i)["targets"]}, {0}, "nothing was tried")
    caller = Caller(bench, gateway, *with_certificate(bench))
    caller.wait_events(20)
    check_eq(caller.contents(), [f"number {n}" for n in range(20)], "the order of acceptance")
    caller.kill()
    gateway.wait_event("ota.hangup")
    late = [good_push(bench, gateway, content=f"late {n}") for n in range(3)]
    again = Caller(bench, gateway, *with_certificate(bench))
    again.wait_events(3)
    check_eq(again.contents(), ["late 0", "late 1", "late 2"])
    for push_id in late:
        gateway.wait_state(push_id, "delivered")


@case
def the_queue_survives_a_kill_of_the_gateway(bench):
    gateway = Doors(bench, CERTIFICATE)
    ids = [good_push(bench, gateway, content=f"number {n}") for n in range(5)]
    caller = Caller(bench, gateway, *with_certificate(bench))
    caller.wait_events(5)
    for push_id in ids:
        gateway.wait_state(push_id, "delivered")
    caller.program.signal(signal.SIGSTOP)
    more = [good_push(bench, gateway, content=f"more {n}") for n in range(3)]
    gateway.kill()
    gateway.start()
    caller.program.signal(signal.SIGCONT)
    caller.wait_events(8)
    check_eq(caller.contents()[5:], ["more 0", "more 1", "more 2"])
    for push_id in more:
        gateway.wait_state(push_id, "delivered")


@case
def digest_and_basic_prove_a_terminal(bench):
    for proof, tls in (("digest", False), ("digest", True), ("basic", True)):
        section = DIGEST.replace("digest", proof) if proof == "digest" else DIGEST.replace("digest", proof).replace("any", "tls")
        gateway = Doors(bench, section)
        caller = Caller(bench, gateway, "--terminal-id", "4+15550100", "--proof",
                        f"4+15550100:{bench.path('phone.password')}", tls=tls)
        push_id = good_push(bench, gateway, content=proof)
        gateway.wait_state(push_id, "delivered")
        check_eq(caller.contents(), [proof])
        caller.kill()


@case
def who_is_proved_by_tls_is_asked_no_more(bench):
    """No challenge on an authenticated transport, and what is known of the terminal goes by its tag; who has to log in is
    challenged, certificate or not."""
    gateway = Doors(bench, CERTIFICATE + DIGEST.replace("0100", "0101"))
    tls = ssl.create_default_context(cafile=bench.path("ca.crt"))
    tls.load_cert_chain(bench.path("phone.crt"), bench.path("phone.key"))
    for n, status in enumerate(("501", "500", "500")):
        hand = Hand(bench, gateway.tls_door, lambda method, head: registered("", status) if method == "OPTIONS" else TAKEN, tls)
        gateway.wait_event("ota.called", n + 1)
        push_id = good_push(bench, gateway, content=f"number {n}")
        gateway.wait_state(push_id, "delivered")
        check_eq([h.split(" ")[0] for h in hand.heads], ["OPTIONS", "POST"], f"call {n}")
        check("X-Wap-Authenticate" not in hand.heads[0], hand.heads[0])
        check_eq("X-Wap-CPITag: q83vEg==" in hand.heads[0], n > 0, hand.heads[0])
        check("X-Wap-CPITag: q83vEg==" in hand.heads[1], hand.heads[1])
    gateway.kill()
    gateway.start()  # nothing is known any more
    hand = Hand(bench, gateway.tls_door, lambda method, head: registered() if method == "OPTIONS" else TAKEN, tls)
    gateway.wait_event("ota.called", 4)
    check("X-Wap-CPITag" not in hand.heads[0], hand.heads[0])
    plain = ssl.create_default_context(cafile=bench.path("ca.crt"))
    hand = Hand(bench, gateway.tls_door, lambda method, head: None, plain)
    wait_until(lambda: hand.heads, "the question")
    check("X-Wap-Authenticate: Digest" in hand.heads[0] and "X-Wap-CPITag" not in hand.heads[0], hand.heads[0])


class Wire:
    """A port before another one, which keeps what crosses it: [(who speaks, octets)]."""

    def __init__(self, bench, port):
        self.crossed, self.behind = [], port
        self.s = socket.create_server(("127.0.0.1", 0))
        self.port = self.s.getsockname()[1]
        bench.closers.append(lambda: hang_up(self.s))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        try:
            while True:
                here, _ = self.s.accept()
                there = socket.create_connection(("127.0.0.1", self.behind), timeout=60)
                for name, source, sink in (("client", here, there), ("server", there, here)):
                    threading.Thread(target=self.pump, args=(name, source, sink), daemon=True).start()
        except OSError:
            pass

    def pump(self, name, source, sink):
        try:
            while octets := source.recv(65536):
                self.crossed.append((name, octets))
                sink.sendall(octets)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def records(self):
        """[(who, TLS content type)] in the order in which they were complete."""
        found, rest = [], {"client": b"", "server": b""}
        for name, octets in self.crossed:
            rest[name] += octets
            while len(rest[name]) >= 5 and len(rest[name]) >= 5 + int.from_bytes(rest[name][3:5], "big"):
                found.append((name, rest[name][0]))
                rest[name] = rest[name][5 + int.from_bytes(rest[name][3:5], "big"):]
        return found


@case
def two_that_have_tls_end_in_tls(bench):
    """A terminal and a gateway meet in the clear, each with TLS or without: they go on inside TLS when both have it, and only then.
    Where the gateway calls, and where a terminal has called inside TLS before, there is no clear way either."""
    login = ("--terminal-id", "4+15550100", "--proof", f"4+15550100:{bench.path('phone.password')}")
    for gateway_has, terminal_has in ((True, True), (True, False), (False, True), (False, False)):
        gateway = Doors(bench, DIGEST, **({} if gateway_has else {"ota_http__listen_tls": None}))
        means = ("--ca", bench.path("ca.crt"), "--tls-port", str(gateway.tls_door or 4036)) if terminal_has else ()
        caller = Caller(bench, gateway, *login, *means, tls=False)
        both = gateway_has and terminal_has
        check_eq([e["tls"] for e in gateway.check_events(1, "ota.called")], [both], f"gateway {gateway_has}, terminal {terminal_has}")
        gateway.check_events(both, "ota.call.upgrade")
        push_id = good_push(bench, gateway)
        gateway.wait_state(push_id, "delivered")
        got = caller.wait_events(1)[0]
        check_eq((got["tls"], got["server_proved"]), (both, both))
        check_eq([(e["tls"], e["event"]) for e in caller.events("upgrade")], [(False, "upgrade")] * both)
        caller.kill()
        if both:
            stripped = Caller(bench, gateway, *login, tls=False)  # as if it had none, or somebody had taken the offer away
            gateway.wait_event("ota.call.refused", why="it has TLS", tls=False)
            stripped.kill()
            gateway.check_events(1, "ota.called")
    phone = Terminal(bench, "--cert", bench.path("gateway.crt"), "--key", bench.path("gateway.key"), association=False)
    for scheme, tried in (("http", lambda t: t["tries"] and t["state"] == "pending"), ("https", lambda t: t["state"] == "delivered")):
        gateway = Doors(bench, phone.route("+15550100", scheme, ""))
        push_id = good_push(bench, gateway)
        wait_until(lambda: tried(gateway.show(push_id)["targets"][0]), f"what comes of {scheme}")
    check_eq([e["tls"] for e in phone.events()], [True])


@case
def a_device_on_the_way_sees_nothing(bench):
    """CPNS-10: a device of the terminal's own network passes the octets on; TLS goes through it to the gateway, which knows the terminal and
    is known by it, and the device reads, or changes, nothing."""
    gateway = Doors(bench, CERTIFICATE)
    marks = [b"Mark-8f1c", b"phone.example.com", b"wappush", b"+15550100"]
    device = Relay(bench, gateway.tls_door)
    phone = bench.start("push-terminal", "connect", "--json", "--gateway", f"https://localhost:{device.port}", "--ca", bench.path("ca.crt"),
                        *with_certificate(bench))
    gateway.wait_event("ota.called")
    push_id = good_push(bench, gateway, content="Mark-8f1c", headers={"X-Push-Protection": "full"})
    gateway.wait_state(push_id, "delivered")
    wait_until(lambda: "Mark-8f1c" in phone.out(), "the push")
    check('"server_proved":true' in phone.out(), "the terminal knows whom it reached")
    line = gateway.ctl("--json", "terminal", "list").stdout
    check("certificate" in line and "URI:https://phone.example.com" in line, line)
    seen = bytes(device.seen)
    check(len(seen) > 2000 and seen[0] == 0x16, "records of TLS")
    for mark in marks:
        check(mark not in seen, mark)
    spoiled = Relay(bench, gateway.tls_door, change=lambda data: data[:-1] + bytes([data[-1] ^ 1]) if data[0] == 0x17 else data)
    bench.start("push-terminal", "connect", "--json", "--gateway", f"https://localhost:{spoiled.port}", "--ca", bench.path("ca.crt"),
                *with_certificate(bench))
    gateway.wait_event("ota.call.refused")
    check_eq(len(gateway.events("ota.called")), 1)


@case
def nothing_is_said_before_the_session_stands(bench):
    """A capture of both pairs, initiator and gateway, gateway and terminal: a handshake to its end on both sides, then records of
    application data alone, and the content in none of the octets."""
    mark = "a-word-that-must-not-cross"
    gateway = Doors(bench, CERTIFICATE)
    called, pushed = Wire(bench, gateway.tls_door), Wire(bench, gateway.tls_port)
    tls = ssl.create_default_context(cafile=bench.path("ca.crt"))
    tls.maximum_version = ssl.TLSVersion.TLSv1_2  # the content types of 1.3 are all the same
    tls.load_cert_chain(bench.path("phone.crt"), bench.path("phone.key"))
    hand = Hand(bench, called.port, lambda method, head: registered() if method == "OPTIONS" else TAKEN, tls)
    gateway.wait_event("ota.called")
    answer = curl(bench, f"https://localhost:{pushed.port}/pap", mime(content=mark), "--cert", bench.path("news.crt"), "--key",
                  bench.path("news.key"), "--tls-max", "1.2")
    check_eq(answer.code, 1001, answer.desc)
    gateway.wait_state(answer.push_id, "delivered")
    check_eq([h.split(" ")[0] for h in hand.heads], ["OPTIONS", "POST"])
    for wire in (called, pushed):
        records = wire.records()
        data = next(n for n, (_, kind) in enumerate(records) if kind == 23)
        check_eq({kind for _, kind in records[:data]}, {20, 22}, "before the first data")
        check_eq(sorted(who for who, kind in records[:data] if kind == 20), ["client", "server"], "both have changed to the keys")
        check(not {22, 20} & {kind for _, kind in records[data:]}, "no handshake behind it")
        for _, octets in wire.crossed:
            check(mark.encode() not in octets, "content in the clear")


@case
def a_challenge_answered_with_another_type_ends_the_call(bench):
    gateway = Doors(bench, DIGEST)
    for tls in (None, ssl.create_default_context(cafile=bench.path("ca.crt"))):
        hand = Hand(bench, gateway.tls_door if tls else gateway.door,
                    lambda method, head: registered(ID + "X-Wap-Authorization: Basic NCsxNTU1MDEwMDpvcGVuLXNlc2FtZQ==\r\n"), tls)
        wait_until(hand.gone.is_set, "the end of one that answers Digest with Basic")
        gateway.wait_event("ota.call.refused", why="not proved", tls=tls is not None)
        check_eq([h.split(" ")[0] for h in hand.heads], ["OPTIONS"] * 2)


@case
def a_login_holds_for_one_call(bench):
    gateway = Doors(bench, DIGEST)
    proofs = []

    def answer(method, head):
        if method != "OPTIONS":
            return TAKEN
        proofs.append(digest(head, "open-sesame"))
        return registered(ID + proofs[-1])

    hand = Hand(bench, gateway.door, answer)
    push_id = good_push(bench, gateway)
    gateway.wait_state(push_id, "delivered")
    check_eq([h.split(" ")[0] for h in hand.heads], ["OPTIONS", "POST"])
    thief = Hand(bench, gateway.door, lambda method, head: registered(ID + proofs[0]))
    wait_until(thief.gone.is_set, "the end of a call with a proof that was heard before")
    check_eq(gateway.wait_event("ota.call.refused")["why"], "not proved")
    check(not hand.gone.is_set(), "the terminal lost its line to it")
    asked = []

    def hesitate(method, head):
        asked.append(method)
        return registered(ID + (digest(head, "open-sesame") if len(asked) > 1 else ""))

    Hand(bench, gateway.door, hesitate)
    gateway.wait_event("ota.called", 2)
    check_eq(asked, ["OPTIONS"] * 2, "who did not prove itself is challenged once more")


@case
def who_does_not_prove_itself_is_sent_away(bench):
    gateway = Doors(bench, DIGEST + CERTIFICATE.replace("0100", "0101"))
    push_id = good_push(bench, gateway)
    wrong = Caller(bench, gateway, "--terminal-id", "4+15550100", "--proof",
                   f"4+15550100:{bench.path('wrong.password')}", tls=False)
    gateway.wait_event("ota.call.refused", why="not proved")
    wrong.kill()
    for more, tls, why in (("", False, "nobody who may call in"), (ID, False, "not proved"),
                           (ID.replace("0100", "0109"), False, "nobody who may call in"),
                           (ID.replace("4+1555", "4+1x555"), False, "nobody who may call in"),
                           (ID.replace("0100", "0101"), False, "not over this transport"),
                           (ID.replace("0100", "0101"), True, "not proved"),
                           (ID + ID.replace("0100", "0109"), False, "registration answer breaks the protocol")):
        seen = len(gateway.events("ota.call.refused", why=why))
        context = ssl.create_default_context(cafile=bench.path("ca.crt")) if tls else None
        hand = Hand(bench, gateway.tls_door if tls else gateway.door, lambda method, head: registered(more), context)
        wait_until(hand.gone.is_set, "the end of the call")
        gateway.wait_event("ota.call.refused", seen + 1, why=why)
        check(not [h for h in hand.heads if h.startswith("POST")], "a stranger was pushed to")
    check_eq(gateway.show(push_id)["targets"][0]["state"], "pending")


@case
def a_call_that_breaks_the_rules_harms_only_itself(bench):
    gateway = Doors(bench, NONE, ota_http__response_timeout="2s")
    good = Hand(bench, gateway.door, lambda method, head: registered(ID) if method == "OPTIONS" else TAKEN)
    gateway.wait_event("ota.called")
    answers = {"silence": None, "no HTTP": b"hello\r\n\r\n", "a huge field": b"HTTP/1.1 204 No Content\r\nX: " + b"x" * (1 << 20),
               "404": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "401": b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
               "a tag of 4 kB": registered(ID).replace(b"q83vEg==", b"q" * 4096), "two answers": registered() * 2}
    for what, answer in answers.items():
        hand = Hand(bench, gateway.door, lambda method, head: answer)
        wait_until(hand.gone.is_set, f"the end of: {what}")
    with socket.create_connection(("127.0.0.1", gateway.tls_door), timeout=60) as s:
        s.sendall(b"no handshake at all, that is")
        while s.recv(65536):
            pass
    push_id = good_push(bench, gateway)
    gateway.wait_state(push_id, "delivered")
    check_eq([h.split(" ")[0] for h in good.heads], ["OPTIONS", "POST"])


@case
def the_last_call_counts(bench):
    gateway = Doors(bench, NONE)
    first = Hand(bench, gateway.door, lambda method, head: registered(ID) if method == "OPTIONS" else None)
    gateway.wait_event("ota.called")
    push_id = good_push(bench, gateway)  # flies on the first, which never answers
    wait_until(lambda: [h for h in first.heads if h.startswith("POST")], "the push on the first connection")
    second = Hand(bench, gateway.door, lambda method, head: registered(ID) if method == "OPTIONS" else TAKEN)
    gateway.wait_event("ota.called", again=True)
    wait_until(first.gone.is_set, "the end of the first connection")
    other = good_push(bench, gateway)
    gateway.wait_state(other, "delivered")
    check_eq([h.split(" ")[0] for h in second.heads], ["OPTIONS", "POST", "POST"], "the first comes again, and first")
    check_eq([gateway.show(i)["targets"][0]["state"] for i in (push_id, other)], ["delivered"] * 2)
    check(not second.gone.is_set(), "the second connection is gone")


@case
def a_silent_terminal_is_asked_whether_it_lives(bench):
    gateway = Doors(bench, NONE, ota_http__keep_alive="200ms", ota_http__response_timeout="2s")
    lively = Hand(bench, gateway.door, lambda method, head: registered(ID, "500" if "q83vEg" in head else "501"))
    wait_until(lambda: len(lively.heads) >= 4, "four questions")
    check(all("X-Wap-CPITag: q83vEg==" in h for h in lively.heads[1:]), lively.heads[-1])
    check("X-Wap-CPITag" not in lively.heads[0], "a tag before it is known who calls")
    lively.answer = lambda method, head: None
    wait_until(lively.gone.is_set, "the end of a connection that nobody answers on")
    gateway.wait_event("ota.hangup")


@case
def a_terminal_that_may_be_anybody_gets_no_protection_from_tls(bench):
    gateway = Doors(bench, NONE.replace("any", "tls"))
    answer = push(bench, gateway, headers={"X-Push-Protection": "full"})
    check_eq(answer.code, 2005, answer.desc)


@case
def a_reload_hangs_up_on_who_may_not_call_any_more(bench):
    gateway = Doors(bench, DIGEST + NONE.replace("0100", "0101") + NONE.replace("0100", "0102"))
    hands = [Hand(bench, gateway.door, lambda method, head: registered(ID + digest(head, "open-sesame"))),
             Hand(bench, gateway.door, lambda method, head: registered(ID.replace("0100", "0101"))),
             Hand(bench, gateway.door, lambda method, head: registered(ID.replace("0100", "0102")) if method == "OPTIONS" else TAKEN)]
    gateway.wait_event("ota.called", 3)
    gateway.write("terminals.conf", DIGEST.replace("phone.password", "wrong.password") + NONE.replace("0100", "0102"))
    check_eq(gateway.ctl("reload").returncode, 0)
    for hand in hands[:2]:
        wait_until(hand.gone.is_set, "the end of a line that is not allowed any more")
    gateway.wait_event("ota.hangup", 2)
    check_eq(gateway.ctl("reload").returncode, 0)
    push_id = good_push(bench, gateway, to=("+15550102",))
    gateway.wait_state(push_id, "delivered")
    check(not hands[2].gone.is_set(), "a line that is allowed was cut")


@case
def a_terminal_calls_only_the_gateway_it_knows(bench):
    gateway = Doors(bench, CERTIFICATE)
    other = bench.ca("other")
    good_push(bench, gateway)
    for options, why in ((("--ca", bench.path("other.crt")), "cert-untrusted"),
                         (("--ca", bench.path("ca.crt"), "--gateway-name", "other.example.net"), "cert-name")):
        program = bench.start("push-terminal", "connect", "--gateway", f"https://localhost:{gateway.tls_door}", "--json",
                              *options, *with_certificate(bench))
        wait_until(lambda: why in program.err(), f"{why} in {program.err()}")
        check_eq(program.out(), "", "content from a gateway that is not known")
        program.signal(signal.SIGKILL)
    check(other and not gateway.events("ota.called"), "called in all the same")


@case
def many_terminals_on_one_line_each(bench):
    sections = "".join(f"[terminal +1555{n:04}]\ncalls-in = any\ncall-proof = none\n" for n in range(200))
    gateway = Doors(bench, sections)
    hands = [Hand(bench, gateway.door, lambda method, head, n=n: registered(f"X-Wap-Terminal-Id: 4+1555{n:04}\r\n")
                  if method == "OPTIONS" else TAKEN) for n in range(200)]
    gateway.wait_event("ota.called", 200)
    answer = curl(bench, gateway.tls_url, mime(to=[f"+1555{n:04}" for n in range(200)]), "--cert", bench.path("news.crt"),
                  "--key", bench.path("news.key"))
    check_eq(answer.code, 1001, answer.desc)
    gateway.wait_state(answer.push_id, "delivered")
    check_eq({len([h for h in hand.heads if h.startswith("POST")]) for hand in hands}, {1})
    status = json.loads(gateway.ctl("--json", "status").stdout)
    check(os.path.exists(gateway.path("store.db")) and status, "status")


main("callin")
