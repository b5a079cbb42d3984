"""What is measured and what it is measured against, each started on free ports of 127.0.0.1 with its files in the
scratch folder of a harness.Bench, and the one submission that all of them answer."""

import base64
import datetime
import http.client
import os
import socket
import ssl
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))

from harness import check, free_port, wait_until  # noqa: E402

USER, PASSWORD = "bench", "correct-horse-battery"
BOUNDARY = "bench-boundary-7d4a1f"
ID_MARK, TERMINAL_MARK = "P" * 16, "T" * 4
KEY = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
ANSWER = (
    '<?xml version="1.0"?><!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP 2.0//EN" '
    '"http://www.wapforum.org/DTD/pap_2.0.dtd"><pap><push-response push-id="0000000000000000@bench.example" '
    'sender-address="https://ppg.example.net/pap" sender-name="push proxy gateway" '
    'reply-time="2030-01-31T12:00:00Z"><response-result code="1001" desc="accepted for processing"/>'
    "</push-response></pap>"
)


def entity(addresses, later=True, extra=""):
    """A PAP 2.0 push with a service indication; later: not to be delivered before tomorrow."""
    tomorrow = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
    after = tomorrow.strftime(' deliver-after-timestamp="%Y-%m-%dT%H:%M:%SZ"') if later else ""
    lines = "\n".join(f'<address address-value="WAPPUSH={a}/TYPE=PLMN@ppg.example.net"/>' for a in addresses)
    return (
        f"--{BOUNDARY}\r\nContent-Type: application/xml\r\n\r\n"
        '<?xml version="1.0"?>\n<!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP 2.0//EN" '
        '"http://www.wapforum.org/DTD/pap_2.0.dtd">\n<pap product-name="bench/1.0">\n'
        f'<push-message push-id="{ID_MARK}@bench.example"{after} source-reference="bench">\n{lines}\n'
        '<quality-of-service priority="medium" delivery-method="confirmed"/>\n</push-message>\n</pap>\n'
        f"\r\n--{BOUNDARY}\r\nContent-Type: text/vnd.wap.si\r\nX-Wap-Application-Id: x-wap-application:wml.ua\r\n"
        f'{extra}\r\n<?xml version="1.0"?>\n<!DOCTYPE si PUBLIC "-//WAPFORUM//DTD SI 1.0//EN" '
        '"http://www.wapforum.org/DTD/si.dtd">\n<si><indication href="https://bench.example/news" '
        f'si-id="1@bench.example">News has come in for you</indication></si>\n\r\n--{BOUNDARY}--\r\n'
    )


def document(element):
    """A PAP 2.0 document about one push, without content: a query, a cancellation."""
    return (
        '<?xml version="1.0"?>\n<!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP 2.0//EN" '
        '"http://www.wapforum.org/DTD/pap_2.0.dtd">\n<pap product-name="bench/1.0">\n'
        f'<{element} push-id="{ID_MARK}@bench.example"/>\n</pap>\n'
    )


def headers(body, authorization=True):
    word = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    multipart = f'multipart/related; type="application/xml"; boundary="{BOUNDARY}"'
    return {
        "Host": "127.0.0.1",
        **({"Authorization": f"Basic {word}"} if authorization else {}),
        "Content-Type": multipart if body.startswith("--") else "application/xml",
        "Content-Length": str(len(body)),
    }


def request(body, authorization=True):
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers(body, authorization).items())
    return f"POST /pap HTTP/1.1\r\n{lines}\r\n{body}"


def number(at):
    """The address of terminal `at`, as bench_load fills it in."""
    return f"+1555010{at:04d}" if isinstance(at, int) else f"+1555010{at}"


def submit(port, body, push_id):
    """One submission over a connection of its own, which must be accepted."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", "/pap", body.replace(ID_MARK, push_id), headers(body))
    answer = connection.getresponse()
    text = answer.read().decode()
    check(answer.status in (200, 202) and "1001" in text, f"port {port}: {answer.status} {text[:500]}")
    connection.close()


def wait_for_port(port, program):
    def ready():
        check(program.running(), f"{program.name} ended: {program.err()[-1000:]} {program.out()[-1000:]}")
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", port)) == 0

    wait_until(ready, f"{program.name} on port {port}")


INITIATORS = (f"[initiator {USER}]\ndigest-user = {USER}\npassword-file = password\nbasic = yes\nbasic-clear = yes\n"
              "initiator-uri = https://bench.example/*\ntrusted = yes\n")
ANYBODY = f"[initiator {USER}]\nnetwork = 127.0.0.0/8\nnetwork-alone = yes\ninitiator-uri = https://bench.example/*\ntrusted = yes\n"


class Gateway:
    """ppgd with one initiator and terminals that are reached at `ports`, one each."""

    def __init__(self, bench, name, ports, cert, env=None, keep="24h", initiators=INITIATORS,
                 whitelist=f"allow {USER} +1555* *\n"):
        self.bench, self.name, self.env, self.keep = bench, name, env, keep
        self.initiators, self.whitelist = initiators, whitelist
        self.db = bench.path(f"{name}.db")
        self.port_file = bench.path(f"{name}.ports")
        self.conf = self.write(ports, cert)
        self.start()

    def write(self, ports, cert):
        bench, name = self.bench, self.name
        bench.write("password", PASSWORD + "\n", 0o600)
        bench.write("initiators.conf", self.initiators, 0o600)
        bench.write("whitelist.conf", self.whitelist)
        sections = []
        for at, port in enumerate(ports):
            bench.write(f"association.{at}", f"said = {at + 1:032x}\nkey = {KEY}\nsuites = aes-ctr-hmac-sha256\n"
                        "expires = never\n", 0o600)
            sections.append(f"[terminal {number(at)}]\nroute = http://127.0.0.1:{port}\n"
                            f"association-file = association.{at}\n")
        bench.write(f"{name}.terminals", "\n".join(sections))
        return bench.write(f"{name}.conf", f"""[gateway]
port-file = {self.port_file}
[files]
initiators = initiators.conf
whitelist = whitelist.conf
terminals = {name}.terminals
[pap]
listen = 127.0.0.1:0
listen-tls = 127.0.0.1:0
cert = {cert[0]}
key = {cert[1]}
tls-min = 1.3
client-certificate = none
clear-basic = yes
control-max = 1M
recipients-max = 10000
connections-per-address = 10000
idle-timeout = 1h
[store]
path = {self.db}
keep = {self.keep}
[log]
level = warn
[admin]
socket =
""")

    def start(self):
        """Returns the seconds until a connection was accepted."""
        if os.path.exists(self.port_file):
            os.unlink(self.port_file)
        began = time.monotonic()
        self.program = self.bench.start("ppgd", "-c", self.conf, env=self.env)
        lines = self.bench.wait_for_file(self.port_file, self.program).split()
        ports = dict(line.split("=", 1) for line in lines)
        self.port, self.tls_port = (int(ports[name].rsplit(":", 1)[1]) for name in ("pap", "pap-tls"))
        socket.create_connection(("127.0.0.1", self.port)).close()
        return time.monotonic() - began

    def resident_kb(self):
        with open(f"/proc/{self.program.process.pid}/status", encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:"))

    def stop(self, forget=True):
        self.program.stop()
        for end in ("", "-wal", "-shm") if forget else ():
            if os.path.exists(self.db + end):
                os.unlink(self.db + end)


class Nginx:
    """Answers every POST with a static 202 as long as ours, once it has read the whole body."""

    def __init__(self, bench, cert):
        self.port, self.tls_port = free_port(), free_port()
        modules = "".join(
            f"load_module {path};\n" for path in ["/usr/lib/nginx/modules/ngx_http_echo_module.so"]
        )
        conf = bench.write("nginx.conf", f"""{modules}worker_processes auto;
daemon off;
pid {bench.path("nginx.pid")};
error_log {bench.path("nginx.error")} warn;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {bench.path("nginx.body")};
    client_header_buffer_size 4k;
    keepalive_requests 100000000;
    keepalive_timeout 1h;
    server {{
        listen 127.0.0.1:{self.port} reuseport;
        listen 127.0.0.1:{self.tls_port} ssl reuseport;
        ssl_certificate {cert[0]};
        ssl_certificate_key {cert[1]};
        ssl_protocols TLSv1.3;
        default_type application/xml;
        location / {{
            echo_read_request_body;
            echo_status 202;
            echo -n '{ANSWER}';
        }}
    }}
}}
""")
        self.program = bench.start("/usr/sbin/nginx", "-c", conf, "-p", bench.folder)
        wait_for_port(self.port, self.program)
        self.check_reads_body()

    def check_reads_body(self):
        """It must not answer before it has the body, else it does less than it is measured for."""
        text = request(entity([number(0)])).encode()
        with socket.create_connection(("127.0.0.1", self.port)) as s:
            s.sendall(text[:-100])
            s.settimeout(0.3)
            try:
                early = s.recv(100)
            except TimeoutError:
                early = b""
            check(not early, f"nginx answered before it had the body: {early!r}")
            s.settimeout(10)
            s.sendall(text[-100:])
            check(s.recv(100).startswith(b"HTTP/1.1 202 "), "nginx did not answer 202")

    def stop(self):
        self.program.stop()


class Kannel:
    """bearerbox and wapbox with a PPG and no SMSC.  Kannel 1.4.5 cannot bind its TCP ports to one address; its boxes
    and its console are told to refuse everybody but 127.0.0.1, its PPG asks for a password."""

    def __init__(self, bench):
        admin, boxes, self.port = free_port(), free_port(), free_port()
        conf = bench.write("kannel.conf", f"""group = core
admin-port = {admin}
admin-password = {PASSWORD}
admin-deny-ip = "*.*.*.*"
admin-allow-ip = "127.0.0.1"
wapbox-port = {boxes}
box-deny-ip = "*.*.*.*"
box-allow-ip = "127.0.0.1"
wdp-interface-name = "127.0.0.1"
log-level = 4

group = wapbox
bearerbox-host = 127.0.0.1
log-level = 4

group = ppg
ppg-url = /pap
ppg-port = {self.port}
ppg-allow-ip = "127.0.0.1"
concurrent-pushes = 100
trusted-pi = false
users = 10
service-name = ppg

group = wap-push-user
wap-push-user = {USER}
ppg-username = {USER}
ppg-password = {PASSWORD}
allow-ip = 127.0.0.1
""")
        self.programs = [bench.start("/usr/sbin/bearerbox", "-v", "4", conf)]
        wait_for_port(boxes, self.programs[0])
        self.programs.append(bench.start("/usr/sbin/wapbox", "-v", "4", conf))
        wait_for_port(self.port, self.programs[1])
        submit(self.port, entity([number(0)]), "k" * 16)

    def stop(self):
        for program in reversed(self.programs):
            program.stop(3)


def idle_connections(port, count, tls):
    """Kept connections that have made one submission each."""
    body = entity([number(0)])
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    made = []
    for at in range(count):
        s = socket.create_connection(("127.0.0.1", port), timeout=30)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            s = context.wrap_socket(s)
        s.sendall(request(body).replace(ID_MARK, f"{'fe'[tls]}{at:015x}").encode())
        check(s.recv(4096).startswith(b"HTTP/1.1 202"), "a submission was not accepted")
        made.append(s)
    return made
