"""A terminal that needs no hand: with nothing but its module it bootstraps, proves itself with what came of that, to the door
for calls by shared key, to its home by either way, and does it all anew when the gateway has lost its keys (SEC_CF 1.1 B.3,
UC-B.3-4); and it believes no home that does not prove that it knows the password too (CPNS-04).
Usage: test_invisible.py BUILD_DIR."""

import hashlib
import json
import socket
import struct

from gateway import ANY_LEVEL, Gateway, good_push, make_identity
from gba_model import Bsf, parameters
from harness import case, check, check_eq, main, wait_until
from peers import ContactPoint, Gateway as Peer

IMPI, NAME = "234150999999999@ims.example", "ppg.example.net"
K, OPC = "465b5ce8b199b49faa5f0a2ee238a6bc", "cd63cb71954a9f4e48a5994e37a02baf"
DOORS = ("ota-http.listen-psk", "verify.listen-tls", "verify.listen-psk", "key-server.listen-ub")
CONF = {"key-server.cert": "../gateway.crt", "key-server.key": "../gateway.key", "key-server.name": NAME,
        "files.subscribers": "subscribers.conf", **{key: "127.0.0.1:0" for key in DOORS}}


class Operator(Gateway):
    """A gateway that knows the module of its one terminal, and has every door for it."""

    def __init__(self, bench, more="", route=True):
        self.more, self.route = more, route
        super().__init__(bench, self.terminal(), ANY_LEVEL, conf={**CONF, "delivery.retry-first": "1h", "delivery.retry-max": "1h"},
                         start=False)
        self.write("subscribers.conf", f"[subscriber {IMPI}]\nk = {K}\nopc = {OPC}\n")
        self.start()
        bench.write("module", f"impi = {IMPI}\nk = {K}\nopc = {OPC}\ngateway = {NAME}\n", 0o600)

    def terminal(self, port=9):
        route = f"route = http://127.0.0.1:{port}\n" if self.route else ""
        return (f"[terminal +15550100]\n{route}calls-in = tls\n" + (self.more or f"call-proof = psk\ncall-subscriber = {IMPI}\n"))

    def start(self):
        super().start()
        with open(self.path("ports"), encoding="utf-8") as f:
            self.ports = dict(line.strip().split("=") for line in f)
        return self

    def door(self, name):
        return f"https://localhost:{self.ports[name].rpartition(':')[2]}"

    def module(self):
        """All that the terminal is given."""
        return ("--module", self.bench.path("module"), "--bsf", self.door("ub"), "--bsf-ca", self.bench.path("ca.crt"), "--bsf-name",
                "bsf." + NAME, "--naf", NAME, "--state", self.bench.path("state"))

    def reach(self, phone):
        self.write("terminals.conf", self.terminal(phone.port))
        check_eq(self.ctl("reload").returncode, 0)


class Phone:
    """A push-terminal with nobody at its keyboard."""

    def __init__(self, bench, command, *options):
        port_file = bench.path(f"port{len(bench.programs)}")
        where = ("--bind", "127.0.0.1:0", "--port-file", port_file) if command == "listen" else ()
        self.program = bench.start("push-terminal", command, "--json", "--terminal-id", "4+15550100", *where, *options)
        self.port = int(bench.wait_for_file(port_file, self.program)) if where else 0

    def events(self, name):
        return [e for e in map(json.loads, self.program.lines()) if e["event"] == name]

    def wait(self, name, count=1):
        return wait_until(lambda: len(e := self.events(name)) >= count and e, f"{count} {name}")[-1]

    def logged(self, event, count=1):
        said = f'"event":"{event}"'
        wait_until(lambda: self.program.err().count(said) >= count, f"{count} {event}")


def invite(bench, gateway, ear):
    """A push that asks the terminal to connect there."""
    content = b"\x01\0\0" + b"\x08\xc4\x0b" + struct.pack(">H", ear.port) + socket.inet_aton("127.0.0.1") + b"\x01\0" + b"\0\0"
    return good_push(bench, gateway, name="bare", content=content, headers={"Content-Type": "application/vnd.wap.sia"})


@case
def it_calls_by_itself(bench):
    """From the module to a call that proves both ends; and again when the gateway was killed and knows no key any more."""
    gateway = Operator(bench, route=False)
    phone = Phone(bench, "connect", "--gateway", gateway.door("ota-psk"), *gateway.module())
    for n in range(1, 3):
        gateway.wait_event("ota.called", n)
        push_id = good_push(bench, gateway, content=f"number {n}", headers={"X-Push-Protection": "full"})
        gateway.wait_state(push_id, "delivered")
        got = phone.wait("push", n)
        check_eq((got["content"], got["server_proved"], got["proofs"]), (f"number {n}", True, ["psk"]))
        gateway.check_events(n, "ub.bootstrapped")
        if n == 1:
            gateway.kill()
            gateway.start()
    forgotten = gateway.check_events(1, "ub.refused")  # the temporary name, which the killed one gave
    check_eq(forgotten[0]["reason"], "nobody has that TMPI")
    check(all(e["key"] == "bootstrapped" for e in gateway.events("key.lookup")), gateway.events("key.lookup"))


@case
def it_renews_its_key(bench):
    """Before the end of a short life and without a reason from outside; and its lasting name is shown in the first run alone."""
    make_identity(bench)
    bsf = Bsf(bench, IMPI, bytes.fromhex(K), bytes.fromhex(OPC), "bsf." + NAME, life_s=8)
    bench.write("module", f"impi = {IMPI}\nk = {K}\nopc = {OPC}\ngateway = {NAME}\n", 0o600)
    phone = Phone(bench, "connect", "--gateway", "https://localhost:9", "--module", bench.path("module"), "--bsf",
                  f"https://localhost:{bsf.port}", "--bsf-ca", bench.path("ca.crt"), "--bsf-name", bsf.name, "--naf", NAME)
    phone.logged("boot.done", 2)
    check_eq(bsf.users[:4], [IMPI] * 2 + [bsf.given[0]] * 2)
    check(bsf.given[0].endswith("@tmpi.bsf.3gppnetwork.org") and bsf.given[0] != bsf.given[1], bsf.given)


@case
def it_waits_for_a_network_that_is_away(bench):
    gateway = Operator(bench)
    gateway.kill()
    phone = Phone(bench, "connect", "--gateway", gateway.door("ota-psk"), *gateway.module())
    phone.logged("boot.fail")
    gateway.start()
    gateway.wait_event("ota.called")
    gateway.wait_state(good_push(bench, gateway, content="at last"), "delivered")
    check_eq(phone.wait("push")["content"], "at last")


@case
def it_asks_its_home_by_itself(bench):
    """By shared key, and by Digest inside TLS with the home's certificate; and when the home has forgotten what was
    bootstrapped, with another key, for the very question that it did not take."""
    for home in (("--home", "verify-psk"), ("--home", "verify")):
        gateway = Operator(bench)
        more = ("--home-ca", bench.path("ca.crt")) if home[1] == "verify" else ()
        phone, ear = Phone(bench, "listen", home[0], gateway.door(home[1]), *more, *gateway.module()), ContactPoint(bench)
        gateway.reach(phone)
        for n in range(1, 3):
            invite(bench, gateway, ear)
            phone.wait("connect", n)
            wait_until(lambda: ear.came >= n, "the terminal where it was told to go")
            check_eq(gateway.wait_event("verify.asked", n)["valid"], True)
            gateway.check_events(n, "ub.bootstrapped")
            if n == 1:
                gateway.kill()
                gateway.start()
        check_eq(phone.events("dropped"), [])
        phone.program.stop()


@case
def a_network_of_others_gets_nothing(bench):
    """Another key server's certificate, a module that it does not know, a gateway of another name: nothing is called."""
    gateway = Operator(bench)
    bench.write("module2", f"impi = {IMPI}\nk = {'77' * 16}\nopc = {OPC}\ngateway = {NAME}\n", 0o600)
    other = bench.ca("other")[0]
    for change in ((bench.path("ca.crt"), other), (bench.path("module"), bench.path("module2"))):
        options = [change[1] if o == change[0] else o for o in gateway.module()[:-2]]
        phone = Phone(bench, "connect", "--gateway", gateway.door("ota-psk"), *options)
        phone.logged("boot.fail")
        phone.program.stop()
    options = ["other.example" if o == NAME else o for o in gateway.module()[:-2]]
    phone = Phone(bench, "connect", "--gateway", gateway.door("ota-psk"), *options)
    gateway.wait_event("net.tls.refused")
    phone.program.stop()
    check_eq(gateway.events("ota.called"), [])
    for options, word in ((("--bsf", "http://localhost:1", "--bsf-ca", bench.path("ca.crt"), "--module", bench.path("module")), "not https"),
                          (("--bsf", "https://localhost:1", "--module", bench.path("module")), "needs --bsf-ca"),
                          (("--bsf", "https://localhost:1", "--bsf-ca", bench.path("ca.crt")), "needs --module"),
                          (("--bsf-ca", bench.path("ca.crt")), "--bsf: is missing")):
        done = bench.run("push-terminal", "connect", "--gateway", "https://localhost:1", *options)
        check_eq((done.returncode, word in done.stderr), (2, True), (options, done.stderr))


# --- homes that must prove themselves ---

USER, PASSWORD = "4+15550100", "open-sesame"


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def a_home(bench, proves):
    """A server with the right certificate that takes any login, says yes, and proves PASSWORD, another one, or nothing."""

    def act(request):
        says = request["headers"].get("Authorization")
        if not says:
            return 401, [("WWW-Authenticate", 'Digest realm="push", nonce="n1", algorithm=SHA-256, qop="auth"')], ""
        p = parameters(says)
        a1 = sha(f"{USER}:push:{proves}")
        proof = sha(f"{a1}:n1:{p['nc']}:{p['cnonce']}:auth:{sha(':/sec/v1/verify')}")
        info = [("Authentication-Info", f'qop=auth, nc={p["nc"]}, cnonce="{p["cnonce"]}", rspauth="{proof}"')] if proves else []
        return 200, info, json.dumps({"valid": True, "initiator": "x", "not_after": "2099-01-01T00:00:00Z"})

    make_identity(bench)
    return Peer(bench, act, (bench.path("gateway.crt"), bench.path("gateway.key"))).url.replace("/pap", "").replace("127.0.0.1", "localhost")


@case
def a_home_proves_that_it_knows_the_password(bench):
    """CPNS-04: with --mutual a yes whose rspauth is wrong or absent is none; a wrong one is none in any case.  Our own home
    has it right."""
    make_identity(bench)
    login = ("--home-ca", bench.path("ca.crt"), "--home-login", f"{USER}:{bench.write('phone.password', PASSWORD, 0o600)}")
    gateway = Operator(bench, "call-proof = digest\ncall-password-file = ../phone.password\n")
    ear, came = ContactPoint(bench), 0
    rows = [(None, ("--mutual",), True), (PASSWORD, ("--mutual",), True), ("", ("--mutual",), False), ("wrong", ("--mutual",), False),
            ("", (), True), ("wrong", (), False)]
    for proves, options, follows in rows:
        url = gateway.door("verify") if proves is None else a_home(bench, proves)
        phone = Phone(bench, "listen", "--home", url, *login, *options)
        gateway.reach(phone)
        invite(bench, gateway, ear)
        if follows:
            phone.wait("connect")
            came += 1
            wait_until(lambda: ear.came >= came, "the terminal where it was told to go")
        else:
            check_eq(phone.wait("dropped")["reason"], "verify-unanswered")
            check('"why":"it does not prove itself"' in phone.program.err(), phone.program.err())
        check_eq(ear.came, came)
        phone.program.stop()


main("invisible")
