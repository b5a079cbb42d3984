"""Far ends written here: a gateway that can be told to misbehave and keeps what it was sent, and one that only talks
octets, over TCP or a UNIX socket.
"""

import http.server
import re
import socket
import ssl
import threading
import xml.etree.ElementTree
import xml.sax.saxutils

from harness import check_eq, hang_up

ACCEPTED = '<pap><push-response push-id="{id}"><response-result code="{code}" desc="{desc}"/></push-response></pap>'
NOTIFICATION = (
    '<?xml version="1.0"?><pap><resultnotification-message push-id="{id}" message-state="delivered" code="1000" '
    'event-time="2030-01-31T12:00:00Z" desc="OK"><address address-value="WAPPUSH=+1555/TYPE=PLMN@ppg"/>'
    "</resultnotification-message></pap>"
)


class Gateway:
    """An HTTP server on 127.0.0.1 that keeps each request and lets `act(request)` answer: (status, headers, body)."""

    def __init__(self, bench, act, certificate=None, ca=None):
        self.requests = []
        gateway = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.gateway_request = {"path": self.path, "headers": self.headers, "body": body}
                gateway.requests.append(self.gateway_request)
                status, headers, answer = act(self.gateway_request)
                answer = answer if isinstance(answer, bytes) else answer.encode()
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request, client_address):
                pass  # clients that hang up are part of the tests

        self.server = Server(("127.0.0.1", 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            if ca:
                context.load_verify_locations(ca)
                context.verify_mode = ssl.CERT_REQUIRED
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        bench.closers.append(self.close)
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.server.server_address[1]}/pap"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def whole_request(connection):
    """Head and body, in however many pieces they come: who hangs up before it has read all resets the connection, and what it
    said itself may be lost with that."""
    got = b""
    while more := connection.recv(65536):
        got += more
        head, end, body = got.partition(b"\r\n\r\n")
        length = re.search(rb"\r\nContent-Length: *(\d+)", head, re.I)
        if end and len(body) >= int(length[1] if length else 0):
            break
    return got


class Raw:
    """Accepts connections and gives each to talk(connection), TCP or UNIX."""

    def __init__(self, bench, talk, path=None):
        self.socket = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        self.socket.bind(path or ("127.0.0.1", 0))
        self.socket.listen(8)
        self.talk = talk
        self.heard = []
        self.url = path or f"http://127.0.0.1:{self.socket.getsockname()[1]}/pap"
        threading.Thread(target=self.serve, daemon=True).start()
        bench.closers.append(lambda: hang_up(self.socket))

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                self.heard.append(whole_request(connection))
                self.talk(connection)


class ContactPoint:
    """What a session initiation names: counts who comes."""

    def __init__(self, bench):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port, self.came = self.socket.getsockname()[1], 0
        bench.closers.append(lambda: hang_up(self.socket))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                self.socket.accept()[0].close()
            except OSError:
                return
            self.came += 1


def parts_of(request):
    """(headers, body) of each part of a multipart body, split by hand."""
    boundary = re.search(r'boundary="([^"]+)"', request["headers"]["Content-Type"]).group(1).encode()
    pieces = (b"\r\n" + request["body"]).split(b"\r\n--" + boundary)
    check_eq(pieces[-1], b"--\r\n", "the close delimiter")
    split = [piece[2:].partition(b"\r\n\r\n") for piece in pieces[1:-1]]
    return [({k.lower(): v for k, v in re.findall(r"([^:\r\n]+): ([^\r\n]*)", h.decode())}, b) for h, _, b in split]


def control_of(request):
    return xml.etree.ElementTree.fromstring(parts_of(request)[0][1])


def yes(request, code="1001", desc="Accepted for Processing", status=202, headers=()):
    push_id = xml.sax.saxutils.escape(control_of(request)[0].get("push-id"), {'"': "&quot;"})
    body = ACCEPTED.format(id=push_id, code=code, desc=desc)
    return status, [("Content-Type", "application/xml"), *headers], body
