"""What hostile and broken terminals can do at the doors where they call in: slow and halved connections, flapping, huge and repeated
fields, identities of others.  Each is bounded in time and room, told once, and harms nobody else: a terminal that behaves is pushed
to all the while.  Broken handshakes are test_handshakes.py's.  Usage: test_call_bad.py BUILD_DIR."""

import socket
import ssl
import time

from callers import ID, NONE, TAKEN, Hand, Witness, digest, registered
from gateway import good_push
from harness import case, check, check_eq, main, wait_until


def dribble(s, octets, gap_s=0.05):
    """One octet at a time, until the other end has enough of it; how long that took."""
    began = time.monotonic()
    try:
        for at in range(len(octets)):
            s.sendall(octets[at:at + 1])
            s.settimeout(gap_s)
            try:
                if not s.recv(65536):
                    break
            except TimeoutError:
                pass
    except OSError:
        pass
    return time.monotonic() - began


@case
def slow_answers_are_cut_off(bench):
    """A head, or a body, that comes octet by octet does not come for ever: the deadline is the answer's, not the octet's."""
    w = Witness(bench, NONE)
    for octets in (registered(ID) * 40, registered(ID).replace(b"\r\n\r\n", b"\r\nContent-Length: 60000\r\n\r\n") + b"x" * 4000):
        with socket.create_connection(("127.0.0.1", w.gateway.door), timeout=60) as s:
            octets = octets.replace(b"HTTP/1.1 204 No Content\r\n", b"HTTP/1.1 200 OK\r\n", 1)
            head = octets.find(b"\r\n\r\n") + 4 if b"60000" in octets else 0
            s.sendall(octets[:head])
            took = dribble(s, octets[head:])
        check(took < 60, f"held for {took:.1f} s")  # all of it takes three minutes
        w.refusals()
    w.check("slow answers")


@case
def silence_and_halves_are_cut_off(bench):
    w = Witness(bench, NONE)
    whole = [socket.create_connection(("127.0.0.1", w.gateway.door), timeout=60) for _ in range(50)]
    half = [socket.create_connection(("127.0.0.1", w.gateway.door), timeout=60) for _ in range(50)]
    for s in half:
        s.shutdown(socket.SHUT_WR)
    for s in whole + half:
        while s.recv(65536):
            pass
        s.close()
    w.refusals(100)
    w.check("silence")


@case
def flapping_leaves_nothing_behind(bench):
    """Seats are given back: many more connections than may be at a time come and go, before and after they say who they are."""
    w = Witness(bench, NONE, ota_http__calls_per_address="20", ota_http__calls_max="30")
    for n in range(150):
        s = socket.create_connection(("127.0.0.1", w.gateway.door), timeout=60)
        if n % 3 == 0:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset
        elif n % 3 == 1:
            s.recv(10)
        s.close()
    push_id = good_push(bench, w.gateway)
    hands = []
    for n in range(40):
        hand = Hand(bench, w.gateway.door, lambda method, head: registered(ID) if method == "OPTIONS" else None)
        wait_until(lambda: hand.heads or hand.gone.is_set(), "a question, or the end")
        hand.s.close()
        hands.append(hand)

    def comes_back():
        hand = Hand(bench, w.gateway.door, lambda method, head: registered(ID) if method == "OPTIONS" else TAKEN)
        return wait_until(lambda: hand.gone.is_set() or len(hand.heads) > 1, "the push, or the end") and len(hand.heads) > 1

    wait_until(comes_back, "a line")
    w.gateway.wait_state(push_id, "delivered")
    w.check("flapping")


@case
def one_address_has_its_share_of_the_door(bench):
    """Who opens all the connections it may shuts out itself and not others."""
    w = Witness(bench, NONE, ota_http__calls_per_address="10", ota_http__response_timeout="20s")
    crowd = []
    for _ in range(30):
        s = socket.socket()
        s.bind(("127.0.0.2", 0))
        s.settimeout(60)
        s.connect(("127.0.0.1", w.gateway.door))
        crowd.append(s)
    open_ones = sum(1 for s in crowd if s.recv(1))
    check_eq(open_ones, 10, "connections that were let in")
    Hand(bench, w.gateway.door, lambda method, head: registered(ID) if method == "OPTIONS" else TAKEN)
    w.gateway.wait_event("ota.called", 2)
    for s in crowd:
        s.close()
    w.check("a crowd")


@case
def broken_answers_are_refused_once(bench):
    w = Witness(bench, NONE)
    ok = registered(ID)
    rows = {
        "a field of 1 MB": ok.replace(b"\r\n\r\n", b"\r\nX: " + b"x" * (1 << 20) + b"\r\n\r\n"),
        "a tag of 4 kB": ok.replace(b"q83vEg==", b"q" * 4096),
        "a tag of control octets": ok.replace(b"q83vEg==", b"\x01\x02"),
        "two tags": ok.replace(b"\r\n\r\n", b"\r\nX-Wap-CPITag: AAAAAA==\r\n\r\n"),
        "two identities": ok.replace(b"\r\n\r\n", b"\r\nX-Wap-Terminal-Id: 4+15550101\r\n\r\n"),
        "two statuses": ok.replace(b"\r\n\r\n", b"\r\nX-Wap-Push-Status: 500\r\n\r\n"),
        "a status of a push": ok.replace(b"501", b"400"),
        "five hundred fields": ok.replace(b"\r\n\r\n", b"\r\n" + b"X-A: b\r\n" * 500 + b"\r\n"),
        "a bare line feed": ok.replace(b"\r\n", b"\n"),
        "a field without name": ok.replace(b"\r\n\r\n", b"\r\n: x\r\n\r\n"),
        "no HTTP": b"\x00" * 4096,
        "a request": b"OPTIONS /wappush HTTP/1.1\r\nHost: x\r\n\r\n",
        "a redirection": b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        "a length and chunks": ok.replace(b"204 No Content", b"200 OK").replace(b"\r\n\r\n", b"\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
        "a length that is none": ok.replace(b"204 No Content", b"200 OK").replace(b"\r\n\r\n", b"\r\nContent-Length: -1\r\n\r\n"),
        "a body of 1 GB": ok.replace(b"204 No Content", b"200 OK").replace(b"\r\n\r\n", b"\r\nContent-Length: 1073741824\r\n\r\n"),
    }
    for what, answer in rows.items():
        hand = Hand(bench, w.gateway.door, lambda method, head: answer)
        wait_until(hand.gone.is_set, f"the end of: {what}")
        check(w.refusals()[0], what)
        check(not [h for h in hand.heads if h.startswith("POST")], f"{what}: pushed to")
    w.check("broken answers")


@case
def who_speaks_first_is_not_understood(bench):
    """Answers to nothing: before the question, or one too many."""
    w = Witness(bench, NONE)
    with socket.create_connection(("127.0.0.1", w.gateway.door), timeout=60) as s:
        s.sendall(registered(ID) * 3)
        while s.recv(65536):
            pass
    check_eq(w.refusals(), ["it answers what nobody asked"])
    hand = Hand(bench, w.gateway.door, lambda method, head: registered(ID) if method == "OPTIONS" else TAKEN * 2)
    w.gateway.wait_event("ota.called", 2)
    push_id = good_push(bench, w.gateway)
    wait_until(hand.gone.is_set, "the end of one that answers twice")
    w.gateway.wait_state(push_id, "delivered")
    w.check("answers to nothing")


@case
def broken_answers_to_pushes_cost_their_own_line(bench):
    """The push is tried again on the next line, with the same message; the terminal next to it sees nothing of it."""
    answers = (TAKEN.replace(b"400", b"4000"), TAKEN.replace(b"\r\n\r\n", b"\r\nX-Wap-Push-Status: 235\r\n\r\n"), b"HTTP/1.1 999\r\n\r\n", b"\x00" * 100,
                   TAKEN.replace(b"\r\n\r\n", b"\r\nX: " + b"x" * (1 << 20) + b"\r\n\r\n"), None)
    w = Witness(bench, "".join(NONE.replace("0100", f"011{n}") for n in range(len(answers))))
    for n, answer in enumerate(answers):
        identity = ID.replace("0100", f"011{n}")
        hand = Hand(bench, w.gateway.door, lambda method, head: registered(identity) if method == "OPTIONS" else answer)
        w.gateway.wait_event("ota.called", n + 2)
        push_id = good_push(bench, w.gateway, to=(f"+1555011{n}",))
        target = wait_until(lambda: (t := w.gateway.show(push_id)["targets"][0])["tries"] and t, f"an attempt answered by {answer and answer[:60]!r}")
        check(target["state"] != "delivered", (answer, target))
        w.check(f"{answer and answer[:60]!r}")


@case
def nobody_steals_a_line(bench):
    """Identity theft of a terminal that is connected, over each kind of proof: the thief is sent away, the owner stays."""
    sections = ("[terminal +15550100]\ncalls-in = tls\ncall-proof = certificate\ncall-certificate = URI:https://phone.example.com\n"
                "[terminal +15550101]\ncalls-in = any\ncall-proof = digest\ncall-password-file = ../phone.password\n"
                "[terminal +15550102]\ncalls-in = tls\ncall-proof = certificate\ncall-certificate = URI:https://thief.example.com\n")
    w = Witness(bench, sections)
    bench.certificate(bench.authority, "thief", "URI:https://thief.example.com")

    def context(name=None):
        made = ssl.create_default_context(cafile=bench.path("ca.crt"))
        if name:
            made.load_cert_chain(bench.path(f"{name}.crt"), bench.path(f"{name}.key"))
        return made

    def taker(more):
        return lambda method, head: registered(more(head)) if method == "OPTIONS" else TAKEN

    id1 = ID.replace("0100", "0101")
    owners = [Hand(bench, w.gateway.tls_door, taker(lambda head: ID), context("phone")),
              Hand(bench, w.gateway.door, taker(lambda head: id1 + digest(head, "open-sesame", user="4+15550101")))]
    w.gateway.wait_event("ota.called", 3)
    thieves = [(w.gateway.tls_door, context(), lambda head: ID), (w.gateway.tls_door, context("thief"), lambda head: ID),
               (w.gateway.door, None, lambda head: ID), (w.gateway.door, None, lambda head: id1),
               (w.gateway.door, None, lambda head: id1 + digest(head, "open-simsim", user="4+15550101")), (w.gateway.tls_door, context("thief"), lambda head: id1)]
    for port, tls, more in thieves:
        thief = Hand(bench, port, taker(more), tls)
        wait_until(thief.gone.is_set, "the end of a thief")
        w.refusals()
        check(not [h for h in thief.heads if h.startswith("POST")], "a thief was pushed to")
    check(not any(owner.gone.is_set() for owner in owners), "an owner lost its line")
    push_id = good_push(bench, w.gateway, to=("+15550100", "+15550101"))
    w.gateway.wait_state(push_id, "delivered")
    w.check("theft")


main("call_bad")
