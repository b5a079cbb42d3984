"""Pushes as SIP MESSAGE requests: gateway, and as the far end a device of our own, sipp, or Kamailio between both; tshark reads
what crossed.  Usage: test_sip.py BUILD_DIR."""

import socket
import ssl
import struct
import threading

import pcap
from gateway import INITIATORS, Gateway, Terminal, make_identity, pap_push
from harness import case, check, check_eq, free_port, main, needs_ipv6
from sipnet import ALICE, FULL, MARK, OPEN, SIPP_DEVICE, ended, good, kamailio, route
from sipuas import Device, Message, answer, challenge_of, digest_good


@case
def a_push_in_one_message(bench):
    """Over UDP; a 200 confirms it.  tshark agrees on every header."""
    device = Device(bench)
    uri = f"sip:alice@127.0.0.1:{device.port}"
    gateway = Gateway(bench, route(uri), whitelist=OPEN, conf={"ota-sip.identity": "sip:push@ppg.example.net"})
    good(bench, gateway, "p1", "--method", "confirmed", "--app", "x-wap-application:mms.ua")
    target = ended(gateway, "p1", "delivered")
    check_eq((target["code"], target["tries"]), (1000, 1))
    message = device.wait(1)[0]
    check_eq((message.start, message.over), (f"MESSAGE {uri} SIP/2.0", "udp"))
    check_eq((message["To"], message["CSeq"], message["Max-Forwards"]), ("<sip:alice@127.0.0.1>", "1 MESSAGE", "70"))
    check(message["From"].startswith("<sip:push@ppg.example.net>;tag="), message["From"])
    check_eq(message["Accept-Contact"], '*;+g.oma.pusheventapp="mms.ua";require;explicit')
    check_eq((message["Contact"], message["P-Asserted-Identity"], message["Request-Disposition"]), (None, None, "no-fork"))
    headers, content = message.envelope()
    check_eq((headers["Content-Type"], headers["X-Wap-Application-Id"], headers["X-Wap-Initiator-URI"], headers["Push-Flag"], content),
             ("text/plain", "x-wap-application:mms.ua", "https://news.example.com/today", "3", MARK.encode()))
    check(len(message.octets) <= 1300, len(message.octets))
    explained = gateway.ctl("push", "explain", "p1").stdout
    check("200 delivered" in explained and "sip" in explained, explained)
    path = bench.path("wire.pcap")
    pcap.write(path, [message.octets], port=5060)
    read = pcap.fields(bench, path)[0]

    def said(name):
        return [text.rpartition(": ")[2] for text, _ in read[name]]

    check_eq((said("sip.Method"), said("sip.r-uri.user"), said("sip.to.user"), said("sip.from.user"), said("sip.CSeq.method")),
             (["MESSAGE"], ["alice"], ["alice"], ["push"], ["MESSAGE"]))
    check_eq((said("sip.Via.transport"), said("sip.Max-Forwards"), said("sip.Content-Length")), (["UDP"], ["70"], [str(len(message.body))]))
    check("_ws.malformed" not in read and "_ws.expert" not in read, read.keys())


@case
def over_tcp(bench):
    device = Device(bench)
    gateway = Gateway(bench, route(f"sip:alice@localhost:{device.port};transport=tcp"), whitelist=OPEN)
    for push_id in ("p1", "p2"):
        good(bench, gateway, push_id)
        check_eq(ended(gateway, push_id, "delivered")["code"], 1000)
    check_eq([m.over for m in device.wait(2)], ["tcp"] * 2)
    check(device.messages[0]["Via"].startswith("SIP/2.0/TCP "), device.messages[0]["Via"])


@case
def over_tls(bench):
    """To a server of a good certificate; one of another domain hears nothing."""
    make_identity(bench)
    devices = []
    for name in ("DNS:localhost,URI:sip:localhost", "DNS:localhost,URI:sip:elsewhere.example"):
        bench.certificate(bench.authority, f"device{len(devices)}", name)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(bench.path(f"device{len(devices)}.crt"), bench.path(f"device{len(devices)}.key"))
        devices.append(Device(bench, tls=context))
    gateway = Gateway(bench, f"[terminal {ALICE}]\nroute = sips:alice@localhost:{devices[0].port}\n"
                      f"[terminal sip:bob@127.0.0.1]\nroute = sips:bob@localhost:{devices[1].port}\n", whitelist=OPEN)
    good(bench, gateway, "p1")
    ended(gateway, "p1", "delivered")
    check_eq((devices[0].messages[0].over, devices[0].messages[0]["To"]), ("tls", "<sips:alice@localhost>"))
    done = pap_push(bench, gateway, "--to", "sip:bob@127.0.0.1", "--text", MARK, "--id", "p2")
    check_eq(done.returncode, 0, done.stdout + done.stderr)
    gateway.wait_event("deliver.done", push_id="p2", note="TLS: cert-name")
    check_eq(devices[1].messages, [])


@case
def over_ipv6(bench):
    needs_ipv6()
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
        s.bind(("::1", 0))
        s.settimeout(60)
        port = s.getsockname()[1]
        gateway = Gateway(bench, f"[terminal {ALICE}]\nroute = sip:alice@[::1]:{port}\n", whitelist=OPEN,
                          conf={"ota-sip.identity": "sip:push@[2001:db8::1]"})
        good(bench, gateway, "p1")
        octets, sender = s.recvfrom(65536)
        message = Message(octets, "udp")
        s.sendto(answer(message, 200), sender)
        check_eq(ended(gateway, "p1", "delivered")["code"], 1000)
        check_eq((message.start, message["To"]), (f"MESSAGE sip:alice@[::1]:{port} SIP/2.0", "<sip:alice@[::1]>"))
        check(message["Via"].startswith(f"SIP/2.0/UDP [2001:db8::1]:{sender[1]};branch=z9hG4bK"), message["Via"])


@case
def sealed_goes_through(bench):
    """TLS or not: what must be protected is sealed, and nothing of it is outside; without association nothing leaves."""
    make_identity(bench)
    device = Device(bench)
    uri = f"sip:alice@127.0.0.1:{device.port}"
    gateway = Gateway(bench, route(uri, "association-file = ../association\nform = direct\n")
                      + f"[terminal sip:bob@127.0.0.1]\nroute = sips:bob@localhost:{device.port}\n", whitelist=FULL)
    good(bench, gateway, "p1")
    ended(gateway, "p1", "delivered")
    message = device.wait(1)[0]
    check_eq(message["Content-Type"], "application/x-push-gpl-a1")
    check(MARK.encode() not in message.octets and b"news.example.com" not in message.octets, message.octets)
    check("conf=gpl" in gateway.ctl("push", "explain", "p1").stdout, gateway.ctl("push", "explain", "p1").stdout)
    done = pap_push(bench, gateway, "--to", "sip:bob@127.0.0.1", "--text", MARK, "--id", "p2")
    check("2005" in done.stdout + done.stderr, done)
    check_eq(len(device.messages), 1)


@case
def challenged(bench):
    """The password is asked for with both algorithms; a wrong one is tried once."""
    make_identity(bench)
    for algorithm in ("MD5", "SHA-256"):
        device = Device(bench, (401, challenge_of("net", "n-1", algorithm)), 200)
        login = "login-user = ppg\nlogin-password-file = ../password\n"
        gateway = Gateway(bench, route(f"sip:alice@127.0.0.1:{device.port}", login), whitelist=OPEN)
        good(bench, gateway, "p1")
        check_eq(ended(gateway, "p1", "delivered")["tries"], 1)
        first, second = device.messages
        check(digest_good(second, "ppg", "correct-horse-7391", "net", "n-1", algorithm), second["Authorization"])
        check_eq((second["CSeq"], second["Call-ID"], second["From"]), ("2 MESSAGE", first["Call-ID"], first["From"]))
        check(second["Via"] != first["Via"], "another branch")
        gateway.stop()
    device = Device(bench, (401, challenge_of("net", "n-1", "MD5")))
    gateway = Gateway(bench, route(f"sip:alice@127.0.0.1:{device.port}", login), whitelist=OPEN)
    good(bench, gateway, "p1")
    check_eq(ended(gateway, "p1", "undeliverable")["code"], 4000)
    check_eq(len(device.messages), 2)


@case
def what_the_far_end_says(bench):
    for said, state, code in ((202, "delivered", 1000), (404, "undeliverable", 2002), (603, "aborted", 5027), (415, "aborted", 5030)):
        device = Device(bench, said)
        gateway = Gateway(bench, route(f"sip:alice@127.0.0.1:{device.port}"), whitelist=OPEN)
        good(bench, gateway, "p1")
        check_eq(ended(gateway, "p1", state)["code"], code, said)
        check_eq(len(device.messages), 2 if said == 415 else 1, said)
        gateway.stop()


@case
def it_waits_as_long_as_it_is_asked_to(bench):
    for said in ((480, "Retry-After: 2"), (413, "Retry-After: 2"), (491, "Retry-After: 2")):
        device = Device(bench, said, 200)
        gateway = Gateway(bench, route(f"sip:alice@127.0.0.1:{device.port}"), whitelist=OPEN)
        good(bench, gateway, "p1")
        check(gateway.wait_event("target.retry", push_id="p1")["in_ms"] >= 1900, "a pause of two seconds")
        check_eq(ended(gateway, "p1", "delivered")["tries"], 2)


@case
def lost_messages_are_sent_again(bench):
    """Octet for octet, by the transaction; the push has one try."""
    device = Device(bench, None, None, 200)
    gateway = Gateway(bench, route(f"sip:alice@127.0.0.1:{device.port}"), whitelist=OPEN)
    good(bench, gateway, "p1")
    check_eq(ended(gateway, "p1", "delivered")["tries"], 1)
    check_eq({m.octets for m in device.messages}, {device.messages[0].octets})
    check_eq(len(device.messages), 3)


@case
def one_message_to_a_uri_at_a_time(bench):
    device = Device(bench, None, None, 200)
    gateway = Gateway(bench, route(f"sip:alice@127.0.0.1:{device.port}"), whitelist=OPEN)
    good(bench, gateway, "p1", text="first")
    device.wait(1)
    good(bench, gateway, "p2", text="second")
    ended(gateway, "p2", "delivered")
    check_eq([m.envelope()[1] for m in device.messages], [b"first"] * 3 + [b"second"])


@case
def larger_than_a_message_may_be(bench):
    """Not over 1300 octets, unless the path is known to take them; then over TCP."""
    device = Device(bench)
    gateway = Gateway(bench, route(f"sip:alice@127.0.0.1:{device.port}"), whitelist=OPEN)
    good(bench, gateway, "p1", text="x" * 1000)
    check_eq(ended(gateway, "p1", "undeliverable")["code"], 2006)
    check_eq(device.messages, [])
    gateway.write_conf(ota_sip__large_messages="yes")
    check_eq(gateway.ctl("reload").returncode, 0)
    gateway.settle()
    good(bench, gateway, "p2", text="x" * 5000)
    check_eq(ended(gateway, "p2", "delivered")["code"], 1000)
    check_eq((device.messages[0].over, device.messages[0]["Via"][:11]), ("tcp", "SIP/2.0/TCP"))


def sipp_is_the_device(bench, transport, mode):
    count = 20
    port = free_port()
    sipp = bench.start("/usr/bin/sipp", "-sf", bench.write("uas.xml", SIPP_DEVICE), "-i", "127.0.0.1", "-p", str(port), "-t", mode, "-m",
                       str(count), "-nostdin", "-trace_err", "-error_file", bench.path("sipp.errors"))
    gateway = Gateway(bench, route(f"sip:alice@127.0.0.1:{port};transport={transport}"), whitelist=OPEN)
    for i in range(count):
        good(bench, gateway, f"p{i}")
    for i in range(count):
        check_eq(ended(gateway, f"p{i}", "delivered")["code"], 1000)
    check_eq(sipp.wait(), 0, sipp.out()[-2000:])


@case
def sipp_is_the_device_over_udp(bench):
    sipp_is_the_device(bench, "udp", "u1")


@case
def sipp_is_the_device_over_tcp(bench):
    sipp_is_the_device(bench, "tcp", "t1")


@case
def kamailio_is_the_network(bench):
    """An operator's proxy and registrar between: it challenges the gateway, looks the device up and relays; who is not registered is
    2002."""
    device = Device(bench)
    port = kamailio(bench)
    device.register("ims.example.net", port, "alice")
    bench.write("secret", "gate-secret\n", 0o600)
    login = "login-user = ppg\nlogin-password-file = ../secret\n"
    for transport in ("udp", "tcp"):
        gateway = Gateway(bench, "".join(f"[terminal sip:{who}@ims.example.net]\nroute = sip:{who}@ims.example.net\n{login}"
                                         for who in ("alice", "bob")), whitelist=OPEN,
                          conf={"ota-sip.outbound-proxy": f"sip:127.0.0.1:{port};lr;transport={transport}",
                                "ota-sip.identity": "sip:ppg@ims.example.net", "ota-sip.trusted-peers": "127.0.0.1"})
        for who, state, code in (("alice", "delivered", 1000), ("bob", "undeliverable", 2002)):
            done = pap_push(bench, gateway, "--to", f"sip:{who}@ims.example.net", "--text", MARK, "--id", who)
            check_eq(done.returncode, 0, done.stdout + done.stderr)
            check_eq(ended(gateway, who, state)["code"], code, f"{who} {transport}")
        gateway.stop()
    check_eq(len(device.messages), 2)
    for message in device.messages:
        check_eq((message.envelope()[1], message["Proxy-Authorization"]), (MARK.encode(), None))
        check_eq(message["P-Asserted-Identity"], "<sip:ppg@ims.example.net>")
        check_eq(len(message.headers.get_all("Via")), 2, "the proxy's and ours")


def dns_answer(question, rows):
    """What a DNS server says that has these (name, type, data) rows (RFC 1035 §4)."""
    at, labels = 12, []
    while question[at]:
        labels.append(question[at + 1:at + 1 + question[at]].decode().lower())
        at += 1 + question[at]
    kind = int.from_bytes(question[at + 1:at + 3], "big")
    found = [data for name, type_, data in rows if name == ".".join(labels) and type_ == kind]
    head = question[:2] + struct.pack(">HHHHH", 0x8180 if found else 0x8183, 1, len(found), 0, 0)
    return head + question[12:at + 5] + b"".join(struct.pack(">HHHIH", 0xC00C, kind, 1, 60, len(d)) + d for d in found)


def labels_of(name):
    return b"".join(bytes([len(x)]) + x.encode() for x in name.split(".")) + b"\0"


def text_of(*texts):
    return b"".join(bytes([len(x)]) + x.encode() for x in texts)


@case
def the_network_is_found_by_its_name(bench):
    """NAPTR to TCP, SRV to two servers of which the first is down (RFC 3263)."""
    device = Device(bench)
    down = free_port()
    rows = [("net.example", 35, struct.pack(">HH", 10, 0) + text_of("s", "SIP+D2T", "") + labels_of("_sip._tcp.net.example")),
            ("net.example", 35, struct.pack(">HH", 20, 0) + text_of("s", "SIP+D2U", "") + labels_of("_sip._udp.net.example")),
            ("_sip._tcp.net.example", 33, struct.pack(">HHH", 1, 0, down) + labels_of("localhost")),
            ("_sip._tcp.net.example", 33, struct.pack(">HHH", 2, 0, device.port) + labels_of("localhost"))]
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    bench.closers.append(server.close)

    def serve():
        try:
            while True:
                question, sender = server.recvfrom(4096)
                server.sendto(dns_answer(question, rows), sender)
        except OSError:
            pass

    threading.Thread(target=serve, daemon=True).start()
    gateway = Gateway(bench, route("sip:alice@net.example"), whitelist=OPEN, conf={"ota-sip.dns": f"127.0.0.1:{server.getsockname()[1]}"})
    good(bench, gateway, "p1")
    check_eq(ended(gateway, "p1", "delivered")["tries"], 1)
    check_eq((device.messages[0].over, device.messages[0].start), ("tcp", "MESSAGE sip:alice@net.example SIP/2.0"))


@case
def initiator_and_trust_are_disclosed(bench):
    """PTM-19 over SIP: the envelope names the initiator, and its flags say "authenticated" of the URI that its account may claim, and
    only of that."""
    device = Device(bench)
    gateway = Gateway(bench, route(f"sip:alice@127.0.0.1:{device.port}"), whitelist=OPEN)
    for i, (uri, flags) in enumerate((("https://news.example.com/a", "3"), ("https://bank.example/", "2"))):
        done = pap_push(bench, gateway, "--to", ALICE, "--text", MARK, "--id", f"p{i}", "--initiator-uri", uri)
        check_eq(done.returncode, 0, done.stdout + done.stderr)
        headers, _ = device.wait(i + 1)[i].envelope()
        check_eq((headers["X-Wap-Initiator-URI"], headers["Push-Flag"]), (uri, flags))


@case
def only_the_trusted(bench):
    """PTM-20 over SIP: a terminal that wants trusted content only gets it from the trusted initiator and drops the other's."""
    phone = Terminal(bench, "--trusted-only", "--require", "full", command="sip")
    gateway = Gateway(bench, route(f"sip:alice@127.0.0.1:{phone.port}", "association-file = ../association\n"),
                      whitelist=FULL + "allow other sip:*@127.0.0.1 * protect=full\n",
                      initiators=INITIATORS + "[initiator other]\ncertificate = URI:https://other.example.com\n")
    bench.certificate(bench.authority, "other", "URI:https://other.example.com")
    done = bench.run("pap-push", "submit", "--url", gateway.tls_url, "--ca", bench.path("ca.crt"), "--cert", bench.path("other.crt"), "--key",
                     bench.path("other.key"), "--to", ALICE, "--text", "from another", "--id", "p1")
    check_eq(done.returncode, 0, done.stdout + done.stderr)
    check_eq(phone.wait_events(1, "dropped")[0]["reason"], "untrusted")
    check_eq(ended(gateway, "p1", "aborted")["code"], 5027)
    good(bench, gateway, "p2")
    check_eq([(e["content"], e["trusted"]) for e in phone.wait_events(1)], [(MARK, True)])


@case
def routes_that_cannot_be(bench):
    """Told by line and key, and nothing starts."""
    gateway = Gateway(bench, route("sip:alice@x;transport=sctp"), start=False,
                      conf={"ota-sip.identity": "sip:push", "ota-sip.outbound-proxy": "sip:proxy.example.net",
                            "ota-sip.dns": "ns.example.net"})
    done = bench.run("ppgd", "-c", gateway.path("ppg.conf"), "--check-config")
    check_eq(done.returncode, 1, done.stdout + done.stderr)
    for what in ("terminals.conf:2: route: not like sip:", "identity: not a SIP URI of user and host alone", "outbound-proxy: without ;lr", "dns: not addresses"):
        check(what in done.stdout + done.stderr, (what, done.stdout + done.stderr))


main("sip")
