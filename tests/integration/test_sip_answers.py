"""What comes back to a MESSAGE: every kind of status, answers of strangers, and answers in every form that the grammar has.
Usage: test_sip_answers.py BUILD_DIR."""

import socket

from gateway import Gateway, pap_push
from harness import case, check, check_eq, main, wait_until
from sipnet import MARK, OPEN, ended, good, route
from sipuas import Device, Message, answer, whole

# Status: PAP state and code.  5027 and 5030 are the recipient's, 2002 is the address, 2006 what the device can do.
FINAL = {200: ("delivered", 1000), 202: ("delivered", 1000), 299: ("delivered", 1000),
         **dict.fromkeys((300, 380, 404, 410, 414, 416, 484, 485, 604), ("undeliverable", 2002)),
         **dict.fromkeys((305, 399), ("undeliverable", 2002)),
         **dict.fromkeys((400, 401, 402, 403, 407, 420, 421, 482, 483, 493, 494, 499, 505), ("undeliverable", 4000)),
         **dict.fromkeys((405, 413, 501, 513), ("undeliverable", 2006)),
         **dict.fromkeys((406, 415, 488, 606), ("aborted", 5030)),
         **dict.fromkeys((603, 607, 699), ("aborted", 5027))}
HELD = (408, 430, 480, 481, 486, 487, 500, 502, 503, 504, 580, 599, 600)


class ByName(Device):
    """Answers each MESSAGE with the number in its user part, Retry-After where that says "later"."""

    def reply(self, octets, over):
        message = Message(octets, over)
        user = message.start.split(":")[1].split("@")[0]
        with self.lock:
            self.messages.append(message)
        return answer(message, int(user[:3]), *(("Retry-After: 77;duration=5",) if user.endswith("later") else ()))


def address(user):
    return f"sip:{user}@127.0.0.1"


def push_to(bench, gateway, push_id, users, *options):
    done = pap_push(bench, gateway, *(word for user in users for word in ("--to", address(user))), "--text", MARK, "--id", push_id, *options)
    check_eq(done.returncode, 0, done.stdout + done.stderr)


def targets_of(gateway, push_id):
    """{user: target}"""
    return {t["address"].split("%3A")[1].split("%40")[0]: t for t in gateway.show(push_id)["targets"]}


@case
def every_status(bench):
    """Each status class of RFC 3261 §21, statuses nobody has heard of too, over UDP and TCP: final ones end a push as the table says."""
    device = ByName(bench)
    users = [f"{status}{over}" for status in FINAL for over in ("udp", "tcp")]
    gateway = Gateway(bench, "".join(f"[terminal {address(u)}]\nroute = sip:{u}@127.0.0.1:{device.port};transport={u[3:]}\n" for u in users),
                      whitelist=OPEN)
    push_to(bench, gateway, "p1", users)
    wait_until(lambda: all(t["state"] not in ("pending", "submitted") for t in targets_of(gateway, "p1").values()), "every end")
    got = targets_of(gateway, "p1")
    for user in users:
        check_eq((got[user]["state"], got[user]["code"]), FINAL[int(user[:3])], user)
    asked = [m.start.split(":")[1].split("@")[0] for m in device.messages]
    for user in users:
        twice = int(user[:3]) in (406, 415, 488, 606)  # in the other form
        check_eq(asked.count(user), 2 if twice else 1, user)


@case
def every_status_that_passes(bench):
    """Those of now but not of ever keep the push, for as long as Retry-After says where it is there."""
    device = ByName(bench)
    users = [f"{status}{when}" for status in HELD for when in ("soon", "later")]
    gateway = Gateway(bench, "".join(f"[terminal {address(u)}]\nroute = sip:{u}@127.0.0.1:{device.port}\n" for u in users), whitelist=OPEN,
                      conf={"delivery.retry-first": "30s", "delivery.retry-max": "10min"})
    push_to(bench, gateway, "p1", users)
    retries = wait_until(lambda: len(e := gateway.events("target.retry", push_id="p1")) >= len(users) and e, "every retry")
    check_eq({t["state"] for t in targets_of(gateway, "p1").values()}, {"pending"})
    check_eq(sum(e["in_ms"] >= 76000 for e in retries), len(HELD), [e["in_ms"] for e in retries])


@case
def what_must_be_confirmed(bench):
    """202 is a relay's word and 405 says that nothing can confirm."""
    device = ByName(bench)
    users = ("200", "202", "405", "501")
    gateway = Gateway(bench, "".join(f"[terminal {address(u)}]\nroute = sip:{u}@127.0.0.1:{device.port}\n" for u in users), whitelist=OPEN)
    push_to(bench, gateway, "p1", users, "--method", "confirmed")
    gateway.wait_event("target.retry", push_id="p1")
    got = wait_until(lambda: (t := targets_of(gateway, "p1")) and sum(x["state"] != "pending" for x in t.values()) == 3 and t, "three ends")
    check_eq([(got[u]["state"], got[u]["code"]) for u in ("200", "405", "501")],
             [("delivered", 1000), ("undeliverable", 3007), ("undeliverable", 3007)])
    check_eq(got["202"]["state"], "pending")


class Scripted(Device):
    """Sends what `octets_of(message)` makes, piece by piece; strangers: from another socket, before."""

    def __init__(self, bench, pieces_of, strangers=lambda message: ()):
        self.pieces_of, self.strangers = pieces_of, strangers
        super().__init__(bench)

    def take_datagrams(self):
        try:
            while True:
                octets, sender = self.udp.recvfrom(65536)
                message = Message(octets, "udp")
                if octets in {m.octets for m in self.messages}:
                    continue  # it has crossed the answer, which is on its way
                self.messages.append(message)
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
                    other.bind(("127.0.0.1", 0))
                    for strange in self.strangers(message):
                        other.sendto(strange, sender)
                for piece in self.pieces_of(message):
                    self.udp.sendto(piece, sender)
        except OSError:
            pass

    def take_stream(self, client):
        octets = b""
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while data := client.recv(65536):
                octets = (octets + data).lstrip(b"\r\n")  # of pings' answers
                while n := whole(octets):
                    message = Message(octets[:n], "tcp")
                    octets = octets[n:]
                    self.messages.append(message)
                    for piece in self.pieces_of(message):
                        client.sendall(piece)
        except OSError:
            pass


def changed(octets, old, new):
    check(old in octets, (old, octets))
    return octets.replace(old, new, 1)


def not_ours(message):
    """Answers that match nothing: another branch, another method, more than our Via, none, and what only looks like an answer."""
    no = answer(message, 404)
    branch = message["Via"].split("branch=")[1].split(";")[0].encode()
    via = f"Via: {message['Via']}\r\n".encode()
    return [changed(no, branch, branch[:-1] + (b"0" if branch[-1:] != b"0" else b"1")), changed(no, branch, b"z9hG4bK"),
            changed(no, b" MESSAGE\r\n", b" OPTIONS\r\n"), changed(no, b" MESSAGE\r\n", b" message\r\n"), changed(no, via, via + via),
            changed(no, via, via[:-2] + b", SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"), changed(no, via, b""), changed(no, b"CSeq: 1 ", b"CSeq: 4294967297 "),
            changed(no, b"SIP/2.0 404", b"SIP/2.0 1404"), changed(no, b"SIP/2.0 404", b"SIP/3.0 404"), changed(no, b"Call-ID", b"X-Call-ID")]


@case
def answers_that_are_not_ours(bench):
    """Nothing but the answer ends a push, and nobody but the peer gives one (RFC 3261 §17.1.3, §18.1.2)."""
    device = Scripted(bench, lambda m: [*not_ours(m), answer(m, 200)], strangers=lambda m: [answer(m, 603)])
    gateway = Gateway(bench, route(f"sip:alice@127.0.0.1:{device.port}"), whitelist=OPEN)
    good(bench, gateway, "p1")
    target = ended(gateway, "p1", "delivered")
    check_eq((target["code"], target["tries"], len(device.messages)), (1000, 1, 1))


def in_other_words(message, status=b"200 "):
    """The same said with compact names, folded, with what does not belong there: Contact and a body (RFC 3428 §7)."""
    via = message["Via"].replace(";rport", ";rport=5060;received=127.0.0.1").encode()
    return (b"SIP/2.0 " + status + b"\r\nv:\r\n " + via.replace(b";branch", b"\r\n\t;branch") + b"\r\nF:" + message["From"].encode() + b"\r\nt : "
            + message["To"].encode() + b"\r\n ;tag=1\r\ni:" + message["Call-ID"].encode() + b"\r\ncSeQ:1\r\n MESSAGE\r\nm: <sip:x@192.0.2.1>\r\n"
            b"k: x, y\r\nX-Odd: ;;,\"\r\nc: text/plain\r\nl: 5\r\n\r\nhello")


@case
def answers_in_other_words(bench):
    device = Scripted(bench, lambda m: [in_other_words(m)])
    for transport in ("udp", "tcp"):
        gateway = Gateway(bench, route(f"sip:alice@127.0.0.1:{device.port};transport={transport}"), whitelist=OPEN)
        good(bench, gateway, transport)
        target = ended(gateway, transport, "delivered")
        check_eq((target["code"], target["tries"]), (1000, 1))
        gateway.stop()
    check_eq([m["Contact"] for m in device.messages], [None, None])


@case
def answers_in_pieces(bench):
    """On a connection octet by octet, with pings before and behind, and two at once (RFC 3261 §7.5, RFC 5626 §3.5.1)."""
    device = Scripted(bench, lambda m: [bytes([octet]) for octet in b"\r\n\r\n" + in_other_words(m, b"100 ") + b"\r\n\r\n" + in_other_words(m)]
                      + [in_other_words(m) + b"\r\n\r\n" + answer(m, 404)])
    gateway = Gateway(bench, route(f"sip:alice@127.0.0.1:{device.port};transport=tcp"), whitelist=OPEN)
    for i in range(3):
        good(bench, gateway, f"p{i}")
        check_eq(ended(gateway, f"p{i}", "delivered")["tries"], 1)


@case
def a_connection_that_makes_no_sense_ends(bench):
    """A length beyond all bounds, none, two: nobody knows where the next message begins; it is sent again on a new connection."""
    broken = [lambda m, to=to: changed(answer(m, 200), b"Content-Length: 0", to)
              for to in (b"Content-Length: 99999999999", b"Content-Length: -1", b"Subject: none", b"Content-Length: 0\r\nl: 1")]
    device = Scripted(bench, lambda m: [(broken.pop(0) if broken else lambda m: answer(m, 200))(m)])
    gateway = Gateway(bench, route(f"sip:alice@127.0.0.1:{device.port};transport=tcp"), whitelist=OPEN,
                      conf={"delivery.retry-first": "100ms", "delivery.retry-max": "100ms"})
    good(bench, gateway, "p1")
    check_eq(ended(gateway, "p1", "delivered")["tries"], 5)


@case
def identity_is_for_the_trusted(bench):
    """A next hop in the trust domain is told who we are and for which service; where it sends us on to is not."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as elsewhere:
        elsewhere.bind(("127.0.0.2", 0))
        elsewhere.settimeout(60)
        device = Device(bench, (302, f"Contact: <sip:alice@127.0.0.2:{elsewhere.getsockname()[1]}>"))
        urn = "urn:urn-7:3gpp-service.ims.icsi.push"
        gateway = Gateway(bench, route(f"sip:alice@127.0.0.1:{device.port}"), whitelist=OPEN,
                          conf={"ota-sip.trusted-peers": "127.0.0.1", "ota-sip.identity": "sip:push@ppg.example.net", "ota-sip.service": urn})
        good(bench, gateway, "p1")
        octets, sender = elsewhere.recvfrom(65536)
        second = Message(octets, "udp")
        elsewhere.sendto(answer(second, 200), sender)
        check_eq(ended(gateway, "p1", "delivered")["code"], 1000)
    names = ("P-Asserted-Identity", "P-Asserted-Service", "P-Preferred-Service")
    check_eq([device.messages[0][name] for name in names], ["<sip:push@ppg.example.net>", urn, None])
    check_eq([second[name] for name in names], [None, None, urn])


@case
def exactly_1300(bench):
    """A request of 1300 octets is a MESSAGE, one of 1301 is none (RFC 3428 §8)."""
    device = Device(bench)
    gateway = Gateway(bench, route(f"sip:alice@127.0.0.1:{device.port}"), whitelist=OPEN)
    good(bench, gateway, "p0", text="x" * 500)
    ended(gateway, "p0", "delivered")
    room = 1300 - len(device.messages[0].octets)
    good(bench, gateway, "p1", text="x" * (500 + room))
    check_eq(ended(gateway, "p1", "delivered")["code"], 1000)
    check_eq(len(device.messages[1].octets), 1300)
    good(bench, gateway, "p2", text="x" * (501 + room))
    check_eq(ended(gateway, "p2", "undeliverable")["code"], 2006)
    check_eq(len(device.messages), 2)


main("sip_answers")
