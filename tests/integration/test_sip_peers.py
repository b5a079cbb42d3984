"""Programs of other people: baresip as the user's device, alone and behind Kamailio, sipsak before ours, and tshark, which must read every message of
ours as it was meant.  Usage: test_sip_peers.py BUILD_DIR."""

import socket
import threading

import pcap
from baresip import Baresip
from gateway import Gateway, Terminal, make_identity, pap_push
from harness import case, check, check_eq, main
from sipnet import MARK, OPEN, ended, good, kamailio, route, socket_open
from sipuas import Device, Message, challenge_of

@case
def baresip_takes_a_push(bench):
    """It knows no envelope: the 415 makes the gateway send the text itself, and the user reads it, over UDP and TCP."""
    for transport in ("udp", "tcp"):
        phone = Baresip(bench, "<sip:alice@127.0.0.1:{port};transport=" + transport + ">;regint=0")
        gateway = Gateway(bench, route(f"sip:alice@127.0.0.1:{phone.port};transport={transport}"), whitelist=OPEN,
                          conf={"ota-sip.identity": "sip:push@ppg.example.net"})
        good(bench, gateway, "p1", "--method", "confirmed")
        target = ended(gateway, "p1", "delivered")
        check_eq((target["code"], target["tries"]), (1000, 1))
        phone.shows(f'sip:push@ppg.example.net: "{MARK}"')
        good(bench, gateway, "p2", text="<si/>", *("--type", "text/vnd.wap.si"))
        check_eq(ended(gateway, "p2", "aborted")["code"], 5030)
        gateway.stop()


@case
def baresip_in_the_network(bench):
    """It registers at Kamailio, with Digest; the gateway, which is challenged too, sends its push there."""
    port = kamailio(bench, 'if (!pv_www_authenticate("ims.example.net", "gate-secret", "0")) {{ www_challenge("ims.example.net", "0"); exit; }}')
    phone = Baresip(bench, f'<sip:alice@ims.example.net>;auth_pass=gate-secret;outbound="sip:127.0.0.1:{port};transport=udp";regint=600')
    bench.write("secret", "gate-secret\n", 0o600)
    gateway = Gateway(bench, "[terminal sip:alice@ims.example.net]\nroute = sip:alice@ims.example.net\nform = direct\n"
                      "login-user = ppg\nlogin-password-file = ../secret\n", whitelist=OPEN,
                      conf={"ota-sip.outbound-proxy": f"sip:127.0.0.1:{port};lr", "ota-sip.identity": "sip:ppg@ims.example.net",
                            "delivery.retry-first": "100ms", "delivery.retry-max": "100ms"})
    phone.shows("Expires 600s", "/reginfo\n")
    done = pap_push(bench, gateway, "--to", "sip:alice@ims.example.net", "--text", MARK, "--id", "p1")
    check_eq(done.returncode, 0, done.stdout + done.stderr)
    ended(gateway, "p1", "delivered")
    phone.shows(f'sip:ppg@ims.example.net: "{MARK}"')



class Curious(Device):
    """Asks back whoever sends it a MESSAGE, over the way that came, and keeps what it is told."""

    asks = ("OPTIONS sip:x@y SIP/2.0", "OPTIONS sip:x@y SIP/2.0", "SUBSCRIBE sip:x@y SIP/2.0", "FETCH sip:x@y SIP/2.0", "OPTIONS sip:x@y SIP/3.0", "OPTIONS http://y SIP/2.0")

    def before_it(self, message):
        lines = "\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK{i};rport\r\nMax-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\n" \
                "Call-ID: ask{i}\r\nCSeq: 1 {method}\r\n{more}Content-Length: 0\r\n\r\n"
        return [(ask + lines.format(i=i, method=ask.split()[0], more="Require: a, b\r\n" * (i == 1))).encode() for i, ask in enumerate(self.asks)], 0

    def __init__(self, bench, *script):
        super().__init__(bench, *script)
        self.before = lambda message: self.before_it(message) if message.method == "MESSAGE" else ([], 0)


def everything_sent(bench):
    """MESSAGEs of every form, over every transport, with credentials; REGISTERs; answers to requests, good and bad."""
    bench.write("secret", "gate-secret\n", 0o600)
    login = "login-user = ppg\nlogin-password-file = ../secret\n"
    asked = Curious(bench, (401, challenge_of("net", "n-1", "SHA-256")), 200)
    plain = Curious(bench, (407, challenge_of("net", "n-1", "MD5").replace("WWW", "Proxy")), 415, 200)
    octets = []
    for i, (device, more, conf) in enumerate((
            (asked, login, {"ota-sip.trusted-peers": "127.0.0.1", "ota-sip.service": "urn:urn-7:3gpp-service.ims.icsi.push"}),
            (plain, login + "form = direct\n", {"ota-sip.service": "urn:urn-7:3gpp-service.ims.icsi.push", "ota-sip.large-messages": "yes"}))):
        for transport in ("udp", "tcp"):
            gateway = Gateway(bench, route(f"sip:alice@127.0.0.1:{device.port};transport={transport}", more + "association-file = ../association\n"),
                              whitelist=OPEN, conf={"ota-sip.identity": "sip:push@ppg.example.net", **conf})
            for k, options in enumerate((("--priority", "high", "--app", "urn:example:app"), ("--protection", "full"),
                                         ("--before", "2037-01-01T00:00:00Z", "--method", "confirmed"))):
                good(bench, gateway, f"p{i}{transport}{k}", *options, text="long " * (200 * i) + "text")
                ended(gateway, f"p{i}{transport}{k}", "delivered")
            gateway.stop()
        octets += [m.octets for m in device.messages] + [m.octets for m in device.others]
    port = kamailio(bench, 'if (!pv_www_authenticate("ims.example.net", "gate-secret", "0")) {{ www_challenge("ims.example.net", "0"); exit; }}')
    relay = Wiretap(bench, port)
    phone = Terminal(bench, "--record", "sip:alice@ims.example.net", "--registrar", f"sip:127.0.0.1:{relay.port}", "--app",
                     "x-wap-application:wml.ua", "--proof", f"alice:{bench.path('secret')}", command="sip", association=False)
    check_eq(phone.wait_events(1, "registration")[0]["status"], 200)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(60)
        for request in asked.before_it(None)[0]:
            s.sendto(request, ("127.0.0.1", phone.port))
            octets.append(s.recv(65536))
    return octets + relay.sent


class Wiretap:
    """Passes datagrams of one client on to 127.0.0.1:port, and back; sent: those of the client."""

    def __init__(self, bench, port):
        self.sent, self.to = [], ("127.0.0.1", port)
        self.near, self.far = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        for s in (self.near, self.far):
            s.bind(("127.0.0.1", 0))
            bench.closers.append(s.close)
        self.port = self.near.getsockname()[1]
        self.client = None
        threading.Thread(target=self.pass_on, daemon=True).start()
        threading.Thread(target=self.pass_back, daemon=True).start()

    def pass_on(self):
        try:
            while True:
                octets, self.client = self.near.recvfrom(65536)
                self.sent.append(octets)
                self.far.sendto(octets, self.to)
        except OSError:
            pass

    def pass_back(self):
        try:
            while True:
                self.near.sendto(self.far.recv(65536), self.client)
        except OSError:
            pass


@case
def sipsak_asks_and_sends(bench):
    """To push-terminal: it takes the answer to OPTIONS and to a MESSAGE of its own for what they are, over UDP and TCP."""
    phone = Terminal(bench, command="sip", association=False)
    uri = f"sip:x@127.0.0.1:{phone.port}"
    text = "Good morning, sipsak"
    message = bench.write("message", f"MESSAGE {uri} SIP/2.0\r\nFrom: <sip:a@b>;tag=1\r\nTo: <{uri}>\r\nCall-ID: 1@x\r\nCSeq: 1 MESSAGE\r\n"
                          f"Max-Forwards: 70\r\nContent-Type: text/plain\r\nContent-Length: {len(text)}\r\n\r\n{text}")
    for transport in ("udp", "tcp"):
        for more in ([], ["-f", message]):
            done = bench.run("/usr/bin/sipsak", "-vv", "-E", transport, *more, "-s", uri)
            check(done.returncode == 0 and "SIP/2.0 200 OK" in done.stdout, done.stdout[-1000:] + done.stderr[-500:])
    check_eq([e["content"] for e in phone.wait_events(2)], [text] * 2)


@case
def tshark_reads_every_message(bench):
    """No malformed part, no expert's remark, and start line, CSeq and length as they are in the octets."""
    make_identity(bench)
    messages = everything_sent(bench)
    path = bench.path("wire.pcap")
    pcap.write(path, messages, port=5060)
    kinds = set()
    for octets, read in zip(messages, pcap.fields(bench, path), strict=True):
        message = Message(octets, "udp")
        kind = "request" if not message.start.startswith("SIP/") else message.start.split()[1]
        kinds.add(message.method if kind == "request" else kind)
        said = {name: [text.rpartition(": ")[2] for text, _ in read.get(name, ())] for name in
                ("sip.Request-Line", "sip.Status-Line", "sip.CSeq", "sip.Content-Length", "sip.Call-ID")}
        start = "sip.Request-Line" if kind == "request" else "sip.Status-Line"
        check_eq((said[start], said["sip.CSeq"], said["sip.Call-ID"], said["sip.Content-Length"]),
                 ([message.start], [message["CSeq"]], [message["Call-ID"]], [str(len(message.body))]), octets)
        remarks = [text for text, _ in read.get("_ws.malformed", []) + read.get("_ws.expert", [])]
        if b"\0" in message.body:  # it shows a body of a type that it does not know as text, which ends there
            remarks = [text for text in remarks if "Trailing stray characters" not in text]
        check_eq(remarks, [], octets)
    check_eq(kinds, {"MESSAGE", "REGISTER", "200", "405", "416", "420", "501", "505"})


main("sip_peers")
