"""A SIP phone of our own that registers: one socket over UDP, TCP or TLS, from which it asks and on which it is asked; Digest by
hashlib.  Nothing of the product checks itself here.  RFC 3261 §10.2, RFC 5626, RFC 7616."""

import base64
import hashlib
import queue
import re
import select
import socket
import ssl
import threading

from harness import PATIENCE_S, check_eq, wait_until
from sipuas import Message, answer, whole

DOMAIN = "ppg.example.net"


def hexdigest(name, text):
    return {"MD5": hashlib.md5, "SHA-256": hashlib.sha256, "AKAv1-MD5": hashlib.md5}[name](text).hexdigest()


class Phone:
    """script: as sipuas.Device has it.  via: what it says in Via and Contact of where it is; None: the truth."""

    def __init__(self, bench, port, user="alice", password="correct-horse-7391", over="udp", script=(200,), via=None, login=None,
                 host="127.0.0.1", domain=DOMAIN, context=None):
        self.user, self.password, self.over, self.script, self.domain = user, password, over, script, domain
        self.login = login or f"{user}@{domain}"
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM if over == "udp" else socket.SOCK_STREAM)
        self.socket.settimeout(60)
        self.socket.connect((host, port))
        if over == "tls":
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        name = self.socket.getsockname()
        self.at = via or (f"[{name[0]}]:{name[1]}" if ":" in host else f"{name[0]}:{name[1]}")
        self.call_id, self.cseq, self.branch = f"{user}-{name[1]}", 0, 0
        self.replies, self.messages, self.pongs, self.closed = queue.Queue(), [], 0, False
        self.nc, self.challenge, self.answered = 0, None, set()
        self.lock, self.io = threading.Lock(), threading.Lock()
        bench.closers.append(self.close)
        threading.Thread(target=self.listen, daemon=True).start()

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()

    # --- what comes ---

    def take(self, octets):
        message = Message(octets, self.over)
        if message.start.startswith("SIP/2.0 "):
            self.replies.put(message)
            return
        if octets in self.answered:  # over UDP it may cross its answer
            return
        with self.lock:
            self.messages.append(message)
            said = self.script[min(len(self.messages), len(self.script)) - 1]
        if said is not None:
            self.answered.add(octets)
            self.send(answer(message, *(said if isinstance(said, tuple) else (said,))))

    def receive(self):
        """Who reads and who writes a TLS connection must take turns."""
        if self.over != "tls":
            return self.socket.recv(65536)
        while True:
            with self.io:
                self.socket.settimeout(0)
                try:
                    return self.socket.recv(65536)
                except ssl.SSLWantReadError:
                    pass
                finally:
                    self.socket.settimeout(60)
            select.select([self.socket], [], [], 0.05)

    def listen(self):
        octets = b""
        try:
            while True:
                data = self.receive()
                if not data and self.over != "udp":
                    break
                if self.over == "udp":
                    self.take(data)
                    continue
                octets += data
                while True:
                    if octets.startswith(b"\r\n"):
                        octets = octets[2:]
                        self.pongs += 1
                    elif n := whole(octets):
                        self.take(octets[:n])
                        octets = octets[n:]
                    else:
                        break
        except OSError:
            pass
        self.closed = True

    def wait(self, count, timeout_s=PATIENCE_S):
        return wait_until(lambda: len(self.messages) >= count and self.messages, f"{count} MESSAGEs", timeout_s)

    # --- what it asks ---

    def send(self, octets):
        with self.io:
            self.socket.sendall(octets)

    def reply(self):
        return self.replies.get(timeout=PATIENCE_S)

    def status(self, octets):
        self.send(octets)
        return int(self.reply().start.split(" ")[1])

    def contact(self, expires=600, more=';+g.oma.pusheventapp="wml.ua,mms.ua"'):
        transport = "" if self.over == "udp" else f";transport={self.over}"
        return f"<sip:{self.user}@{self.at}{transport}>;expires={expires}{more}"

    def authorization(self, method, uri, algorithm=None):
        c = self.challenge
        algorithm = algorithm or c["algorithm"]
        self.nc += 1
        nc, cnonce = f"{self.nc:08x}", "c0ffee42"
        password = self.password if isinstance(self.password, bytes) else self.password.encode()
        a1 = hexdigest(algorithm, f"{self.login}:{c['realm']}:".encode() + password)
        a2 = hexdigest(algorithm, f"{method}:{uri}".encode())
        response = hexdigest(algorithm, f"{a1}:{c['nonce']}:{nc}:{cnonce}:auth:{a2}".encode())
        return (f'Authorization: Digest username="{self.login}", realm="{c["realm"]}", nonce="{c["nonce"]}", uri="{uri}", '
                f'algorithm={algorithm}, qop=auth, nc={nc}, cnonce="{cnonce}", response="{response}"')

    def learn(self, reply, algorithm):
        """The challenge of that algorithm of a 401."""
        for value in reply.headers.get_all("WWW-Authenticate"):
            c = {k: q or v for k, q, v in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', value)}
            if c["algorithm"] == algorithm:
                self.challenge, self.nc = c, 0
                return
        raise AssertionError(f"no {algorithm} in {reply.octets}")

    def request(self, method, *headers, to=None, uri=None, body=""):
        self.cseq += 1
        self.branch += 1
        to = to or f"sip:{self.user}@{self.domain}"
        lines = [f"{method} {uri or 'sip:' + self.domain} SIP/2.0",
                 f"Via: SIP/2.0/{self.over.upper()} {self.at};branch=z9hG4bK{self.call_id}{self.branch};rport", "Max-Forwards: 70",
                 f"From: <sip:{self.user}@{self.domain}>;tag=r", f"To: <{to}>", f"Call-ID: {self.call_id}", f"CSeq: {self.cseq} {method}",
                 *headers, f"Content-Length: {len(body)}", "", body]
        return "\r\n".join(lines).encode()

    def ask(self, method, *headers, algorithm="SHA-256", uri=None, **more):
        """With the login; the final response."""
        where = uri or f"sip:{self.domain}"
        for _ in range(3):
            login = [self.authorization(method, where)] if self.challenge else []
            self.send(self.request(method, *headers, *login, uri=uri, **more))
            reply = self.reply()
            stale = " 401 " in reply.start and "stale=true" in reply.octets.decode()
            if " 401 " not in reply.start or (login and not stale):
                return reply
            self.learn(reply, algorithm)
        return reply

    def answer_aka(self, reply, module):
        """Learns an AKA challenge by the module; what is to be added to the Authorization."""
        self.learn(reply, "AKAv1-MD5")
        octets = base64.b64decode(self.challenge["nonce"])
        run, auts = module.run(octets[:16], octets[16:32])
        self.password = run.res if run else b""
        return f', auts="{base64.b64encode(auts).decode()}"' if auts else ""

    def register(self, *headers, expires=600, more=';+g.oma.pusheventapp="wml.ua,mms.ua"', want=200, **rest):
        reply = self.ask("REGISTER", f"Contact: {self.contact(expires, more)}", *headers, **rest)
        check_eq(int(reply.start.split(" ")[1]), want, reply.octets)
        return reply
