"""Terminals that call in (TO-TCP), for suites: push-terminal connect, and a terminal made of Python's sockets and ssl, against a
gateway with a clear and a TLS door."""

import hashlib
import json
import re
import signal
import socket
import threading

from gateway import ANY_LEVEL, Gateway, good_push, make_identity
from harness import check, check_eq, wait_until

CERTIFICATE = "[terminal +15550100]\ncalls-in = tls\ncall-proof = certificate\ncall-certificate = URI:https://phone.example.com\n"
DIGEST = "[terminal +15550100]\ncalls-in = any\ncall-proof = digest\ncall-password-file = ../phone.password\n"
NONE = "[terminal +15550100]\ncalls-in = any\ncall-proof = none\n"
DOORS = {"ota-http.listen": "127.0.0.1:0", "ota-http.listen-tls": "127.0.0.1:0", "delivery.retry-first": "1h",
         "delivery.retry-max": "1h"}


class Doors(Gateway):
    """A gateway that terminals can call."""

    def __init__(self, bench, terminals, rules=ANY_LEVEL, **conf):
        make_identity(bench)
        bench.certificate(bench.authority, "phone", "URI:https://phone.example.com")
        bench.write("phone.password", "open-sesame\n", 0o600)
        bench.write("wrong.password", "open-simsim\n", 0o600)
        super().__init__(bench, terminals, rules, conf={**DOORS, **{k.replace("__", ".").replace("_", "-"): v for k, v in conf.items()}})

    def start(self):
        super().start()
        with open(self.path("ports"), encoding="utf-8") as f:
            ports = dict(line.strip().split("=") for line in f)
        self.door, self.tls_door = (int(ports.get(k, "0:0").rpartition(":")[2]) for k in ("ota", "ota-tls"))
        return self


class Caller:
    """A running push-terminal that calls the gateway."""

    def __init__(self, bench, gateway, *options, tls=True):
        where = f"https://localhost:{gateway.tls_door}" if tls else f"http://127.0.0.1:{gateway.door}"
        options = ("--ca", bench.path("ca.crt"), *options) if tls else options
        self.program = bench.start("push-terminal", "connect", "--gateway", where, "--json", *options)

    def events(self, name="push"):
        return [e for e in (json.loads(line) for line in self.program.lines() if line.endswith("}")) if e["event"] == name]

    def wait_events(self, count, name="push"):
        return wait_until(lambda: len(e := self.events(name)) >= count and e, f"{count} {name}: {self.program.err()}")

    def contents(self):
        return [e["content"] for e in self.events()]

    def kill(self):
        self.program.signal(signal.SIGKILL)
        self.program.wait()


def with_certificate(bench):
    return "--cert", bench.path("phone.crt"), "--key", bench.path("phone.key")


class Hand:
    """A terminal made by hand: answers each request with what `answer(method, head)` says; None: silence."""

    def __init__(self, bench, port, answer, tls=None, s=None):
        self.answer, self.heads, self.gone = answer, [], threading.Event()
        self.s = s or socket.create_connection(("127.0.0.1", port), timeout=600)  # longer than any terminal is left alone
        if tls:
            self.s = tls.wrap_socket(self.s, server_hostname="localhost")
        bench.closers.append(self.s.close)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        got = b""
        try:
            while True:
                while b"\r\n\r\n" not in got:
                    more = self.s.recv(65536)
                    if not more:
                        return
                    got += more
                head, _, got = got.partition(b"\r\n\r\n")
                head = head.decode("latin-1")
                length = next((int(line[15:]) for line in head.split("\r\n") if line.lower().startswith("content-length:")), 0)
                while len(got) < length:
                    more = self.s.recv(65536)
                    if not more:
                        return
                    got += more
                got = got[length:]
                self.heads.append(head)
                text = self.answer(head.split(" ")[0], head)
                if text:
                    self.s.sendall(text)
        except OSError:
            pass
        finally:
            self.gone.set()


def registered(more="", status="501"):
    return (f"HTTP/1.1 204 No Content\r\nX-Wap-Push-OTA-Version: 1.0\r\nX-Wap-Push-Status: {status}\r\n{more}"
            "X-Wap-CPITag: q83vEg==\r\n\r\n").encode()


TAKEN = b"HTTP/1.1 204 No Content\r\nX-Wap-Push-OTA-Version: 1.0\r\nX-Wap-Push-Status: 400\r\n\r\n"
ID = "X-Wap-Terminal-Id: 4+15550100\r\n"


def digest(head, password, uses="00000001", user="4+15550100"):
    """X-Wap-Authorization for the SHA-256 challenge of a request, by RFC 7616 and Python's own hash."""
    challenge = re.search(r"(?m)^X-Wap-Authenticate: Digest (.*SHA-256.*?)\r?$", head).group(1)
    realm, nonce = (re.search(f'{name}="([^"]*)"', challenge).group(1) for name in ("realm", "nonce"))

    def h(text):
        return hashlib.sha256(text.encode()).hexdigest()

    cnonce = "0a4f113b"
    response = h(f"{h(f'{user}:{realm}:{password}')}:{nonce}:{uses}:{cnonce}:auth:{h('OPTIONS:/wappush')}")
    return (f'X-Wap-Authorization: Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="/wappush", algorithm=SHA-256, '
            f'qop=auth, nc={uses}, cnonce="{cnonce}", response="{response}"\r\n')


GOOD_ID = ID.replace("0100", "0199")
GOOD = NONE.replace("0100", "0199")
SHORT = {"ota_http__response_timeout": "2s", "ota_http__connect_timeout": "2s"}


class Witness:
    """A gateway with a terminal that behaves."""

    def __init__(self, bench, sections, **conf):
        self.gateway = Doors(bench, sections + GOOD, **{**SHORT, **conf})
        self.bench, self.gateway.refused = bench, 0
        self.hand = Hand(bench, self.gateway.door, lambda method, head: registered(GOOD_ID) if method == "OPTIONS" else TAKEN)
        self.gateway.wait_event("ota.called")

    def check(self, what):
        """It is still on its first line and gets a push over it."""
        push_id = good_push(self.bench, self.gateway, to=("+15550199",))
        self.gateway.wait_state(push_id, "delivered")
        check(not self.hand.gone.is_set(), f"{what}: cost another terminal its line")
        self.gateway.check_events(1, "ota.called", terminal=self.gateway.events("ota.called")[0]["terminal"])

    def refusals(self, more=1):
        """So many more than at the last look, and no others; why."""
        self.gateway.refused += more
        wait_until(lambda: len(self.gateway.events("ota.call.refused")) >= self.gateway.refused, f"{self.gateway.refused} refusals")
        found = self.gateway.events("ota.call.refused")
        check_eq(len(found), self.gateway.refused, "each is told once")
        return [e["why"] for e in found[-more:]]
