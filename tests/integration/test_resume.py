"""TLS sessions that are resumed: the gateway towards terminals, and push-terminal towards its gateway, against OpenSSL as
python has it.  Usage: test_resume.py BUILD_DIR."""

import http.server
import socket
import ssl
import threading

from gateway import ANY_LEVEL, Gateway, good_push, make_identity
from harness import case, check_eq, hang_up, main, wait_until

VERSIONS = (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2)


def context(bench, version):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = made.maximum_version = version
    made.load_cert_chain(bench.path("phone.crt"), bench.path("phone.key"))
    made.load_verify_locations(bench.path("ca.crt"))
    made.verify_mode = ssl.CERT_REQUIRED
    made.set_alpn_protocols(["http/1.1"])
    return made


class Handset:
    """Takes one push a connection; `links`: was each resumed, and did it show its certificate?"""

    def __init__(self, bench, version):
        make_identity(bench)
        bench.certificate(bench.authority, "phone", "DNS:phone.example.com")
        links = self.links = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, *lines):
                self.send_response(204)
                for name, value in (("X-Wap-Push-OTA-Version", "1.0"), *lines):
                    self.send_header(name, value)
                self.end_headers()

            def do_OPTIONS(self):
                self.answer(("X-Wap-Push-Status", "501"), ("X-Wap-CPITag", "q83vEg=="))

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                links.append((self.connection.session_reused, bool(self.connection.getpeercert())))
                self.answer(("X-Wap-Push-Status", "400"), ("Connection", "close"))

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.socket = context(bench, version).wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        bench.closers += [self.server.server_close, self.server.shutdown]
        self.section = (f"[terminal +15550100]\nroute = https://127.0.0.1:{self.server.server_address[1]}\n"
                        "tls-name = phone.example.com\n")


def delivered(bench, gateway):
    gateway.wait_state(good_push(bench, gateway), "delivered")


@case
def terminals_are_reconnected_to_without_a_signature(bench):
    for version in VERSIONS:
        handset = Handset(bench, version)
        gateway = Gateway(bench, handset.section, ANY_LEVEL, conf={"gateway.loops": "1"})
        for _ in range(4):
            delivered(bench, gateway)
        check_eq(handset.links, [(False, True)] + [(True, True)] * 3, version)


@case
def a_reload_begins_anew(bench):
    """What was verified under other trust anchors or certificates is not gone on with."""
    handset = Handset(bench, ssl.TLSVersion.TLSv1_3)
    gateway = Gateway(bench, handset.section, ANY_LEVEL, conf={"gateway.loops": "1"})
    delivered(bench, gateway)
    delivered(bench, gateway)
    check_eq(gateway.ctl("reload").returncode, 0)
    delivered(bench, gateway)
    delivered(bench, gateway)
    check_eq([resumed for resumed, _ in handset.links], [False, True, False, True])


@case
def push_terminal_comes_back_resumed(bench):
    make_identity(bench)
    bench.certificate(bench.authority, "phone", "DNS:localhost,DNS:phone.example.com")
    tls, resumed = context(bench, ssl.TLSVersion.TLSv1_3), []
    listener = socket.create_server(("127.0.0.1", 0))
    bench.closers.append(lambda: hang_up(listener))

    def serve():
        while True:
            try:
                raw = listener.accept()[0]
            except OSError:
                return
            try:
                with tls.wrap_socket(raw, server_side=True) as link:
                    link.sendall(b"OPTIONS /wappush HTTP/1.1\r\nHost: phone\r\nContent-Length: 0\r\n\r\n")
                    link.recv(65536)  # it has read the ticket by now
                    resumed.append(link.session_reused)
            except OSError:
                pass

    threading.Thread(target=serve, daemon=True).start()
    bench.start("push-terminal", "connect", "--json", "--gateway", f"https://localhost:{listener.getsockname()[1]}", "--ca",
                bench.path("ca.crt"), "--cert", bench.path("phone.crt"), "--key", bench.path("phone.key"), "--terminal-id",
                "4+15550100")
    wait_until(lambda: len(resumed) >= 2, "two connections")
    check_eq(resumed[:2], [False, True])


main("resume")
