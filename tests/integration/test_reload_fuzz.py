"""Configurations good and broken, in random order, reloaded while initiators submit: nothing crashes, no connection is
dropped, a broken one is refused with its file and line and changes nothing.  The order is always the same.
Usage: test_reload_fuzz.py BUILD_DIR."""

import base64
import http.client
import os
import random
import re
import signal
import ssl
import threading

from gateway import MULTIPART, PASSWORD, Gateway, Terminal, make_identity, mime
from harness import case, check, check_eq, main, wait_until

SEED = 20261121
ROUNDS = 70
CLEAR, TLS = 4, 2  # submitters, each with a connection that must last

FIXED_ACCOUNTS = """[initiator sub]
digest-user   = sub
password-file = ../password
basic         = yes
basic-clear   = yes
rate          = {rate}/s burst 1000000
[initiator news]
certificate   = URI:https://news.example.com
initiator-uri = https://news.example.com/*
"""
FIXED_RULES = "allow sub +1555* *\nallow news +1555* *\n"


class Configuration:
    """A good configuration, made up; `number` is told in every answer."""

    def __init__(self, chance, number):
        self.number = number
        self.files = {}
        extra = [f"x{i:02d}" for i in range(chance.randrange(8))]
        chance.shuffle(extra)
        self.files["initiators.conf"] = FIXED_ACCOUNTS.format(rate=chance.choice((5000, 100000, 1000000))) + "".join(
            self.account(chance, name) for name in extra)
        self.files["whitelist.conf"] = FIXED_RULES + "".join(self.rule(chance, name) for name in extra * 3)
        self.files["out.list"] = "".join(f"+1777{chance.randrange(10 ** 6):06d}\n" for _ in range(chance.randrange(1, 400)))
        self.files["more.conf"] = "".join(f"[terminal +1888{i:04d}]\nroute = http://192.0.2.{i % 250 + 1}:4035\n"
                                          for i in range(chance.randrange(60)))
        self.settings = {
            "gateway.sender-name": f"number {number}",
            "pap.body-max": chance.choice(("64k", "1M")),
            "pap.recipients-max": str(chance.randrange(1, 2000)),
            "pap.idle-timeout": chance.choice(("1min", "5min")),
            "pap.digest-md5": chance.choice(("yes", "no")),
            "pap.crl": chance.choice((None, "../ca.crl")),
            "ota-http.prov-url": chance.choice((None, f"https://ppg.example.net/{number}")),
            "delivery.tries-max": str(chance.randrange(1, 50)),
            "notify.timeout": chance.choice(("5s", "30s")),
            "log.addresses": chance.choice(("hashed", "last-four", "full")),
        }

    @staticmethod
    def account(chance, name):
        lines = [f"[initiator {name}]", f"certificate = DNS:{name}.example.net"]
        lines += chance.sample([f"network = 192.0.{chance.randrange(256)}.0/24", "trusted = yes",
                                f"rate = {chance.randrange(1, 1000)}/s burst 1000", f"recipient-rate = {chance.randrange(1, 99)}/min",
                                f"queue-limit = {chance.randrange(1, 10 ** 6)}", "body-max = 64k", "connections-max = 3",
                                f"initiator-uri = https://{name}.example.net/*"], chance.randrange(8))
        return "\n".join(lines) + "\n"

    @staticmethod
    def rule(chance, name):
        who = chance.choice(("+1666*", "@out.list", "sip:*@example.org", "+17775550100", "*"))
        return f"{chance.choice(('allow', 'deny '))} {name} {who} {chance.choice(('*', 'mms.ua'))}\n"

    def write(self, gateway, terminals):
        for name, text in self.files.items():
            gateway.write(name, text)
        gateway.write("terminals.conf", terminals + self.files["more.conf"])
        gateway.write_conf(**self.settings)


def insert_line(chance, text, line):
    lines = text.splitlines(keepends=True)
    lines.insert(chance.randrange(len(lines) + 1), line + "\n")
    return "".join(lines)


def break_ppg_conf(chance, gateway):
    line = chance.choice(("[pap]\nlsten = 127.0.0.1:0", "[nowhere]", "[pap]\ntls-min = 1.1", "[delivery]\ntries-max = many",
                          "[log]\nlevel = loud", "just words", "[store]\nkeep = -1s", "[pap]\npath = ?", "[gateway]\nname = x"))
    with open(gateway.path("ppg.conf"), "a", encoding="utf-8") as f:
        f.write(line + "\n")
    return "ppg.conf"


def break_initiators(chance, gateway):
    line = chance.choice(("[initiator bad]\ncertificate = CN:x\n", "[initiator bad]\n", "[terminal sub]\n",
                          "[initiator bad]\ncertificate = DNS:bad\nrate = 5\n", "[initiator sub]\ncertificate = DNS:again\n",
                          "[initiator bad]\ncertificate = DNS:bad\nqueue-limit = 0\n",
                          "[initiator bad]\ndigest-user = bad\npassword-file = no-such-file\n",
                          "[initiator bad]\ncertificate = DNS:bad\ncolour = red\n", "[initiator a\0b]\ncertificate = DNS:z\n",
                          "[initiator bad]\nnetwork = 192.0.2.1/99\ncertificate = DNS:bad\n", "x" * 5000 + "\n"))
    with open(gateway.path("initiators.conf"), "a", encoding="utf-8") as f:
        f.write(line)
    return "initiators.conf"


def break_whitelist(chance, gateway):
    line = chance.choice(("maybe sub * *", "allow", "allow sub", "allow sub @missing.list *", "allow sub +1555* * colour=red",
                          "allow sub +1555* * protect=much", "allow sub *1555 *", "deny * * * max-size=none", "allow\0sub * *",
                          "a" * 1500))
    with open(gateway.path("whitelist.conf"), encoding="utf-8") as f:
        text = f.read()
    gateway.write("whitelist.conf", insert_line(chance, text, line))
    return "whitelist.conf"


def break_list(chance, gateway):
    """An address file with one bad line somewhere, named by a rule."""
    with open(gateway.path("out.list"), encoding="utf-8") as f:
        text = f.read()
    gateway.write("out.list", insert_line(chance, text, chance.choice(("not an address", "+1555x", "sip:", "\x01", "b" * 3000))))
    with open(gateway.path("whitelist.conf"), "a", encoding="utf-8") as f:
        f.write("deny * @out.list *\n")
    return "out.list"


def break_terminals(chance, gateway):
    with open(gateway.path("terminals.conf"), "a", encoding="utf-8") as f:
        f.write(chance.choice(("[terminal +1999]\n", "[terminal +1999]\nroute = gopher://x\n", "[terminal]\n",
                               "[terminal +15550100]\nroute = http://127.0.0.1:1\n", "route = http://127.0.0.1\n = \n")))
    return "terminals.conf"


def break_tls(chance, gateway):
    """What [pap] key or ca names is no such thing."""
    gateway.write("broken.pem", chance.choice(("", "nothing\n", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")))
    name = chance.choice(("pap.key", "pap.cert", "pap.ca", "ota-http.ca", "pap.crl"))
    gateway.write_conf(**{name: "broken.pem"})
    gateway.broken_keys.append((name, {"pap.key": "../gateway.key", "pap.cert": "../gateway.crt", "pap.ca": "../ca.crt",
                                       "ota-http.ca": "../ca.crt"}.get(name)))
    return "ppg.conf"


def break_mode(chance, gateway):
    """A secret that others may read."""
    gateway.write("open.password", PASSWORD + "\n")
    os.chmod(gateway.path("open.password"), 0o644)
    with open(gateway.path("initiators.conf"), "a", encoding="utf-8") as f:
        f.write("[initiator bad]\ndigest-user = bad\npassword-file = open.password\n")
    return "initiators.conf"


BREAKS = (break_ppg_conf, break_initiators, break_whitelist, break_list, break_terminals, break_tls, break_mode)


def make_crl(bench):
    """An empty revocation list of the case's authority."""
    config = bench.write("crl.conf", f"[ca]\ndefault_ca=d\n[d]\ndatabase={bench.path('crl.index')}\ndefault_md=sha256\n"
                                     "default_crl_days=2\n")
    bench.write("crl.index", "")
    bench.tool("openssl", "ca", "-config", config, "-cert", bench.path("ca.crt"), "-keyfile", bench.path("ca.key"), "-gencrl",
               "-out", bench.path("ca.crl"))


class Submitter(threading.Thread):
    """Submits on one connection until it is told to stop; keeps what went wrong, and the number last told."""

    def __init__(self, bench, gateway, name, tls):
        super().__init__(daemon=True)
        self.name, self.told, self.count, self.fault = name, None, 0, None
        self.over = threading.Event()
        self.headers = {"Content-Type": MULTIPART}
        if tls:
            context = ssl.create_default_context(cafile=bench.path("ca.crt"))
            context.load_cert_chain(bench.path("news.crt"), bench.path("news.key"))
            self.http = http.client.HTTPSConnection("localhost", gateway.tls_port, timeout=60, context=context)
        else:
            self.http = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=60)
            self.headers["Authorization"] = "Basic " + base64.b64encode(f"sub:{PASSWORD}".encode()).decode()
        self.http.connect()
        self.socket = self.http.sock
        bench.closers.append(self.http.close)

    def run(self):
        try:
            while not self.over.is_set():
                self.submit()
        except Exception as e:  # told by the case
            self.fault = f"{self.name}, after {self.count}: {e!r}"

    def submit(self):
        self.http.request("POST", "/pap", mime(push_id=f"{self.name}-{self.count}"), self.headers)
        answer = self.http.getresponse()
        text = answer.read().decode()
        check(self.http.sock is self.socket, "the connection was dropped")
        check_eq(answer.status, 202, text)
        check('code="1001"' in text, text)
        self.told = int(re.search(r'sender-name="number (\d+)"', text).group(1))
        self.count += 1


def reload_by_signal(gateway, number):
    """The reload of this number since the start; the log may still owe some of those before it."""
    gateway.program.signal(signal.SIGHUP)
    wait_until(lambda: len(gateway.events("reload.done")) + len(gateway.events("reload.kept")) >= number, f"reload {number}")


class Load:
    """A gateway with a terminal, and initiators that submit to it all the time."""

    def __init__(self, bench, chance, clear, tls):
        make_identity(bench)
        make_crl(bench)
        phone = Terminal(bench, association=False)
        self.terminals = phone.route("+15550100", more="")
        self.gateway = Gateway(bench, self.terminals, start=False, initiators=FIXED_ACCOUNTS.format(rate=1000),
                               whitelist=FIXED_RULES,
                               conf={"pap.clear-basic": "yes", "log.level": "warn", "gateway.loops": "3"})
        self.gateway.broken_keys = []
        self.write(Configuration(chance, 0))
        self.gateway.start()
        self.submitters = [Submitter(bench, self.gateway, f"s{i}", i >= clear) for i in range(clear + tls)]
        for s in self.submitters:
            s.start()

    def write(self, configuration):
        configuration.write(self.gateway, self.terminals)

    def faults(self):
        return [s.fault for s in self.submitters if s.fault]

    def settle(self, number):
        """All connections, on whatever loop, tell this number, in an answer that began after now."""
        counts = [s.count for s in self.submitters]
        wait_until(lambda: self.faults() or all(s.count > c + 1 for s, c in zip(self.submitters, counts)), "answers", 90)
        check(not self.faults(), self.faults())
        wait_until(lambda: {s.told for s in self.submitters} == {number},
                   f"number {number}, not {[s.told for s in self.submitters]}")

    def end(self, good, broken):
        for s in self.submitters:
            s.over.set()
        for s in self.submitters:
            s.join(120)
            check(not s.fault and not s.is_alive(), s.fault)
        self.gateway.check_events(broken, "reload.kept")
        self.gateway.check_events(good, "reload.done")


@case
def good_and_broken_under_load(bench):
    chance = random.Random(SEED)
    load = Load(bench, chance, CLEAR, TLS)
    gateway, good, broken = load.gateway, 0, 0
    for number in range(1, ROUNDS + 1):
        load.write(Configuration(chance, number))
        if chance.random() < 0.5:
            good = number
            if chance.random() < 0.2:
                reload_by_signal(gateway, number)
            else:
                done = gateway.ctl("reload")
                check_eq(done.returncode, 0, f"round {number}: {done.stdout} {done.stderr}")
        else:
            breaks = chance.choice(BREAKS)
            culprit = breaks(chance, gateway)
            done = gateway.ctl("reload")
            said = done.stdout + done.stderr
            check_eq(done.returncode, 1, f"round {number}, {breaks.__name__}: {said}")
            check(re.search(rf"(^|/){re.escape(culprit)}:[1-9][0-9]*: ", said, re.M), f"{breaks.__name__}: {said}")
            broken += 1
            for name, value in gateway.broken_keys:
                gateway.conf[name] = value
            gateway.broken_keys.clear()
        load.settle(good)
    check(ROUNDS * 0.3 < broken < ROUNDS * 0.7, f"{broken} broken ones")
    load.end(ROUNDS - broken, broken)


@case
def random_octets_under_load(bench):
    """Octets changed anywhere but in what the submitters need: whatever `--check-config` says of the files is what the
    running gateway says of them."""
    chance = random.Random(SEED + 1)
    load = Load(bench, chance, 2, 0)
    gateway, good, verdicts = load.gateway, 0, [0, 0]
    for number in range(1, ROUNDS // 2 + 1):
        configuration = Configuration(chance, number)
        name, fixed = chance.choice((("initiators.conf", "[initiator x"), ("whitelist.conf", " x0"), ("out.list", ""), ("more.conf", "")))
        text = bytearray(configuration.files[name].encode())
        begin = max(text.find(fixed.encode()), 0) if fixed.encode() in text else len(text)
        for _ in range(chance.randrange(1, 4) if begin < len(text) else 0):
            text[chance.randrange(begin, len(text))] = chance.choice((0, 10, 13, 32, 35, 42, 64, 91, 127, 200, 255, 48, 97))
        configuration.files[name] = text.decode("latin-1")
        load.write(configuration)
        checked = bench.run("ppgd", "-c", gateway.path("ppg.conf"), "--check-config")
        done = gateway.ctl("reload")
        check_eq(done.returncode, checked.returncode, f"{checked.stderr} but {done.stdout} {done.stderr}")
        verdicts[done.returncode] += 1
        good = good if done.returncode else number
        load.settle(good)
    check(min(verdicts) >= 5, f"good and broken: {verdicts}")
    load.end(*verdicts)


main("reload_fuzz")
