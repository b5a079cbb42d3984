"""What stays untold: anonymous initiators, and in the log who subscribers are (SEC_CF 1.1, 3.2, 6.1.6).
Usage: test_privacy.py BUILD_DIR."""

import base64
import json
import re
import signal
from xml.sax.saxutils import escape

from callers import DOORS, Caller
from gateway import ANY_LEVEL, INITIATORS, PASSWORD, Gateway, Terminal, curl, good_push, make_identity, mime
from gba_model import Module, Ue
from harness import case, check, check_eq, main, wait_until, whole_lines
from siphone import DOMAIN, Phone

IMPI = "234150999999999@ims.mnc015.mcc234.3gppnetwork.org"
FQDN = "ppg.example.net"
PEOPLE = {"X-Wap-Initiator-URI": "https://news.example.com/alice", "From": "alice@news.example.com",
          "X-3GPP-Asserted-Identity": '"sip:alice@news.example.com"', "X-Colour": "blue"}


def told(bench, anonymous, **headers):
    """What a terminal is told of a push of that account: the event, and the octets."""
    phone = Terminal(bench)
    initiators = INITIATORS.replace("trusted       = yes", f"trusted = yes\nanonymous = {anonymous}")
    gateway = Gateway(bench, phone.route("+15550100"), ANY_LEVEL, initiators)
    good_push(bench, gateway, name="bare", headers={"Content-Type": "text/plain", **PEOPLE, **headers})
    return phone.wait_events(1)[0], phone.wire(), gateway


@case
def an_anonymous_initiator_is_not_named(bench):
    """No identity header reaches the terminal, sealed or not; other headers and the trust of the gateway do."""
    event, wire, _ = told(bench, "no")
    check_eq(event["initiator_uri"], PEOPLE["X-Wap-Initiator-URI"])
    check(b"alice@news.example.com" in wire and b"X-Colour: blue" in wire, "one that is not anonymous is named")
    event, wire, gateway = told(bench, "yes")
    check_eq((event["initiator_uri"], event["authenticated"]), ("", False))
    check(b"news.example.com" not in wire and b"alice" not in wire, wire)
    check(b"X-Colour: blue" in wire, "the rest travels")
    check("alice" not in gateway.said(), "nor in the log")
    check('"anonymous": true' in gateway.ctl("--json", "initiator", "show", "news").stdout, "operators see that it is")
    event, wire, _ = told(bench, "yes", **{"X-Push-Protection": "full"})
    check_eq((event["initiator_uri"], event["authenticated"], event["trusted"]), ("", False, True), "inside a seal")


@case
def an_anonymous_initiator_is_still_judged_by_what_it_claims(bench):
    """The whitelist sees the URI that the terminal does not."""
    phone = Terminal(bench)
    initiators = INITIATORS.replace("trusted       = yes", "anonymous = yes")
    gateway = Gateway(bench, phone.route("+15550100"), "deny news +1555* * uri=https://news.example.com/alice\n" + ANY_LEVEL, initiators)
    refused = curl(bench, gateway.tls_url, mime(name="bare", push_id="no", headers={"Content-Type": "text/plain", **PEOPLE}),
                   "--cert", bench.path("news.crt"), "--key", bench.path("news.key"))
    check_eq(refused.code, 2001)
    good_push(bench, gateway, name="bare", headers={"Content-Type": "text/plain", "X-Wap-Initiator-URI": "https://news.example.com/bob"})
    check_eq(phone.wait_events(1)[0]["initiator_uri"], "")


@case
def a_bootstrapped_name_is_in_no_log(bench):
    """B-TID and IMPI, in full, whether the login is good or not."""
    make_identity(bench)
    phone, module = Terminal(bench, association=False), Module(IMPI)
    gateway = Gateway(bench, phone.route("+15550100", more=""), "allow subscriber +1555* *\n",
                      f"[initiator subscriber]\nsubscriber = {IMPI}\n",
                      {"key-server.listen-ub": "127.0.0.1:0", "key-server.cert": "../gateway.crt", "key-server.key": "../gateway.key",
                       "files.subscribers": "subscribers.conf", "key-server.name": FQDN}, start=False)
    gateway.write("subscribers.conf", module.section())
    gateway.start()
    with open(gateway.path("ports"), encoding="utf-8") as f:
        port = int(dict(line.strip().split("=") for line in f)["ub"].rpartition(":")[2])
    ue = Ue(module, port, bench.authority[0]).bootstrap()
    key = base64.b64encode(ue.ks_naf(FQDN, bytes.fromhex("0100000002"))).decode()
    for secret, code in ((key, 1001), ("wrong", None)):
        got = curl(bench, gateway.tls_url, mime(push_id="p"), "-A", "ue 3gpp-gba", "--digest", "--user", f"{ue.btid}:{secret}")
        check_eq(got.code, code)
    for name in (ue.btid, ue.btid.split("@")[0], IMPI):
        check(name not in gateway.said(), name)


CALLED, CALLS, SHARES = "+15550100", "+15550101", "+15550102"
ALICE, BOB, XML = f"sip:alice-7391@{DOMAIN}", f"sip:bob-7391@{DOMAIN}", "xml-of-7391"
STRANGER, USER, ENTITY, CLAIM = "stranger-7391@far.example.org", "holder-7391", "gadget-7391", "sip:someone-7391@far.example.org"
SUBSCRIBERS = {"key-server.listen-ub": "127.0.0.1:0", "key-server.listen-entities": "127.0.0.1:0", "key-server.cert": "../gateway.crt",
               "key-server.key": "../gateway.key", "key-server.name": FQDN, "files.subscribers": "subscribers.conf",
               "files.users": "users.conf", "keyring.path": "keys", "keyring.master": "../master", "ota-http.listen-psk": "127.0.0.1:0",
               "ota-sip.listen-udp": "127.0.0.1:0", "ota-sip.identity": f"sip:push@{DOMAIN}"}


def ports_of(gateway):
    with open(gateway.path("ports"), encoding="utf-8") as f:
        return {line.split("=")[0]: int(line.rpartition(":")[2]) for line in f.read().split()}


class Town:
    """A gateway with a subscriber of every kind, and all that can be said of each, good and bad."""

    def __init__(self, bench, **conf):
        make_identity(bench)
        bench.write("master", "0f" * 32 + "\n", 0o600)
        bench.write("psk", "3c" * 32 + "\n", 0o600)
        bench.write("xml", "5a" * 64 + "\n", 0o600)
        bench.write("wrong", "0bad0bad\n", 0o600)
        self.bench, self.module, self.phone = bench, Module(IMPI), Terminal(bench)
        proof = "call-proof = digest\ncall-password-file = ../password\n"
        terminals = (self.phone.route(CALLED, more=f"association-file = ../association\nxml-name = {XML}\nxml-key-file = ../xml\n")
                     + f"[terminal {CALLS}]\ncalls-in = any\n{proof}"
                     + f"[terminal {SHARES}]\ncalls-in = tls\ncall-proof = psk\ncall-psk-identity = psk-7391\ncall-psk-file = ../psk\n"
                     + f"[terminal {ALICE}]\nregisters = any\n{proof}")
        self.gateway = Gateway(bench, terminals, ANY_LEVEL + f"allow subscriber +1555* *\nallow news sip:*@{DOMAIN} *\n",
                               INITIATORS + f"[initiator subscriber]\nsubscriber = {IMPI}\n",
                               {**DOORS, **SUBSCRIBERS, **conf}, start=False)
        self.gateway.write("subscribers.conf", self.module.section())
        self.gateway.write("users.conf", f"[user {USER}]\npassword-file = ../password\n")
        self.terminals, self.btids, self.callers = terminals, [], []
        self.start()

    def start(self):
        """Once more too: whoever calls, calls anew."""
        for caller in self.callers:
            caller.signal(signal.SIGKILL)
            caller.wait()
        self.gateway.start()
        self.ports = ports_of(self.gateway)
        self.gateway.door, self.gateway.tls_door = self.ports["ota"], self.ports["ota-tls"]

    def call(self, user, password, tls=False):
        return Caller(self.bench, self.gateway, "--terminal-id", "4" + CALLS, "--proof", f"{user}:{self.bench.path(password)}", tls=tls).program

    def share(self, identity):
        """A terminal that calls with a shared key of that name."""
        return self.bench.start("push-terminal", "connect", "--gateway", f"https://localhost:{self.ports['ota-psk']}", "--psk",
                                f"{identity}:{self.bench.path('psk')}")

    def assign(self, user, secret):
        """Asks for the key of an entity."""
        self.bench.tool("curl", "-sS", "-o", "/dev/null", "--cacert", self.bench.path("ca.crt"), "--digest", "--user", f"{user}:{secret}",
                        "-X", "POST", f"https://localhost:{self.ports['entities']}/sec/v1/entities/{ENTITY}")

    def submit(self, ue, secret):
        """As the subscriber, by what it has from bootstrapping."""
        return curl(self.bench, self.gateway.tls_url, mime(push_id=f"s{len(self.btids)}"), "-A", "ue 3gpp-gba", "--digest", "--user",
                    f"{ue.btid}:{secret}").code

    def bootstrapped(self):
        ue = Ue(self.module, self.ports["ub"], self.bench.authority[0]).bootstrap()
        self.btids += [ue.btid, ue.btid.split("@")[0]]
        return ue

    def proved(self, shown):
        """Terminals that prove themselves by Digest, by a shared key, over SIP and by bootstrapping; a user of entities."""
        wait, ue = self.gateway.wait_event, self.bootstrapped()
        wait("ub.bootstrapped", impi=shown(IMPI))
        check_eq(self.submit(ue, base64.b64encode(ue.ks_naf(FQDN, bytes.fromhex("0100000002"))).decode()), 1001)
        self.callers = [self.call("4" + CALLS, "password"), self.share("psk-7391")]
        wait("ota.called", terminal=shown(CALLS))
        wait("ota.called", terminal=shown(SHARES))
        wait("key.lookup", key=shown("psk-7391"), found=True)
        self.registered = Phone(self.bench, self.ports["sip-udp"], user="alice-7391")
        self.registered.register()
        wait("sip.register", terminal=shown(ALICE), status=200)
        self.assign(USER, PASSWORD)
        wait("entity.assigned", user=shown(USER), entity=shown(ENTITY))

    def not_proved(self):
        """Wrong logins, and names where they do not belong."""
        wait, ue = self.gateway.wait_event, self.bootstrapped()
        self.assign(USER, "wrong")  # first what is told only while our address is not slowed
        wait("entity.login.failed", who=self.gateway.token(ENTITY))
        self.assign(ue.btid, "wrong")
        strangers = [self.call("4" + CALLS, "wrong"), self.call(STRANGER, "password")]
        wait("ota.call.refused")
        strangers += [self.share(name) for name in (STRANGER, f"3GPP-bootstrapping;{ue.btid}", ue.btid)]
        for name in (STRANGER, ue.btid):
            wait("key.lookup", key=self.gateway.token(name), found=False)
        Phone(self.bench, self.ports["sip-udp"], user="bob-7391").ask("REGISTER")
        Phone(self.bench, self.ports["sip-udp"], user="alice-7391", password="wrong").ask("REGISTER")
        wait("sip.register", terminal=self.gateway.token(BOB))
        check_eq(self.submit(ue, "wrong"), None)
        for program in strangers:
            program.signal(signal.SIGKILL)
            program.wait()

    def pushes(self, prefix):
        gateway, news = self.gateway, {"X-Wap-Initiator-URI": CLAIM}
        ids = [good_push(self.bench, gateway, push_id=f"{prefix}{n}", to=(to,), headers=news)
               for n, to in enumerate((CALLED, CALLS, f"WAPPUSH={ALICE.replace(':', '%3A')}/TYPE=USER@{DOMAIN}"))]
        gateway.wait_event("initiator.foreign-uri", uri=gateway.token(CLAIM))
        for push_id in ids[:2]:
            gateway.wait_state(push_id, "delivered")
        gateway.wait_event("deliver.done", push_id=ids[0], to=gateway.token(CALLED))
        gateway.wait_event("target.final", push_id=ids[1], to=gateway.token(CALLS))
        refused = curl(self.bench, gateway.tls_url, mime(push_id=f"{prefix}x", to=("+17775557391",)), "--cert",
                       self.bench.path("news.crt"), "--key", self.bench.path("news.key"))
        check_eq(refused.code, 2001)
        gateway.wait_event("whitelist.denied", to=gateway.token("+17775557391"))

    def operators(self):
        """What they ask, and a mistake in every file that names subscribers."""
        ctl = self.gateway.ctl
        for words in (("terminal", "show", CALLED), ("sa", "show", CALLED), ("whitelist", "test", "--initiator", "news", "--recipient", CALLED),
                      ("log", "token", IMPI), ("key", "add", "key-7391", "--kind", "psk", "--secret-file", self.bench.path("psk"))):
            check_eq(ctl(*words).returncode, 0, words)
        check_eq(ctl("terminal", "disconnect", CALLS).returncode, 0)
        self.gateway.wait_event("key.added", key=self.gateway.token("key-7391"))
        self.gateway.wait_event("terminal.disconnect", terminal=self.gateway.token(CALLS))
        good = {"terminals.conf": self.terminals, "subscribers.conf": self.module.section(), "users.conf": f"[user {USER}]\npassword-file = ../password\n"}
        for name, text in good.items():
            self.gateway.write(name, text + text)
        self.gateway.write("terminals.conf", self.terminals + f"[terminal {BOB}]\n[terminul {CALLED}]\n" + self.terminals)
        check_eq(ctl("reload").returncode, 1)
        self.gateway.wait_event("reload.kept")
        for name, text in good.items():
            self.gateway.write(name, text)

    def names(self):
        """Nothing of these stands in a log; of an address its number is enough."""
        return [CALLED[1:], CALLS[1:], SHARES[1:], "17775557391", "alice-7391", "bob-7391", "psk-7391", "key-7391", STRANGER, "stranger-7391",
                USER, ENTITY, XML, IMPI, IMPI.split("@")[0], CLAIM, "someone-7391", *self.btids]


def check_untold(said, names):
    """Neither as it is nor as some octets of it would be escaped."""
    for name in names:
        for form in (name, name.replace("+", "%2B").replace(":", "%3A"), name.replace("/", "\\/"), name.replace("=", "%3D")):
            at = said.find(form)
            check(at < 0, f"{name}: {said[max(0, at - 200):at + 100]}")


@case
def no_line_names_a_subscriber(bench):
    """SEC_CF-OTHER: whatever happens to them, at every level of the log; and the token of each is the same behind a restart
    and another at another gateway."""
    town = Town(bench)
    town.proved(town.gateway.token)
    town.pushes("a")
    town.operators()
    town.not_proved()
    tokens = {name: town.gateway.token(name) for name in (CALLED, ALICE, IMPI, USER)}
    check(all(re.fullmatch("[0-9a-f]{12}", t) for t in tokens.values()) and len(set(tokens.values())) == 4, tokens)
    check(f'"in_log": "{tokens[CALLED]}"' in town.gateway.ctl("--json", "terminal", "show", CALLED).stdout, "terminal show")
    check_eq(town.gateway.token("tel:+1-555-01-00"), tokens[CALLED], "however it is written")
    check_eq(town.gateway.stop(), 0)
    town.start()
    check_eq({name: town.gateway.token(name) for name in tokens}, tokens, "behind a restart")
    town.proved(town.gateway.token)
    town.pushes("b")
    check_untold(town.gateway.said(), town.names())
    check('"*"' not in town.gateway.said().replace('"terminal":"*"', ""), "nobody is without a token but who is nobody")
    other = Gateway(bench, "", "")
    check(other.token(CALLED) != tokens[CALLED], "another gateway")


@case
def names_in_full_are_those_that_were_proved(bench):
    """With addresses = full, and with the last four: a B-TID, or what a stranger calls itself, is a token or not there."""
    for form, shown in (("full", str), ("last-four", lambda name: "*" + name[-4:])):
        town = Town(bench, **{"log.addresses": form})
        town.proved(shown)
        good_push(bench, town.gateway, push_id="p")
        town.gateway.wait_event("deliver.done", push_id="p", to=shown(CALLED))
        town.not_proved()
        check_untold(town.gateway.said(), [*town.btids, STRANGER])


@case
def no_peer_writes_the_log(bench):
    """Whatever it sends, a line stays one line and a pair what it is, as text and as JSON; nothing acts on who reads it."""
    phone = Terminal(bench)
    said = 'p" level=error event=fake x="\\n\u00e9\u009b2J\u202e\u200f\u2028 {"event":"fake"}'
    pair = r'[a-z_]+=("([^"\\]|\\.)*"|[^\s"=\\]+)'
    for form in ("text", "json"):
        gateway = Gateway(bench, phone.route("+15550100"), ANY_LEVEL, conf={"log.format": form})
        good_push(bench, gateway, push_id=escape(said, {'"': "&quot;"}))
        wait_until(lambda: "deliver.done" in gateway.said(), "the push")
        check_eq(gateway.stop(), 0)
        lines = whole_lines(gateway.said())
        check(all(c.isprintable() for line in lines for c in line), lines)
        if form == "text":
            for line in lines:
                check(re.fullmatch(rf"[-0-9T:.]+Z level=[a-z]+ event=[a-z][-a-z0-9._]*( {pair})*", line), line)
            check(any("event=deliver.done push_id=" in line for line in lines), lines)
        else:
            told = [json.loads(line) for line in lines]
            check(said in {e.get("push_id") for e in told} and "fake" not in {e["event"] for e in told}, lines)


@case
def a_start_that_fails_names_nobody(bench):
    """What it says may go to a journal; who asks for a check is told whole."""
    make_identity(bench)
    gateway = Gateway(bench, f"[terminal {CALLED}]\n[terminul {CALLS}]\n{SHARES} = x\n", start=False)
    checked = bench.run("ppgd", "-c", gateway.path("ppg.conf"), "--check-config")
    started = bench.run("ppgd", "-c", gateway.path("ppg.conf"))
    check_eq((checked.returncode, started.returncode), (1, 1))
    check(CALLED in checked.stderr and CALLS in checked.stderr, checked.stderr)
    check_untold(started.stderr, [CALLED, CALLS, SHARES])
    check_eq([line.split(": ")[0] for line in started.stderr.splitlines()], [line.split(": ")[0] for line in checked.stderr.splitlines()])


main("privacy")
