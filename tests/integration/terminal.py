"""A push-terminal fed by hand: HTTP over a plain socket, and messages of the suite hmac-sha256 sealed with Python's own
HMAC, so that neither the HTTP nor the cryptography of the product is checked by itself."""

import hashlib
import hmac
import json
import socket
import struct

from harness import check, wait_until

SAID = b"association-0001"
KEY = bytes(range(32))


def kdf(key, fc, *parameters):
    """TS 33.220 annex B.2"""
    s = bytes([fc])
    for p in parameters:
        s += p + struct.pack(">H", len(p))
    return hmac.new(key, s, hashlib.sha256).digest()


def seal(number, inner, suite=1):
    head = bytes([0x10, suite]) + struct.pack(">I", number) + bytes([len(SAID)]) + SAID
    k = kdf(KEY, 0xF1, b"gpl-int", b"\0", bytes([suite]))
    return head + inner + hmac.new(k, head + inner, hashlib.sha256).digest()[:16]


def inner(message_id, body=b"hello", flags=b"authenticated"):
    return (b"X-Push-Message-ID: " + message_id + b"\r\nContent-Type: text/plain\r\nX-Wap-Initiator-URI: https://bank.example/\r\n"
            b"X-Wap-Push-Info: " + flags + b"\r\n\r\n" + body)


class Terminal:
    """A running push-terminal and our connection to it."""

    def __init__(self, bench, *options, tls=None, env=None, stdin=None):
        port_file = bench.path(f"port{len(bench.programs)}")
        self.program = bench.start("push-terminal", "listen", "--bind", "127.0.0.1:0", "--json", "--timeout", "600",
                                   "--port-file", port_file, *options, env=env, stdin=stdin)
        port = int(bench.wait_for_file(port_file, self.program))
        self.s = socket.create_connection(("127.0.0.1", port), timeout=60)
        bench.closers.append(self.s.close)
        if tls:
            self.s = tls.wrap_socket(self.s, server_hostname="localhost")
        self.events = 0
        self.tag = self.request(b"OPTIONS", {})[1].get("x-wap-cpitag")
        self.event()

    def request(self, method, headers, body=b""):
        text = method + b" /wappush HTTP/1.1\r\nHost: t\r\nContent-Length: %d\r\n" % len(body)
        for name, value in headers.items():
            text += name.encode() + b": " + value.encode() + b"\r\n"
        self.s.sendall(text + b"\r\n" + body)
        got = b""
        while b"\r\n\r\n" not in got:
            more = self.s.recv(65536)
            check(more, "the terminal closed: " + self.program.err())
            got += more
        head = got.split(b"\r\n\r\n")[0].decode().split("\r\n")
        return int(head[0].split()[1]), {l.split(":")[0].lower(): l.split(":", 1)[1].strip() for l in head[1:]}

    def event(self):
        self.events += 1
        lines = wait_until(lambda: len(l := self.program.lines()) >= self.events and l, "event")
        return json.loads(lines[self.events - 1])

    def push(self, body, content_type="application/x-push-gpl-a1", **more):
        headers = {"Content-Type": content_type, "X-Wap-CPITag": self.tag, **more}
        status, answer = self.request(b"POST", headers, body)
        return answer.get("x-wap-push-status", str(status)), self.event()


def association(bench, mode=0o600):
    return bench.write(f"association{mode}", f"said = {SAID.hex()}\nkey = {KEY.hex()}\nsuites = hmac-sha256\n"
                       "expires = never\n", mode)
