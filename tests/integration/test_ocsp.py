"""Whether a certificate is revoked, asked of a responder (openssl ocsp) and shown as a staple: initiators' certificates,
our own, and those of servers we call.  Usage: test_ocsp.py BUILD_DIR."""

import http.server
import re
import socket
import subprocess
import threading
import time

from gateway import INITIATORS, Gateway, Terminal, curl, good_push, make_identity, mime
from harness import case, check, check_eq, free_port, main, wait_until

PHONE = "[terminal +15550100]\nroute = http://127.0.0.1:9\n"


def opened(bench, **conf):
    make_identity(bench)
    conf = {"delivery.retry-first": "1h", "delivery.retry-max": "1h", "gateway.loops": "1",
            **{k.replace("__", ".").replace("_", "-"): v for k, v in conf.items()}}
    return Gateway(bench, PHONE, "allow * * *\n", INITIATORS, conf=conf)


class Authority:
    """What openssl keeps of the bench's authority: which certificates it knows and which it revoked."""

    def __init__(self, bench):
        make_identity(bench)
        self.bench = bench
        self.cert, self.key = bench.authority
        self.index = bench.write("index.txt", "")
        bench.write("index.txt.attr", "unique_subject = no\n")
        self.rows = {}

    def put(self, cert, verdict):
        serial = self.bench.tool("openssl", "x509", "-in", cert, "-noout", "-serial").strip().partition("=")[2]
        when = "301120000000Z"
        self.rows[serial] = {"good": f"V\t{when}\t\t{serial}\tunknown\t/CN=x\n",
                             "revoked": f"R\t{when}\t251120000000Z\t{serial}\tunknown\t/CN=x\n", "unknown": ""}[verdict]
        self.bench.write("index.txt", "".join(self.rows.values()))

    def options(self, minutes=60):
        return ("-index", self.index, "-CA", self.cert, "-rsigner", self.cert, "-rkey", self.key, "-nmin", str(minutes))

    def respond(self, request, name="asked", minutes=60):
        """The response to a request, both octets."""
        asked = self.bench.write(f"{name}.req", request)
        self.bench.tool("openssl", "ocsp", *self.options(minutes), "-reqin", asked, "-respout", self.bench.path(f"{name}.resp"))
        with open(self.bench.path(f"{name}.resp"), "rb") as f:
            return f.read()

    def staple(self, cert, name, minutes=60):
        """A response about a certificate as a file."""
        request = self.bench.path(f"{name}.req")
        self.bench.tool("openssl", "ocsp", "-issuer", self.cert, "-cert", cert, "-no_nonce", "-reqout", request)
        with open(request, "rb") as f:
            self.respond(f.read(), name, minutes)
        return self.bench.path(f"{name}.resp")


class Responder:
    """Answers by the authority's list over HTTP; counts, and can be slow, silent or wrong."""

    def __init__(self, bench, authority):
        self.asked, self.gate, self.twist = 0, threading.Event(), None
        self.gate.set()
        responder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                request = self.rfile.read(int(self.headers["Content-Length"]))
                responder.asked += 1
                name = f"asked{responder.asked}"
                check_eq(self.headers["Content-Type"], "application/ocsp-request")
                responder.gate.wait(30)
                body = responder.twist(request) if responder.twist else authority.respond(request, name)
                self.send_response(200 if body else 500)
                self.send_header("Content-Type", "application/ocsp-response")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass  # clients that hang up are part of the tests

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        bench.closers.append(self.close)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"

    def close(self):
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()


def request(push_id):
    body = mime(push_id=push_id)
    return (f"POST /pap HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(body)}\r\nContent-Type: "
            'multipart/related; type="application/xml"; boundary="pap-boundary-7f3a"\r\n\r\n') + body.decode()


def shown(bench, gateway, pair, *options, push_id=None):
    """HTTP status of a submission with that certificate, None when TLS said no; and all that was said."""
    shown.count = getattr(shown, "count", 0) + 1
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.tls_port}", "-quiet", "-no_ign_eof", "-ign_eof", "-CAfile",
         bench.path("ca.crt"), "-cert", pair[0], "-key", pair[1], *options], input=request(push_id or f"push{shown.count}"),
        capture_output=True, text=True, errors="replace", timeout=60, check=False)
    said = done.stdout + done.stderr
    answered = re.search(r"HTTP/1.1 (\d+)", said)
    return (int(answered.group(1)) if answered else None), said


def news(bench):
    return bench.path("news.crt"), bench.path("news.key")


@case
def real_responder(bench):
    """UC-B.5-2: openssl's own responder, named by the certificate; good, revoked and unknown, under both TLS versions."""
    authority = Authority(bench)
    port = free_port()
    made = {}
    for name in ("good", "revoked", "unknown"):
        made[name] = bench.certificate(bench.authority, name, "URI:https://news.example.com\n"
                                       f"authorityInfoAccess=OCSP;URI:http://127.0.0.1:{port}/")
        authority.put(made[name][0], name)
    responder = bench.start("/usr/bin/openssl", "ocsp", "-port", str(port), *authority.options())
    wait_until(lambda: "ACCEPT" in responder.out() + responder.err(), "responder")  # one who only knocks holds it up
    gateway = opened(bench, pap__ocsp="fail-closed")
    for version in ("-tls1_2", "-tls1_3"):
        status, said = shown(bench, gateway, made["good"], version)
        check_eq(status, 202, said[-500:])
        for name in ("revoked", "unknown"):
            status, said = shown(bench, gateway, made[name], version)
            check_eq((status, "alert" in said), (None, True), said[-500:])
    gateway.wait_event("tls.client.revoked", 2)
    gateway.wait_event("tls.client.status-unknown", 2)
    check_eq(shown(bench, gateway, news(bench))[0], None)  # names no responder
    gateway.wait_event("tls.ocsp.fail", reason="the certificate names no responder", certificate="refused")


@case
def answers_are_kept(bench):
    """Asked once for many connections, waiting ones too; a reload forgets, and a certificate revoked since is refused."""
    authority = Authority(bench)
    authority.put(news(bench)[0], "good")
    responder = Responder(bench, authority)
    gateway = opened(bench, pap__ocsp="fail-closed", pap__ocsp_responder=responder.url)
    responder.gate.clear()
    results = []
    threads = [threading.Thread(target=lambda: results.append(shown(bench, gateway, news(bench))[0])) for _ in range(6)]
    for thread in threads:
        thread.start()
    wait_until(lambda: responder.asked == 1, "one request")
    check_eq(curl(bench, gateway.url, mime()).status, 401, "the loop is held up")
    responder.gate.set()
    for thread in threads:
        thread.join(60)
    check_eq(results, [202] * 6)
    check_eq(shown(bench, gateway, news(bench))[0], 202)
    check_eq(responder.asked, 1)
    authority.put(news(bench)[0], "revoked")
    check_eq(shown(bench, gateway, news(bench))[0], 202)
    check_eq(gateway.ctl("reload").returncode, 0)
    check_eq(shown(bench, gateway, news(bench))[0], None)
    check_eq(responder.asked, 2)


@case
def resumed_sessions_are_asked_about(bench):
    """A ticket does not outlive the certificate's good name."""
    authority = Authority(bench)
    authority.put(news(bench)[0], "good")
    responder = Responder(bench, authority)
    gateway = opened(bench, pap__ocsp="fail-closed", pap__ocsp_responder=responder.url)
    for version in ("-tls1_2", "-tls1_3"):
        authority.put(news(bench)[0], "good")
        check_eq(gateway.ctl("reload").returncode, 0)
        session = bench.path("session")
        check_eq(shown(bench, gateway, news(bench), version, "-sess_out", session)[0], 202)
        check_eq(shown(bench, gateway, news(bench), version, "-sess_in", session)[0], 202)
        authority.put(news(bench)[0], "revoked")
        check_eq(gateway.ctl("reload").returncode, 0)
        check_eq(shown(bench, gateway, news(bench), version, "-sess_in", session)[0], None)


@case
def no_answer(bench):
    """A responder that is down, slow, silent or forged: refused or taken, as configured, and told."""
    authority = Authority(bench)
    authority.put(news(bench)[0], "good")
    responder = Responder(bench, authority)
    bench.ca("forger")
    forger = Authority(bench)
    forger.cert, forger.key = bench.path("forger.crt"), bench.path("forger.key")
    forger.put(news(bench)[0], "good")

    def forged(asked):
        options = ("-index", forger.index, "-CA", authority.cert, "-rsigner", forger.cert, "-rkey", forger.key, "-nmin", "60")
        path = bench.write("forged.req", asked)
        bench.tool("openssl", "ocsp", *options, "-reqin", path, "-respout", bench.path("forged.resp"))
        with open(bench.path("forged.resp"), "rb") as f:
            return f.read()

    dead = f"http://127.0.0.1:{free_port()}/"
    rows = [("cannot be reached", dead, None, True), ("signed by somebody who may not", responder.url, forged, True),
            ("status is not 200", responder.url, lambda asked: b"", True),
            ("cannot be read", responder.url, lambda asked: b"no response at all", True),
            ("gives no answer", responder.url, lambda asked: b"\x30\x03\x0a\x01\x03", True),
            ("took too long", responder.url, None, False)]
    gateway = opened(bench, pap__ocsp="fail-closed", pap__handshake_timeout="30s")
    for use, want, done in (("fail-closed", None, "refused"), ("fail-open", 202, "taken")):
        for reason, url, twist, prompt in rows:
            responder.twist = twist
            responder.gate.set()
            if not prompt:
                responder.gate.clear()
            gateway.write_conf(pap__ocsp=use, pap__ocsp_responder=url, pap__ocsp_timeout="20s" if prompt else "1s")
            check_eq(gateway.ctl("reload").returncode, 0)
            started = time.monotonic()
            status, said = shown(bench, gateway, news(bench))
            check_eq((reason, status), (reason, want), said[-300:])
            check(prompt or 0.8 < time.monotonic() - started < 60, "it waited")
            wait_until(lambda: [e for e in gateway.events("tls.ocsp.fail", certificate=done) if reason in e["reason"]], reason)
    responder.gate.set()
    responder.twist = None
    authority.put(news(bench)[0], "revoked")
    gateway.write_conf(pap__ocsp_responder=responder.url, pap__ocsp_timeout="20s")
    check_eq(gateway.ctl("reload").returncode, 0)
    check_eq(shown(bench, gateway, news(bench))[0], None)  # open is for failures, not for bad news


@case
def our_staple(bench):
    """The gateway shows the response it was given, renewed by reload; one about another certificate is refused."""
    authority = Authority(bench)
    gateway_crt = bench.path("gateway.crt")
    authority.put(gateway_crt, "good")
    staple = authority.staple(gateway_crt, "own")
    gateway = opened(bench, pap__staple=staple)

    def seen():
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.tls_port}", "-status", "-CAfile",
                               bench.path("ca.crt")], input="", capture_output=True, text=True, timeout=60, check=False)
        until = re.search(r"Next Update: (.*)", done.stdout)
        check_eq("Cert Status: good" in done.stdout, bool(until), done.stdout[:800])
        return until and until.group(1)

    first = seen()
    check(first, "no staple")
    done = subprocess.run(["gnutls-cli", "--x509cafile", bench.path("ca.crt"), "--port", str(gateway.tls_port), "localhost"],
                          input="", capture_output=True, text=True, timeout=60, check=False)
    check("OCSP status request" in done.stdout and "Status: The certificate is trusted" in done.stdout, done.stdout)
    gateway.wait_event("tls.staple.expiring", section="pap")
    authority.staple(gateway_crt, "own", 20 * 24 * 60)
    check_eq(gateway.ctl("reload").returncode, 0)
    check(seen() not in (None, first), "the old staple after a reload")
    authority.put(news(bench)[0], "good")
    authority.staple(news(bench)[0], "own")
    check(gateway.ctl("reload").returncode != 0, "another certificate's staple")
    check("about another certificate" in gateway.wait_event("config.error")["what"], gateway.events("config.error"))
    check(seen() not in (None, first), "a failed reload took the staple away")


class Stapled:
    """openssl s_server as an initiator's server that shows a staple: every connection ends after the handshake."""

    def __init__(self, bench, pair, staple=None):
        self.port = free_port()
        options = ("-status_file", staple) if staple else ()
        self.program = bench.start("/usr/bin/openssl", "s_server", "-accept", str(self.port), "-cert", pair[0], "-key", pair[1],
                                   "-www", *options)
        wait_until(self.up, "s_server")

    def up(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=60).close()
            return True
        except OSError:
            return False


@case
def staples_of_servers(bench):
    """UC-B.5-2: a server that shows that it is revoked is refused; where a staple is demanded, so is one without."""
    authority = Authority(bench)
    pair = bench.certificate(bench.authority, "server", "DNS:localhost,IP:127.0.0.1")
    authority.put(pair[0], "good")
    good = authority.staple(pair[0], "good")
    authority.put(pair[0], "revoked")
    bad = authority.staple(pair[0], "bad")
    authority.put(news(bench)[0], "good")
    other = authority.staple(news(bench)[0], "other")
    phone = Terminal(bench)
    gateway = Gateway(bench, phone.route("+15550100"), "allow * * *\n", conf={"notify.ca": "../ca.crt", "notify.retries": "10s",
                                                                                       "notify.timeout": "5s"})
    rows = [("if-sent", good, None), ("if-sent", None, None), ("if-sent", bad, "tls.server.revoked"),
            ("if-sent", other, "tls.server."), ("required", good, None), ("required", None, "tls.server.staple-missing"),
            ("required", bad, "tls.server.revoked")]
    for i, (use, staple, event) in enumerate(rows):
        server = Stapled(bench, pair, staple)
        gateway.write_conf(notify__staple=use)
        check_eq(gateway.ctl("reload").returncode, 0)
        before = len([e for e in gateway.events() if e["event"].startswith("tls.server.")])
        good_push(bench, gateway, push_id=f"row{i}", attributes={"ppg-notify-requested-to": f"https://localhost:{server.port}/x"})
        wait_until(lambda n=f"row{i}": gateway.events("notify.retry", push_id=n) + gateway.events("notify.refused", push_id=n) +
                   gateway.events("notify.told", push_id=n), f"row {i}")
        new = [e["event"] for e in gateway.events() if e["event"].startswith("tls.server.")][before:]
        check(new == [] if event is None else new and new[0].startswith(event), (i, use, new))
        server.program.stop()


main("ocsp")
