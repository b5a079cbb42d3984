"""A SIP device of our own that takes pushes in sessions: answers INVITE, ACK and BYE, and is the far end of MSRP over TCP or TLS.
Nothing of the product checks itself here.  RFC 4975, RFC 6135."""

import re
import socket
import threading

from harness import hang_up, wait_until
from sipuas import Device, Message, answer

END = re.compile(rb"\r\n-------([0-9A-Za-z.\-+%=]{4,32})([$+#])\r\n")


class Chunk:
    """One MSRP message: start (its first line), headers (dict, lower case), body (None: there was none), flag, client: the connection that
    it came over."""

    def __init__(self, octets, flag):
        head, found, body = octets.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        self.octets, self.start, self.flag = octets, lines[0], flag
        self.tid = self.start.split(" ")[1]
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        self.body = body if found else None

    def __getitem__(self, name):
        return self.headers.get(name.lower())

    def range(self):
        """(from, to, total)"""
        return tuple(int(x) for x in re.split("[-/]", self["Byte-Range"]))


def chunks_of(octets):
    """All whole messages at the front, and what is left."""
    found = []
    while octets:
        tid = re.match(rb"MSRP ([^ ]+) ", octets)
        end = tid and octets.find(b"\r\n-------" + tid[1])
        if not tid or end < 0 or len(octets) < end + 9 + len(tid[1]) + 3:
            break
        after = end + 9 + len(tid[1])
        found.append(Chunk(octets[:end], octets[after:after + 1].decode()))
        octets = octets[after + 3:]
    return found, octets


def response(chunk, status="200 OK"):
    return (f"MSRP {chunk.tid} {status}\r\nTo-Path: {chunk['From-Path']}\r\nFrom-Path: {chunk['To-Path']}\r\n"
            f"-------{chunk.tid}$\r\n").encode()


def report(chunk, first, last, total, status="000 200 OK"):
    return (f"MSRP rep{first:08d} REPORT\r\nTo-Path: {chunk['From-Path']}\r\nFrom-Path: {chunk['To-Path']}\r\n"
            f"Message-ID: {chunk['Message-ID']}\r\nByte-Range: {first}-{last}/{total}\r\nStatus: {status}\r\n"
            f"-------rep{first:08d}$\r\n").encode()


def offered(invite):
    """The URI that an offer names."""
    return re.search(rb"\r\na=path:(\S+)\r\n", invite.body)[1].decode()


def dial(uri, tls=None):
    """A connection to where an MSRP URI points."""
    host, port = re.match(r"msrps?://([^:/]+):(\d+)/", uri).groups()
    client = socket.create_connection((host, int(port)), 60)
    return tls.wrap_socket(client, server_hostname=host) if tls else client


def hello(uri, tid="h3110000", body="", own="msrp://127.0.0.1:9/session1;tcp"):
    """The first message of who connects (RFC 4975 §5.4), from its own URI."""
    has = f"Byte-Range: 1-{len(body)}/{len(body)}\r\nContent-Type: text/plain\r\n\r\n{body}\r\n" if body else "Byte-Range: 1-0/0\r\n"
    return (f"MSRP {tid} SEND\r\nTo-Path: {uri}\r\nFrom-Path: {own}\r\nMessage-ID: hello-0001\r\n"
            f"{has}-------{tid}$\r\n").encode()


class SessionDevice(Device):
    """invites: what each INVITE is answered with, as for Device; a 200 carries the session description.  on_chunk(chunk, client):
    octets to send back for a chunk, or None to hang up; as it stands each has its 200, and the last a success report when one is
    wanted.  changes: texts to be replaced in the description.  active: it answers that it connects, and calls this with the URI that
    the offer names, before the answer leaves; self.connect does what is right."""

    def __init__(self, bench, *script, invites=(200,), on_chunk=None, msrp_tls=None, changes=(), host="127.0.0.1", active=None):
        self.active = active
        self.invites, self.invited, self.acks, self.byes, self.chunks, self.connections = invites, [], [], [], [], 0
        self.on_chunk, self.msrp_tls, self.changes, self.host = on_chunk or self.good, msrp_tls, changes, host
        self.msrp = socket.create_server(("127.0.0.1", 0))
        bench.closers.append(lambda: hang_up(self.msrp))
        self.clients, self.answers = [], []
        threading.Thread(target=self.take_sessions, daemon=True).start()
        super().__init__(bench, *script)

    def description(self):
        scheme, port = "msrps" if self.msrp_tls else "msrp", self.msrp.getsockname()[1]
        text = (f"v=0\r\no=- 1 1 IN IP4 {self.host}\r\ns=-\r\nc=IN IP4 {self.host}\r\nt=0 0\r\n"
                f"m=message {port} TCP{'/TLS' if self.msrp_tls else ''}/MSRP *\r\na=accept-types:*\r\n"
                f"a=setup:{'active' if self.active else 'passive'}\r\na=recvonly\r\na=path:{scheme}://{self.host}:{port}/session1;tcp\r\n")
        for old, new in self.changes:
            text = text.replace(old, new)
        return text.encode()

    def reply(self, octets, over):
        message = Message(octets, over)
        if message.method == "INVITE":
            return self.reply_invite(message)
        if message.method in ("ACK", "BYE", "CANCEL"):
            (self.acks if message.method == "ACK" else self.byes).append(message)
            return None if message.method == "ACK" else answer(message, 200)
        return super().reply(octets, over)

    def reply_invite(self, message):
        self.invited.append(message)
        said = self.invites[min(len(self.invited), len(self.invites)) - 1]
        if said is None:
            return None
        status, *more = said if isinstance(said, tuple) else (said,)
        octets = answer(message, status, f"Contact: <sip:device@127.0.0.1:{self.port};transport={message.over}>", *more)
        if status != 200:
            return octets
        body = self.description()
        if self.active:
            self.active(self, offered(message))
        return octets.replace(b"Content-Length: 0\r\n", b"Content-Type: application/sdp\r\nContent-Length: %d\r\n" % len(body)) + body

    def own(self):
        """The path that its answers name."""
        return re.search(rb"\r\na=path:([^\r]+)\r\n", self.description())[1].decode()

    def connect(self, uri, tls=None, own=None):
        """To the session that an offer names, with a first message that says nothing; the connection."""
        client = dial(uri, tls)
        client.sendall(hello(uri, own=own or self.own()))
        self.connections += 1
        threading.Thread(target=self.take_messages, args=(client,), daemon=True).start()
        return client

    def good(self, chunk, client):
        octets = response(chunk)
        first, last, total = chunk.range()
        if last == total and chunk["Success-Report"] == "yes":
            octets += report(chunk, 1, total, total)
        return octets

    def take_sessions(self):
        try:
            while True:
                client, _ = self.msrp.accept()
                self.connections += 1
                threading.Thread(target=self.take_messages, args=(client,), daemon=True).start()
        except OSError:
            pass

    def take_messages(self, client):
        octets = b""
        try:
            if self.msrp_tls and not self.active:
                client = self.msrp_tls.wrap_socket(client, server_side=True)
            self.clients.append(client)
            while data := client.recv(65536):
                found, octets = chunks_of(octets + data)
                for chunk in found:
                    if not chunk.start.endswith(" SEND"):
                        self.answers.append(chunk.start)
                        continue
                    chunk.client = client
                    self.chunks.append(chunk)
                    back = self.on_chunk(chunk, client)
                    if back is None:
                        client.shutdown(socket.SHUT_RDWR)
                        return
                    client.sendall(back)
        except OSError:
            pass

    def wait_chunks(self, count):
        return wait_until(lambda: len(self.chunks) >= count and self.chunks, f"{count} chunks")

    def wait_byes(self, count=1):
        return wait_until(lambda: len(self.byes) >= count and self.byes, f"{count} BYEs")
