"""Pushes in datagrams: gateway, UDP, push-terminal, and tshark or a plain socket as the far end.  Usage: test_datagrams.py
BUILD_DIR."""

import socket
import subprocess
import threading

import pcap
from gateway import Gateway, Terminal, make_identity, pap_push
from harness import case, check, check_eq, free_port, main, wait_until

MARK = "Good morning, datagram"
SI = '<si><indication href="http://www.example.com/m" si-id="1@example.com">Hi</indication></si>'
OPEN = "allow news +1555* *\n"


def ear(bench):
    """A plain UDP socket as a terminal: its port, and a function that waits for the next datagram."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))
    s.settimeout(60)
    bench.closers.append(s.close)
    return s.getsockname()[1], lambda: s.recvfrom(65536)


def bound(port):
    """Until somebody has the UDP port."""

    def ready():
        with open("/proc/net/udp", encoding="ascii") as f:
            return f":{port:04X} " in f.read()

    wait_until(ready, f"UDP port {port}")


def submit(bench, gateway, push_id, *options, to="+15550100", text=MARK):
    return pap_push(bench, gateway, "--to", to, "--text", text, "--id", push_id, "--initiator-uri",
                    "https://news.example.com/today", *options)


def good(bench, gateway, push_id, *options, **more):
    done = submit(bench, gateway, push_id, *options, **more)
    check_eq(done.returncode, 0, done.stdout + done.stderr)
    return push_id


@case
def a_push_in_one_datagram(bench):
    """Delivered says handed to the network: 1000, one try, and the record says that nothing confirmed it."""
    phone = Terminal(bench, "--udp", association=False)
    source = free_port()
    gateway = Gateway(bench, phone.route("+15550100", "wap", more=""), whitelist=OPEN, conf={"ota-wsp.source-port": str(source)})
    good(bench, gateway, "p1", "--method", "preferconfirmed", "--app", "x-wap-application:mms.ua")
    push = phone.wait_events(1)[0]
    check_eq((push["content"], push["app_id"], push["initiator_uri"], push["content_type"]),
             (MARK, "x-wap-application:mms.ua", "https://news.example.com/today", "text/plain"))
    check_eq((push["trusted"], push["authenticated"], push["proofs"], push["tls"]), (False, False, [], False), "nothing proved it")
    target = gateway.wait_state("p1", "delivered")["targets"][0]
    check_eq((target["code"], target["tries"]), (1000, 1))
    check("sent, not confirmed" in gateway.ctl("push", "explain", "p1").stdout, gateway.ctl("push", "explain", "p1").stdout)
    path = bench.path("wire.pcap")
    pcap.write(path, [phone.wire()])
    layer = pcap.objects(bench, path)[0]["wsp"]
    check_eq((layer["wsp.pdu_type"], layer["wsp.header.content_type"]), ("0x06", "text/plain"))
    headers = layer["wsp.headers"]
    check_eq((headers["wsp.header.x_wap_application_id"], headers["wsp.header.initiator_uri"], headers["wsp.header.content_length"]),
             ("x-wap-application:mms.ua", "https://news.example.com/today", str(len(MARK))))
    check("Content trusted" in headers["wsp.header.push_flag"], headers)


@case
def the_source_port_is_the_configured_one(bench):
    port, hear = ear(bench)
    source = free_port()
    gateway = Gateway(bench, f"[terminal +15550100]\nroute = wap://127.0.0.1:{port}\n[terminal +15550101]\n"
                      f"route = wap://localhost:{port}/\n", whitelist=OPEN, conf={"ota-wsp.source-port": str(source), "gateway.loops": "1"})
    for number in ("+15550100", "+15550101"):
        good(bench, gateway, f"p{number}", to=number)
        octets, sender = hear()
        check_eq((octets[1], sender[1]), (6, source), number)


@case
def sealed_goes_through(bench):
    """UDP protects nothing: the association does, and what was outside the seal tells nothing."""
    phone = Terminal(bench, "--udp", "--require", "full")
    gateway = Gateway(bench, phone.route("+15550100", "wap"), whitelist="allow news +1555* * protect=full\n")
    good(bench, gateway, "p1")
    push = phone.wait_events(1)[0]
    check_eq((push["content"], push["protection"], push["proofs"], push["trusted"]), (MARK, "full", ["seal"], True))
    check(MARK.encode() not in phone.wire() and b"news.example.com" not in phone.wire(), phone.wire())
    gateway.wait_state("p1", "delivered")
    check("auth=gpl int=gpl conf=gpl" in gateway.ctl("push", "explain", "p1").stdout, gateway.ctl("push", "explain", "p1").stdout)


@case
def without_association_nothing_protected_leaves(bench):
    port, _ = ear(bench)
    gateway = Gateway(bench, f"[terminal +15550100]\nroute = wap://127.0.0.1:{port}\n", whitelist=OPEN)
    done = submit(bench, gateway, "p1", "--protection", "integrity")
    check("2005" in done.stdout + done.stderr, done)


@case
def confirmed_is_not_promised(bench):
    """[PAP] 3007; preferconfirmed, unconfirmed and notspecified are met."""
    port, hear = ear(bench)
    gateway = Gateway(bench, f"[terminal +15550100]\nroute = wap://127.0.0.1:{port}\n", whitelist=OPEN)
    done = submit(bench, gateway, "p0", "--method", "confirmed")
    check("3007" in done.stdout + done.stderr, done)
    for method in ("preferconfirmed", "unconfirmed", "notspecified"):
        good(bench, gateway, method, "--method", method)
        hear()
        check_eq(gateway.wait_state(method, "delivered")["targets"][0]["code"], 1000, method)


@case
def nobody_listens(bench):
    """ICMP: tried again, and delivered when somebody listens."""
    port = free_port()
    gateway = Gateway(bench, f"[terminal +15550100]\nroute = wap://127.0.0.1:{port}\n", whitelist=OPEN)
    good(bench, gateway, "p1")
    gateway.wait_event("deliver.done", note="port unreachable", code=4001)
    phone = Terminal(bench, "--udp", association=False, port=port)
    check_eq(phone.wait_events(1)[0]["content"], MARK)
    check(gateway.wait_state("p1", "delivered")["targets"][0]["tries"] > 1, gateway.show("p1"))


@case
def larger_than_a_datagram(bench):
    port, hear = ear(bench)
    gateway = Gateway(bench, f"[terminal +15550100]\nroute = wap://127.0.0.1:{port}\n", whitelist=OPEN,
                      conf={"ota-wsp.datagram-max": "512"})
    good(bench, gateway, "p1", text="x" * 512)
    check_eq(gateway.wait_state("p1", "undeliverable")["targets"][0]["code"], 2006)
    check("2006" in submit(bench, gateway, "p2", text="x" * 66000).stdout, "at once")
    good(bench, gateway, "p3", text="y" * 128)
    check(hear()[0].endswith(b"y" * 128), "the next one")


@case
def content_is_tokenised_for_who_does_not_say(bench):
    """A terminal on a narrow route gets SIC, unless its operator says that it takes the text."""
    port, hear = ear(bench)
    gateway = Gateway(bench, f"[terminal +15550100]\nroute = wap://127.0.0.1:{port}\n[terminal +15550101]\n"
                      f"route = wap://127.0.0.1:{port}\naccept = text/vnd.wap.si\n", whitelist=OPEN)
    good(bench, gateway, "p1", "--type", "text/vnd.wap.si", text=SI)
    octets = hear()[0]
    check(octets[3] == 0xAE and octets[4:].find(bytes([2, 5, 0x6A, 0])) > 0, octets.hex())
    good(bench, gateway, "p2", "--type", "text/vnd.wap.si", "--header", "Cache-Control: no-transform", text=SI)
    check(hear()[0].endswith(SI.encode()), "no-transform")
    good(bench, gateway, "p3", "--type", "text/vnd.wap.si", to="+15550101", text=SI)
    check(hear()[0].endswith(SI.encode()), "as accepted")


@case
def a_terminal_drops_what_is_no_push(bench):
    phone = Terminal(bench, "--udp", "--require", "integrity")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for octets in (b"", b"x", b"\1\6\1\x83Hi", b"\1\7\1\x83Hi", b"\1\6\xff\xff\xff\xff\x7f", b"\1\6\1\xfe", b"\0" * 65507):
            s.sendto(octets, ("127.0.0.1", phone.port))
    check_eq([e["reason"] for e in phone.wait_events(6, "refused")], ["malformed-message"] * 6)
    check_eq([e["reason"] for e in phone.wait_events(1, "dropped")], ["protection-below-floor"])
    check(phone.program.running(), phone.program.err())


# --- DTLS ---

PSK = "000102030405060708090a0b0c0d0e0f"


def psk_route(bench, port, number="+15550100", identity="x-ppg:phone", key=PSK):
    bench.write(f"psk{number}", key + "\n", 0o600)
    return (f"[terminal {number}]\nroute = waps://127.0.0.1:{port}\npsk-identity = {identity}\npsk-file = ../psk{number}\n")


class Tap:
    """Passes datagrams between a client and 127.0.0.1:port and keeps them; `lose` are the numbers of those that it loses."""

    def __init__(self, bench, port, lose=()):
        self.here, self.there = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        self.here.bind(("127.0.0.1", 0))
        self.there.connect(("127.0.0.1", port))
        self.port, self.seen, self.lose, self.client = self.here.getsockname()[1], [], lose, None
        for s in (self.here, self.there):
            bench.closers.append(s.close)
        threading.Thread(target=self.forth, daemon=True).start()
        threading.Thread(target=self.back, daemon=True).start()

    def keep(self, octets):
        self.seen.append(octets)
        return len(self.seen) - 1 not in self.lose

    def forth(self):
        try:
            while True:
                octets, self.client = self.here.recvfrom(65536)
                if self.keep(octets):
                    self.there.send(octets)
        except OSError:
            pass

    def back(self):
        try:
            while True:
                octets = self.there.recv(65536)
                if self.keep(octets):
                    self.here.sendto(octets, self.client)
        except OSError:
            pass


@case
def a_push_inside_dtls_with_a_shared_key(bench):
    """UDP with DTLS: the transport protects as `full` asks, and both ends have proved that they have the key."""
    bench.write("key", PSK + "\n", 0o600)
    phone = Terminal(bench, "--dtls", "--psk", f"x-ppg.phone:{bench.path('key')}",
                     "--require", "full", "--trusted-only", association=False)
    tap = Tap(bench, phone.port)
    gateway = Gateway(bench, psk_route(bench, tap.port, identity="x-ppg.phone"), whitelist="allow news +1555* * protect=full\n")
    for i in range(3):
        good(bench, gateway, f"p{i}")
    for push in phone.wait_events(3):
        check_eq((push["content"], push["proofs"], push["tls"], push["trusted"], push["protection"]), (MARK, ["psk"], True, True, "none"))
    check_eq(gateway.wait_state("p2", "delivered")["targets"][0]["code"], 1000)
    check("auth=transport int=transport conf=transport" in gateway.ctl("push", "explain", "p2").stdout, "explained")
    crossed = b"".join(tap.seen)
    check(MARK.encode() not in crossed and b"news.example.com" not in crossed, "in the clear")
    hellos = {octets[17:19] + octets[27:59] for octets in tap.seen if octets[0] == 22 and octets[13] == 1}  # number and random; sent again they are the same
    check_eq(len(hellos), 2, "one session, with a cookie")


@case
def lost_flights_are_sent_again(bench):
    """Each of the first datagrams of the handshake lost once."""
    bench.write("key", PSK + "\n", 0o600)
    phone = Terminal(bench, "--dtls", "--psk", f"phone:{bench.path('key')}", association=False)
    tap = Tap(bench, phone.port, lose=(0, 3, 6))
    gateway = Gateway(bench, psk_route(bench, tap.port, identity="phone"), whitelist=OPEN)
    good(bench, gateway, "p1", "--protection", "full")
    check_eq(phone.wait_events(1)[0]["content"], MARK)
    check_eq(gateway.wait_state("p1", "delivered")["targets"][0]["code"], 1000)


@case
def a_wrong_key_gets_nothing(bench):
    bench.write("key", PSK + "\n", 0o600)
    phone = Terminal(bench, "--dtls", "--psk", f"phone:{bench.path('key')}", association=False)
    routes = psk_route(bench, phone.port, "+15550100", "phone", PSK[::-1]) + psk_route(bench, phone.port, "+15550101", "other")
    gateway = Gateway(bench, routes, whitelist=OPEN, conf={"ota-http.connect-timeout": "1s"})
    for number in ("+15550100", "+15550101"):
        good(bench, gateway, number, "--method", "unconfirmed", to=number)
        check_eq(gateway.wait_state(number, "timeout")["targets"][0]["code"], 4001, number)
    check_eq(phone.events(), [])
    check(phone.program.running(), phone.program.err())


@case
def a_push_inside_dtls_with_certificates(bench):
    """Both ends show one; a terminal of another name, or of no authority of ours, gets nothing."""
    make_identity(bench)
    bench.certificate(bench.authority, "phone", "DNS:phone.example.net")
    tls = ("--dtls", "--cert", bench.path("phone.crt"), "--key", bench.path("phone.key"), "--ca", bench.path("ca.crt"))
    phone = Terminal(bench, *tls, "--server", "ppg.example.net", "--require", "full", association=False)
    route = f"route = waps://127.0.0.1:{phone.port}\n"
    gateway = Gateway(bench, f"[terminal +15550100]\n{route}tls-name = phone.example.net\n"
                      f"[terminal +15550101]\n{route}tls-name = other.example.net\n", whitelist=OPEN)
    good(bench, gateway, "p1", "--protection", "full")
    push = phone.wait_events(1)[0]
    check_eq((push["content"], push["proofs"], push["server"]), (MARK, ["certificate"], "ppg.example.net"))
    good(bench, gateway, "p2", "--protection", "full", to="+15550101")
    gateway.wait_event("deliver.done", push_id="p2", note="DTLS: cert-name")
    check_eq(len(phone.events()), 1)


@case
def a_gateway_of_another_authority_gets_nothing(bench):
    """A terminal that trusts another authority refuses the gateway, inside TLS as inside DTLS, and takes no content."""
    make_identity(bench)
    bench.ca("other")
    bench.certificate(bench.authority, "phone", "DNS:localhost,IP:127.0.0.1")
    tls = ("--cert", bench.path("phone.crt"), "--key", bench.path("phone.key"), "--ca", bench.path("other.crt"))
    phones = [Terminal(bench, *tls, association=False), Terminal(bench, "--dtls", *tls, association=False)]
    gateway = Gateway(bench, phones[0].route("+15550100", "https", more="") + phones[1].route("+15550101", "waps", more=""),
                      whitelist=OPEN, conf={"ota-http.connect-timeout": "1s"})
    for number in ("+15550100", "+15550101"):
        good(bench, gateway, number, "--method", "unconfirmed", "--protection", "full", to=number)
        check_eq(gateway.wait_state(number, "timeout")["targets"][0]["code"], 4001, number)
    check_eq([phone.events() for phone in phones], [[], []])


@case
def openssl_is_the_terminal(bench):
    port = free_port()
    heard = bench.path("heard")
    with open(heard, "wb") as out:  # it ends when its input does
        server = subprocess.Popen(["openssl", "s_server", "-dtls1_2", "-accept", f"127.0.0.1:{port}", "-psk", PSK, "-psk_identity",
                                   "phone", "-nocert", "-quiet"], stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT)
    bench.closers.append(server.kill)
    bound(port)
    gateway = Gateway(bench, psk_route(bench, port, identity="phone"), whitelist=OPEN)
    good(bench, gateway, "p1", "--protection", "full")
    gateway.wait_state("p1", "delivered")

    def came():
        with open(heard, "rb") as f:
            return MARK.encode() in f.read()

    wait_until(came, "the push")


@case
def gnutls_is_the_terminal(bench):
    port = free_port()
    keys = bench.write("psk.txt", f"phone:{PSK}\n", 0o600)
    server = bench.start("/usr/bin/gnutls-serv", "--udp", "--port", str(port), "--pskpasswd", keys, "--priority",
                         "NONE:+VERS-DTLS1.2:+AEAD:+AES-128-GCM:+ECDHE-PSK:+DHE-PSK:+PSK:+GROUP-ALL:+SIGN-ALL:+COMP-NULL:+MAC-ALL",
                         "--echo")
    bound(port)
    gateway = Gateway(bench, psk_route(bench, port, identity="phone"), whitelist=OPEN)
    good(bench, gateway, "p1", "--protection", "full")
    gateway.wait_state("p1", "delivered")
    wait_until(lambda: "Processing" in server.out() + server.err(), "a record that it could read")


@case
def openssl_is_the_gateway(bench):
    bench.write("key", PSK + "\n", 0o600)
    phone = Terminal(bench, "--dtls", "--psk", f"phone:{bench.path('key')}", "--require", "full", association=False)
    client = subprocess.Popen(["openssl", "s_client", "-dtls1_2", "-connect", f"127.0.0.1:{phone.port}", "-psk", PSK, "-psk_identity",
                               "phone", "-quiet"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    bench.closers.append(client.kill)
    client.stdin.write(b"\1\6\1\x83Hi")
    client.stdin.flush()
    push = phone.wait_events(1)[0]
    check_eq((push["content"], push["proofs"], push["tls"]), ("Hi", ["psk"], True))


main("datagrams")
