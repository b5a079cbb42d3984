"""Keys that a subscriber has bootstrapped, at the gateway's own doors: shared key of TLS for openssl s_client, password of
Digest for curl, each computed by the model (gba_model.py).  TS 24.109 section 5, TS 33.222.  Usage: test_naf.py BUILD_DIR."""

import base64
import os
import re
import subprocess

from gateway import MULTIPART, Gateway, curl, make_identity, mime
from gba_model import DIGEST, Module, Ue
from harness import case, check, check_eq, main, wait_until

IMPI, OTHER = "234150999999999@ims.mnc015.mcc234.3gppnetwork.org", "other@operator.example"
FQDN = "ppg.example.net"
PHONE = "[terminal +15550100]\nroute = http://127.0.0.1:9\n"
INITIATORS = f"""[initiator sim]
subscriber    = {IMPI}
initiator-uri = https://news.example.com/*
"""
CONF = {"key-server.listen-ub": "127.0.0.1:0", "key-server.cert": "../gateway.crt", "key-server.key": "../gateway.key",
        "files.subscribers": "subscribers.conf", "key-server.name": FQDN, "pap.listen-psk": "127.0.0.1:0",
        "pap.digest-md5": "yes", "delivery.retry-first": "1h", "delivery.retry-max": "1h"}
SUITES = {"DHE-PSK-AES128-GCM-SHA256": "00aa", "DHE-PSK-AES256-GCM-SHA384": "00ab", "DHE-PSK-CHACHA20-POLY1305": "ccad"}


def opened(bench, *modules, **conf):
    make_identity(bench)
    gateway = Gateway(bench, PHONE, "allow sim * *\n", initiators=INITIATORS, conf={**CONF, **conf}, start=False)
    gateway.write("subscribers.conf", "".join(m.section() for m in modules))
    return gateway.start()


def port(gateway, door):
    with open(gateway.path("ports"), encoding="utf-8") as f:
        return int(dict(line.strip().split("=") for line in f)[door].rpartition(":")[2])


def bootstrapped(bench, gateway, module):
    return Ue(module, port(gateway, "ub"), bench.authority[0]).bootstrap()


def request(push_id):
    body = mime(push_id=push_id)
    body = body if isinstance(body, bytes) else body.encode()
    return (f"POST /pap HTTP/1.1\r\nHost: {FQDN}\r\nContent-Type: {MULTIPART}\r\nContent-Length: {len(body)}\r\n"
            "Connection: close\r\n\r\n").encode() + body


def s_client(gateway, identity, key, push_id, *options):
    """What openssl said, and what it got."""
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port(gateway, 'pap-psk')}", "-servername", FQDN, "-psk_identity",
         identity, "-psk", key.hex(), "-ign_eof", *options],
        input=request(push_id), capture_output=True, timeout=60, check=False)
    return (done.stdout + done.stderr).decode(errors="replace")


@case
def bootstrapped_key_is_the_psk(bench):
    """Every suite of TLS 1.2 has a key of its own, and TLS 1.3 one; the identity hint tells which keys are meant."""
    module = Module(IMPI)
    gateway = opened(bench, module)
    ue = bootstrapped(bench, gateway, module)
    identity = "3GPP-bootstrapping;" + ue.btid
    for cipher, number in SUITES.items():
        key = ue.ks_naf(FQDN, bytes.fromhex("010001" + number))
        said = s_client(gateway, identity, key, cipher, "-tls1_2", "-cipher", cipher)
        check('code="1001"' in said, said[-2000:])
        check("PSK identity hint: 3GPP-bootstrapping" in said, "hint")
        check(f"bootstrapped by {IMPI}" in gateway.ctl("push", "explain", cipher).stdout, "the identity arrived")
    said = s_client(gateway, identity, ue.ks_naf(FQDN, bytes.fromhex("0100000007")), "tls13", "-tls1_3")
    check('code="1001"' in said, said[-2000:])


@case
def wrong_psk_gets_nowhere(bench):
    """A key of another suite, NAF or run; a B-TID that nobody has; all look alike."""
    module = Module(IMPI)
    gateway = opened(bench, module)
    ue = bootstrapped(bench, gateway, module)
    cipher = ("-tls1_2", "-cipher", "DHE-PSK-AES128-GCM-SHA256")
    good = ue.ks_naf(FQDN, bytes.fromhex("01000100aa"))
    stranger = base64.b64encode(os.urandom(16)).decode() + "@" + ue.bsf
    rows = [(ue.btid, ue.ks_naf(FQDN, bytes.fromhex("01000100ab"))), (ue.btid, ue.ks_naf("other.example", bytes.fromhex("01000100aa"))),
            (ue.btid, ue.ks_naf(FQDN, DIGEST)), (stranger, good), (ue.btid.replace(ue.bsf, "bsf.other.example"), good)]
    old = ue.btid
    ue.bootstrap()
    rows.append((old, good))
    for n, (btid, key) in enumerate(rows):
        said = s_client(gateway, "3GPP-bootstrapping;" + btid, key, f"row{n}", *cipher)
        check('code="1001"' not in said and "decrypt error" in said, (n, said[-500:]))
    check_eq(gateway.query("SELECT count(*) FROM push")[0][0], "0")


@case
def an_account_names_its_subscriber(bench):
    """Who has bootstrapped and is no initiator is known and refused; a reload decides anew."""
    module, other = Module(IMPI), Module(OTHER)
    gateway = opened(bench, module, other)
    ue = bootstrapped(bench, gateway, other)
    key, identity = ue.ks_naf(FQDN, bytes.fromhex("01000100aa")), "3GPP-bootstrapping;" + ue.btid
    cipher = ("-tls1_2", "-cipher", "DHE-PSK-AES128-GCM-SHA256")
    check("403" in s_client(gateway, identity, key, "no", *cipher), "no initiator")
    gateway.write("initiators.conf", INITIATORS + f"subscriber = {OTHER}\n")
    check_eq(gateway.ctl("reload").returncode, 0)
    gateway.settle()
    wait_until(lambda: 'code="1001"' in s_client(gateway, identity, key, "yes", *cipher), "what was bootstrapped outlives a reload")
    gateway.write("subscribers.conf", module.section())
    check_eq(gateway.ctl("reload").returncode, 0)
    wait_until(lambda: "decrypt error" in s_client(gateway, identity, key, "gone", *cipher), "struck off")


def digest_user(ue, ua=DIGEST, fqdn=FQDN):
    return f"{ue.btid}:{base64.b64encode(ue.ks_naf(fqdn, ua)).decode()}"


@case
def bootstrapped_key_is_the_password(bench):
    """TLS with the server's certificate, which curl validates, and Digest with B-TID and base64 of the key."""
    module = Module(IMPI)
    gateway = opened(bench, module)
    ue = bootstrapped(bench, gateway, module)
    agent = ("-A", "ue 3gpp-gba", "--digest", "--user")
    check_eq(curl(bench, gateway.tls_url, mime(push_id="good"), *agent, digest_user(ue)).code, 1001)
    check(f"bootstrapped by {IMPI}" in gateway.ctl("push", "explain", "good").stdout, "the identity arrived")
    # Digest in a tunnel: the key of TLS of that suite (TS 33.222 section 5.3)
    for options, ua in ((("--tlsv1.3", "--tls13-ciphers", "TLS_AES_128_GCM_SHA256"), "0100011301"),
                        (("--tls-max", "1.2", "--ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256"), "010001c02b")):
        user = digest_user(ue, bytes.fromhex(ua))
        check_eq(curl(bench, gateway.tls_url, mime(push_id=ua), *options, *agent, user).code, 1001, ua)
    for user in (digest_user(ue, fqdn="other.example"), f"{ue.btid}:wrong", digest_user(ue).replace("bsf.", "bsf.other.")):
        check_eq(curl(bench, gateway.tls_url, mime(push_id="bad"), *agent, user).status, 401)


@case
def who_speaks_of_bootstrapping_is_asked_for_it(bench):
    """A realm of its own, by the product of User-Agent; a key that is over is asked for anew, and is no guess."""
    module = Module(IMPI)
    gateway = opened(bench, module, **{"key-server.ks-lifetime": "1min"})
    ue = bootstrapped(bench, gateway, module)
    done = bench.tool("curl", "-s", "-i", "--cacert", bench.authority[0], "-A", "ue 3gpp-gba", "-H", f"Content-Type: {MULTIPART}",
                      "--data-binary", "x", gateway.tls_url)
    realms = re.findall(r'WWW-Authenticate: Digest realm="([^"]*)"', done)
    check_eq(realms, [f"3GPP-bootstrapping@{FQDN}"] * 2)
    user = digest_user(ue)
    ue.bootstrap()
    for _ in range(5):
        check_eq(curl(bench, gateway.tls_url, mime(), "-A", "ue 3gpp-gba", "--digest", "--user", user).status, 401)
    check_eq(gateway.events("auth.slowed"), [])
    check_eq(curl(bench, gateway.tls_url, mime(push_id="new"), "-A", "ue 3gpp-gba", "--digest", "--user", digest_user(ue)).code, 1001)


main("naf")
