"""Terminals that are asked in a datagram to call (session initiation): what tshark reads in it, how often it comes, and that what
was pushed arrives over the line that the terminal opens then.  The terminal is a plain UDP socket and a plain TCP one.
Usage: test_wake.py BUILD_DIR."""

import socket
import struct

import pcap
from callers import ID, NONE, TAKEN, Caller, Doors, Hand, registered, with_certificate
from gateway import good_push, pap_push
from harness import case, check, check_eq, free_port, main, wait_until

QUICK = {"ota_http__wake_first": "1500ms", "ota_http__wake_tries": "3"}


class Ear:
    """The terminal's socket for datagrams."""

    def __init__(self, bench):
        self.s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.s.bind(("127.0.0.1", 0))
        self.s.settimeout(60)
        bench.closers.append(self.s.close)
        self.port = self.s.getsockname()[1]

    def hear(self):
        return self.s.recv(65536)

    def silent(self):
        """Nothing has come that was not heard yet."""
        self.s.settimeout(0)
        try:
            return not self.s.recv(65536)
        except BlockingIOError:
            return True
        finally:
            self.s.settimeout(60)


def sleepy(bench, ear, section=NONE, **conf):
    """A gateway that knows its own door and where the terminal sleeps."""
    gateway = Doors(bench, section + f"wake = wap://127.0.0.1:{ear.port}\n", **{"ota_http__wake_first": "5min", **conf})
    gateway.write_conf(ota_http__contacts=f"127.0.0.1:{gateway.door}, [2001:db8::1]:4036")
    check_eq(gateway.ctl("reload").returncode, 0)
    gateway.settle()
    return gateway


def read(sia):
    """The contact points of a SIA of version 1 over OTA-HTTP, and its tags, by hand: ([(bearer, port, address)], [tag])."""
    at = 0

    def take(n):
        nonlocal at
        at += n
        return sia[at - n:at]

    check_eq(take(1), b"\x01", "version")
    take(take(1)[0])  # applications
    check_eq(take(1), b"\x00", "contact points over WSP")
    end, contacts = take(1)[0] + at, []
    while at < end:
        first = take(1)[0]
        check_eq(first & 0xC0, 0xC0, "bearer and port")
        contacts.append((take(1)[0], struct.unpack(">H", take(2))[0], take(first & 0x3F)))
    options = take(take(1)[0])
    take(take(1)[0])
    tags = [take(4) for _ in range(take(1)[0])]
    check_eq((at, len(options)), (len(sia), len(contacts)))
    check_eq(len(tags), sum(options))
    return contacts, tags


@case
def a_push_wakes_its_terminal(bench):
    ear = Ear(bench)
    gateway = sleepy(bench, ear)
    done = pap_push(bench, gateway, "--to", "+15550100", "--text", "number 0", "--id", "p0", "--app", "x-wap-application:mms.ua")
    check_eq(done.returncode, 0, done.stdout + done.stderr)
    ids = ["p0"] + [good_push(bench, gateway, content=f"number {n}") for n in (1, 2)]
    datagram = ear.hear()
    check_eq(datagram[6:9], b"\x01\x01\x84", "for x-wap-application:mms.ua, as the first push was")
    path = bench.path("sia.pcap")  # without the list of applications: tshark takes it for header fields, the field for bare values
    pcap.write(path, [datagram[:7] + b"\0" + datagram[9:]])
    found = pcap.fields(bench, path)[0]
    check_eq(found["wsp.pdu_type"][0][1], "06")
    check("application/vnd.wap.sia" in str(found["wsp.header.content_type"]), found["wsp.header.content_type"])
    check_eq(found["wsp.header.x_wap_application_id"][0][0].split(": ")[1], "x-wap-application:push.sia")
    check_eq(datagram[1:6], bytes.fromhex("0603b4af81"), "Push, three octets of headers, SIA, application 1")
    contacts, tags = read(datagram[6:])
    check_eq(contacts, [(0, gateway.door, b"\x7f\0\0\x01"), (1, 4036, socket.inet_pton(socket.AF_INET6, "2001:db8::1"))])
    check_eq(tags, [], "of a terminal that nothing is known of")
    check("Malformed" not in str(found), found)
    check_eq([v for _, v in found["wap.sir.version"]], ["01"])
    check_eq([v for _, v in found["wap.sir.wsp_contact_points.length"]], ["00"])
    check_eq(found["wsp.address.ipv4"], [("IPv4 Address: 127.0.0.1", "7f000001")])
    check_eq([v for _, v in found["wap.sir.protocol_options"]], ["00", "00"])
    bearer, port, address = contacts[0]
    hand = Hand(bench, port, lambda method, head: registered(ID) if method == "OPTIONS" else TAKEN)
    for push_id in ids:
        gateway.wait_state(push_id, "delivered")
    check_eq([h.split(" ")[0] for h in hand.heads], ["OPTIONS"] + 3 * ["POST"])
    check(ear.silent(), "one datagram for three pushes")
    check_eq((bearer, address), (0, b"\x7f\0\0\x01"))


@case
def what_is_known_travels_as_a_tag(bench):
    """The tag of the registration before, as four octets; one that is no base64 of four is left out."""
    for tag, want in (("q83vEg==", [bytes.fromhex("abcdef12")] * 2), ("5e1f7a04", [])):
        ear = Ear(bench)
        gateway = sleepy(bench, ear)
        hand = Hand(bench, gateway.door, lambda method, head: registered(ID).replace(b"q83vEg==", tag.encode()))
        gateway.wait_event("ota.called")
        hand.s.shutdown(socket.SHUT_RDWR)
        gateway.wait_event("ota.hangup")
        good_push(bench, gateway)
        check_eq(read(ear.hear()[6:])[1], want)


@case
def nobody_is_asked_for_ever(bench):
    ear = Ear(bench)
    gateway = sleepy(bench, ear, **QUICK)
    push_id = good_push(bench, gateway)
    heard = [ear.hear() for _ in range(3)]
    check_eq(len({d[2:] for d in heard}), 1, "the same each time")
    good_push(bench, gateway)
    gateway.wait_event("terminal.wake", 3)
    check_eq([e["try"] for e in gateway.events("terminal.wake")], [1, 2, 3])
    check_eq(gateway.show(push_id)["targets"][0]["state"], "pending")
    check_eq(gateway.show(push_id)["targets"][0]["tries"], 0, "an invitation is no attempt")
    wait_until(lambda: good_push(bench, gateway) and not ear.silent(), "a later push asks anew")
    Hand(bench, gateway.door, lambda method, head: registered(ID) if method == "OPTIONS" else TAKEN)
    gateway.wait_state(push_id, "delivered")


@case
def a_refused_connection_falls_back_to_a_call(bench):
    """PO-TCP first; when nobody listens there, the terminal is asked to open the line."""
    ear = Ear(bench)
    section = NONE.replace("\n", f"\nroute = http://127.0.0.1:{free_port()}\n", 1)
    gateway = sleepy(bench, ear, section)
    push_id = good_push(bench, gateway)
    ear.hear()
    check_eq(gateway.show(push_id)["targets"][0]["state"], "pending")
    Hand(bench, gateway.door, lambda method, head: registered(ID) if method == "OPTIONS" else TAKEN)
    gateway.wait_state(push_id, "delivered")
    row = gateway.ctl("--json", "terminal", "show", "+15550100").stdout
    check('"reached": "http, calls in, woken by wap"' in row and '"woken_at": "127.0.0.1"' in row, row)


@case
def a_wap_route_of_one_that_calls_is_for_that(bench):
    """No content goes that way, so that a push that must be confirmed is possible."""
    ear = Ear(bench)
    gateway = Doors(bench, "[terminal +15550100]\ncalls-in = tls\ncall-proof = certificate\n"
                    f"call-certificate = URI:https://phone.example.com\nroute = wap://127.0.0.1:{ear.port}\n")
    push_id = good_push(bench, gateway, content="Hello")
    gateway.wait_event("wake.impossible", why="[ota-http] contacts is not set")
    check(ear.silent(), "an invitation to nowhere")
    gateway.write_conf(ota_http__contacts=f"127.0.0.1:{gateway.tls_door}")
    check_eq(gateway.ctl("reload").returncode, 0)
    gateway.settle()
    more = good_push(bench, gateway, content="Hello")
    check(b"Hello" not in ear.hear(), "content in a datagram")
    Caller(bench, gateway, *with_certificate(bench)).wait_events(2)
    for one in (push_id, more):
        gateway.wait_state(one, "delivered")


@case
def mistakes_are_told(bench):
    gateway = Doors(bench, NONE)
    for text, why in ((NONE + "wake = http://h:1\n", "not HOST[:PORT] behind wap:// or waps://"), (NONE + "wake = wap://h\npsk-identity = a\npsk-file = ../phone.password\n", "the file holds no key"),
                      ("[terminal +1]\nroute = http://h:1\nwake = wap://h\n", "calls-in = tls or any"),
                      (NONE + "tls-name = h\nwake = wap://h\n", "tls-name is for https and waps routes")):
        gateway.write("terminals.conf", text)
        done = gateway.ctl("reload")
        check(done.returncode == 1 and why in done.stderr, (text, done.stderr))


main("wake")
