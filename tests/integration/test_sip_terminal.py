"""push-terminal as a SIP device, and what breaks in messages to it and to the gateway.  Usage: test_sip_terminal.py BUILD_DIR."""

import os
import socket

import sip_anomalies
from gba_model import Module
from gateway import SANITIZER, Gateway, Terminal, pap_push
from harness import case, check, check_eq, main, wait_until
from sipnet import MARK, OPEN, ended, good, kamailio, route
from sipuas import Device, Message, answer, whole


@case
def the_terminal_takes_messages(bench):
    """push-terminal sip over UDP and TCP: what was not sealed proves nothing, what was is believed, and nothing twice."""
    for transport in ("udp", "tcp"):
        phone = Terminal(bench, command="sip")
        gateway = Gateway(bench, route(f"sip:alice@127.0.0.1:{phone.port};transport={transport}", "association-file = ../association\n"),
                          whitelist=OPEN)
        good(bench, gateway, f"open-{transport}", "--method", "confirmed", "--app", "x-wap-application:mms.ua")
        check_eq(ended(gateway, f"open-{transport}", "delivered")["code"], 1000)
        push = phone.wait_events(1)[-1]
        check_eq((push["content"], push["app_id"], push["trusted"], push["proofs"]), (MARK, "x-wap-application:mms.ua", False, []))
        good(bench, gateway, f"full-{transport}", "--protection", "full")
        ended(gateway, f"full-{transport}", "delivered")
        push = phone.wait_events(2)[-1]
        check_eq((push["content"], push["protection"], push["trusted"], push["proofs"], push["initiator_uri"]),
                 (MARK, "full", True, ["seal"], "https://news.example.com/today"))
        gateway.stop()
        check_eq(len(phone.events()), 2)


def listening(pid):
    """The ports on which a process listens for connections."""
    own = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
    with open(f"/proc/{pid}/net/tcp", encoding="utf-8") as f:
        rows = [line.split() for line in f][1:]
    return {int(row[1].partition(":")[2], 16) for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in own}


@case
def strangers_that_stay(bench):
    """Connections on which nothing is ever said, as many as the terminal takes: they give way to the gateway's, for requests and
    for sessions."""
    for option in ("no", "always"):
        phone = Terminal(bench, command="sip", association=False)
        gateway = Gateway(bench, route(f"sip:alice@127.0.0.1:{phone.port};transport=tcp", f"session = {option}\n"), whitelist=OPEN)
        good(bench, gateway, "p1")
        ended(gateway, "p1", "delivered")
        ports = listening(phone.program.process.pid)
        gateway.stop()
        silent = [socket.create_connection(("127.0.0.1", port)) for port in ports for _ in range(70)]
        gateway.start()
        good(bench, gateway, "p2")
        check_eq(ended(gateway, "p2", "delivered")["code"], 1000)
        check_eq(len(ports), 2)
        for s in silent:
            s.close()


@case
def the_terminal_refuses(bench):
    """603 for what it cannot authenticate, 415 and the other form for a type; the gateway learns no more."""
    phone = Terminal(bench, "--require", "full", "--accept", "text/vnd.wap.si", command="sip")
    gateway = Gateway(bench, route(f"sip:alice@127.0.0.1:{phone.port}", "association-file = ../association\n"), whitelist=OPEN)
    good(bench, gateway, "p1")
    check_eq(ended(gateway, "p1", "aborted")["code"], 5027)
    check_eq(phone.wait_events(1, "dropped")[0]["reason"], "protection-below-floor")
    good(bench, gateway, "p2", "--protection", "full")
    check_eq(ended(gateway, "p2", "aborted")["code"], 5030)
    check_eq(phone.events(), [])


@case
def the_terminal_answers_again_what_is_sent_again(bench):
    """A request that comes twice is one (RFC 3261 §17.2.2); broken ones are dropped, and it lives."""
    phone = Terminal(bench, command="sip", association=False)
    request = (f"MESSAGE sip:x@127.0.0.1:{phone.port} SIP/2.0\r\nv: SIP/2.0/UDP 192.0.2.1:9;branch=z9hG4bK1;rport\r\n"
               "f: <sip:a@b>;tag=1\r\nt:\r\n <sip:x@y>\r\ni: 1\r\nCSeq: 1 MESSAGE\r\nc: text/plain\r\nl: 5\r\n\r\nhello").encode()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(60)
        for broken in (b"x", b"\r\n\r\n", request.replace(b"v: ", b"w: "), request.replace(b"\r\n", b"\n"), b"MESSAGE " + b"A" * 60000):
            s.sendto(broken, ("127.0.0.1", phone.port))
        for broken in (request[:-1], request.replace(b"CSeq: 1 MESSAGE", b"CSeq: 1 OPTIONS")):
            s.sendto(broken, ("127.0.0.1", phone.port))
            check(s.recv(65536).startswith(b"SIP/2.0 400 "), broken)
        answers = []
        for _ in range(3):
            s.sendto(request, ("127.0.0.1", phone.port))
            answers.append(s.recv(65536))
        check_eq(len(set(answers)), 1, "octet for octet")
        check(b"SIP/2.0 200 OK" in answers[0] and b";received=127.0.0.1" in answers[0] and b"Contact" not in answers[0], answers[0])
        check(f";rport={s.getsockname()[1]}".encode() in answers[0], answers[0])
        s.sendto(request.replace(b"MESSAGE", b"OPTIONS"), ("127.0.0.1", phone.port))
        check(b" 200 " in s.recv(65536), "OPTIONS")
        s.sendto(request.replace(b"MESSAGE", b"INVITE"), ("127.0.0.1", phone.port))
        check(b" 415 " in s.recv(65536), "INVITE")
    with socket.create_connection(("127.0.0.1", phone.port)) as s:
        for octet in request.replace(b"z9hG4bK1", b"z9hG4bK2") + b"\r\n\r\n":
            s.sendall(bytes([octet]))
        octets = b""
        while not (whole(octets) and octets.endswith(b"\r\n\r\n\r\n")):
            octets += s.recv(65536)
        s.sendall(request.replace(b"l: 5", b"Subject: no length"))
        check_eq(s.recv(65536), b"", "it hangs up")
    check_eq([e["content"] for e in phone.wait_events(2)], ["hello"] * 2)


@case
def the_terminal_registers_in_the_network(bench):
    """With Digest at Kamailio, over UDP and over TCP; then pushes reach it there, sealed and open."""
    port = kamailio(bench, 'if (!pv_www_authenticate("ims.example.net", "gate-secret", "0")) {{ www_challenge("ims.example.net", "0"); exit; }}')
    bench.write("secret", "gate-secret\n", 0o600)
    login = "login-user = ppg\nlogin-password-file = ../secret\nassociation-file = ../association\n"
    for transport in ("udp", "tcp"):
        who = f"sip:{transport}@ims.example.net"
        phone = Terminal(bench, "--record", who, "--registrar", f"sip:127.0.0.1:{port};transport={transport}", "--app",
                         "x-wap-application:wml.ua", "--app", "x-wap-application:mms.ua", "--proof",
                         f"{transport}:{bench.path('secret')}", command="sip")
        check_eq(phone.wait_events(1, "registration")[0]["status"], 200)
        gateway = Gateway(bench, f"[terminal {who}]\nroute = {who}\n{login}", whitelist="allow news sip:*@ims.example.net * protect=full\n",
                          conf={"ota-sip.outbound-proxy": f"sip:127.0.0.1:{port};lr;transport={transport}", "ota-sip.identity": "sip:ppg@ims.example.net"})
        done = pap_push(bench, gateway, "--to", who, "--text", MARK, "--id", transport)
        check_eq(done.returncode, 0, done.stdout + done.stderr)
        ended(gateway, transport, "delivered")
        push = phone.wait_events(1)[0]
        check_eq((push["content"], push["protection"]), (MARK, "full"))
        check(MARK.encode() not in phone.wire(), "in the clear")
        gateway.stop()
    phone = Terminal(bench, "--record", "sip:x@ims.example.net", "--registrar", f"sip:127.0.0.1:{port}", "--proof", f"x:{bench.path('password')}",
                     command="sip", association=False)
    check_eq(phone.wait_events(1, "registration")[0]["status"], 401)


@case
def the_terminal_registers_for_as_long_as_it_may(bench):
    """Longer than it has asked for when it must be (423), and again before the half of what was granted is over (RFC 3261 §10.2)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as registrar:
        registrar.bind(("127.0.0.1", 0))
        registrar.settimeout(60)
        phone = Terminal(bench, "--record", "sip:x@ims.example.net", "--registrar", f"sip:127.0.0.1:{registrar.getsockname()[1]}",
                         command="sip", association=False)

        seen = set()

        def asked(status, *headers):
            octets, phone_at = registrar.recvfrom(65536)
            while octets in seen:  # sent again before our answer to it came
                octets, phone_at = registrar.recvfrom(65536)
            seen.add(octets)
            request = Message(octets, "udp")
            registrar.sendto(answer(request, status, *(h.replace("@", request["Contact"].split(">")[0] + ">") for h in headers)), phone_at)
            return request

        requests = [asked(423, "Min-Expires: 7200"), asked(200, "Contact: @;expires=8"), asked(200, "Contact: @;expires=8")]
    check_eq([r["Contact"].split("expires=")[1].split(";")[0] for r in requests], ["3600", "7200", "7200"])
    check_eq(([r["CSeq"] for r in requests], len({r["Call-ID"] for r in requests})), ([f"{n} REGISTER" for n in (1, 2, 3)], 1))
    check_eq([e["status"] for e in phone.wait_events(2, "registration")], [200, 200])


# What a device that takes MESSAGE, OPTIONS and sessions says to the messages of RFC 4475 (its appendix, bit for bit, is in tests/vectors).
TORTURE = {200: "lwsdisp semiuri transports mpart01 badbranch zeromf", 405: "escnull dblreq regbadct unksm2 regaut01 cparam01 "
           "cparam02 regescrt", 415: "invut", 488: "wsinv esc01 longreq escruri baddate sdp01 inv2543", 400: "badinv01 clerr ncl scalar02 quotbal ltgtruri lwsruri lwsstart trws "
           "badaspec baddn mismatch01 insuf multi01 mcl01", 416: "unkscm novelsc", 420: "bext01", 501: "intmeth esc02 mismatch02", 505: "badvers",
           None: "unreason noreason scalarlg bigcode bcast test"}

@case
def the_terminal_registers_with_its_module(bench):
    """At the gateway itself, by AKA (RFC 3310): at first, after a restart with the numbers that it has kept, and when those are ahead of
    the network's, which follows."""
    domain, module = "ppg.example.net", Module("alice@ims.example")
    record = f"sip:alice@{domain}"
    gateway = Gateway(bench, f"[terminal {record}]\nregisters = any\ncall-proof = aka\ncall-subscriber = {module.impi}\n",
                      whitelist=f"allow news sip:*@{domain} *\n", start=False,
                      conf={"ota-sip.listen-udp": "127.0.0.1:0", "ota-sip.identity": f"sip:push@{domain}", "files.subscribers": "subscribers.conf",
                            "key-server.name": domain})
    gateway.write("subscribers.conf", module.section())
    gateway.start()
    with open(gateway.path("ports"), encoding="utf-8") as f:
        door = next(line.rpartition(":")[2] for line in f.read().split() if line.startswith("sip-udp="))
    keys = bench.write("module", f"impi = {module.impi}\nk = {module.k.hex()}\nopc = {module.opc.hex()}\ngateway = {domain}\n", 0o600)
    kept = []
    for i in range(3):
        if i == 2:
            bench.write("state", "push-terminal-state 1\nmodule " + f"{1 << 20:016x}" * 32 + "\n", 0o600)
        phone = Terminal(bench, "--record", record, "--registrar", f"sip:127.0.0.1:{door}", "--module", keys, "--state", bench.path("state"),
                         "--app", "x-wap-application:wml.ua", command="sip", association=False)
        check_eq(phone.wait_events(1, "registration")[0]["status"], 200)
        with open(bench.path("state"), encoding="utf-8") as f:
            kept.append(f.read())
        done = pap_push(bench, gateway, "--to", record, "--text", MARK, "--id", f"p{i}")
        check_eq(done.returncode, 0, done.stdout + done.stderr)
        check_eq(ended(gateway, f"p{i}", "delivered")["code"], 1000)
        check_eq(phone.wait_events(1)[0]["content"], MARK)
        phone.kill()
    check_eq(len(set(kept)), 3, "a number was used each time")


LAST = (b"OPTIONS sip:x@y SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKBRANCH\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: 1\r\n"
        b"CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n")


@case
def torture_messages(bench):
    """Each of RFC 4475 as a datagram gets the answer it should, and those to responses none; on a connection it is answered or hung up on."""
    phone = Terminal(bench, command="sip", association=False)
    folder = os.path.join(os.path.dirname(__file__), "..", "vectors", "rfc4475")
    check_eq(sorted(name for names in TORTURE.values() for name in names.split()), sorted(f[:-4] for f in os.listdir(folder)))
    for status, names in TORTURE.items():
        for name in names.split():
            with open(os.path.join(folder, name + ".dat"), "rb") as f:
                octets = f.read()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.settimeout(60)
                s.sendto(octets, ("127.0.0.1", phone.port))
                s.sendto(LAST.replace(b"BRANCH", name.encode()), ("127.0.0.1", phone.port))
                answers = [s.recv(65536) for _ in range(1 if status is None else 2)]
            check(b"CSeq: 1 OPTIONS" in answers[-1], answers[-1])
            if status:
                check(answers[0].startswith(b"SIP/2.0 %d " % status), (name, answers[0]))
            with socket.create_connection(("127.0.0.1", phone.port)) as s:
                s.settimeout(60)
                s.sendall(octets)
                s.shutdown(socket.SHUT_WR)
                try:
                    while s.recv(65536):
                        pass
                except ConnectionError:
                    pass
    check(phone.program.running() and not SANITIZER.search(phone.program.err()), phone.program.err()[-3000:])


@case
def strange_requests(bench):
    """Thousands of requests with one element broken, as datagrams and on connections: it goes on and serves the next good one."""
    phone = Terminal(bench, command="sip", association=False)
    strange = list(sip_anomalies.messages(sip_anomalies.REQUEST))
    check(len(strange) >= 4000, len(strange))
    good_one = b"".join((v.replace("{mark}", "good") + end).encode() for v, end in sip_anomalies.REQUEST)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(0.5)

        def answered(branch):
            s.sendto(good_one.replace(b"z9hG4bKgood", branch), ("127.0.0.1", phone.port))
            try:
                while branch not in s.recv(65536):
                    pass
                return True
            except OSError:  # lost among what else was answered
                return False

        for i, octets in enumerate(strange):
            s.sendto(octets[:65000], ("127.0.0.1", phone.port))
            if i % 50 == 49:  # not faster than it reads
                wait_until(lambda: answered(b"z9hG4bKgood%d" % i), f"an answer behind message {i}")  # noqa: B023
    for i in range(0, len(strange), 8):
        with socket.create_connection(("127.0.0.1", phone.port)) as s:
            s.settimeout(60)
            try:
                s.sendall(strange[i])
                s.shutdown(socket.SHUT_WR)
                while s.recv(65536):
                    pass
            except OSError:
                pass
    check(phone.program.running(), phone.program.err()[-3000:])
    check(not SANITIZER.search(phone.program.err()), phone.program.err()[-3000:])


@case
def strange_responses(bench):
    """Thousands of answers with one element broken, as many to each request, before the good one; every push has its end."""
    device = Device(bench)
    many, sent = 80, []

    def strange(request):
        first = len(sent)
        values = {"via": request["Via"], "from": request["From"], "call_id": request["Call-ID"], "cseq": request["CSeq"]}
        found = list(sip_anomalies.messages(sip_anomalies.RESPONSE, **values))
        sent.extend(found[first:first + many])
        return [octets[:65000] for octets in found[first:first + many]], len(found)

    device.before = strange
    gateway = Gateway(bench, route(f"sip:alice@127.0.0.1:{device.port}", "login-user = ppg\nlogin-password-file = ../password\n"),
                      whitelist=OPEN, conf={"log.level": "info"})
    total, i = 1, 0
    while len(sent) < total:
        good(bench, gateway, f"p{i}")
        wait_until(lambda: gateway.show(f"p{i}")["targets"][0]["state"] not in ("waiting", "pending", "sending"), f"p{i}", 60)
        total, i = device.total, i + 1
    check(len(sent) >= 3000, len(sent))
    device.before = None
    good(bench, gateway, "last")
    check_eq(ended(gateway, "last", "delivered")["code"], 1000)


main("sip_terminal")
