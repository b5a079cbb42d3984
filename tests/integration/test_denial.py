"""What strangers can make the programs spend, and what they can make them send to others: ceilings before anybody is known,
answers to datagrams whose source may be forged.  Usage: test_denial.py BUILD_DIR."""

import os
import re
import socket
import subprocess

from gateway import Gateway, Terminal, as_news, curl, good_push, make_identity, mime, pap_push
from harness import case, check, check_eq, free_port, main, wait_until
from wire import connect, read_all

PSK = "000102030405060708090a0b0c0d0e0f"
HANDSHAKE, CLIENT_HELLO, SERVER_HELLO, HELLO_VERIFY = 22, 1, 2, 3


def opened(bench, **conf):
    phone = Terminal(bench)
    gateway = Gateway(bench, phone.route("+15550100"), conf={k.replace("__", ".").replace("_", "-"): v for k, v in conf.items()})
    gateway.phone = phone
    return gateway


# --- datagrams ---


def hello(cookie=b"", sequence=0):
    """A ClientHello of DTLS 1.2 that offers DHE_PSK with AES-128-GCM, as one record (RFC 6347 §4.2, §4.3.1)."""
    groups, renegotiation = bytes.fromhex("000a000400020100"), bytes.fromhex("ff01000100")
    body = b"\xfe\xfd" + os.urandom(32) + b"\0" + bytes([len(cookie)]) + cookie + bytes.fromhex("000200aa") + b"\1\0"
    body += (len(groups) + len(renegotiation)).to_bytes(2, "big") + groups + renegotiation
    length = len(body).to_bytes(3, "big")
    return record(HANDSHAKE, bytes([CLIENT_HELLO]) + length + sequence.to_bytes(2, "big") + b"\0\0\0" + length + body, sequence)


def record(kind, body, sequence=0, epoch=0):
    return bytes([kind]) + b"\xfe\xfd" + epoch.to_bytes(2, "big") + sequence.to_bytes(6, "big") + len(body).to_bytes(2, "big") + body


def stranger(bench, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    bench.closers.append(s.close)
    s.connect(("127.0.0.1", port))
    s.settimeout(60)
    return s


def cookie_of(answer):
    """Of a HelloVerifyRequest; None: it is something else."""
    return answer[28:28 + answer[27]] if answer[0] == HANDSHAKE and answer[13] == HELLO_VERIFY else None


def answered(s):
    """What has come back by now."""
    s.setblocking(False)
    got = []
    try:
        while True:
            got.append(s.recv(65536))
    except (BlockingIOError, ConnectionRefusedError):
        return got


def dtls_door(bench):
    make_identity(bench)
    bench.write("key", PSK + "\n", 0o600)
    return Terminal(bench, "--dtls", "--psk", f"phone:{bench.path('key')}", association=False)


@case
def a_cookie_before_anything(bench):
    """SEC_CF-DEF-02, RFC 6347 §4.2.1: a stranger gets less than it sent, and a session only with the cookie of its own
    address; two hundred hellos from as many ports leave no room taken."""
    phone = dtls_door(bench)
    first, other = stranger(bench, phone.port), stranger(bench, phone.port)
    sent = hello()
    first.send(sent)
    answer = first.recv(65536)
    cookie = cookie_of(answer)
    check(cookie and len(answer) <= len(sent), (len(answer), len(sent)))
    for wrong in (b"", cookie[:-1], cookie[:-1] + bytes([cookie[-1] ^ 1]), bytes(len(cookie))):
        first.send(hello(wrong, 1))
        check(cookie_of(first.recv(65536)) is not None, "a session for a wrong cookie")
    other.send(hello(cookie, 1))
    check(cookie_of(other.recv(65536)) is not None, "a session for a cookie of another address")
    for _ in range(200):  # more than a terminal has sessions for
        s = stranger(bench, phone.port)
        s.send(hello())
        check(cookie_of(s.recv(65536)) is not None, "no cookie")
    late = stranger(bench, phone.port)
    late.send(hello())
    late.send(hello(cookie_of(late.recv(65536)), 1))
    answer = late.recv(65536)
    check_eq((answer[0], answer[13]), (HANDSHAKE, SERVER_HELLO), "the one that can receive")
    check(phone.program.running(), phone.program.err())


@case
def a_dtls_door_amplifies_nothing(bench):
    """Every piece of a hello, with lengths that fit it and with those of the whole, records of every kind, noise: what comes
    back is never more than what was sent (SEC_CF-DEF-02 allows three times as much)."""
    phone = dtls_door(bench)
    whole = hello()
    datagrams = [b"", b"\0", b"\xff" * 2000] + [whole[:n] for n in range(1, len(whole))] + [whole * 5]
    datagrams += [record(HANDSHAKE, whole[13:n]) for n in range(13, len(whole))]
    datagrams += [record(kind, b"\2\x28", epoch=epoch) for kind in range(256) for epoch in (0, 1)]
    probe, answers = stranger(bench, phone.port), 0
    for octets in datagrams:
        s = stranger(bench, phone.port)
        s.send(octets)
        probe.send(whole)  # read and answered behind it
        probe.recv(65536)
        got = answered(s)
        answers += len(got)
        check(sum(map(len, got)) <= len(octets), (octets.hex(), [g.hex() for g in got]))
        s.close()
    check(answers > 3, f"{answers} answers: not even whole hellos are taken for what they are")
    check(phone.program.running(), phone.program.err())


@case
def a_udp_door_answers_nothing(bench):
    """Neither a terminal that takes datagrams nor the gateway's port that sends them."""
    phone = Terminal(bench, "--udp", "--require", "integrity", association=False)
    source = free_port()
    gateway = Gateway(bench, phone.route("+15550100", "wap", more=""), "allow news +1555* *\n",
                      conf={"ota-wsp.source-port": str(source)})

    def push(push_id):
        done = pap_push(bench, gateway, "--to", "+15550100", "--text", "Hi", "--id", push_id, "--method", "unconfirmed",
                        "--initiator-uri", "https://news.example.com/today")
        check_eq(done.returncode, 0, done.stderr)

    push("first")  # the port is open from here on
    phone.wait_events(1, "dropped")
    datagrams = [b"", b"x", b"\1\6\1\x83Hi", b"\1\6\xff\xff\xff\xff\x7f", b"\1\1\0", b"\0" * 60000, hello()]
    strangers = [stranger(bench, port) for port in (phone.port, source)]
    for s in strangers:
        for octets in datagrams:
            try:
                s.send(octets)
            except ConnectionRefusedError:  # the system's own word (ICMP): the gateway's port is open while it sends
                pass
    wait_until(lambda: len(phone.events("refused") + phone.events("dropped")) >= 1 + len(datagrams), "all were read")
    push("second")  # and the gateway is still there
    phone.wait_events(2 + sum(d == b"\1\6\1\x83Hi" for d in datagrams), "dropped")
    check_eq([answered(s) for s in strangers], [[], []])


# --- connections ---


@case
def connections_in_all(bench):
    """Clear and TLS together, also those that say nothing; whoever leaves makes room."""
    gateway = opened(bench, pap__connections_max="6", pap__connections_per_address="6")
    held = [connect(bench, (gateway.port, gateway.tls_port)[i % 2]) for i in range(6)]
    wait_until(lambda: '"connections":6' in gateway.ctl("--json", "status").stdout.replace(" ", ""), "all six are in")
    for port in (gateway.port, gateway.tls_port):
        check_eq(read_all(connect(bench, port)), b"", "one more than allowed")
    gateway.wait_event("net.refused", 2)
    for s in held[:2]:
        s.close()
    wait_until(lambda: '"connections":4' in gateway.ctl("--json", "status").stdout.replace(" ", ""), "room again")
    good_push(bench, gateway)
    for s in held[2:]:
        s.close()


@case
def octets_before_anybody_is_known(bench):
    """A stranger's body is not waited for, its head has a ceiling, its answer is short and does not grow; what it asks for
    is not fetched, looked up or sent to."""
    ear = socket.create_server(("127.0.0.1", 0))
    bench.closers.append(ear.close)
    ear.setblocking(False)
    url = f"http://127.0.0.1:{ear.getsockname()[1]}/"
    gateway = opened(bench, pap__ocsp="fail-closed")
    head = "POST /pap HTTP/1.1\r\nHost: ppg\r\nContent-Type: multipart/related\r\n"
    for more in ("", "Authorization: Basic bmV3czpuZXdz\r\n", "Authorization: Digest username=\"pass\"\r\n",
                 "Authorization: Bearer " + "a" * 3000 + "\r\n", "X-3GPP-Asserted-Identity: \"sip:a@b\"\r\n"):
        s = connect(bench, gateway.port)
        s.sendall((head + more + "Content-Length: 1000000\r\n\r\n").encode())
        answer = s.recv(65536)
        check(re.match(rb"HTTP/1\.1 4(00|01|29) ", answer), answer)
        check(len(answer) < 1500, answer)
        s.close()
    for octets, status in (("A: " + "b" * 8000, 431), ("A: b\r\n" * 65, 431), ("A: " + "b" * 1000 + "\r\n" + "B: bbbb\r\n" * 2000, 431)):
        s = connect(bench, gateway.port)
        s.sendall((head + octets + "\r\n\r\n").encode())
        check(read_all(s).startswith(f"HTTP/1.1 {status} ".encode()), octets[:20])
    check_eq(curl(bench, gateway.url, mime(attributes={"ppg-notify-requested-to": url})).status, 401)
    bench.ca("stranger")
    extension = bench.write("their.ext", f"subjectAltName=URI:https://news.example.com\nauthorityInfoAccess=OCSP;URI:{url}\n")
    bench.tool("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=news", "-keyout",
               bench.path("their.key"), "-out", bench.path("their.csr"))
    bench.tool("openssl", "x509", "-req", "-in", bench.path("their.csr"), "-CA", bench.path("stranger.crt"), "-CAkey",
               bench.path("stranger.key"), "-days", "2", "-extfile", extension, "-out", bench.path("their.crt"))
    done = subprocess.run(["curl", "-s", "--cacert", bench.path("ca.crt"), "--cert", bench.path("their.crt"), "--key",
                           bench.path("their.key"), gateway.tls_url], capture_output=True, timeout=60, check=False)
    check(done.returncode != 0, done)
    gateway.wait_event("tls.client.untrusted")
    try:
        check(False, f"somebody called {ear.accept()}")
    except BlockingIOError:
        pass


def memory_kb(program):
    with open(f"/proc/{program.process.pid}/status", encoding="ascii") as f:
        return int(re.search(r"VmRSS:\s+(\d+) kB", f.read()).group(1))


@case
def memory_of_many_strangers(bench):
    """Two hundred half heads of the greatest length cost no more than their ceiling times their number; a known initiator
    is served meanwhile."""
    gateway = opened(bench, pap__head_timeout="1min", pap__connections_per_address="500")
    good_push(bench, gateway)
    before, strangers = memory_kb(gateway.program), []
    half = b"POST /pap HTTP/1.1\r\nHost: ppg\r\n" + b"".join(b"H%d: " % i + b"b" * 3000 + b"\r\n" for i in range(5))
    for _ in range(200):
        s = connect(bench, gateway.port)
        s.sendall(half)
        strangers.append(s)
    wait_until(lambda: '"connections":200' in gateway.ctl("--json", "status").stdout.replace(" ", ""), "all are in")
    good_push(bench, gateway)
    grown = memory_kb(gateway.program) - before
    check(grown < 200 * 64, f"{grown} kB for 200 strangers")  # 16 kB each, buffers that double, a sanitizer's fences
    check_eq(curl(bench, gateway.tls_url, mime(push_id="still"), *as_news(bench)).status, 202)
    for s in strangers:  # its end waits for them
        s.close()


main("denial")
