"""Sessions of MSRP that terminals connect for (RFC 6135): the gateway listens; a device of our own, push-terminal, and strangers at the
door.  Usage: test_msrp_passive.py BUILD_DIR."""

import random
import select
import ssl
import subprocess
import threading

from gateway import SANITIZER, Gateway, Terminal, make_identity, pap_push
from harness import case, check, check_eq, main, wait_until
from msrppeer import SessionDevice, chunks_of, dial, hello, offered
from sipnet import FULL, OPEN, ended, good, route

TEXT = "".join(f"line {i:05d} of a long push\n" for i in range(1, 400))
LATER = {"delivery__retry_first": "1h", "delivery__retry_max": "1h"}
DOORS = {"ota-sip.listen-msrp": "127.0.0.1:0", "ota-sip.host": "127.0.0.1"}


def start(bench, device, more="session = large\n", transport="tcp", whitelist=OPEN, **conf):
    conf = {name.replace("__", ".").replace("_", "-"): value for name, value in conf.items()}
    return Gateway(bench, route(f"sip:alice@127.0.0.1:{device.port};transport={transport}", more), whitelist=whitelist, conf={**DOORS, **conf})


def joined(chunks):
    return b"".join(c.body for c in chunks if c.body)


def connects(device, uri):
    """The right answer."""
    device.connect(uri)


@case
def the_terminal_connects(bench):
    """The offer leaves it open; who answers active connects, on any loop; further pushes use the session, and BYE ends it."""
    device = SessionDevice(bench, active=connects)
    gateway = start(bench, device, gateway__loops="3", ota_sip__session_idle_timeout="1h")
    for i in range(3):
        good(bench, gateway, f"p{i}", "--method", "confirmed", text=TEXT)
        check_eq(ended(gateway, f"p{i}", "delivered")["code"], 1000)
        check_eq(joined(device.chunks).partition(b"\r\n\r\n")[2], TEXT.encode())
        device.chunks.clear()
    check_eq((len(device.invited), device.connections), (1, 1))
    offer, uri = device.invited[0].body, offered(device.invited[0])
    check(b"\r\na=setup:actpass\r\n" in offer and f"m=message {uri.split(':')[2].split('/')[0]} TCP/MSRP *".encode() in offer, offer)
    check_eq(len(uri.split("/")[3]), len(";tcp") + 32)
    wait_until(lambda: device.answers, "an answer to its first message")
    check_eq(device.answers, ["MSRP h3110000 200 OK"])
    gateway.stop()
    device.wait_byes()


@case
def on_every_loop(bench):
    """The connection comes on whatever loop the kernel chooses, the session is on the terminal's."""
    devices = [SessionDevice(bench, active=connects) for _ in range(8)]
    terminals = "".join(f"[terminal sip:u{i}@127.0.0.1]\nroute = sip:u{i}@127.0.0.1:{d.port};transport=tcp\nsession = always\n"
                        for i, d in enumerate(devices))
    gateway = Gateway(bench, terminals, whitelist=OPEN, conf={**DOORS, "gateway.loops": "4"})
    for i, device in enumerate(devices):
        done = pap_push(bench, gateway, "--to", f"sip:u{i}@127.0.0.1", "--text", TEXT, "--id", f"p{i}")
        check_eq(done.returncode, 0, done.stdout + done.stderr)
        check_eq(ended(gateway, f"p{i}", "delivered")["tries"], 1)
        check_eq(len(device.invited), 1)


@case
def who_answers_passive_is_connected_to(bench):
    """Offered both ways, the answer decides; without a listener an active answer is no answer."""
    device = SessionDevice(bench)
    gateway = start(bench, device)
    good(bench, gateway, "p1", text=TEXT)
    ended(gateway, "p1", "delivered")
    check(b"a=setup:actpass" in device.invited[0].body, device.invited[0].body)
    check_eq(device.connections, 1)
    for changes in ((("a=setup:passive\r\n", ""),), (("a=setup:passive", "a=setup:holdconn"),)):
        device = SessionDevice(bench, changes=changes)
        gateway = start(bench, device)
        good(bench, gateway, "p1", text=TEXT)
        if "holdconn" in str(changes):
            check_eq(ended(gateway, "p1", "aborted")["code"], 5030)
        else:
            ended(gateway, "p1", "delivered")
    device = SessionDevice(bench, active=lambda device, uri: None)
    gateway = start(bench, device, ota_sip__listen_msrp=None)
    good(bench, gateway, "p1", text=TEXT)
    check_eq(ended(gateway, "p1", "aborted")["code"], 5030)
    check(b"a=setup:active" in device.invited[0].body, device.invited[0].body)


def two_at_once(device, uri):
    """The second gets 506."""
    first, second = device.connect(uri), dial(uri)
    device.second = []

    def ask():
        octets = b""
        while not device.second:
            second.sendall(hello(uri))
            octets = second.recv(65536)
            if not octets:
                return
            device.second += [c.start for c in chunks_of(octets)[0]]

    device.first = first
    threading.Thread(target=ask, daemon=True).start()


@case
def strangers_at_the_door(bench):
    """Ids that nobody has, another's place, silence, garbage: refused or hung up on, in bounds, and the terminal comes in all the same."""
    def refused(uri, octets, expected):
        with dial(uri) as s:
            s.settimeout(60)
            if octets:
                s.sendall(octets)
            got = b""
            try:
                while data := s.recv(65536):
                    got += data
            except OSError:
                pass
            check_eq([c.start for c in chunks_of(got)[0]], expected)

    def after_strangers(device, uri):
        head, at, name = uri.rpartition("/")
        choose = random.Random(6135)
        for other in (name[:5] + ("0" if name[5] != "0" else "1") + name[6:], ("ff" if name[:2] != "ff" else "ee") + name[2:], "x" + name[1:], "short;tcp", "z" * 120 + ";tcp"):
            refused(uri, hello(head + at + other), ["MSRP h3110000 481 No Such Session"])
        for octets in (b"GET / HTTP/1.1\r\n\r\n", b"MSRP abcd SEND\r\n" + b"X: y\r\n" * 3000, hello("sip:x@y"), b""):
            refused(uri, octets, [])
        for i in range(100):
            broken = bytearray(hello(uri.replace("/", "/0", 3)))
            for _ in range(1 + i % 5):
                broken[choose.randrange(len(broken))] ^= 1 << choose.randrange(8)
            with dial(uri) as s:
                s.sendall(bytes(broken))
        device.connect(uri)

    device = SessionDevice(bench, active=after_strangers)
    gateway = start(bench, device, ota_sip__login_timeout="2s", ota_http__connect_timeout="20s", ota_http__calls_per_address="1000")
    good(bench, gateway, "p1", text=TEXT)
    check_eq(ended(gateway, "p1", "delivered")["tries"], 1)
    device.active = two_at_once
    gateway.write_conf(ota_sip__session_idle_timeout="100ms")
    check_eq(gateway.ctl("reload").returncode, 0)
    gateway.settle()
    good(bench, gateway, "p2", text=TEXT)
    ended(gateway, "p2", "delivered")
    check(not SANITIZER.search(gateway.program.err()), gateway.program.err()[-3000:])


@case
def so_many_connections(bench):
    """Ceilings in all and per address; what is over them is closed at the door."""
    def crowd(device, uri):
        device.crowd = [dial(uri) for _ in range(5)]
        wait_until(lambda: len(select.select(device.crowd, [], [], 0)[0]) == 3, "three to be hung up on")

    device = SessionDevice(bench, active=crowd)
    gateway = start(bench, device, ota_http__calls_per_address="2", **LATER, ota_http__connect_timeout="1s")
    good(bench, gateway, "p1", text=TEXT)
    gateway.wait_event("deliver.done", push_id="p1", result="retry", note="msrp: the terminal did not connect")
    gateway.wait_event("net.refused", count=3, listener="msrp", why="limit")
    check_eq(len(select.select(device.crowd, [], [], 0)[0]), 3)


@case
def it_never_connects(bench):
    """A deadline; tried again in another session, under another id."""
    device = SessionDevice(bench, active=lambda device, uri: None)
    gateway = start(bench, device, ota_http__connect_timeout="500ms", delivery__retry_first="100ms")
    good(bench, gateway, "p1", text=TEXT)
    gateway.wait_event("deliver.done", push_id="p1", result="retry", note="msrp: the terminal did not connect")
    device.active = connects
    ended(gateway, "p1", "delivered")
    device.wait_byes()
    uris = [offered(invite) for invite in device.invited]
    check_eq(len(set(uris)), len(uris))


@case
def messages_are_not_taken(bench):
    """Who connects may not push to us: 403, and the session goes on."""
    def talks(device, uri):
        device.connect(uri).sendall(hello(uri, "ta1k0000", "a push of its own", device.own()))

    device = SessionDevice(bench, active=talks)
    gateway = start(bench, device)
    good(bench, gateway, "p1", "--method", "confirmed", text=TEXT)
    ended(gateway, "p1", "delivered")
    wait_until(lambda: len(device.answers) == 2, "two answers")
    check_eq(device.answers, ["MSRP h3110000 200 OK", "MSRP ta1k0000 403 Forbidden"])


@case
def from_another_path(bench):
    """Who connects with the right id and is not at the URI that the answer names gets 481 and no octet of the push, in the clear and
    inside TLS; the push goes out in the next session."""
    def other(device, uri):
        own = device.own()
        device.connect(uri, own=own.replace("session1", "session2") if len(device.invited) == 1 else f"msrp://127.0.0.1:7/r;tcp {own}")

    device = SessionDevice(bench, active=other)
    gateway = start(bench, device, delivery__retry_first="1s", delivery__retry_max="1s")
    good(bench, gateway, "p1", text=TEXT)
    gateway.wait_event("deliver.done", count=2, push_id="p1", result="retry", note="msrp: another than the terminal connected")
    check_eq((joined(device.chunks), set(device.answers)), (b"", {"MSRP h3110000 481 No Such Session"}))
    device.active = connects
    ended(gateway, "p1", "delivered")
    check_eq(joined(device.chunks).partition(b"\r\n\r\n")[2], TEXT.encode())
    device.wait_byes(2)


def certificates(bench, name="phone.example.net"):
    make_identity(bench)
    bench.certificate(bench.authority, "phone", f"DNS:{name}")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(bench.path("ca.crt"))
    context.check_hostname = False
    context.load_cert_chain(bench.path("phone.crt"), bench.path("phone.key"))
    return context


INSIDE = {"ota_sip__listen_msrps": "127.0.0.1:0", "ota_sip__listen_msrp": None}


@case
def inside_tls_by_certificate(bench):
    """CPM-03: the name that is on record must be in the certificate of who connects."""
    context = certificates(bench)
    changes = ((" TCP/MSRP", " TCP/TLS/MSRP"), ("a=path:msrp:", "a=path:msrps:"))
    device = SessionDevice(bench, changes=changes, active=lambda device, uri: device.connect(uri, context))
    gateway = start(bench, device, "session = tls\ntls-name = phone.example.net\n", whitelist=FULL, **INSIDE)
    good(bench, gateway, "p1", "--method", "confirmed", text=TEXT)
    ended(gateway, "p1", "delivered")
    check("level=full auth=transport int=transport conf=transport" in gateway.ctl("push", "explain", "p1").stdout, "explain")
    check(offered(device.invited[0]).startswith("msrps://"), device.invited[0].body)
    gateway.stop()
    device.chunks.clear()
    gateway = start(bench, device, "session = tls\ntls-name = other.example.net\n", whitelist=FULL, **LATER, **INSIDE)
    good(bench, gateway, "p2", text=TEXT)
    gateway.wait_event("deliver.done", push_id="p2", result="retry", note="msrps: another than the terminal connected")
    check_eq(joined(device.chunks), b"")


@case
def inside_tls_without_a_certificate(bench):
    """Who has none does not get as far as to name a session; nor does who speaks in the clear."""
    certificates(bench)
    naked = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    naked.check_hostname, naked.verify_mode = False, ssl.CERT_NONE
    changes = ((" TCP/MSRP", " TCP/TLS/MSRP"), ("a=path:msrp:", "a=path:msrps:"))

    def tries(device, uri):
        for tls in (naked, None):
            try:
                device.connect(uri, tls)
            except OSError:
                pass

    device = SessionDevice(bench, changes=changes, active=tries)
    gateway = start(bench, device, "session = tls\ntls-name = phone.example.net\n", whitelist=FULL, **LATER,
                    ota_http__connect_timeout="2s", **INSIDE)
    good(bench, gateway, "p1", text=TEXT)
    gateway.wait_event("deliver.done", push_id="p1", result="retry", note="msrps: the terminal did not connect")
    check_eq(device.chunks, [])
    device = SessionDevice(bench, active=connects)
    gateway = start(bench, device, "session = tls\ntls-name = phone.example.net\n", whitelist=FULL, **INSIDE)
    good(bench, gateway, "p2", text=TEXT)
    check_eq(ended(gateway, "p2", "undeliverable")["code"], 2005)


KEY = "00112233445566778899aabbccddeeff" * 2


@case
def inside_tls_by_shared_key(bench):
    """CPM-03: openssl connects with the key that both ends have; a wrong one does not get in."""
    clients = []

    def by_key(device, uri):
        port = uri.split(":")[2].split("/")[0]
        client = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-psk", device.key, "-psk_identity", "phone",
                                   "-quiet", "-tls1_2"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        clients.append(client)
        bench.closers.append(client.kill)

        def pump():
            octets = b""
            client.stdin.write(hello(uri, own=device.own()))
            client.stdin.flush()
            while data := client.stdout.read1(65536):
                found, octets = chunks_of(octets + data)
                for chunk in found:
                    if chunk.start.endswith(" SEND"):
                        device.chunks.append(chunk)
                        client.stdin.write(device.good(chunk, None))
                        client.stdin.flush()

        threading.Thread(target=pump, daemon=True).start()

    changes = ((" TCP/MSRP", " TCP/TLS/MSRP"), ("a=path:msrp:", "a=path:msrps:"))
    device = SessionDevice(bench, changes=changes, active=by_key)
    make_identity(bench)
    bench.write("key", KEY + "\n", 0o600)
    device.key = "11" * 32
    gateway = start(bench, device, "session = tls\npsk-identity = phone\npsk-file = ../key\n", whitelist=FULL, ota_sip__listen_msrps_psk="127.0.0.1:0",
                    ota_sip__listen_msrp=None, ota_http__connect_timeout="4s", delivery__retry_first="1s", delivery__retry_max="1s")
    good(bench, gateway, "p1", "--method", "confirmed", text=TEXT)
    gateway.wait_event("deliver.done", push_id="p1", result="retry", note="msrps: the terminal did not connect")
    check_eq(device.chunks, [])
    device.key = KEY
    ended(gateway, "p1", "delivered")
    check_eq(joined(device.chunks).partition(b"\r\n\r\n")[2], TEXT.encode())
    for client in clients:
        client.kill()
        client.wait()


@case
def push_terminal_connects(bench):
    """Our own terminal as the active side, in the clear: sealed content is believed; without --connects it is connected to."""
    for options in (("--connects",), ()):
        phone = Terminal(bench, *options, command="sip")
        gateway = start(bench, phone, "session = large\nassociation-file = ../association\n")
        good(bench, gateway, "p1", "--method", "confirmed", "--protection", "full", text=TEXT)
        ended(gateway, "p1", "delivered")
        push = phone.wait_events(1)[-1]
        check_eq((push["content"], push["protection"], push["proofs"]), (TEXT, "full", ["seal"]))
        gateway.stop()
        check_eq(b" 200 OK\r\n" in phone.wire(), bool(options))  # its own first message was answered


@case
def push_terminal_connects_inside_tls(bench):
    """Both ends with certificates: the terminal knows the gateway by its own, the gateway the terminal by the name on record."""
    make_identity(bench)
    bench.certificate(bench.authority, "phone", "DNS:phone.example.net,DNS:localhost,IP:127.0.0.1")
    phone = Terminal(bench, "--connects", "--cert", bench.path("phone.crt"), "--key", bench.path("phone.key"), "--ca", bench.path("ca.crt"),
                     command="sip", association=False)
    gateway = Gateway(bench, route(f"sips:alice@localhost:{phone.port}", "session = tls\ntls-name = phone.example.net\n"), whitelist=FULL,
                      conf={"ota-sip.listen-msrps": "127.0.0.1:0", "ota-sip.host": "localhost"})
    good(bench, gateway, "p1", "--method", "confirmed", text=TEXT)
    ended(gateway, "p1", "delivered")
    push = phone.wait_events(1)[-1]
    check_eq((push["content"], push["tls"], push["proofs"]), (TEXT, True, ["certificate"]))


@case
def push_terminal_with_a_shared_key(bench):
    """CPM-03: `full` with a key alone, whoever connects; SIP goes in the clear. Another key gets nothing, and gives nothing away."""
    make_identity(bench)
    bench.write("key", KEY + "\n", 0o600)
    bench.write("wrong", "11" * 32 + "\n", 0o600)
    conf = {"ota-sip.listen-msrps-psk": "127.0.0.1:0", "ota-sip.host": "127.0.0.1", "delivery.retry-first": "1h", "delivery.retry-max": "1h",
            "ota-http.connect-timeout": "10s"}
    for connects in (("--connects",), ()):
        for key in ("key", "wrong"):
            phone = Terminal(bench, *connects, "--psk", f"phone:{bench.path(key)}", command="sip", association=False)
            gateway = Gateway(bench, route(f"sip:alice@127.0.0.1:{phone.port};transport=tcp", "session = tls\npsk-identity = phone\npsk-file = ../key\n"),
                              whitelist=FULL, conf=conf)
            good(bench, gateway, "p1", "--method", "confirmed", text=TEXT)
            if key == "key":
                ended(gateway, "p1", "delivered")
                push = phone.wait_events(1)[-1]
                check_eq((push["content"], push["tls"], push["proofs"]), (TEXT, True, ["psk"]))
                check("level=full auth=transport int=transport conf=transport" in gateway.ctl("push", "explain", "p1").stdout, "explain")
            else:
                gateway.wait_event("deliver.done", push_id="p1", result="retry")
                check_eq(phone.events(), [])
            gateway.stop()


main("msrp_passive")
