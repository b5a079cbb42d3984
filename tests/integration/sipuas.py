"""A SIP device of our own: takes requests over UDP and TCP on one port and answers as it is told; Digest by hashlib.  Nothing of
the product checks itself here.  RFC 3261, RFC 3428."""

import email.parser
import hashlib
import re
import threading

from harness import PATIENCE_S, both_free, check_eq, hang_up, wait_until

REASONS = {200: "OK", 202: "Accepted", 401: "Unauthorized", 404: "Not Found", 407: "Proxy Authentication Required", 415:
           "Unsupported Media Type", 480: "Temporarily Unavailable", 503: "Service Unavailable", 603: "Decline"}


class Message:
    """A request or response as it came: octets, start (of it), headers (email.message), body."""

    def __init__(self, octets, over):
        self.octets, self.over = octets, over
        head, _, self.body = octets.partition(b"\r\n\r\n")
        self.start, _, rest = head.decode().partition("\r\n")
        self.headers = email.parser.HeaderParser().parsestr(rest)
        self.method = self.start.split(" ")[0]

    def __getitem__(self, name):
        return self.headers[name]

    def envelope(self):
        """(headers, content) of a body of type application/vnd.oma.push."""
        check_eq(self["Content-Type"], "application/vnd.oma.push")
        head, _, content = self.body.partition(b"\r\n\r\n")
        return email.parser.HeaderParser().parsestr(head.decode()), content


def answer(request, status, *headers):
    lines = [f"SIP/2.0 {status} {REASONS.get(status, 'Because')}"]
    lines += [f"Via: {via}" for via in request.headers.get_all("Via")]
    lines += [f"{name}: {request[name]}" for name in ("From", "Call-ID", "CSeq")]
    lines += [f"To: {request['To']};tag=device", *headers, "Content-Length: 0", "", ""]
    return "\r\n".join(lines).encode()


def whole(octets):
    """How long the message at the front is; 0: it is not all there."""
    head, end, body = octets.partition(b"\r\n\r\n")
    length = re.search(rb"\r\nContent-Length: *(\d+)", head, re.I)
    n = len(head) + 4 + int(length[1]) if end and length else 0
    return n if n <= len(octets) else 0


class Device:
    """script: what the n-th MESSAGE is answered with - a status, (status, header, ...), or None for silence -; after its end the
    last.  messages: all that came, also again what was met with silence; what was answered and has crossed its answer, on a machine
    that is busy, is one (RFC 3261 §17.2.2)."""

    def __init__(self, bench, *script, tls=None):
        self.script, self.messages, self.others, self.answered = script or (200,), [], [], set()
        self.lock = threading.Lock()
        self.tcp, self.udp = both_free()
        self.port = self.udp.getsockname()[1]
        self.tls, self.before, self.total = tls, None, 0  # before: what is sent first, of a request; and how many there are
        bench.closers.append(lambda: hang_up(self.tcp))
        bench.closers.append(self.udp.close)
        threading.Thread(target=self.take_datagrams, daemon=True).start()
        threading.Thread(target=self.take_connections, daemon=True).start()

    def reply(self, octets, over):
        """Octets to send back, or None."""
        message = Message(octets, over)
        with self.lock:
            if message.method != "MESSAGE":
                self.others.append(message)
                return None
            self.messages.append(message)
            said = self.script[min(len(self.messages), len(self.script)) - 1]
        if said is None:
            return None
        return answer(message, *(said if isinstance(said, tuple) else (said,)))

    def take_datagrams(self):
        try:
            while True:
                octets, sender = self.udp.recvfrom(65536)
                if octets in self.answered:
                    continue
                back = self.reply(octets, "udp")
                if back:
                    self.answered.add(octets)
                if self.before:
                    first, self.total = self.before(Message(octets, "udp"))
                    for strange in first:
                        self.udp.sendto(strange, sender)
                if back:
                    self.udp.sendto(back, sender)
        except OSError:
            pass

    def take_connections(self):
        try:
            while True:
                client, _ = self.tcp.accept()
                threading.Thread(target=self.take_stream, args=(client,), daemon=True).start()
        except OSError:
            pass

    def take_stream(self, client):
        octets = b""
        try:
            if self.tls:
                client = self.tls.wrap_socket(client, server_side=True)
            while data := client.recv(65536):
                octets += data
                while n := whole(octets):
                    back = self.reply(octets[:n], "tls" if self.tls else "tcp")
                    octets = octets[n:]
                    if back:
                        client.sendall(back)
        except OSError:
            pass

    def wait(self, count, timeout_s=PATIENCE_S):
        return wait_until(lambda: len(self.messages) >= count and self.messages, f"{count} MESSAGEs", timeout_s)

    def register(self, domain, port, user):
        """At a registrar on 127.0.0.1:port, over UDP from its own port; until that says 200."""
        request = (f"REGISTER sip:{domain} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK{user}r;rport\r\n"
                   f"Max-Forwards: 70\r\nFrom: <sip:{user}@{domain}>;tag=r\r\nTo: <sip:{user}@{domain}>\r\n"
                   f"Call-ID: {user}-{self.port}\r\nCSeq: 1 REGISTER\r\nContact: <sip:{user}@127.0.0.1:{self.port}>"
                   f";+g.oma.pusheventapp=\"wml.ua,mms.ua\";expires=600\r\nContent-Length: 0\r\n\r\n")
        again = iter(range(10**6))

        def registered():
            if next(again) % 50 == 0:  # each second: it may not be there yet
                self.udp.sendto(request.encode(), ("127.0.0.1", port))
            return any(" 200 " in m.start for m in self.others)

        wait_until(registered, "REGISTER")


def challenge_of(realm, nonce, algorithm):
    return f'WWW-Authenticate: Digest realm="{realm}", nonce="{nonce}", qop="auth", algorithm={algorithm}'


def digest_good(message, user, password, realm, nonce, algorithm):
    """Is the Authorization of a request the right one (RFC 7616 §3.4.1)?"""
    p = {k: q or v for k, q, v in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', message["Authorization"])}
    h = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[algorithm]
    a1 = h(f"{user}:{realm}:{password}".encode()).hexdigest()
    a2 = h(f"{message.method}:{p['uri']}".encode()).hexdigest()
    want = h(f"{a1}:{nonce}:{p['nc']}:{p['cnonce']}:auth:{a2}".encode()).hexdigest()
    return (p["response"] == want and p["uri"] == message.start.split(" ")[1] and p["username"] == user and p["realm"] == realm
            and p["nonce"] == nonce and p["nc"] == "00000001" and p["qop"] == "auth" and p["algorithm"] == algorithm)
