"""Keys of those who have bootstrapped at a far BSF, at the gateway's own doors: another ppgd that is the BSF, or a scripted one
where the answer matters.  TS 33.220 section 4.5.3, TS 29.309.  Usage: test_far_keys.py BUILD_DIR."""

import base64
import datetime
import itertools
import json
import os
import signal
import socket
import subprocess
import threading
import time

import peers
from gateway import MULTIPART, Gateway, curl, make_identity, mime
from gba_model import DIGEST, Module, Ue, kdf
from harness import case, check, check_eq, main, wait_until

IMPI, OTHER = "234150999999999@ims.mnc015.mcc234.3gppnetwork.org", "other@operator.example"
FQDN, BSF_NAME = "ppg.example.net", "bsf.operator.example"
PHONE = "[terminal +15550100]\nroute = http://127.0.0.1:9\n"
INITIATORS = f"[initiator sim]\nsubscriber    = {IMPI}\ninitiator-uri = https://news.example.com/*\n"
BSF = {"key-server.listen-ub": "127.0.0.1:0", "key-server.listen-naf": "127.0.0.1:0", "key-server.cert": "../gateway.crt",
       "key-server.key": "../gateway.key", "key-server.ca": "../ca.crt", "key-server.name": "operator.example",
       "files.subscribers": "subscribers.conf", "files.nafs": "nafs.conf"}
NAFS = (f"[naf ppg]\ncertificate = URI:https://news.example.com\nname = {FQDN}\nprotocol = digest\nprotocol = tls\n"
        "protocol = tls13\nidentity = yes\n")
PPG = {"key-server.name": FQDN, "key-server.cert": "../news.crt", "key-server.key": "../news.key", "key-server.bsf-ca": "../ca.crt",
       "delivery.retry-first": "1h", "delivery.retry-max": "1h"}


def ports(gateway):
    with open(gateway.path("ports"), encoding="utf-8") as f:
        return {k: int(v.rpartition(":")[2]) for k, v in (line.strip().split("=") for line in f)}


def bsf_of(bench, *modules, nafs=NAFS):
    """A BSF that stays at its ports when it is started again."""
    make_identity(bench)
    bsf = Gateway(bench, "", "", conf=BSF, start=False)
    bsf.write("subscribers.conf", "".join(m.section() for m in modules))
    bsf.write("nafs.conf", nafs)
    bsf.start()
    bsf.ports = ports(bsf)
    bsf.write_conf(key_server__listen_naf=f"127.0.0.1:{bsf.ports['naf']}", key_server__listen_ub=f"127.0.0.1:{bsf.ports['ub']}")
    bsf.url = f"https://localhost:{bsf.ports['naf']}"
    return bsf


def gateway_of(bench, url, **conf):
    return Gateway(bench, PHONE, "allow sim * *\n", initiators=INITIATORS, conf={**PPG, "key-server.bsf-url": url, **conf})


def bootstrapped(bench, bsf, module):
    return Ue(module, bsf.ports["ub"], bench.authority[0], bsf=BSF_NAME).bootstrap()


class Scripted:
    """A BSF whose answers the test decides.  known: {B-TID: (Ks, RAND, IMPI)}; while `gate` is not set nothing is answered."""

    def __init__(self, bench):
        make_identity(bench)
        self.known, self.life_s, self.twist, self.gate = {}, 3600, None, threading.Event()
        self.gate.set()
        bench.closers.append(self.gate.set)
        self.server = peers.Gateway(bench, self.answer, (bench.path("gateway.crt"), bench.path("gateway.key")), bench.path("ca.crt"))
        self.url = self.server.url.replace("/pap", "").replace("127.0.0.1", "localhost")

    def asked(self):
        return len(self.server.requests)

    def subscriber(self, impi=IMPI):
        """One that has bootstrapped: its Ue, without a module."""
        ue = Ue.__new__(Ue)
        ue.module, ue.rand, ue.ks = Module(impi), os.urandom(16), os.urandom(32)
        ue.btid = f"{base64.b64encode(ue.rand).decode()}@{BSF_NAME}"
        self.known[ue.btid] = ue
        return ue

    def answer(self, request):
        self.gate.wait(60)
        check_eq(request["path"], "/nbsp-gba/v1/bootstrapping-info-retrieval")
        question = json.loads(request["body"])
        ue = self.known.get(question["btId"])
        if self.twist:
            return self.twist(question)
        if not ue:
            return 404, [("Content-Type", "application/problem+json")], '{"status":404}'
        return 200, [("Content-Type", "application/json")], json.dumps(self.says(ue, question))

    def says(self, ue, question):
        naf = question["nafId"]["nafFqdn"].encode() + bytes.fromhex(question["nafId"]["uaSecProtId"])
        ends = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.life_s)
        return {"meKeyMaterial": kdf(ue.ks, 0x01, b"gba-me", ue.rand, ue.module.impi.encode(), naf).hex(),
                "keyExpiryTime": ends.strftime("%Y-%m-%dT%H:%M:%SZ"), "gbaType": "3G_GBA", "impi": ue.module.impi}


def status(gateway):
    return json.loads(gateway.ctl("--json", "status").stdout)["bsf"]


def user_of(ue, ua=DIGEST, fqdn=FQDN):
    return f"{ue.btid}:{base64.b64encode(ue.ks_naf(fqdn, ua)).decode()}"


def login(bench, gateway, user, push_id, *options):
    return curl(bench, gateway.tls_url, mime(push_id=push_id), "-A", "ue 3gpp-gba", "--digest", "--user", user, *options)


def stored(gateway):
    return gateway.query("SELECT count(*) FROM push")[0][0]


@case
def digest_with_a_key_from_afar(bench):
    """The BSF is asked once for each key; whoever it does not know, or knows as no initiator, comes no further."""
    module, other = Module(IMPI), Module(OTHER)
    bsf = bsf_of(bench, module, other)
    gateway = gateway_of(bench, bsf.url)
    ue = bootstrapped(bench, bsf, module)
    for n in range(3):
        answer = login(bench, gateway, user_of(ue), f"good{n}")
        check_eq(answer.code, 1001)
        check("rspauth=" in answer.headers["authentication-info"], "the gateway proves that it has the key")
    check(f"bootstrapped by {IMPI}" in gateway.ctl("push", "explain", "good0").stdout, "the identity arrived")
    check_eq((status(gateway)["asked"], status(gateway)["keys"]), (1, 1))
    bsf.check_events(1, "zn.key")
    tunnel = user_of(ue, bytes.fromhex("0100011301"))
    check_eq(login(bench, gateway, tunnel, "tunnel", "--tlsv1.3", "--tls13-ciphers", "TLS_AES_128_GCM_SHA256").code, 1001)
    stranger = f"{base64.b64encode(os.urandom(16)).decode()}@{BSF_NAME}:" + user_of(ue).partition(":")[2]
    for user in (stranger, f"{ue.btid}:wrong", user_of(ue, fqdn="other.example")):
        check_eq(login(bench, gateway, user, "bad").status, 401, user)
    check_eq(login(bench, gateway, user_of(bootstrapped(bench, bsf, other)), "other").status, 403)
    check_eq(stored(gateway), "4")
    for secret in (ue.ks_naf(FQDN, DIGEST), ue.ks):
        check(secret.hex() not in gateway.said() + bsf.said(), "a key in a log")


@case
def nobody_comes_in_while_it_is_away(bench):
    """503 and when to come again, nothing stored, the operator sees it; what is known goes on, and all does when it is back."""
    module, other = Module(IMPI), Module(OTHER)
    bsf = bsf_of(bench, module, other)
    gateway = gateway_of(bench, bsf.url)
    gateway.write("initiators.conf", INITIATORS + f"subscriber = {OTHER}\n")
    check_eq(gateway.ctl("reload").returncode, 0)
    gateway.settle()
    known, new = bootstrapped(bench, bsf, module), bootstrapped(bench, bsf, other)
    check_eq(login(bench, gateway, user_of(known), "before").code, 1001)
    bsf.kill()
    for n in range(3):
        answer = login(bench, gateway, user_of(new), "away")
        check_eq(answer.status, 503, n)
        check(int(answer.headers["retry-after"]) >= 1, answer.headers)
    check_eq(status(gateway)["state"], "away")
    gateway.wait_event("auth.key.wait", 3, reason="the BSF gives no answer")
    check_eq(login(bench, gateway, user_of(known), "during").code, 1001)
    check_eq(stored(gateway), "2")
    bsf.start()
    wait_until(lambda: login(bench, gateway, user_of(new), "back").status == 401, "it has forgotten, and says so")
    check_eq(login(bench, gateway, user_of(bootstrapped(bench, bsf, other)), "again").code, 1001)
    check_eq(status(gateway)["state"], "ok")


@case
def one_question_for_many(bench):
    """Whoever shows the same B-TID meanwhile waits for the same answer, on whichever loop."""
    bsf = Scripted(bench)
    gateway = gateway_of(bench, bsf.url, **{"gateway.loops": "2"})
    ue, answers = bsf.subscriber(), []
    bsf.gate.clear()
    threads = [threading.Thread(target=lambda n=n: answers.append(login(bench, gateway, user_of(ue), f"many{n}"))) for n in range(6)]
    for n, thread in enumerate(threads):
        thread.start()
        wait_until(lambda: getattr(bench, "curls", 0) > n, "its files have names of their own")
    wait_until(lambda: bsf.asked() == 1 and json.loads(gateway.ctl("--json", "status").stdout)["connections"] >= 6, "they wait")
    bsf.gate.set()
    for thread in threads:
        thread.join()
    check_eq(sorted(a.code for a in answers), [1001] * 6)
    check_eq(bsf.asked(), 1)


@case
def a_key_ends_when_the_bsf_says(bench):
    """Then it is asked again, and what it says then counts."""
    bsf = Scripted(bench)
    bsf.life_s = 3
    gateway = gateway_of(bench, bsf.url)
    ue = bsf.subscriber()
    check_eq(login(bench, gateway, user_of(ue), "first").code, 1001)
    bsf.known.clear()
    wait_until(lambda: login(bench, gateway, user_of(ue), "later").status == 401, "it is over")
    check(bsf.asked() >= 2, bsf.asked())
    check_eq(status(gateway)["keys"], 0)


@case
def bad_answers_let_nobody_in(bench):
    """Each is no key, whatever the password: a refusal, an outage, or somebody without a name."""
    bsf = Scripted(bench)
    rows = [(401, 403, "{}"), (401, 404, ""), (503, 500, ""), (503, 200, "junk"), (503, 200, "{}"),
            (503, 200, json.dumps({"meKeyMaterial": "00" * 31, "impi": IMPI})), (503, 200, json.dumps({"meKeyMaterial": 7})),
            (503, 302, ""), (401, 200, json.dumps({"meKeyMaterial": "00" * 32, "impi": IMPI, "keyExpiryTime": "2020-01-01T00:00:00Z"}))]
    gateway = gateway_of(bench, bsf.url)
    for want, code, body in rows:
        bsf.twist = lambda question, code=code, body=body: (code, [("Content-Type", "application/json")], body)
        ue = bsf.subscriber()
        wait_until(lambda: login(bench, gateway, user_of(ue), "bad").status == want, (want, code, body))
    bsf.twist = lambda question: (200, [], json.dumps({k: v for k, v in bsf.says(bsf.known[question["btId"]], question).items() if k != "impi"}))
    wait_until(lambda: login(bench, gateway, user_of(bsf.subscriber()), "nameless").status == 403, "nobody without a name")
    check_eq(stored(gateway), "0")


def guess(gateway, btid):
    """Somebody who makes a B-TID up, without TLS; the connection."""
    link = socket.create_connection(("127.0.0.1", gateway.port), timeout=60)
    body = mime()
    link.sendall((f"POST /pap HTTP/1.1\r\nHost: {FQDN}\r\nContent-Type: {MULTIPART}\r\nContent-Length: {len(body)}\r\n"
                  f'Authorization: Digest username="{btid}", realm="3GPP-bootstrapping@{FQDN}", nonce="n", uri="/pap", qop=auth, '
                  f'nc=00000001, cnonce="c", response="{"0" * 64}", algorithm=SHA-256\r\nConnection: close\r\n\r\n').encode() + body)
    return link


def stranger():
    return f"{base64.b64encode(os.urandom(16)).decode()}@{BSF_NAME}"


def answered(link):
    with link:
        text = b""
        while more := link.recv(65536):
            text += more
    return int(text.split(b" ")[1])


@case
def strangers_do_not_flood_the_bsf(bench):
    """So many questions under way and no more; what it has refused is remembered; a source has its rate; an initiator that
    is known does not notice."""
    bsf = Scripted(bench)
    gateway = gateway_of(bench, bsf.url, **{"key-server.bsf-rate": "1000", "key-server.bsf-timeout": "60s"})
    ue = bsf.subscriber()
    check_eq(login(bench, gateway, user_of(ue), "first").code, 1001)
    bsf.gate.clear()
    links = [guess(gateway, stranger()) for _ in range(40)]
    gateway.wait_event("auth.key.wait", 24, reason="too many questions")
    wait_until(lambda: bsf.asked() == 17, "all that may be are under way")
    check_eq(login(bench, gateway, user_of(ue), "second").code, 1001)
    check_eq(bsf.asked(), 17)
    bsf.gate.set()
    check_eq(sorted(answered(link) for link in links), [401] * 16 + [503] * 24)
    began, known = time.monotonic(), stranger()
    check_eq([answered(guess(gateway, known)) for _ in range(2)], [401] * 2)
    check(bsf.asked() == 18 or time.monotonic() - began > 9, "a refusal is remembered")


@case
def one_source_has_a_rate(bench):
    bsf = Scripted(bench)
    gateway = gateway_of(bench, bsf.url, **{"key-server.bsf-rate": "10"})
    began = time.monotonic()
    links = [guess(gateway, stranger()) for _ in range(60)]
    codes = [answered(link) for link in links]
    check(set(codes) == {401, 429}, codes)
    check(bsf.asked() <= time.monotonic() - began + 2, (bsf.asked(), codes))


@case
def requests_that_wait_may_be_left(bench):
    bsf = Scripted(bench)
    gateway = gateway_of(bench, bsf.url)
    bsf.gate.clear()
    links = [guess(gateway, stranger()) for _ in range(4)]
    wait_until(lambda: bsf.asked() == 4, "they wait")
    for link in links[:2]:
        link.close()
    links[2].shutdown(socket.SHUT_WR)
    bsf.gate.set()
    check_eq([answered(link) for link in links[2:]], [401] * 2)
    check_eq(login(bench, gateway, user_of(bsf.subscriber()), "after").code, 1001)


# --- shared keys of TLS ---

SUITES = {"DHE-PSK-AES128-GCM-SHA256": "00aa", "DHE-PSK-CHACHA20-POLY1305": "ccad"}
TLS13 = bytes.fromhex("0100000007")
ROWS = [(("-tls1_2", "-cipher", name), bytes.fromhex("010001" + number)) for name, number in SUITES.items()]
ROWS += [(("-tls1_3",), TLS13), (("-tls1_3", "-curves", "P-521:X448:P-256"), TLS13)]


def ask(push_id):
    body = mime(push_id=push_id)
    return (f"POST /pap HTTP/1.1\r\nHost: {FQDN}\r\nContent-Type: {MULTIPART}\r\nContent-Length: {len(body)}\r\n"
            "Connection: close\r\n\r\n").encode() + body


def s_client(port, btid, key, *options):
    return ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", FQDN, "-psk_identity", "3GPP-bootstrapping;" + btid,
            "-psk", key.hex(), "-ign_eof", *options]


def said(gateway, btid, key, what, *options, door="pap-psk"):
    """What openssl said, and what it got."""
    done = subprocess.run(s_client(ports(gateway)[door], btid, key, *options), input=ask(what) if isinstance(what, str) else what,
                          capture_output=True, timeout=60, check=False)
    return (done.stdout + done.stderr).decode(errors="replace")


def with_psk(bench, url, **conf):
    return gateway_of(bench, url, **{"pap.listen-psk": "127.0.0.1:0", **conf})


@case
def psk_with_a_key_from_afar(bench):
    """Every suite of TLS 1.2 has a key of its own, and TLS 1.3 one, also with a second ClientHello; GnuTLS's client too.  Of
    another suite, of somebody else and of nobody they are a wrong key, whatever the BSF knows."""
    module, other = Module(IMPI), Module(OTHER)
    bsf = bsf_of(bench, module, other)
    gateway = with_psk(bench, bsf.url)
    ue = bootstrapped(bench, bsf, module)
    for n, (options, ua) in enumerate(ROWS):
        got = said(gateway, ue.btid, ue.ks_naf(FQDN, ua), f"good{n}", *options)
        check('code="1001"' in got, (options, got[-1500:]))
        check(f"bootstrapped by {IMPI}" in gateway.ctl("push", "explain", f"good{n}").stdout, "the identity arrived")
    check("PSK identity hint: 3GPP-bootstrapping" in said(gateway, ue.btid, ue.ks_naf(FQDN, ROWS[0][1]), "hint", *ROWS[0][0]), "hint")
    done = subprocess.run(
        ["gnutls-cli", "--no-ca-verification", "--priority", "NORMAL:-KX-ALL:+ECDHE-PSK:+DHE-PSK:+PSK:-VERS-ALL:+VERS-TLS1.3", "--pskusername",
         "3GPP-bootstrapping;" + ue.btid, "--pskkey", ue.ks_naf(FQDN, TLS13).hex(), "--port", str(ports(gateway)["pap-psk"]), "127.0.0.1"],
        input=ask("gnutls"), capture_output=True, timeout=60, check=False)
    check(b'code="1001"' in done.stdout, (done.stdout + done.stderr)[-1500:])
    check_eq(status(gateway)["asked"], 3)
    stranger = f"{base64.b64encode(os.urandom(16)).decode()}@{BSF_NAME}"
    good, foreign = ue.ks_naf(FQDN, ROWS[0][1]), bootstrapped(bench, bsf, other)
    for n, (btid, key) in enumerate(((ue.btid, ue.ks_naf(FQDN, ROWS[1][1])), (ue.btid, ue.ks_naf("other.example", ROWS[0][1])),
                                     (stranger, good), (stranger, good), (foreign.btid, good), ("nonsense", good))):
        got = said(gateway, btid, key, f"bad{n}", *ROWS[0][0])
        check('code="1001"' not in got and "decrypt error" in got, (n, got[-500:]))
    check("403" in said(gateway, foreign.btid, foreign.ks_naf(FQDN, TLS13), "no", "-tls1_3"), "no initiator")
    check_eq(stored(gateway), str(len(ROWS) + 2))


@case
def no_handshake_ends_well_while_it_is_away(bench):
    """The client hears that it is no fault of its key, and comes again."""
    module = Module(IMPI)
    bsf = bsf_of(bench, module)
    gateway = with_psk(bench, bsf.url)
    ue = bootstrapped(bench, bsf, module)
    check('code="1001"' in said(gateway, ue.btid, ue.ks_naf(FQDN, TLS13), "before", "-tls1_3"), "before")
    bsf.kill()
    for options, ua in ROWS[:2]:
        check("alert internal error" in said(gateway, ue.btid, ue.ks_naf(FQDN, ua), "away", *options), options)
    gateway.wait_event("auth.key.wait", reason="the BSF gives no answer")
    gateway.wait_event("net.tls.refused", 2, reason="key-away")
    check('code="1001"' in said(gateway, ue.btid, ue.ks_naf(FQDN, TLS13), "known", "-tls1_3"), "what is known goes on")
    check_eq(stored(gateway), "2")
    bsf.start()
    ue = bootstrapped(bench, bsf, module)
    wait_until(lambda: 'code="1001"' in said(gateway, ue.btid, ue.ks_naf(FQDN, TLS13), "back", "-tls1_3"), "back")


@case
def handshakes_wait_and_may_be_left(bench):
    """One question for all that wait; those that leave, and those whose time is over, are forgotten."""
    bsf = Scripted(bench)
    gateway = with_psk(bench, bsf.url, **{"key-server.bsf-timeout": "60s", "pap.handshake-timeout": "60s"})
    ue, door = bsf.subscriber(), ports(gateway)["pap-psk"]
    bsf.gate.clear()
    clients = [subprocess.Popen(s_client(door, ue.btid, ue.ks_naf(FQDN, TLS13), "-tls1_3"), stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(4)]
    wait_until(lambda: bsf.asked() == 1, "the question")
    wait_until(lambda: json.loads(gateway.ctl("--json", "status").stdout)["connections"] == 4, "all are here")
    for client in clients[:2]:
        client.kill()
        client.wait()
    wait_until(lambda: json.loads(gateway.ctl("--json", "status").stdout)["connections"] == 2, "two have left")
    bsf.gate.set()
    for n, client in enumerate(clients[2:]):
        check(b'code="1001"' in client.communicate(ask(f"waited{n}"), timeout=60)[0], n)
    check_eq(bsf.asked(), 1)
    gateway.write_conf(pap__handshake_timeout="300ms")
    check_eq(gateway.ctl("reload").returncode, 0)
    gateway.settle()
    late = bsf.subscriber()
    bsf.gate.clear()
    said(gateway, late.btid, late.ks_naf(FQDN, TLS13), "late", "-tls1_3")
    gateway.wait_event("net.tls.refused", reason="handshake-late")
    bsf.gate.set()
    check_eq(stored(gateway), "2")


@case
def a_session_ends_with_its_key(bench):
    """The key of an open connection is asked for again when it is over, and what the BSF says then counts."""
    bsf = Scripted(bench)
    bsf.life_s = 3
    gateway = with_psk(bench, bsf.url)
    numbers = itertools.count()

    def session():
        ue = bsf.subscriber()
        client = subprocess.Popen(s_client(ports(gateway)["pap-psk"], ue.btid, ue.ks_naf(FQDN, TLS13), "-tls1_3", "-quiet"),
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        bench.closers.append(client.kill)
        return client

    def submit(client):
        client.stdin.write(ask(f"push{next(numbers)}").replace(b"Connection: close\r\n", b""))
        client.stdin.flush()
        got = b""
        while b"\r\n\r\n" not in got or (b" 202 " in got and b"</pap>" not in got):
            more = os.read(client.stdout.fileno(), 65536)
            check(more, f"an answer, not the end; before it {got}")
            got += more
        return int(got.split(b" ")[1])

    client = session()
    check_eq(submit(client), 202)
    bsf.life_s = 3600
    wait_until(lambda: submit(client) == 202 and bsf.asked() >= 2, "asked again, and good again")
    bsf.life_s = 3
    client = session()
    check_eq(submit(client), 202)
    bsf.known.clear()
    wait_until(lambda: submit(client) == 403, "nobody's any more")


@case
def strangers_shake_hands_in_vain(bench):
    """B-TIDs made up in handshakes are bounded as those in requests are."""
    bsf = Scripted(bench)
    gateway = with_psk(bench, bsf.url, **{"key-server.bsf-timeout": "60s", "pap.handshake-timeout": "60s", "key-server.bsf-rate": "1000"})
    door = ports(gateway)["pap-psk"]
    bsf.gate.clear()
    clients = [subprocess.Popen(s_client(door, stranger(), os.urandom(32), "-tls1_3"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT) for _ in range(20)]
    gateway.wait_event("auth.key.wait", 4, reason="too many questions")
    wait_until(lambda: bsf.asked() == 16, "all that may be are under way")
    bsf.gate.set()
    heard = [client.communicate(timeout=60)[0] for client in clients]
    check_eq(sum(b"internal error" in text for text in heard), 4)
    check_eq(bsf.asked(), 16)


def connect(bench, bsf, gateway, module):
    """A push-terminal that bootstraps there and calls in here."""
    bench.write("module", f"impi = {IMPI}\nk = {module.k.hex()}\nopc = {module.opc.hex()}\ngateway = {FQDN}\n", 0o600)
    return bench.start("push-terminal", "connect", "--gateway", f"https://localhost:{ports(gateway)['ota-psk']}", "--json", "--require", "none",
                       "--module", bench.path("module"), "--bsf", f"https://localhost:{bsf.ports['ub']}", "--bsf-ca", bench.path("ca.crt"),
                       "--bsf-name", BSF_NAME, "--naf", FQDN, "--state", bench.path("state"), "--terminal-id", "4+15550100")


@case
def terminals_come_with_keys_from_afar(bench):
    """A terminal that bootstraps at the BSF calls in, fetches and asks about pushes at the gateway, as the subscriber that it
    is; with Digest too; another subscriber's key is nobody's."""
    module, other = Module(IMPI), Module(OTHER)
    bsf = bsf_of(bench, module, other)
    gateway = Gateway(bench, f"[terminal +15550100]\ncalls-in = tls\ninbox = yes\ncall-proof = psk\ncall-subscriber = {IMPI}\n",
                      "allow news +1555* *\nallow inbox * *\n", conf={
                          **PPG, "key-server.bsf-url": bsf.url, "ota-http.listen-psk": "127.0.0.1:0", "inbox.listen-psk": "127.0.0.1:0",
                          "verify.listen-psk": "127.0.0.1:0", "verify.listen-tls": "127.0.0.1:0", "ota-http.cert": "../gateway.crt",
                          "ota-http.key": "../gateway.key"})
    connect(bench, bsf, gateway, module)
    gateway.wait_event("ota.called")
    ue, foreign = bootstrapped(bench, bsf, module), bootstrapped(bench, bsf, other)
    key = ue.ks_naf(FQDN, TLS13)
    fetch = f"GET /inbox HTTP/1.1\r\nHost: {FQDN}\r\nConnection: close\r\n\r\n".encode()
    check("200 OK" in said(gateway, ue.btid, key, fetch, "-tls1_3", door="inbox-psk"), "the inbox")
    check("401 " in said(gateway, foreign.btid, foreign.ks_naf(FQDN, TLS13), fetch, "-tls1_3", door="inbox-psk"), "another's")
    question = '{"token":"' + "0" * 32 + '","digest":"' + "0" * 64 + '"}'
    verify = (f"POST /sec/v1/verify HTTP/1.1\r\nHost: {FQDN}\r\nContent-Type: application/json\r\nContent-Length: {len(question)}\r\n"
              f"Connection: close\r\n\r\n{question}").encode()
    check('"valid":false' in said(gateway, ue.btid, key, verify, "-tls1_3", door="verify-psk"), "a question about a push")
    url = f"https://localhost:{ports(gateway)['verify']}/sec/v1/verify"
    for user, want in ((user_of(ue), 200), (user_of(foreign), 401), (f"{ue.btid}:wrong", 401)):
        answer = curl(bench, url, question.encode(), "-A", "ue 3gpp-gba", "--digest", "--user", user, content_type="application/json")
        check_eq(answer.status, want, user)


@case
def a_terminal_keeps_its_key_while_the_bsf_is_away(bench):
    """The gateway cannot tell, says so, and the terminal comes again with the key that it has."""
    module = Module(IMPI)
    bsf = bsf_of(bench, module)
    gateway = Gateway(bench, f"[terminal +15550100]\ncalls-in = tls\ncall-proof = psk\ncall-subscriber = {IMPI}\n", "", conf={
        **PPG, "key-server.bsf-url": bsf.url, "key-server.bsf-timeout": "1s", "ota-http.listen-psk": "127.0.0.1:0"})
    gateway.program.signal(signal.SIGSTOP)
    try:
        phone = connect(bench, bsf, gateway, module)
        wait_until(lambda: '"event":"boot.done"' in phone.err(), "the key at the terminal")
        bsf.program.signal(signal.SIGSTOP)
    finally:
        gateway.program.signal(signal.SIGCONT)
    try:
        gateway.wait_event("auth.key.wait", 2)
    finally:
        bsf.program.signal(signal.SIGCONT)
    gateway.wait_event("ota.called")
    bsf.check_events(1, "ub.bootstrapped")


main("far_keys")
