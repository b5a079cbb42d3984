"""The built programs as a bench: a gateway with its configuration, terminals, an initiator's ear, and curl to submit.

Everything listens on 127.0.0.1 with ports the system chose.  The log of a gateway is JSON and is looked at by each
case's end: no sanitizer may have spoken there.
"""

import json
import os
import re
import shutil
import signal
import socket
import string
import threading
import xml.etree.ElementTree

from harness import PATIENCE_S, check, check_eq, free_port, hang_up, wait_until, whole_lines

HERE = os.path.dirname(os.path.abspath(__file__))
BOUNDARY = "pap-boundary-7f3a"
MULTIPART = f'multipart/related; type="application/xml"; boundary="{BOUNDARY}"'
PASSWORD = "correct-horse-7391"
SAID, KEY = "6173736f63696174696f6e2d30303031", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
SANITIZER = re.compile(r"AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:|MUST\(|Assertion")

DEFAULTS = {
    "gateway.name": "https://ppg.example.net/pap",
    "gateway.loops": "2",
    "gateway.port-file": "ports",
    "pap.listen": "127.0.0.1:0",
    "pap.listen-tls": "127.0.0.1:0",
    "pap.cert": "../gateway.crt",
    "pap.key": "../gateway.key",
    "pap.ca": "../ca.crt",
    "ota-http.cert": "../gateway.crt",
    "ota-http.key": "../gateway.key",
    "ota-http.ca": "../ca.crt",
    "ota-http.connect-timeout": "6s",
    "delivery.retry-first": "100ms",
    "delivery.retry-max": "200ms",
    "store.path": "store.db",
    "notify.private-addresses": "yes",
    "notify.retries": "100ms, 200ms, 500ms, 1s, 2s, 5s",
    "protection.number-range": "16",
    "log.format": "json",
    "log.level": "debug",
    "admin.socket": "admin.sock",
}

INITIATORS = """[initiator news]
certificate   = URI:https://news.example.com
initiator-uri = https://news.example.com/*
trusted       = yes
[initiator pass]
digest-user   = pass
password-file = ../password
basic         = yes
"""

WHITELIST = "allow news +1555* * protect=full\nallow pass +1555* * protect=full\n"
ANY_LEVEL = "allow news +1555* *\nallow pass +1555* *\n"


def make_identity(bench):
    """An authority, the gateway's certificate, the initiator's, and a password, once a case."""
    if os.path.exists(bench.path("password")):
        return bench.authority
    bench.authority = bench.ca()
    bench.certificate(bench.authority, "gateway", "IP:127.0.0.1,DNS:localhost,DNS:ppg.example.net")
    bench.certificate(bench.authority, "news", "URI:https://news.example.com")
    bench.write("password", PASSWORD + "\n", 0o600)
    bench.write("association", f"said = {SAID}\nkey = {KEY}\nsuites = aes-ctr-hmac-sha256, hmac-sha256\nexpires = never\n",
                0o600)
    return bench.authority


class Gateway:
    """A ppgd with a folder of its own.  conf: {"section.key": value}, None takes a default away.  ppgd: or the path of a
    program of that name that becomes one."""

    def __init__(self, bench, terminals, whitelist=WHITELIST,
                 initiators=INITIATORS, conf=None, start=True, ppgd="ppgd"):
        make_identity(bench)
        self.bench, self.ppgd = bench, ppgd
        self.folder = bench.path(f"gateway{sum(1 for p in bench.programs if p.name == 'ppgd')}")
        os.mkdir(self.folder)
        self.conf = {**DEFAULTS, **(conf or {})}
        self.write("initiators.conf", initiators)
        self.write("whitelist.conf", whitelist)
        self.write("terminals.conf", terminals)
        self.write_conf()
        self.runs = []
        if start:
            self.start()
        bench.checks.append(self.check_sane)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        return self.bench.write(os.path.join(self.folder, name), text, 0o600)

    def write_conf(self, **changes):
        """Ports that are left to chance are chosen here, so that clients find it there after each start."""
        self.conf.update({k.replace("__", ".").replace("_", "-"): v for k, v in changes.items()})
        for name, value in self.conf.items():
            if ".listen" in name and str(value).endswith(":0"):
                self.conf[name] = f"{value[:-1]}{free_port()}"
        lines, section = [], None
        for name, value in sorted((k, v) for k, v in self.conf.items() if v is not None):
            if name.split(".")[0] != section:
                section = name.split(".")[0]
                lines.append(f"[{section}]")
            lines.append(f"{name.split('.', 1)[1]} = {value}")
        return self.write("ppg.conf", "\n".join(lines) + "\n")

    def start(self):
        if os.path.exists(self.path("ports")):
            os.remove(self.path("ports"))
        self.program = self.bench.start(self.ppgd, "-c", self.path("ppg.conf"))
        self.runs.append(self.program)
        ports = dict(line.split("=") for line in self.bench.wait_for_file(self.path("ports"), self.program).split())
        self.port, self.tls_port = (int(ports.get(k, "0:0").rpartition(":")[2]) for k in ("pap", "pap-tls"))
        self.url, self.tls_url = f"http://127.0.0.1:{self.port}/pap", f"https://localhost:{self.tls_port}/pap"
        return self

    def kill(self):
        self.program.signal(signal.SIGKILL)
        self.program.wait()

    def stop(self):
        """SIGTERM, and the exit status of an orderly end."""
        self.program.signal(signal.SIGTERM)
        return self.program.wait()

    def said(self):
        """What all runs wrote to standard error."""
        return "".join(run.err() for run in self.runs)

    def events(self, name=None, **fields):
        """The log as objects, oldest first; only those of this name and with these fields."""
        found = []
        for line in (line for run in self.runs for line in whole_lines(run.err())):
            if line.startswith("{") and line.endswith("}"):
                event = json.loads(line)
                if name in (None, event.get("event")) and all(event.get(k) == v for k, v in fields.items()):
                    found.append(event)
        return found

    def wait_event(self, name, count=1, **fields):
        return wait_until(lambda: (e := self.events(name, **fields)) and len(e) >= count and e, f"{name} {fields}")[-1]

    def check_events(self, count, name, **fields):
        """So many and no more; the log may come a moment after what it tells of.  Returns them."""
        wait_until(lambda: len(self.events(name, **fields)) >= count, f"{count} {name} {fields}")
        found = self.events(name, **fields)
        check_eq(len(found), count, f"events {name} {fields}")
        return found

    def ctl(self, *args):
        return self.bench.run("ppgctl", "--socket", self.path("admin.sock"), *args)

    def token(self, name):
        """What stands for a subscriber in the log."""
        return json.loads(self.ctl("--json", "log", "token", name).stdout)["token"]

    def settle(self):
        """After a reload: until loop 0, which may be the only one, decides by what it brought."""
        want = json.loads(self.ctl("--json", "status").stdout)["generation"]
        wait_until(lambda: json.loads(self.ctl("--json", "whitelist", "test", "--initiator", "x", "--recipient", "+1").stdout)
                   ["generation"] == want, f"generation {want}")

    def show(self, push_id):
        done = self.ctl("--json", "push", "show", push_id)
        check_eq(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def wait_state(self, push_id, state):
        """Until every target shows `state`; the push."""
        return wait_until(lambda: (p := self.show(push_id)) and all(t["state"] == state for t in p["targets"]) and p,
                          f"{push_id} {state}")

    def query(self, sql):
        """The store as another program reads it, from a copy, as the gateway shares its file with nobody: rows as
        lists of text.  For when nothing is being written; what is written after all while it is copied makes another copy."""
        def stamps():
            return [(os.stat(path).st_size, os.stat(path).st_mtime_ns) for end in ("", "-wal") if os.path.exists(path := self.path("store.db" + end))]

        before = None
        while before != stamps():
            before = stamps()
            for end in ("", "-wal"):
                if os.path.exists(self.path("store.db" + end)):
                    shutil.copyfile(self.path("store.db" + end), self.bench.path("copy.db" + end))
        text = self.bench.tool("sqlite3", "-separator", "|", self.bench.path("copy.db"), sql)
        for end in ("", "-wal", "-shm"):
            if os.path.exists(self.bench.path("copy.db" + end)):
                os.remove(self.bench.path("copy.db" + end))
        return [line.split("|") for line in text.splitlines()]

    def check_sane(self):
        """It ends in order, and no sanitizer spoke in any of its runs."""
        if self.runs and self.program.running():
            check_eq(self.stop(), 0, f"exit status; it said {self.program.err()[-3000:]}")
        spoken = SANITIZER.search(self.said())
        check(not spoken, spoken and self.said()[max(0, spoken.start() - 500):spoken.start() + 3000])


class Terminal:
    """A running push-terminal: its port, its events."""

    def __init__(self, bench, *options, association=True, port=0, command="listen"):
        make_identity(bench)
        self.bench, self.command = bench, command
        self.number = sum(1 for p in bench.programs if p.name == "push-terminal")
        self.port, self.runs, self.options = port or free_port(), [], ["--json", *options]
        if association:
            self.options += ["--association", bench.path("association")]
        self.start()

    def start(self):
        port_file = self.bench.path(f"terminal{self.number}.port")
        if os.path.exists(port_file):
            os.remove(port_file)
        self.program = self.bench.start("push-terminal", self.command, "--bind", f"127.0.0.1:{self.port}", "--port-file",
                                        port_file, "--wire", self.wire_path(len(self.runs)), *self.options)
        self.runs.append(self.program)
        self.port = int(self.bench.wait_for_file(port_file, self.program).rpartition(":")[2])

    def kill(self):
        self.program.signal(signal.SIGKILL)
        self.program.wait()

    def route(self, address, scheme="http", more="association-file = ../association\n", port=0):
        """Its section in terminals.conf; port: of a relay before it."""
        return f"[terminal {address}]\nroute = {scheme}://127.0.0.1:{port or self.port}\n{more}"

    def events(self, name="push"):
        lines = [line for run in self.runs for line in run.lines()]
        return [e for e in (json.loads(line) for line in lines if line.endswith("}")) if e["event"] == name]

    def wait_events(self, count, name="push", timeout_s=PATIENCE_S):
        return wait_until(lambda: len(e := self.events(name)) >= count and e, f"{count} {name} of a terminal", timeout_s)

    def wire_path(self, run):
        return self.bench.path(f"wire{self.number}.{run}")

    def wire(self):
        """The octets that all runs were sent."""
        octets = b""
        for run in range(len(self.runs)):
            with open(self.wire_path(run), "rb") as f:
                octets += f.read()
        return octets


class Ear:
    """A running pap-push listen: the notifications an initiator gets."""

    def __init__(self, bench, *options, port=0):
        port_file = bench.path(f"ear{len(bench.programs)}.port")
        self.program = bench.start("pap-push", "listen", "--bind", f"127.0.0.1:{port}", "--port-file", port_file, "--json",
                                   *options)
        self.port = int(bench.wait_for_file(port_file, self.program).rpartition(":")[2])
        self.url = f"{'https' if '--cert' in options else 'http'}://127.0.0.1:{self.port}/notify"

    def heard(self):
        return [json.loads(line) for line in self.program.lines()]

    def wait_heard(self, count, timeout_s=PATIENCE_S):
        return wait_until(lambda: len(h := self.heard()) >= count and h, f"{count} notifications", timeout_s)


class Relay:
    """Passes octets between a client and 127.0.0.1:port and keeps them in `seen`; hold() keeps back what the server
    answers to requests that begin with `word`, until let_go() passes it on or drop() cuts the connection.  What `change`
    gives back for the octets of a client, and `answer` for those of the server, goes on in their place."""

    def __init__(self, bench, port, word=b"", change=None, answer=None):
        self.to_port, self.word, self.change, self.answer, self.seen = port, word, change, answer, bytearray()
        self.free, self.held, self.dropping = threading.Event(), threading.Event(), False
        self.free.set()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        bench.closers.append(self.close)
        threading.Thread(target=self.serve, daemon=True).start()

    def hold(self):
        self.held.clear()
        self.free.clear()

    def let_go(self):
        self.free.set()

    def drop(self):
        self.dropping = True
        self.free.set()

    def close(self):
        self.free.set()
        hang_up(self.socket)

    def serve(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.to_port))
            except OSError:  # it is down for a moment
                client.close()
                continue
            asked = threading.Event()
            threading.Thread(target=self.pump, args=(client, server, asked, False), daemon=True).start()
            threading.Thread(target=self.pump, args=(server, client, asked, True), daemon=True).start()

    def pump(self, source, sink, asked, answers):
        try:
            while data := source.recv(65536):
                if not answers and data.startswith(self.word):
                    asked.set()
                if answers and asked.is_set() and not self.free.is_set():
                    self.held.set()
                    self.free.wait(60)
                    if self.dropping:
                        self.dropping = False
                        break
                self.seen += data
                change = self.answer if answers else self.change
                sink.sendall(change(data) if change else data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def mime(name="push", push_id="20240501-0001@news.example.com", to=("+15550100",), attributes=None, headers=None,
         content="Hi"):
    """A submission from data/NAME.mime, its holes filled, with CRLF line ends: octets.  `to` are numbers or whole
    address values."""
    with open(os.path.join(HERE, "data", f"{name}.mime"), encoding="utf-8", newline="") as f:
        text = f.read()
    values = [a if "=" in a or a == "" or a[0] not in "+" + string.digits else f"WAPPUSH={a}/TYPE=PLMN@ppg.example.net"
              for a in to]
    text = text.replace("@ID@", push_id)
    text = text.replace("@ADDRESSES@", "".join(f'\n    <address address-value="{v}"/>' for v in values))
    text = text.replace("@ATTRIBUTES@", "".join(f'\n      {k}="{v}"' for k, v in (attributes or {}).items()))
    text = text.replace("@HEADERS@", "".join(f"\n{k}: {v}" for k, v in (headers or {}).items()))
    octets = text.replace("\n", "\r\n").encode()
    return octets.replace(b"@CONTENT@", content if isinstance(content, bytes) else content.encode())


class Answer:
    """What curl heard: status, headers (lower-case names, last one counts), body; code, kind, desc and push_id of the
    PAP document, if there is one."""

    def __init__(self, head, body):
        lines = re.split(r"\r?\n\r?\n", head.strip())[-1].splitlines()  # behind those of a 401
        self.status = int(lines[0].split()[1])
        self.headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
        self.head, self.body = head, body
        self.code = self.kind = self.desc = self.push_id = None
        if self.headers.get("content-type", "").startswith("application/xml"):
            message = xml.etree.ElementTree.fromstring(body)[0]
            result = next((e for e in message.iter() if e.get("code")), None)
            self.kind, self.push_id = message.tag, message.get("push-id")
            self.code, self.desc = int(result.get("code")), result.get("desc")

    def __repr__(self):
        return f"{self.status} {self.kind} {self.code} {self.desc}"


def curl(bench, url, body, *options, content_type=MULTIPART):
    """POSTs with curl; names of certificates are checked against the case's authority."""
    bench.curls = getattr(bench, "curls", 0) + 1
    sent, head, got = (bench.path(f"curl{bench.curls}.{end}") for end in ("sent", "head", "got"))
    with open(sent, "wb") as f:
        f.write(body)
    bench.tool("curl", "-sS", "--http1.1", "--max-time", "60", "--cacert", bench.path("ca.crt"), "-H", "Expect:", "-H",
               f"Content-Type: {content_type}", "--data-binary", f"@{sent}", "-D", head, "-o", got, *options, url)
    with open(head, encoding="latin-1", newline="") as f:
        head = f.read()
    with open(got, encoding="utf-8", errors="replace") as f:
        return Answer(head, f.read())


def as_news(bench):
    """curl options: the initiator `news` by its certificate."""
    return ("--cert", bench.path("news.crt"), "--key", bench.path("news.key"))


def push(bench, gateway, *options, **more):
    """Submits as `news` over TLS, with mime()'s arguments."""
    return curl(bench, gateway.tls_url, mime(**more), *as_news(bench), *options)


def pap_push(bench, gateway, *options, **more):
    """Submits with pap-push as `news` over TLS."""
    return bench.run("pap-push", "submit", "--url", gateway.tls_url, "--ca", bench.path("ca.crt"), *as_news(bench),
                     *options, **more)


def good_push(bench, gateway, **more):
    """A push that must be accepted; its id."""
    gateway.pushed = getattr(gateway, "pushed", 0) + 1
    more.setdefault("push_id", f"good-{gateway.pushed}@news.example.com")
    answer = push(bench, gateway, **more)
    check_eq((answer.status, answer.kind, answer.code), (202, "push-response", 1001), f"a good push: {answer.desc}")
    return more["push_id"]
