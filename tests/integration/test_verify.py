"""Pushes that ask a terminal to connect: it asks its home gateway first, by the token of the push, and goes nowhere without a
clear yes (SEC_CF 1.1, use case B.7).  Usage: test_verify.py BUILD_DIR."""

import hashlib
import http.client
import json
import re
import socket
import ssl
import struct
import threading

from gateway import ANY_LEVEL, Gateway, good_push, make_identity
from harness import case, check, check_eq, hang_up, main, wait_until
from peers import ContactPoint

PSK = "d3" * 32
DOORS = {"ota-http.listen-tls": "127.0.0.1:0", "verify.listen-tls": "127.0.0.1:0", "verify.listen-psk": "127.0.0.1:0"}
BY_CERTIFICATE = "calls-in = tls\ncall-proof = certificate\ncall-certificate = URI:https://phone.example.com\n"
BY_PSK = "calls-in = tls\ncall-proof = psk\ncall-psk-identity = phone\ncall-psk-file = ../phone.psk\n"
BY_LOGIN = "calls-in = tls\ncall-proof = digest\ncall-password-file = ../phone.password\n"


class Phone:
    """A push-terminal that listens in the clear and knows its home."""

    def __init__(self, bench, *options, terminal_id="4+15550100"):
        port_file = bench.path(f"port{len(bench.programs)}")
        self.program = bench.start("push-terminal", "listen", "--bind", "127.0.0.1:0", "--json", "--port-file", port_file,
                                   "--terminal-id", terminal_id, *options)
        self.port = int(bench.wait_for_file(port_file, self.program))

    def events(self, name=None):
        got = [json.loads(line) for line in self.program.lines()]
        return [e for e in got if e["event"] == name] if name else [e for e in got if e["event"] != "registered"]

    def wait(self, name, count=1):
        return wait_until(lambda: len(e := self.events(name)) >= count and e, f"{count} {name}: {self.program.err()}")[-1]


class Home(Gateway):
    """A gateway with a door for questions, and a terminal of it."""

    def __init__(self, bench, proof=BY_CERTIFICATE, more="", start=True, **conf):
        make_identity(bench)
        bench.certificate(bench.authority, "phone", "URI:https://phone.example.com")
        bench.certificate(bench.authority, "other", "URI:https://other.example.com")
        bench.write("phone.psk", PSK + "\n", 0o600)
        bench.write("other.psk", "e4" * 32 + "\n", 0o600)
        bench.write("phone.password", "open-sesame\n", 0o600)
        bench.write("other.password", "open-simsim\n", 0o600)
        self.proof, self.more = proof, more
        super().__init__(bench, self.terminals(9), ANY_LEVEL, conf={**DOORS, **conf}, start=start)
        if start:
            self.doors()

    def terminals(self, port):
        return (f"[terminal +15550100]\nroute = http://127.0.0.1:{port}\n{self.proof}{self.more}"
                "[terminal +15550101]\ncalls-in = tls\ncall-proof = certificate\ncall-certificate = URI:https://other.example.com\n"
                "[terminal +15550102]\ncalls-in = any\ncall-proof = none\n")

    def doors(self):
        with open(self.path("ports"), encoding="utf-8") as f:
            ports = {k: int(v.rpartition(":")[2]) for k, v in (line.strip().split("=") for line in f)}
        self.door, self.psk_door, self.calls = ports["verify"], ports["verify-psk"], ports["ota-tls"]

    def reach(self, phone):
        """The gateway connects to that terminal from now on."""
        self.write("terminals.conf", self.terminals(phone.port))
        check_eq(self.ctl("reload").returncode, 0)

    def home(self, how="certificate", name="phone"):
        """Options of a terminal whose home it is."""
        path = self.bench.path
        if how == "psk":
            return "--home", f"https://localhost:{self.psk_door}", "--home-psk", f"phone:{path(name + '.psk')}"
        where = "--home", f"https://localhost:{self.door}", "--home-ca", path("ca.crt")
        if how == "login":
            return *where, "--home-login", f"4+15550100:{path(name + '.password')}"
        return *where, "--home-cert", path(name + ".crt"), "--home-key", path(name + ".key")

    def ask(self, question, name="phone", *options, text=None):
        """A question put with curl: HTTP status and JSON."""
        body = text if text is not None else json.dumps(question)
        out = self.bench.path("answer")
        cert = ("--cert", self.bench.path(name + ".crt"), "--key", self.bench.path(name + ".key")) if name else ()
        status = self.bench.tool("curl", "-sS", "--http1.1", "--max-time", "60", "--cacert", self.bench.path("ca.crt"), *cert,
                                 "-H", "Content-Type: application/json", "--data-binary", body, "-o", out, "-w", "%{http_code}",
                                 *options, f"https://localhost:{self.door}/sec/v1/verify")
        with open(out, encoding="utf-8") as f:
            text = f.read()
        return int(status), json.loads(text) if text.startswith("{") else text


def sia(port):
    """A session initiation with one contact point over OTA-HTTP, 127.0.0.1."""
    return b"\x01\0\0" + b"\x08\xc4\x0b" + struct.pack(">H", port) + socket.inet_aton("127.0.0.1") + b"\x01\0" + b"\0\0"


def send_sia(bench, home, port, **more):
    headers = {"Content-Type": "application/vnd.wap.sia", **more.pop("headers", {})}
    return good_push(bench, home, name="bare", content=sia(port), headers=headers, **more)


def send_text(bench, home, **headers):
    return good_push(bench, home, name="bare", content="text",
                     headers={"Content-Type": "text/plain", **{k.replace("_", "-"): v for k, v in headers.items()}})


class Overheard:
    """A gateway of nobody's: a terminal's stand-in that keeps what a push said, for its token."""

    def __init__(self, bench):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port, self.pushes = self.socket.getsockname()[1], []
        bench.closers.append(lambda: hang_up(self.socket))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                s, _ = self.socket.accept()
                self.talk(s)
            except OSError:
                return

    def talk(self, s):
        got = b""
        while True:
            while b"\r\n\r\n" not in got:
                more = s.recv(65536)
                if not more:
                    return
                got += more
            head, _, got = got.partition(b"\r\n\r\n")
            length = next((int(v) for k, _, v in (line.partition(b":") for line in head.split(b"\r\n")) if k.lower() == b"content-length"), 0)
            while len(got) < length:
                more = s.recv(65536)
                if not more:
                    return
                got += more
            body, got = got[:length], got[length:]
            push = head.startswith(b"POST")
            if push:
                self.pushes.append(body)
            s.sendall(b"HTTP/1.1 204 No Content\r\nX-Wap-Push-OTA-Version: 1.0\r\nX-Wap-Push-Status: %d\r\nX-Wap-CPITag: q83vEg==\r\n\r\n"
                      % (400 if push else 501))

    def wait_token(self, count=1):
        """Token and content of the last push."""
        wait_until(lambda: len(self.pushes) >= count, "a push")
        head, _, body = self.pushes[count - 1].partition(b"\r\n\r\n")
        fields = {k.lower(): v.strip().decode() for k, _, v in (line.partition(b":") for line in head.split(b"\r\n"))}
        return fields.get(b"x-oma-verify"), body


def overhear(bench, **more):
    """A home, and what its terminal would have got."""
    ear = Overheard(bench)
    home = Home(bench, **more)
    home.reach(ear)
    return home, ear


def question(token, body):
    return {"token": token, "digest": hashlib.sha256(body).hexdigest()}


@case
def a_genuine_request_is_verified_and_followed(bench):
    """By certificate, by shared key and by login; the connection comes after the answer, and pushes come over it."""
    for how, proof in (("certificate", BY_CERTIFICATE), ("psk", BY_PSK), ("login", BY_LOGIN)):
        home = Home(bench, proof)
        ear = ContactPoint(bench)
        phone = Phone(bench, *home.home(how))
        home.reach(phone)
        send_sia(bench, home, ear.port)
        phone.wait("verify")
        shown = phone.wait("connect")
        check_eq(shown["content_type"], "application/vnd.wap.sia")
        wait_until(lambda: ear.came, "the terminal where it was told to go")
        check_eq([e["event"] for e in phone.events()], ["verify", "connect"])
        check_eq(home.wait_event("verify.asked")["valid"], True)
        phone.program.stop()


@case
def the_terminal_is_served_where_it_went(bench):
    home = Home(bench)
    phone = Phone(bench, *home.home())
    home.reach(phone)
    send_sia(bench, home, home.calls)
    phone.wait("connect")
    home.wait_event("ota.called")
    good_push(bench, home, content="over the new line")
    check_eq(phone.wait("push")["content"], "over the new line")
    check_eq(phone.wait("push")["tls"], True)


@case
def a_sleeping_terminal_is_woken_and_makes_sure(bench):
    """The gateway's own session initiation, in a datagram: verified at home before the call."""
    home = Home(bench)
    phone = Phone(bench, "--udp", *home.home())
    home.write("terminals.conf", f"[terminal +15550100]\nroute = wap://127.0.0.1:{phone.port}\n{BY_CERTIFICATE}")
    home.write_conf(ota_http__contacts=f"127.0.0.1:{home.calls}")
    check_eq(home.ctl("reload").returncode, 0)
    home.settle()
    good_push(bench, home, content="good morning")
    check_eq(phone.wait("connect")["app_id"], "x-wap-application:push.sia")
    check_eq(phone.wait("push")["content"], "good morning")
    check_eq([e["event"] for e in phone.events()], ["verify", "connect", "push"])


@case
def a_terminal_is_woken_inside_dtls(bench):
    """The same where the datagram is inside DTLS (waps): by a key that both have, or by certificates, as its own place for that or as
    its route; a terminal of another key hears nothing."""
    home = Home(bench)
    bench.certificate(bench.authority, "ear", "IP:127.0.0.1")
    by_key = "--dtls", "--psk", f"ear:{bench.path('phone.psk')}"
    by_certificate = "--dtls", "--cert", bench.path("ear.crt"), "--key", bench.path("ear.key"), "--ca", bench.path("ca.crt")
    another = "--dtls", "--psk", f"ear:{bench.path('other.psk')}"
    shared = "psk-identity = ear\npsk-file = ../phone.psk\n"
    home.write_conf(ota_http__contacts=f"127.0.0.1:{home.calls}")
    for n, (way, options, more, proof) in enumerate((("wake", by_key, shared, "psk"), ("route", by_key, shared, "psk"), ("wake", by_certificate, "", "certificate"),
                                                     ("wake", another, shared, None))):
        phone = Phone(bench, *options, *home.home())
        home.write("terminals.conf", f"[terminal +1555010{n}]\n{way} = waps://127.0.0.1:{phone.port}\n{BY_CERTIFICATE}{more}")
        check_eq(home.ctl("reload").returncode, 0)
        home.settle()
        push_id = good_push(bench, home, content="good morning", to=(f"+1555010{n}",))
        row = json.loads(home.ctl("--json", "terminal", "show", f"+1555010{n}").stdout)
        check_eq(row["reached"], "calls in, woken by waps")
        if proof:
            check_eq(phone.wait("connect")["app_id"], "x-wap-application:push.sia")
            check_eq((phone.wait("verify")["tls"], phone.wait("verify")["proofs"]), (True, [proof]))
            check_eq(phone.wait("push")["content"], "good morning")
            home.wait_state(push_id, "delivered")
        else:
            home.wait_event("terminal.wake", n + 1)
            check_eq((phone.events(), home.show(push_id)["targets"][0]["state"]), ([], "pending"), "whoever has another key")
        phone.program.stop()


@case
def one_code_and_seven_steps(bench):
    """All that a user ever types is one activation code; the terminal's programs have nobody to ask after it (SEC_CF 1.1,
    usability)."""
    home = Home(bench, start=False, **{"keyring.path": "keyring", "keyring.master": "master"})
    home.write("master", "8f" * 16 + "1d3a" * 8 + "\n")
    home.start()
    home.doors()
    made = home.ctl("--json", "key", "add", "phone", "--kind", "association", "--package", bench.path("package"))
    code = json.loads(made.stdout)["code"]
    # 1: the code; everything below runs with its standard input closed
    done = bench.run("push-terminal", "activate", "--package", bench.path("package"), "--code", "-", "--out", bench.path("own"),
                     stdin=code + "\n")
    check_eq(done.returncode, 0, done.stderr)
    options = (*home.home(), "--association", bench.path("own"), "--require", "integrity", "--state", bench.path("state"))
    phone = Phone(bench, *options)  # 2: it waits for its gateway, which registers it
    home.more = "association = phone\n"
    home.reach(phone)
    first = good_push(bench, home, content="first", headers={"X-Push-Protection": "full"})  # 3: a push that nobody else can read
    home.wait_state(first, "delivered")
    check_eq((phone.wait("push")["content"], phone.wait("push")["protection"]), ("first", "full"))
    phone.program.stop()  # 4: it is switched off and on
    phone = Phone(bench, *options)
    home.reach(phone)
    home.wait_state(good_push(bench, home, content="second", headers={"X-Push-Protection": "full"}), "delivered")
    check_eq([phone.wait("push")["content"], len(phone.events("push"))], ["second", 1])
    home.kill()  # 5: the gateway falls and comes again
    home.start()
    good_push(bench, home, content="third", headers={"X-Push-Protection": "full"})
    check_eq(phone.wait("push", 2)["content"], "third")
    trap = ContactPoint(bench)  # 6: somebody forges a request to connect
    attack(phone, "0" * 32, sia(trap.port))
    phone.wait("dropped")
    home.doors()  # 7: its own gateway asks, is verified, and is gone to
    ear = ContactPoint(bench)
    phone.program.stop()
    phone = Phone(bench, *home.home(), *options[len(home.home()):])  # the door has another port now
    home.reach(phone)
    send_sia(bench, home, ear.port, headers={"X-Push-Protection": "full"})
    phone.wait("connect")
    wait_until(lambda: ear.came, "the terminal where it was told to go")
    check_eq(trap.came, 0)


@case
def the_token_is_inside_the_seal(bench):
    home = Home(bench, more="association-file = ../association\n")
    phone = Phone(bench, *home.home(), "--association", bench.path("association"), "--wire", bench.path("wire"))
    home.reach(phone)
    send_sia(bench, home, ContactPoint(bench).port, headers={"X-Push-Protection": "full"})
    check_eq(phone.wait("connect")["protection"], "full")
    with open(bench.path("wire"), "rb") as f:
        check(b"X-Oma-Verify" not in f.read(), "the token was to be seen on the way")


@case
def answers_to_questions(bench):
    """Genuine once; forged, replayed, of another terminal, about another content: no, and no more than that."""
    home, ear = overhear(bench)
    send_sia(bench, home, 4035)
    token, body = ear.wait_token()
    check_eq(home.ask(question("0" * 32, body)), (200, {"valid": False}), "forged")
    check_eq(home.ask(question(token, body), "other"), (200, {"valid": False}), "another terminal's")
    check_eq(home.ask(question(token, body + b"x")), (200, {"valid": False}), "another content")
    status, said = home.ask(question(token, body))
    check_eq((status, said["valid"]), (200, True))
    check(said["initiator"] and said["not_after"].endswith("Z"), said)
    check_eq(home.ask(question(token, body)), (200, {"valid": False}), "replayed")
    why = [e["why"] for e in home.check_events(5, "verify.asked")]
    check_eq(why, ["no such token", "token of another terminal", "token of another content", "genuine", "no such token"])
    check(token not in home.said(), "a token is in the log")


@case
def a_token_expires(bench):
    home, ear = overhear(bench, **{"verify.lifetime": "1s", "verify.rate": "6000"})
    send_sia(bench, home, 4035)
    token, body = ear.wait_token()
    wait_until(lambda: home.ask(question(token, body + b"x")) and home.events("verify.asked", why="token is over"),
               "the end of the token")
    check_eq(home.ask(question(token, body)), (200, {"valid": False}), "expired")


@case
def who_may_not_ask(bench):
    home, ear = overhear(bench)
    send_sia(bench, home, 4035)
    token, body = ear.wait_token()
    bench.certificate(bench.authority, "stranger", "URI:https://stranger.example.com")
    q = question(token, body)
    check_eq(home.ask(q, None)[0], 401, "nobody")
    check_eq(home.ask(q, "stranger")[0], 401, "a certificate that is no terminal's")
    check_eq(home.ask(q, None, "-H", "X-Wap-Terminal-Id: 4+15550100")[0], 401, "by saying so")
    check_eq(home.ask(q, None, "-H", "X-Wap-Terminal-Id: 4+15550102")[0], 401, "no proof is good enough for a call, not here")
    check_eq(home.ask(q, "other", "-H", "X-Wap-Terminal-Id: 4+15550100")[0], 401, "a certificate and the name of another")
    check_eq(home.ask(q)[1]["valid"], True, "none of these took it away")


@case
def a_password_that_is_guessed(bench):
    home, ear = overhear(bench, proof=BY_LOGIN)
    send_sia(bench, home, 4035)
    q = question(*ear.wait_token())
    login = "-H", "X-Wap-Terminal-Id: 4+15550100", "--digest", "-u"
    check_eq(home.ask(q, None, *login, "4+15550100:open-sesame")[1]["valid"], True)
    seen = []
    while 429 not in seen and len(seen) < 12:  # on a slow machine the first waits may be over before we ask
        seen.append(home.ask(q, None, *login, f"4+15550100:guess{len(seen)}")[0])
    check_eq((seen[:3], seen[-1]), ([401] * 3, 429), "a guesser waits")


def login(bench, home, nonce="", uses=1, password="open-sesame"):
    """One question with Digest by Python's own hash; without a nonce none is said.  (status, WWW-Authenticate for SHA-256)."""
    body, user, uri = json.dumps(question("0" * 32, b"")).encode(), "4+15550100", "/sec/v1/verify"

    def h(text):
        return hashlib.sha256(text.encode()).hexdigest()

    headers = {"X-Wap-Terminal-Id": user, "Content-Type": "application/json"}
    if nonce:
        response = h(f"{h(f'{user}:push:{password}')}:{nonce}:{uses:08x}:c0ffee42:auth:{h(f'POST:{uri}')}")
        headers["Authorization"] = (f'Digest username="{user}", realm="push", nonce="{nonce}", uri="{uri}", algorithm=SHA-256, qop=auth, '
                                    f'nc={uses:08x}, cnonce="c0ffee42", response="{response}"')
    context = ssl.create_default_context(cafile=bench.path("ca.crt"))
    connection = http.client.HTTPSConnection("localhost", home.door, timeout=60, context=context)
    connection.request("POST", uri, body, headers)
    reply = connection.getresponse()
    said = [v for k, v in reply.getheaders() if k.lower() == "www-authenticate" and "SHA-256" in v]
    connection.close()
    return reply.status, said[0] if said else ""


def nonce_of(said):
    return re.search('nonce="([^"]*)"', said)[1]


@case
def an_old_challenge(bench):
    """Who answers one that is over, with the right password, is no guesser: told so, with another challenge (RFC 7616 §3.3), as often
    as that happens."""
    home = Home(bench, proof=BY_LOGIN)
    status, said = login(bench, home)
    check_eq((status, "stale" in said), (401, False))
    old = nonce_of(said)
    check_eq(login(bench, home, old)[0], 200)
    for _ in range(6):
        status, said = login(bench, home, old)
        check_eq((status, "stale=true" in said), (401, True), said)
    check_eq(login(bench, home, nonce_of(said))[0], 200)
    status, again = login(bench, home, nonce_of(said), uses=2, password="open-simsim")
    check_eq((status, "stale" in again), (401, False), "a wrong password is another matter")


@case
def questions_that_are_none(bench):
    home = Home(bench)
    good = question("0" * 32, b"")
    for text in ("", "{", "[]", "null", '"x"', "{}", '{"token":1,"digest":2}', '{"token":"","digest":""}', '{"token":"x"}',
                 '{"token":"x","digest":"y","token":"z"}', json.dumps(good) + "x", json.dumps({**good, "more": "x" * 2000})):
        check_eq(home.ask(None, text=text)[0], 400, text[:60])
    check_eq(home.ask(good, "phone", "-X", "PUT")[0], 405)
    check_eq(home.ask(good, "phone", "--request-target", "/sec/v1/other")[0], 404)
    check_eq(home.ask(good), (200, {"valid": False}))


@case
def a_terminal_that_asks_too_often_waits(bench):
    home = Home(bench, **{"verify.rate": "5"})
    q = question("0" * 32, b"")
    got = [home.ask(q)[0] for _ in range(8)]
    check_eq((got[:5], got[-1]), ([200] * 5, 429))
    check_eq(home.ask(q, "other")[0], 200, "and only that one")


def attack(phone, token, body, content_type="application/vnd.wap.sia"):
    """A push of an attacker who has the terminal's address and tag."""
    with socket.create_connection(("127.0.0.1", phone.port), timeout=60) as s:
        s.sendall(b"OPTIONS /wappush HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n")
        tag = next(line for line in s.recv(65536).decode().split("\r\n") if line.lower().startswith("x-wap-cpitag"))
        head = f"POST /wappush HTTP/1.1\r\nHost: t\r\n{tag}\r\nContent-Type: {content_type}\r\n"
        head += f"X-Oma-Verify: {token}\r\n" if token else ""
        s.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        s.recv(65536)


@case
def forged_requests_go_nowhere(bench):
    """Made up, without a token, with the token of another content, replayed: no connection."""
    home = Home(bench)
    trap, ear = ContactPoint(bench), ContactPoint(bench)
    phone = Phone(bench, *home.home())
    home.reach(phone)
    attack(phone, "0" * 32, sia(trap.port))
    check_eq(phone.wait("dropped")["reason"], "verify-invalid")
    attack(phone, None, sia(trap.port))
    check_eq(phone.wait("dropped", 2)["reason"], "verify-token")
    attack(phone, "1" * 32, b"no session initiation")
    check_eq(phone.wait("dropped", 3)["reason"], "malformed-message")
    send_sia(bench, home, ear.port)
    phone.wait("connect")
    attack(phone, "0" * 32, sia(trap.port))
    check_eq(phone.wait("dropped", 4)["reason"], "verify-known", "asked about once")
    home.check_events(2, "verify.asked")
    check_eq(trap.came, 0)


@case
def a_token_of_another_is_no_good(bench):
    """What was overheard of one push does not make another genuine, nor the same twice."""
    home, overheard = overhear(bench)
    trap = ContactPoint(bench)
    phone = Phone(bench, *home.home())
    send_sia(bench, home, trap.port)
    token, body = overheard.wait_token()
    attack(phone, token, sia(ContactPoint(bench).port))
    check_eq(phone.wait("dropped")["reason"], "verify-invalid")
    stranger = Phone(bench, *home.home(name="other"), terminal_id="4+15550101")
    attack(stranger, token, body)
    check_eq(stranger.wait("dropped")["reason"], "verify-invalid", "the token of another terminal")
    check_eq(trap.came, 0)
    attack(phone, token, body)
    phone.wait("connect")
    again = Phone(bench, *home.home())  # knows nothing of what it asked before
    attack(again, token, body)
    check_eq(again.wait("dropped")["reason"], "verify-invalid", "replayed")


@case
def a_flood_costs_a_few_questions(bench):
    home = Home(bench)
    trap = ContactPoint(bench)
    phone = Phone(bench, *home.home(), "--verify-rate", "3")
    content = sia(trap.port)
    for n in range(60):
        attack(phone, f"{n:032x}", content)
    phone.wait("dropped", 60)
    home.check_events(3, "verify.asked")
    reasons = [e["reason"] for e in phone.events("dropped")]
    check_eq({r: reasons.count(r) for r in reasons}, {"verify-invalid": 3, "verify-rate": 57})
    check_eq(trap.came, 0)


@case
def without_a_home_nothing_is_followed(bench):
    home = Home(bench)
    trap = ContactPoint(bench)
    phone = Phone(bench)
    home.reach(phone)
    send_sia(bench, home, trap.port)
    check_eq(phone.wait("dropped")["reason"], "verify-nobody")
    deaf = Phone(bench, "--home", f"https://localhost:{trap.port}", "--home-ca", bench.path("ca.crt"))
    attack(deaf, "0" * 32, sia(home.calls))
    check_eq(deaf.wait("dropped")["reason"], "verify-unanswered")
    wrong = bench.ca("wrong")
    fooled = Phone(bench, "--home", f"https://localhost:{home.door}", "--home-ca", wrong[0])
    attack(fooled, "0" * 32, sia(home.calls))
    check_eq(fooled.wait("dropped")["reason"], "verify-unanswered", "a home that is not known")
    check_eq(len(home.events("ota.called")), 0)


@case
def which_pushes_carry_a_token(bench):
    """Session initiations; what the operator lists; nothing else, and never a token of the initiator's own."""
    home, ear = overhear(bench, **{"verify.applications": "x-wap-application:mms.ua"})
    send_text(bench, home, X_Oma_Verify="mine")
    check_eq(ear.wait_token(1)[0], None)
    send_text(bench, home, X_Wap_Application_Id="x-wap-application:mms.ua", X_Oma_Verify="mine")
    token, body = ear.wait_token(2)
    check_eq((len(token), home.ask(question(token, body))[1]["valid"]), (32, True))
    home.write_conf(verify__applications=None, verify__initiators="bank, news")
    check_eq(home.ctl("reload").returncode, 0)
    send_text(bench, home)
    check(ear.wait_token(3)[0], "no token")


@case
def a_gateway_without_the_door_gives_no_tokens(bench):
    ear = Overheard(bench)
    gateway = Home(bench, start=False, **{"verify.listen-tls": None, "verify.listen-psk": None})
    gateway.write("terminals.conf", gateway.terminals(ear.port))
    gateway.start()
    send_sia(bench, gateway, 4035)
    check_eq(ear.wait_token()[0], None)


@case
def bad_configurations_are_told(bench):
    home = Home(bench, start=False)
    for change, says in (({"ota-http.cert": None, "ota-http.key": None, "ota-http.listen-tls": None}, "needs cert and key of [ota-http]"),
                         ({"verify.lifetime": "0s"}, "lifetime"), ({"verify.tokens-max": "0"}, "tokens-max"),
                         ({"verify.rate": "0"}, "rate"), ({"verify.listen-tls": "nowhere"}, "listen-tls")):
        kept = dict(home.conf)
        home.write_conf(**{k.replace(".", "__"): v for k, v in change.items()})
        done = bench.run("ppgd", "--check-config", "-c", home.path("ppg.conf"))
        check(done.returncode == 1 and says in done.stderr + done.stdout, f"{change}: {done.stdout}{done.stderr}")
        home.conf = kept


main("verify")
