"""Pushes in sessions: the gateway invites with SIP and sends with MSRP, to a device of our own over TCP and TLS, and to sipp.
Usage: test_msrp.py BUILD_DIR."""

import random
import re
import socket
import ssl
import subprocess
import threading

from gateway import SANITIZER, Gateway, Terminal, make_identity, pap_push
from harness import case, check, check_eq, free_port, main, wait_until
from initiator import Client
from msrppeer import SessionDevice, chunks_of, report, response
from sipnet import ALICE, FULL, MARK, OPEN, ended, good, route, socket_open
from sipuas import Message, answer, challenge_of, digest_good

TEXT = "".join(f"line {i:05d} of a long push\n" for i in range(1, 400))


def start(bench, device, more="session = large\n", transport="tcp", whitelist=OPEN, **conf):
    uri = f"sip:alice@127.0.0.1:{device.port};transport={transport}"
    return Gateway(bench, route(uri, more), whitelist=whitelist, conf={name.replace("__", ".").replace("_", "-"): value for name, value in conf.items()})


def joined(chunks):
    return b"".join(c.body for c in chunks)


@case
def too_large_for_a_message(bench):
    """What fits goes as a MESSAGE; what does not in a session, confirmed by a success report, and `push explain` tells."""
    for transport in ("udp", "tcp"):
        device = SessionDevice(bench)
        gateway = start(bench, device, transport=transport)
        good(bench, gateway, "small")
        check_eq(ended(gateway, "small", "delivered")["code"], 1000)
        good(bench, gateway, "large", "--method", "confirmed", "--app", "x-wap-application:mms.ua", text=TEXT)
        check_eq(ended(gateway, "large", "delivered")["code"], 1000)
        check_eq((len(device.messages), len(device.invited), device.connections), (1, 1, 1))
        invite = device.invited[0]
        check_eq((invite.over, invite["Content-Type"], invite["Accept-Contact"]),
                 (transport, "application/sdp", '*;+g.oma.pusheventapp="mms.ua";require;explicit'))
        check(invite["Contact"].startswith("<sip:push@"), invite["Contact"])
        for line in ("m=message 9 TCP/MSRP *", "a=accept-types:application/vnd.oma.push", "a=setup:active", "a=sendonly"):
            check(f"\r\n{line}\r\n".encode() in invite.body, invite.body)
        wait_until(lambda: device.acks, "ACK")
        check_eq((device.acks[0]["CSeq"], device.acks[0].start), ("1 ACK", f"ACK sip:device@127.0.0.1:{device.port};transport={transport} SIP/2.0"))
        head, _, body = joined(device.chunks).partition(b"\r\n\r\n")
        check_eq((b"Content-Type: text/plain" in head, body), (True, TEXT.encode()))
        check_eq({c["Success-Report"] for c in device.chunks}, {"yes"})
        check("msrp: success reported, 6 chunks" in gateway.ctl("push", "explain", "large").stdout, "explain")
        gateway.stop()
        check(b"Reason: SIP" in device.wait_byes()[0].octets, "BYE at the end")


@case
def three_chunks(bench):
    """5000 octets are 2048, 2048 and 904; one message id, ranges without a gap, the last ends the message."""
    device = SessionDevice(bench)
    gateway = start(bench, device, "session = large\nform = direct\n")
    good(bench, gateway, "p1", text="x" * 5000)
    ended(gateway, "p1", "delivered")
    check_eq([c.range() for c in device.chunks], [(1, 2048, 5000), (2049, 4096, 5000), (4097, 5000, 5000)])
    check_eq([(len(c.body), c.flag) for c in device.chunks], [(2048, "+"), (2048, "+"), (904, "$")])
    check_eq(({c["Content-Type"] for c in device.chunks}, {c["Success-Report"] for c in device.chunks}), ({"text/plain"}, {"no"}))
    check_eq((len({c["Message-ID"] for c in device.chunks}), len({c.tid for c in device.chunks})), (1, 3))
    check(device.chunks[0]["Message-ID"] != "p1" and joined(device.chunks) == b"x" * 5000, "content")


@case
def partial_success_reports(bench):
    """In any order, over any parts: all octets must be covered."""
    def in_parts(chunk, client):
        first, last, total = chunk.range()
        back = response(chunk)
        if last == total:
            back += b"".join(report(chunk, a, b, total) for a, b in ((3000, total), (1, 1500), (1200, 2999)))
        return back

    device = SessionDevice(bench, on_chunk=in_parts)
    gateway = start(bench, device)
    good(bench, gateway, "p1", "--method", "confirmed", text=TEXT)
    check_eq(ended(gateway, "p1", "delivered")["tries"], 1)
    device.on_chunk = lambda chunk, client: response(chunk)
    gateway.write_conf(ota_sip__report_timeout="1s")
    check_eq(gateway.ctl("reload").returncode, 0)
    gateway.settle()
    good(bench, gateway, "p2", "--method", "confirmed", text=TEXT)
    gateway.wait_event("deliver.done", push_id="p2", note="msrp: no success report")
    device.on_chunk = device.good
    ended(gateway, "p2", "delivered")


@case
def one_session_for_several_pushes(bench):
    """While it is open; when it was idle it is ended with BYE, and the next push opens another."""
    device = SessionDevice(bench)
    gateway = start(bench, device, "session = always\n", ota_sip__session_idle_timeout="1h")
    for i in range(3):
        good(bench, gateway, f"p{i}")
        ended(gateway, f"p{i}", "delivered")
    check_eq((len(device.messages), len(device.invited), device.connections, len(device.chunks)), (0, 1, 1, 3))
    gateway.write_conf(ota_sip__session_idle_timeout="100ms")
    check_eq(gateway.ctl("reload").returncode, 0)
    gateway.settle()
    good(bench, gateway, "p3")
    ended(gateway, "p3", "delivered")
    check_eq((device.wait_byes()[0]["CSeq"], len(device.invited)), ("2 BYE", 1))
    good(bench, gateway, "p4")
    ended(gateway, "p4", "delivered")
    check_eq((len(device.invited), device.connections), (2, 2))


@case
def the_terminal_hangs_up(bench):
    """Its BYE is answered, and the next push opens another session; re-INVITEs are not taken, requests of no session are 481."""
    device = SessionDevice(bench)
    gateway = start(bench, device, "session = always\n", transport="udp")
    good(bench, gateway, "p1")
    ended(gateway, "p1", "delivered")
    invite = device.invited[0]

    def request(method, tag):
        host, port = invite["Via"].split(" ")[1].split(";")[0].split(":")
        octets = (f"{method} sip:push@localhost SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{device.port};branch=z9hG4bK{method}{tag};rport\r\n"
                  f"Max-Forwards: 70\r\nFrom: {invite['To']};tag=device\r\nTo: {invite['From'].split(';')[0]};tag={tag}\r\n"
                  f"Call-ID: {invite['Call-ID']}\r\nCSeq: 7 {method}\r\nContent-Length: 0\r\n\r\n")
        before = len(device.others)
        device.udp.sendto(octets.encode(), ("127.0.0.1", int(port)))
        wait_until(lambda: len(device.others) > before, f"an answer to {method}")
        return device.others[-1].start.split(" ")[1]

    own = invite["From"].split("tag=")[1]
    check_eq([request(*r) for r in (("INVITE", own), ("BYE", "wrong"), ("INFO", own), ("BYE", own), ("BYE", own))],
             ["488", "481", "405", "200", "481"])
    good(bench, gateway, "p2")
    ended(gateway, "p2", "delivered")
    check_eq((len(device.invited), device.byes), (2, []))


@case
def what_the_far_end_says(bench):
    """Statuses of chunks, as PAP has them; after those of the message alone the session goes on."""
    for status, state, code, byes in (("413 Stop", "aborted", 5026, 0), ("415 Type", "aborted", 5030, 0), ("400 Bad", "undeliverable", 4000, 1),
                                      ("403 No", "undeliverable", 4000, 1), ("501 What", "undeliverable", 4000, 1), ("506 Taken", "undeliverable", 4000, 1)):
        device = SessionDevice(bench, on_chunk=lambda chunk, client: response(chunk, status))  # noqa: B023
        gateway = start(bench, device)
        good(bench, gateway, "p1", text=TEXT)
        check_eq(ended(gateway, "p1", state)["code"], code, status)
        if byes:
            device.wait_byes()
        else:
            device.on_chunk = device.good
            good(bench, gateway, "p2", text=TEXT)
            ended(gateway, "p2", "delivered")
        check_eq((len(device.invited), len(device.byes)), (1, byes), status)
        gateway.stop()


@case
def what_the_invitation_comes_to(bench):
    for said, state, code in ((404, "undeliverable", 2002), (603, "aborted", 5027), (488, "aborted", 5030), (405, "undeliverable", 2006)):
        device = SessionDevice(bench, invites=(said,))
        gateway = start(bench, device, transport="udp")
        good(bench, gateway, "p1", text=TEXT)
        check_eq(ended(gateway, "p1", state)["code"], code, said)
        wait_until(lambda: device.acks, "ACK")  # noqa: B023
        check_eq((len(device.invited), device.acks[0]["Via"], device.connections), (1, device.invited[0]["Via"], 0), said)
        gateway.stop()


@case
def a_message_that_is_not_taken_as_one(bench):
    """405 to MESSAGE: in a session then."""
    device = SessionDevice(bench, 405)
    gateway = start(bench, device)
    good(bench, gateway, "p1", "--method", "confirmed")
    check_eq(ended(gateway, "p1", "delivered")["tries"], 1)
    check_eq((len(device.messages), len(device.invited)), (1, 1))


@case
def what_the_answer_does_not_allow(bench):
    """Acknowledged, ended with BYE, nothing is sent: too large, another type, no stream, one that cannot be used."""
    for changes, state, code in (((("a=accept-types:*", "a=accept-types:*\r\na=max-size:5000"),), "undeliverable", 2006),
                                 ((("accept-types:*", "accept-types:text/html image/*"),), "aborted", 5030),
                                 ((("m=message ", "m=message 0 TCP/MSRP *\r\na=x "),), "aborted", 5030),
                                 ((("a=path", "a=peth"),), "aborted", 5030), ((("a=recvonly", "a=inactive"),), "aborted", 5030),
                                 ((("setup:passive", "setup:active"),), "aborted", 5030), ((("v=0", "v=1"),), "aborted", 5030)):
        device = SessionDevice(bench, changes=changes)
        gateway = start(bench, device)
        good(bench, gateway, "p1", text=TEXT)
        check_eq(ended(gateway, "p1", state)["code"], code, changes)
        device.wait_byes()
        check_eq((len(device.acks), device.chunks), (1, []), changes)
        gateway.stop()


@case
def challenged(bench):
    """The invitation is answered for with Digest, as method INVITE."""
    make_identity(bench)
    device = SessionDevice(bench, invites=((401, challenge_of("net", "n-1", "SHA-256")), 200))
    gateway = start(bench, device, "session = always\nlogin-user = ppg\nlogin-password-file = ../password\n")
    good(bench, gateway, "p1")
    check_eq(ended(gateway, "p1", "delivered")["tries"], 1)
    first, second = device.invited
    check(digest_good(second, "ppg", "correct-horse-7391", "net", "n-1", "SHA-256"), second["Authorization"])
    check_eq((second["CSeq"], second["Call-ID"], len(device.acks)), ("2 INVITE", first["Call-ID"], 2))


@case
def it_does_not_ring_for_ever(bench):
    """After the ring time-out CANCEL with the branch of the INVITE; 487 is acknowledged and the push waits."""
    device = SessionDevice(bench)
    gateway = start(bench, device, "session = always\n", transport="udp", ota_sip__ring_timeout="1s", delivery__retry_first="60s", delivery__retry_max="60s")

    def ring(message):
        device.invited.append(message)
        return answer(message, 180)

    device.reply_invite = ring
    good(bench, gateway, "p1")
    cancel = device.wait_byes()[0]
    invite = device.invited[0]
    check_eq((cancel.method, cancel["Via"], cancel["CSeq"], cancel.start.split(" ")[1]), ("CANCEL", invite["Via"], "1 CANCEL", invite.start.split(" ")[1]))
    host, port = invite["Via"].split(" ")[1].split(";")[0].split(":")
    for _ in range(2):  # said twice, acknowledged twice
        device.udp.sendto(answer(invite, 487), ("127.0.0.1", int(port)))
    wait_until(lambda: len(device.acks) == 2, "two ACKs")
    check_eq({a["Via"] for a in device.acks}, {invite["Via"]})
    gateway.wait_event("deliver.done", push_id="p1", result="retry")


def ringing(bench, transport, statuses):
    """A device that rings, and a list of the final statuses that it gives when it is told to stop."""
    device = SessionDevice(bench)

    def ring(message):
        device.invited.append(message)
        return answer(message, 180)

    def reply(octets, over):
        message = Message(octets, over)
        if message.method != "CANCEL" or not statuses:
            return SessionDevice.reply(device, octets, over)
        device.byes.append(message)
        where = f"Contact: <sip:device@127.0.0.1:{device.port};transport={transport}>"
        return answer(message, 200) + answer(device.invited[0], statuses.pop(0), where)

    device.reply_invite, device.reply = ring, reply
    return device


@case
def it_rings_no_longer_than_the_push_lasts(bench):
    """deliver-before passes: CANCEL, and the push has expired."""
    device = ringing(bench, "tcp", [487])
    gateway = start(bench, device, "session = always\n")
    good(bench, gateway, "p1", "--before", "+6s")
    ended(gateway, "p1", "expired")
    wait_until(lambda: device.acks, "ACK")
    check_eq(([m.method for m in device.byes], device.acks[0]["CSeq"]), (["CANCEL"], "1 ACK"))


@case
def cancelled_by_its_initiator(bench):
    """One that a device has only been asked about is cancelled for good (1000): CANCEL while it rings, and BYE to who says yes all the
    same, or has said so and not connected yet.  What has been sent is too late (2008)."""
    def start_one(device, want):
        gateway = start(bench, device, "session = always\n", ota_sip__listen_msrp="127.0.0.1:0", ota_sip__host="127.0.0.1")
        good(bench, gateway, "p1")
        wait_until(lambda: device.acks if want else device.invited, "an INVITE")
        return gateway

    def cancelled(gateway):
        return Client(bench, gateway).cancel("p1").code, gateway.show("p1")["targets"][0]["state"]

    for late, requests in ((487, ["CANCEL"]), (200, ["CANCEL", "BYE"])):
        device = ringing(bench, "tcp", [late])
        gateway = start_one(device, False)
        check_eq(cancelled(gateway), (1000, "cancelled"))
        check_eq([m.method for m in device.wait_byes(len(requests))], requests)
        wait_until(lambda: device.acks, "ACK")
        explained = gateway.ctl("push", "explain", "p1").stdout
        check(re.search(r"try 1 .*, by sip, \d+ octets: withdrawn before the terminal took it", explained), explained)
        check_eq((gateway.stop(), len(device.invited), device.connections), (0, 1, 0))
    device = SessionDevice(bench, active=lambda device, uri: None)
    gateway = start_one(device, True)
    check_eq(cancelled(gateway), (1000, "cancelled"))
    check_eq([m.method for m in device.wait_byes()], ["BYE"])
    gateway.stop()
    device = SessionDevice(bench, on_chunk=lambda chunk, client: b"")
    gateway = start_one(device, True)
    chunk = device.wait_chunks(1)[0]
    check_eq(cancelled(gateway), (2008, "pending"))
    chunk.client.sendall(response(chunk))
    ended(gateway, "p1", "delivered")


@case
def much_content(bench):
    """Far more than a MESSAGE may have, in chunks; what is more than the terminal's max-size is 2006."""
    text = bench.write("much", "".join(f"line {i:06d} of very much\n" for i in range(30000)))  # 750 000 octets
    device = SessionDevice(bench, changes=(("a=recvonly", "a=max-size:800000\r\na=recvonly"),))
    gateway = start(bench, device)

    def much(push_id):
        done = pap_push(bench, gateway, "--to", ALICE, "--file", text, "--type", "text/plain", "--id", push_id, "--method", "confirmed")
        check_eq(done.returncode, 0, done.stdout + done.stderr)

    much("p1")
    check_eq(ended(gateway, "p1", "delivered")["tries"], 1)
    with open(text, "rb") as f:
        check(joined(device.chunks).partition(b"\r\n\r\n")[2] == f.read(), "content")
    check_eq({len(c.body) for c in device.chunks[:-1]}, {2048})
    gateway.stop()
    device = SessionDevice(bench, changes=(("a=recvonly", "a=max-size:750000\r\na=recvonly"),))  # less than with its headers
    gateway = start(bench, device)
    much("p2")
    check_eq(ended(gateway, "p2", "undeliverable")["code"], 2006)
    check_eq((device.chunks, device.wait_byes()[0].method), ([], "BYE"))


@case
def an_acceptance_is_acknowledged_each_time(bench):
    """A 2xx that comes again gets the same ACK again; one of another fork, or of nobody's invitation, is ended."""
    device = SessionDevice(bench)
    gateway = start(bench, device, "session = always\n", transport="udp")
    good(bench, gateway, "p1")
    ended(gateway, "p1", "delivered")
    invite = device.invited[0]
    host, port = invite["Via"].split(" ")[1].split(";")[0].split(":")
    again = answer(invite, 200, f"Contact: <sip:device@127.0.0.1:{device.port}>")
    device.udp.sendto(again, ("127.0.0.1", int(port)))
    wait_until(lambda: len(device.acks) == 2, "another ACK")
    check_eq(device.acks[0].octets, device.acks[1].octets)
    device.udp.sendto(again.replace(invite["Call-ID"].encode(), b"0123456789abcdef"), ("127.0.0.1", int(port)))
    bye = device.wait_byes()[0]
    check_eq((bye["Call-ID"], len(device.acks)), ("0123456789abcdef", 3))
    device.udp.sendto(again.replace(b";tag=device", b";tag=fork"), ("127.0.0.1", int(port)))
    bye = wait_until(lambda: len(device.byes) == 2 and device.byes[1], "BYE to the fork")
    check_eq((bye["Call-ID"], bye["To"], device.acks[3]["To"]), (invite["Call-ID"], f"<{ALICE}>;tag=fork", f"<{ALICE}>;tag=fork"))
    good(bench, gateway, "p2")
    ended(gateway, "p2", "delivered")
    check_eq(len(device.invited), 1, "the session stands")


@case
def lost_half_way(bench):
    """The connection breaks: another session, the same message id, all of it again."""
    def first_only(chunk, client):
        return response(chunk) if len(device.chunks) < 3 else None

    device = SessionDevice(bench, on_chunk=first_only)
    gateway = start(bench, device)
    good(bench, gateway, "p1", "--method", "confirmed", text=TEXT)
    gateway.wait_event("deliver.done", push_id="p1", result="retry")
    before = len(device.chunks)
    device.on_chunk = device.good
    target = ended(gateway, "p1", "delivered")
    check(target["tries"] >= 2 and len(device.invited) >= 2 and device.byes, target)
    check_eq(({c["Message-ID"] for c in device.chunks}, len({i["Call-ID"] for i in device.invited})), ({device.chunks[0]["Message-ID"]}, len(device.invited)))
    over = {c.client for c in device.chunks if c.flag == "$"}  # threads of other connections may add what they had read
    check_eq([joined([c for c in device.chunks if c.client is o]).partition(b"\r\n\r\n")[2] for o in over], [TEXT.encode()], before)


def server_context(bench, name, alt):
    bench.certificate(bench.authority, name, alt)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bench.path(f"{name}.crt"), bench.path(f"{name}.key"))
    return context


@case
def inside_tls(bench):
    """session = tls: all pushes go over msrps, to the terminal whose certificate has the name; TLS is protection enough."""
    make_identity(bench)
    phone = server_context(bench, "phone", "DNS:phone.example.net")
    other = server_context(bench, "other", "DNS:other.example.net,IP:127.0.0.1")
    device = SessionDevice(bench, msrp_tls=phone)
    gateway = start(bench, device, "session = tls\ntls-name = phone.example.net\n", whitelist=FULL)
    good(bench, gateway, "p1", "--method", "confirmed")
    ended(gateway, "p1", "delivered")
    check(b"TCP/TLS/MSRP" in device.invited[0].body and b"a=path:msrps://" in device.invited[0].body, device.invited[0].body)
    explained = gateway.ctl("push", "explain", "p1").stdout
    check("level=full auth=transport int=transport conf=transport" in explained and "msrps: success reported" in explained, explained)
    check(MARK.encode() in joined(device.chunks), "content")
    gateway.stop()
    device = SessionDevice(bench, msrp_tls=other)
    gateway = start(bench, device, "session = tls\ntls-name = phone.example.net\n", whitelist=FULL)
    good(bench, gateway, "p2")
    gateway.wait_event("deliver.done", push_id="p2", note="msrps: not connected: TLS: cert-name")
    check_eq(device.chunks, [])


KEY = "8f3a" * 16


@case
def inside_tls_with_a_shared_key(bench):
    """openssl ends TLS for the device: the key of the terminal protects as a certificate would; another key gets nothing."""
    port = free_port()
    server = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-psk", KEY, "-psk_identity", "phone", "-nocert", "-quiet"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    bench.closers.append(server.kill)
    wait_until(lambda: socket_open(port), "openssl")
    device = SessionDevice(bench)
    device.changes = ((str(device.msrp.getsockname()[1]), str(port)), (" TCP/MSRP", " TCP/TLS/MSRP"), ("msrp:", "msrps:"),
                      (f"/{device.msrp.getsockname()[1]}/", f"/{port}/"))

    def pump():
        octets = b""
        while data := server.stdout.read1(65536):
            found, octets = chunks_of(octets + data)
            for chunk in found:
                device.chunks.append(chunk)
                server.stdin.write(device.good(chunk, None))
                server.stdin.flush()

    threading.Thread(target=pump, daemon=True).start()
    bench.write("wrong", "11" * 32 + "\n", 0o600)
    gateway = start(bench, device, "session = tls\npsk-identity = phone\npsk-file = ../wrong\n", whitelist=FULL)
    good(bench, gateway, "p1")
    gateway.wait_event("deliver.done", push_id="p1", result="retry")
    check_eq(device.chunks, [])
    gateway.stop()
    bench.write("right", KEY + "\n", 0o600)
    gateway = start(bench, device, "session = tls\npsk-identity = phone\npsk-file = ../right\n", whitelist=FULL)
    good(bench, gateway, "p2", "--method", "confirmed", text=TEXT)
    ended(gateway, "p2", "delivered")
    check("level=full auth=transport int=transport conf=transport" in gateway.ctl("push", "explain", "p2").stdout, "explain")
    check_eq(joined(device.chunks).partition(b"\r\n\r\n")[2], TEXT.encode())


@case
def never_in_the_clear(bench):
    """CPM-03: what must be protected and is answered in the clear is not sent: the session is ended, 2005."""
    device = SessionDevice(bench)
    gateway = start(bench, device, "session = tls\ntls-name = phone.example.net\n", whitelist=FULL)
    good(bench, gateway, "p1")
    check_eq(ended(gateway, "p1", "undeliverable")["code"], 2005)
    check(b"m=message 9 TCP/TLS/MSRP *" in device.invited[0].body, device.invited[0].body)
    bye = device.wait_byes()[0]
    check("in the clear" in bye["Reason"], bye["Reason"])
    check_eq((device.connections, device.chunks, len(device.acks)), (0, [], 1))
    device = SessionDevice(bench, changes=((" TCP/MSRP", " TCP/TLS/MSRP"),))
    gateway = start(bench, device, "session = tls\ntls-name = phone.example.net\n", whitelist=FULL)
    good(bench, gateway, "p2")
    check_eq(ended(gateway, "p2", "undeliverable")["code"], 2005)
    check_eq(device.connections, 0)


@case
def settings_that_change(bench):
    """CPM-03: a session that is open in the clear is not for a terminal that has to be inside TLS since: a reload counts at once."""
    device = SessionDevice(bench)
    gateway = start(bench, device, "session = always\n")
    good(bench, gateway, "p1")
    ended(gateway, "p1", "delivered")
    sent = len(device.chunks)
    uri = f"sip:alice@127.0.0.1:{device.port};transport=tcp"
    gateway.write("terminals.conf", route(uri, "session = tls\ntls-name = phone.example.net\n"))
    gateway.write("whitelist.conf", FULL)
    check_eq(gateway.ctl("reload").returncode, 0)
    gateway.settle()
    good(bench, gateway, "p2")
    check_eq(ended(gateway, "p2", "undeliverable")["code"], 2005)
    check_eq((len(device.chunks), len(device.invited)), (sent, 2))
    check(b"m=message 9 TCP/TLS/MSRP *" in device.invited[1].body, device.invited[1].body)
    check("other settings" in device.wait_byes()[0]["Reason"], device.byes[0]["Reason"])


@case
def sealed_in_a_session(bench):
    """Over a clear one: what must be protected is sealed, and nothing of it is outside; without association nothing leaves."""
    make_identity(bench)
    device = SessionDevice(bench)
    gateway = start(bench, device, "session = large\nassociation-file = ../association\n", whitelist=FULL)
    good(bench, gateway, "p1", text=TEXT)
    ended(gateway, "p1", "delivered")
    octets = b"".join(c.octets for c in device.chunks)
    check(b"application/x-push-gpl-a1" in octets and b"long push" not in octets and b"news.example.com" not in octets, octets[:2000])
    gateway.stop()
    gateway = start(bench, device, "session = large\n", whitelist=FULL)
    done = pap_push(bench, gateway, "--to", ALICE, "--text", TEXT, "--id", "p2")
    check("2005" in done.stdout + done.stderr, done)
    check_eq(len(device.invited), 1)


@case
def much_sealed_content(bench):
    """5 MiB under `full` over a clear session: in chunks, broken off half way, and all of it again to where the next INVITE is redirected
    to, under the same Message-ID; nothing of it is readable on the way, and it is shown once."""
    text = "".join(f"line {i:06d} of very much\n" for i in range(5 * 2**20 // 25))
    phone = Terminal(bench, "--require", "full", "--max-size", "8000000", command="sip")
    device = SessionDevice(bench, on_chunk=lambda chunk, client: response(chunk) if len(device.chunks) < 1000 else None)
    invited = device.reply_invite

    def redirect(message):
        if not device.invited:
            return invited(message)
        device.invited.append(message)
        return answer(message, 302, f"Contact: <sip:alice@127.0.0.1:{phone.port};transport=tcp>")

    device.reply_invite = redirect
    gateway = start(bench, device, "session = large\nassociation-file = ../association\n", whitelist=FULL, pap__body_max="8M",
                    delivery__retry_first="1s", delivery__retry_max="1s")
    done = pap_push(bench, gateway, "--to", ALICE, "--file", bench.write("much", text), "--type", "text/plain", "--id", "p1", "--method", "confirmed")
    check_eq(done.returncode, 0, done.stdout + done.stderr)
    gateway.wait_event("deliver.done", push_id="p1", result="retry")
    push = phone.wait_events(1, timeout_s=60)[0]
    ended(gateway, "p1", "delivered")
    check_eq((push["content"] == text, push["protection"], push["proofs"], len(phone.events())), (True, "full", ["seal"], 1))
    wire, half = phone.wire(), b"".join(c.octets for c in device.chunks)
    check(len(half) > 1000 * 2048 and len(wire) > len(text), (len(half), len(wire)))
    check(b"of very much" not in wire + half and f"Message-ID: {device.chunks[0]['Message-ID']}\r\n".encode() in wire, "what went over the wire")


@case
def streams_of_srtp_are_refused(bench):
    """CPM-04: an offer of RTP/SAVP is 488, and the log says why; another offer is 405."""
    device = SessionDevice(bench)
    gateway = start(bench, device, transport="udp", log__level="info")
    good(bench, gateway, "p1")
    ended(gateway, "p1", "delivered")
    host, port = device.messages[0]["Via"].split(" ")[1].split(";")[0].split(":")
    statuses = []
    for i, protocol in enumerate(("RTP/SAVP", "RTP/SAVPF", "RTP/AVP")):
        body = f"v=0\r\no=- 1 1 IN IP4 a\r\ns=-\r\nc=IN IP4 a\r\nt=0 0\r\nm=audio 5004 {protocol} 0\r\n"
        device.udp.sendto((f"INVITE sip:push@localhost SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{device.port};branch=z9hG4bKsrtp{i};rport\r\n"
                           f"Max-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:push@localhost>\r\nCall-ID: srtp{i}\r\nCSeq: 1 INVITE\r\n"
                           f"Contact: <sip:a@b>\r\nContent-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode(),
                          ("127.0.0.1", int(port)))
        wait_until(lambda: len(device.others) == i + 1, "an answer")  # noqa: B023
        statuses.append(device.others[-1].start.split(" ")[1])
    check_eq(statuses, ["488", "488", "405"])
    gateway.wait_event("ota.sip.offer-refused", count=2, media="srtp", note="not applicable to pushes")


@case
def broken_streams(bench):
    """Garbage, flipped bits and endless heads instead of answers: bounded, tried again, and the gateway lives."""
    choose = random.Random(4975)

    def broken(chunk, client):
        kind = len(device.chunks) % 5
        octets = bytearray(response(chunk) + report(chunk, 1, 1, 1))
        if kind == 0:
            return choose.randbytes(5000)
        if kind == 1:
            return b"MSRP abcd 200 OK\r\n" + b"X: y\r\n" * 5000
        if kind == 2:
            return bytes(octets[:choose.randrange(len(octets))]) + b"\0" * 100
        for _ in range(1 + kind):
            octets[choose.randrange(len(octets))] ^= 1 << choose.randrange(8)
        return bytes(octets)

    device = SessionDevice(bench, on_chunk=broken)
    gateway = start(bench, device, delivery__retry_first="10ms", delivery__retry_max="20ms", ota_sip__report_timeout="1s")
    good(bench, gateway, "p1", "--method", "confirmed", text=TEXT)
    wait_until(lambda: len(device.invited) >= 12 or gateway.show("p1")["targets"][0]["state"] == "undeliverable", "a dozen tries", 60)
    device.on_chunk = device.good
    good(bench, gateway, "p2", text=TEXT)
    ended(gateway, "p2", "delivered")


@case
def so_many_sessions(bench):
    """A ceiling: the session that has been idle longest makes room."""
    devices = [SessionDevice(bench) for _ in range(4)]
    terminals = "".join(f"[terminal sip:u{i}@127.0.0.1]\nroute = sip:u{i}@127.0.0.1:{d.port}\nsession = always\n" for i, d in enumerate(devices))
    gateway = Gateway(bench, terminals, whitelist=OPEN, conf={"ota-sip.sessions-max": "1", "ota-sip.session-idle-timeout": "1h"})
    for i in range(4):
        done = pap_push(bench, gateway, "--to", f"sip:u{i}@127.0.0.1", "--text", MARK, "--id", f"p{i}")
        check_eq(done.returncode, 0, done.stdout + done.stderr)
        ended(gateway, f"p{i}", "delivered")
    wait_until(lambda: sum(len(d.byes) for d in devices) >= 2, "two sessions of two loops at the most")
    check_eq([len(d.invited) for d in devices], [1] * 4)


SIPP_SESSION = """<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="session">
  <recv request="INVITE"/>
  <send><![CDATA[
SIP/2.0 180 Ringing
[last_Via:]
[last_From:]
[last_To:];tag=[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:device@[local_ip]:[local_port];transport=[transport]>
Content-Length: 0

]]></send>
  <send retrans="500"><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:device@[local_ip]:[local_port];transport=[transport]>
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=message MSRP_PORT TCP/MSRP *
a=accept-types:*
a=path:msrp://127.0.0.1:MSRP_PORT/session1;tcp
]]></send>
  <recv request="ACK"/>
  <recv request="BYE"/>
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
"""


def sipp_is_invited(bench, transport, mode):
    port = free_port()
    device = SessionDevice(bench)  # for its stream of messages alone
    scenario = SIPP_SESSION.replace("MSRP_PORT", str(device.msrp.getsockname()[1]))
    sipp = bench.start("/usr/bin/sipp", "-sf", bench.write("uas.xml", scenario), "-i", "127.0.0.1", "-p", str(port), "-t", mode, "-m", "2",
                       "-nostdin", "-trace_err", "-error_file", bench.path("sipp.errors"))
    gateway = Gateway(bench, route(f"sip:alice@127.0.0.1:{port};transport={transport}", "session = large\n"), whitelist=OPEN,
                      conf={"ota-sip.session-idle-timeout": "100ms"})
    for i in range(2):
        good(bench, gateway, f"p{i}", "--method", "confirmed", text=TEXT)
        check_eq(ended(gateway, f"p{i}", "delivered")["code"], 1000)
        gateway.wait_event("ota.sip.session.end", count=i + 1)
    check_eq(sipp.wait(), 0, sipp.out()[-2000:])


@case
def sipp_is_invited_over_udp(bench):
    sipp_is_invited(bench, "udp", "u1")


@case
def sipp_is_invited_over_tcp(bench):
    sipp_is_invited(bench, "tcp", "t1")


@case
def the_terminal_takes_messages_in_sessions(bench):
    """push-terminal sip over UDP and TCP: invited, it puts the chunks together; sealed content is believed, and nothing twice."""
    for transport in ("udp", "tcp"):
        phone = Terminal(bench, command="sip")
        gateway = Gateway(bench, route(f"sip:alice@127.0.0.1:{phone.port};transport={transport}", "session = large\nassociation-file = ../association\n"),
                          whitelist=OPEN)
        good(bench, gateway, "open", "--method", "confirmed", "--app", "x-wap-application:mms.ua", text=TEXT)
        check_eq(ended(gateway, "open", "delivered")["code"], 1000)
        push = phone.wait_events(1)[-1]
        check_eq((push["content"], push["app_id"], push["proofs"]), (TEXT, "x-wap-application:mms.ua", []))
        good(bench, gateway, "full", "--method", "confirmed", "--protection", "full", text=TEXT)
        ended(gateway, "full", "delivered")
        push = phone.wait_events(2)[-1]
        check_eq((push["content"], push["protection"], push["trusted"], push["proofs"], push["initiator_uri"]),
                 (TEXT, "full", True, ["seal"], "https://news.example.com/today"))
        gateway.stop()
        check_eq(len(phone.events()), 2)


@case
def the_terminal_refuses_in_sessions(bench):
    """415 for a type, 403 for what it cannot authenticate; the gateway learns no more."""
    phone = Terminal(bench, "--require", "full", "--accept", "text/vnd.wap.si", command="sip")
    gateway = Gateway(bench, route(f"sip:alice@127.0.0.1:{phone.port}", "session = always\nassociation-file = ../association\n"), whitelist=OPEN)
    good(bench, gateway, "p1", "--protection", "full")
    check_eq(ended(gateway, "p1", "aborted")["code"], 5030)
    good(bench, gateway, "p2")
    check_eq(ended(gateway, "p2", "undeliverable")["code"], 4000)
    check_eq(phone.wait_events(1, "dropped")[-1]["reason"], "protection-below-floor")
    check_eq(phone.events(), [])


@case
def the_terminal_inside_tls(bench):
    """Both ends with certificates: the terminal knows the gateway by its own, and takes it for protection."""
    make_identity(bench)
    bench.certificate(bench.authority, "phone", "DNS:phone.example.net,DNS:localhost,IP:127.0.0.1")
    phone = Terminal(bench, "--cert", bench.path("phone.crt"), "--key", bench.path("phone.key"), "--ca", bench.path("ca.crt"),
                     command="sip", association=False)
    gateway = Gateway(bench, route(f"sips:alice@localhost:{phone.port}", "session = tls\ntls-name = phone.example.net\n"), whitelist=FULL)
    good(bench, gateway, "p1", "--method", "confirmed", text=TEXT)
    ended(gateway, "p1", "delivered")
    push = phone.wait_events(1)[-1]
    check_eq((push["content"], push["tls"], push["proofs"]), (TEXT, True, ["certificate"]))


def to_phone(phone, *octets, count=1):
    """Sends octets over a connection to the terminal's stream of messages; its first answers."""
    with socket.create_connection(("127.0.0.1", phone.msrp_port)) as s:
        s.settimeout(60)
        for o in octets:
            s.sendall(o)
        got, found = b"", []
        while len(found) < count and (data := s.recv(65536)):
            found = chunks_of(got := got + data)[0]
        return found


@case
def strangers_at_the_terminal(bench):
    """No session, garbage, a session that is bound: refused or hung up on, in bounds; good messages go on."""
    phone = Terminal(bench, command="sip", association=False)

    def invite(call_id, body):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(60)
            s.sendto((f"INVITE sip:x@127.0.0.1:{phone.port} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:9;branch=z9hG4bK{call_id};rport\r\n"
                      f"Max-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: {call_id}\r\nCSeq: 1 INVITE\r\n"
                      f"Contact: <sip:a@b>\r\nContent-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode(),
                     ("127.0.0.1", phone.port))
            return s.recv(65536).decode()

    offer = ("v=0\r\no=- 1 1 IN IP4 a\r\ns=-\r\nc=IN IP4 a\r\nt=0 0\r\nm=message 9 TCP/MSRP *\r\na=accept-types:*\r\na=setup:active\r\n"
             "a=sendonly\r\na=path:msrp://a:9/ours;tcp\r\n")
    for bad in ("", "v=0\r\n", offer.replace("TCP/MSRP", "TCP/TLS/MSRP"), offer.replace("active", "passive"), offer.replace("sendonly", "recvonly"),
                offer.replace("m=message 9", "m=message 0"), offer.replace("TCP/MSRP", "RTP/SAVP")):
        check("SIP/2.0 488 " in invite(f"bad{len(bad)}", bad), bad)
    accepted = invite("c1", offer)
    check("SIP/2.0 200 " in accepted and "a=setup:passive" in accepted and "a=recvonly" in accepted, accepted)
    path = accepted.split("a=path:")[1].split("\r\n")[0]
    phone.msrp_port = int(path.split(":")[2].split("/")[0])

    def send(to, body, first=1, total=None, flag="$", tid="abcd1234"):
        total = total or len(body)
        return (f"MSRP {tid} SEND\r\nTo-Path: {to}\r\nFrom-Path: msrp://a:9/ours;tcp\r\nMessage-ID: m-0001\r\n"
                f"Byte-Range: {first}-{first + len(body) - 1}/{total}\r\nContent-Type: text/plain\r\n\r\n{body}\r\n-------{tid}{flag}\r\n").encode()

    check_eq(to_phone(phone, send(path.replace("/", "/x", 3), "hello"))[0].start, "MSRP abcd1234 481 No Such Session")
    check_eq(to_phone(phone, send(path, "hello", total=1 << 40))[0].start, "MSRP abcd1234 413 Stop")
    choose = random.Random(1)
    octets = send(path.replace("/", "/x", 3), "hello")
    for i in range(300):
        broken = bytearray(octets)
        for _ in range(1 + i % 5):
            broken[choose.randrange(len(broken))] ^= 1 << choose.randrange(8)
        with socket.create_connection(("127.0.0.1", phone.msrp_port)) as s:
            s.sendall(bytes(broken))
            s.shutdown(socket.SHUT_WR)
            s.settimeout(60)
            try:
                while s.recv(65536):
                    pass
            except OSError:
                pass
    accepted = invite("c2", offer)
    path = accepted.split("a=path:")[1].split("\r\n")[0]
    with socket.create_connection(("127.0.0.1", phone.msrp_port)) as s:
        s.settimeout(60)
        s.sendall(send(path, "hel", total=5, flag="+"))
        check(b"MSRP abcd1234 200 OK" in s.recv(65536), "the first chunk")
        check_eq(to_phone(phone, send(path, "lo", first=4, total=5))[0].start, "MSRP abcd1234 506 Already In Use")
        s.sendall(send(path, "lo", first=4, total=5))
        check(b"MSRP abcd1234 200 OK" in s.recv(65536), "the second")
    check_eq(phone.wait_events(1)[0]["content"], "hello")
    check(phone.program.running() and not SANITIZER.search(phone.program.err()), phone.program.err()[-3000:])


main("msrp")
