"""Result notifications towards servers that are not ours: python's http.server inside the test, with and without TLS, and
nginx.  What they are sent, whom the gateway trusts, what each answer means, and that one server's silence is nobody
else's.  Usage: test_notify.py BUILD_DIR."""

import http.server
import os
import socket
import ssl
import threading
import xml.etree.ElementTree

from gateway import ANY_LEVEL, Gateway, Terminal, good_push, make_identity
from harness import PATIENCE_S, case, check, check_eq, free_port, main, wait_until, whole_lines

OK = (200, {}, '<pap><resultnotification-response push-id="x" code="1000"/></pap>')
EMPTY = (202, {}, "")
SAID_NO = (200, {}, '<?xml version="1.0"?><pap><resultnotification-response push-id="x" code="2000" desc="no"/></pap>')


class Taker(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status, headers, answer = self.server.site.take(self.path, dict(self.headers), body.decode())
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def get_request(self):
        """Notes how each connection begins before it goes on."""
        connection, address = super().get_request()
        connection.settimeout(60)
        self.site.first.append(connection.recv(1, socket.MSG_PEEK))
        self.site.connections.append(connection)
        if self.site.tls:
            connection = self.site.tls.wrap_socket(connection, server_side=True)
            self.site.connections[-1] = connection
        return connection, address

    def handle_error(self, *_):
        pass


class Site:
    """An initiator's server: what it was POSTed, in order; what it answers, in turn, the last one for ever.  cert: the
    pair it proves itself with; `script` may also map paths to answers."""

    def __init__(self, bench, *script, cert=None, port=0):
        self.script, self.lock, self.tls = list(script) or [EMPTY], threading.Lock(), None
        self.got, self.first, self.connections = [], [], []
        if cert:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*cert)
        Server.allow_reuse_address = True
        self.server = Server(("127.0.0.1", port), Taker)
        self.server.site = self
        self.port = self.server.server_address[1]
        self.url = f"{'https' if cert else 'http'}://127.0.0.1:{self.port}/notify"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()
        bench.closers.append(self.close)

    def close(self):
        if self.thread:
            self.server.shutdown()
            self.thread.join()
            self.server.server_close()
            for connection in self.connections:
                hang_up(connection)
            self.thread = None

    def take(self, path, headers, body):
        with self.lock:
            self.got.append((path, headers, body))
            return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    def ids(self):
        with self.lock:
            return [note(body).get("push-id") for _, _, body in self.got]

    def wait(self, count, timeout_s=PATIENCE_S):
        return wait_until(lambda: len(self.got) >= count and list(self.got), f"{count} notifications", timeout_s)


def hang_up(connection):
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it is gone already


class Silence:
    """A server that takes every connection and never says a word."""

    def __init__(self, bench):
        self.socket, self.held = socket.create_server(("127.0.0.1", 0), backlog=200), []
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/notify"
        bench.closers.append(self.close)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        try:
            while True:
                self.held.append(self.socket.accept()[0])
        except OSError:
            pass

    def close(self):
        for connection in (self.socket, *self.held):
            hang_up(connection)
        self.socket.close()


def note(body):
    """The resultnotification-message of a body."""
    message = xml.etree.ElementTree.fromstring(body)[0]
    check_eq(message.tag, "resultnotification-message")
    return message


def opened(bench, terminals=1, **conf):
    """A gateway with so many numbers from +15550100 on, all at one terminal."""
    phone = Terminal(bench, association=False)
    routes = "".join(phone.route(f"+1555{100 + i:04}", more="") for i in range(terminals))
    conf = {k.replace("__", ".").replace("_", "-"): v for k, v in conf.items()}
    return Gateway(bench, routes, ANY_LEVEL, conf={"notify.ca": "../ca.crt", "gateway.loops": "1", **conf})


def numbers(n):
    return tuple(f"+1555{100 + i:04}" for i in range(n))


def owe(bench, gateway, url, **more):
    return good_push(bench, gateway, attributes={"ppg-notify-requested-to": url}, **more)


def wait_debts(gateway, push_id, state):
    return wait_until(lambda: (p := gateway.show(push_id)) and {t["notification"] for t in p["targets"]} == {state} and p,
                      f"{push_id} {state}")


def leaf(bench, name="site", alt="IP:127.0.0.1,DNS:localhost", ca=None):
    make_identity(bench)
    return bench.certificate(ca or bench.authority, name, alt)


@case
def told_over_tls(bench):
    """One notification per target, in the initiator's own spelling, over a connection that proved itself."""
    site = Site(bench, OK, cert=leaf(bench))
    gateway = opened(bench, 2)
    push_id = owe(bench, gateway, site.url, to=("+1555-0100", "+15550101"))
    wait_debts(gateway, push_id, "told")
    check_eq(len(site.got), 2)
    spelt = set()
    for path, headers, body in site.got:
        check_eq((path, headers["Content-Type"], headers["Host"]), ("/notify", "application/xml", f"127.0.0.1:{site.port}"))
        check('<!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP 2.0//EN"' in body, body)
        message = note(body)
        wanted = {"push-id": push_id, "message-state": "delivered", "code": "1000",
                  "sender-address": "https://ppg.example.net/pap"}
        check_eq({k: message.get(k) for k in wanted}, wanted)
        check(message.get("received-time") <= message.get("event-time"), body)
        check_eq([child.tag for child in message], ["address", "quality-of-service"])
        spelt.add(message[0].get("address-value"))
        check_eq({k: message[1].get(k) for k in ("priority", "delivery-method")},
                 {"priority": "high", "delivery-method": "confirmed"})
    check_eq(spelt, {f"WAPPUSH={n}/TYPE=PLMN@ppg.example.net" for n in ("+1555-0100", "+15550101")})
    wait_until(lambda: gateway.query("SELECT count(*) FROM notice") == [["0"]], "the outbox to be empty")


@case
def by_name_over_tls(bench):
    site = Site(bench, OK, cert=leaf(bench, alt="DNS:localhost"))
    gateway = opened(bench)
    push_id = owe(bench, gateway, f"https://localhost:{site.port}/n?a=1")
    wait_debts(gateway, push_id, "told")
    check_eq((site.got[0][0], site.got[0][1]["Host"]), ("/n?a=1", f"localhost:{site.port}"))


@case
def servers_that_do_not_prove_themselves(bench):
    """A wrong name and an unknown authority: tried again, given up, and nothing ever goes there in clear."""
    make_identity(bench)
    strange = bench.ca("strange")
    rows = (("cert-name", leaf(bench, "elsewhere", "DNS:elsewhere.example")), ("cert-untrusted", leaf(bench, "stranger", ca=strange)))
    gateway = opened(bench, notify__retries="100ms, 100ms")
    for why, cert in rows:
        site = Site(bench, OK, cert=cert)
        push_id = owe(bench, gateway, site.url)
        wait_debts(gateway, push_id, "given up")
        check_eq([e["tls"] for e in gateway.check_events(2, "notify.retry", push_id=push_id)], [why] * 2)
        check_eq((len(site.first), set(site.first), site.got), (3, {b"\x16"}, []), "only TLS hands were offered")


@case
def nothing_in_clear_behind_tls(bench):
    """A server that does not speak TLS is sent nothing it can read."""
    site = Site(bench, OK)
    gateway = opened(bench, notify__retries="100ms")
    push_id = owe(bench, gateway, site.url.replace("http:", "https:"))
    wait_debts(gateway, push_id, "given up")
    check_eq((set(site.first), site.got), ({b"\x16"}, []))


@case
def redirects_are_not_followed(bench):
    other = Site(bench, OK)
    gateway = opened(bench)
    for status in (301, 302, 307, 308):
        site = Site(bench, (status, {"Location": other.url}, ""))
        push_id = owe(bench, gateway, site.url)
        wait_debts(gateway, push_id, "given up")
        check_eq((len(site.got), other.got, other.first), (1, [], []), status)


@case
def each_answer(bench):
    again = (503, {"Retry-After": "1"}, "")
    rows = (
        ([OK], "told", 1), ([EMPTY], "told", 1), ([(204, {}, "")], "told", 1), ([(200, {}, "thank you")], "told", 1),
        ([SAID_NO], "given up", 1), ([(404, {}, "")], "given up", 1), ([(401, {"WWW-Authenticate": "Basic realm=x"}, "")], "given up", 1),
        ([(408, {}, ""), OK], "told", 2), ([(429, {}, ""), (500, {}, ""), OK], "told", 3), ([again, SAID_NO], "given up", 2),
    )
    gateway = opened(bench)
    for number, (script, state, posts) in enumerate(rows):
        site = Site(bench, *script)
        push_id = owe(bench, gateway, site.url)
        wait_debts(gateway, push_id, state)
        check_eq((len(site.got), len({body for _, _, body in site.got})), (posts, 1), f"row {number}")
        if script[0] is again:
            check_eq([e["in_ms"] for e in gateway.check_events(1, "notify.retry", push_id=push_id)], [1000], "what it asked for")


@case
def no_way_into_the_network(bench):
    """Loopback, private, link-local and unspecified targets, by number and by name, unless the operator allows them."""
    site = Site(bench, OK)
    gateway = opened(bench, notify__private_addresses=None, notify__retries="10ms")
    hosts = ("127.0.0.1", "localhost", "0.0.0.0", "127.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]",
             "[::]", "[fe80::1]", "[fd00::1]", "[ff02::1]", "[64:ff9b::7f00:1]", "10.0.0.1", "169.254.169.254", "192.168.0.1",
             "172.16.0.1", "224.0.0.1")
    ids = [owe(bench, gateway, f"http://{host}:{site.port}/n") for host in hosts]
    for host, push_id in zip(hosts, ids):
        wait_debts(gateway, push_id, "given up")
        check_eq([e["error"] for e in gateway.check_events(1, "notify.retry", push_id=push_id)], ["absent"], host)
    check_eq(site.first, [])


@case
def dead_beside_good(bench):
    """Two dead servers with many debts, few connections: the good one's notifications arrive while they hang."""
    silent, closed, good = Silence(bench), free_port(), Site(bench, OK)
    gateway = opened(bench, 30, notify__connections_max="6", notify__timeout="60s", notify__retries="200ms, 200ms, 200ms")
    lost = [owe(bench, gateway, url, to=numbers(30)) for url in (silent.url, f"http://127.0.0.1:{closed}/notify")]
    wait_until(lambda: silent.held, "a notification that hangs")
    gateway.wait_event("notify.rested", server=f"http://127.0.0.1:{closed}")
    push_id = owe(bench, gateway, good.url, to=numbers(30))
    wait_debts(gateway, push_id, "told")
    check_eq((set(good.ids()), len(good.got)), ({push_id}, 30))
    check(len(silent.held) <= 2, f"{len(silent.held)} connections to a server that never answered")
    check_eq({t["notification"] for t in gateway.show(lost[0])["targets"]}, {"owed"})
    gateway.check_events(1, "notify.rested")
    silent.close()


@case
def rested_and_resumed(bench):
    """A server that is away for a while costs few connections and none of its notices; each is told once in the end."""
    port = free_port()
    gateway = opened(bench, 30, notify__retries="100ms, 10s, 10s")
    push_id = owe(bench, gateway, f"http://127.0.0.1:{port}/notify", to=numbers(30))
    rested = gateway.wait_event("notify.rested")
    check_eq((rested["initiator"], rested["server"], rested["error"]), ("news", f"http://127.0.0.1:{port}", "peer"))
    site = Site(bench, OK, port=port)
    gateway.wait_event("notify.resumed")
    wait_debts(gateway, push_id, "told")
    check_eq(len({body for _, _, body in site.got}), 30)
    check_eq(len(site.got), 30)
    gateway.check_events(1, "notify.rested")
    gateway.check_events(1, "notify.resumed")
    counts = gateway.ctl("--json", "status").stdout
    check('"notify.rested": 1' in counts and '"notify.resumed": 1' in counts and '"notify.told": 30' in counts, counts)


@case
def a_restart_keeps_the_debt(bench):
    """Ended in order and killed, with a notification owed and one being answered: each is told by the next run, once."""
    port = free_port()
    gateway = opened(bench, notify__retries="100ms, 1s, 1s, 2s, 2s, 5s, 10s, 60s")
    for end in (gateway.stop, gateway.kill):
        push_id = owe(bench, gateway, f"http://127.0.0.1:{port}/notify")
        gateway.wait_event("notify.retry", push_id=push_id)
        end()
        site = Site(bench, OK, port=port)
        gateway.start()
        wait_debts(gateway, push_id, "told")
        check_eq(site.ids(), [push_id])
        site.close()


NGINX = """daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.err;
events {{ }}
http {{
    log_format said escape=none '$connection $ssl_protocol $request_method $uri $status $content_type';
    access_log {folder}/nginx.log said;
    {temps}
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {cert};
        ssl_certificate_key {key};
        location /told {{ return 204; }}
        location /busy {{ return 503; }}
        location /gone {{ return 410; }}
    }}
}}
"""


@case
def nginx_takes_them(bench):
    """Another server's idea of HTTP and TLS."""
    cert, key = leaf(bench)
    port = free_port()
    temps = "\n    ".join(f"{t}_temp_path {bench.folder}/{t};" for t in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    conf = bench.write("nginx.conf", NGINX.format(folder=bench.folder, port=port, cert=cert, key=key, temps=temps))
    nginx = bench.start("/usr/sbin/nginx", "-e", bench.path("nginx.err"), "-p", bench.folder, "-c", conf)
    wait_until(lambda: answers(port) or not nginx.running(), "nginx")
    gateway = opened(bench, 5, notify__retries="100ms, 100ms")
    for path, state in (("told", "told"), ("busy", "given up"), ("gone", "given up")):
        push_id = owe(bench, gateway, f"https://127.0.0.1:{port}/{path}", to=numbers(5))
        wait_debts(gateway, push_id, state)
        count = {"told": 5, "busy": 15, "gone": 5}[path]

        def lines_of(path):
            return [line.split(" ", 6) for line in whole_lines(read(bench.path("nginx.log"))) if f" POST /{path} " in line]

        wait_until(lambda: len(lines_of(path)) >= count, "what nginx writes behind its answers")
        lines = lines_of(path)
        check_eq(len(lines), count)
        check(all(line[1].startswith("TLSv1.") for line in lines), lines)
        check(len({line[0] for line in lines}) < len(lines), "no connection was used twice")


def answers(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def read(path):
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as f:
        return f.read()


main("notify")
