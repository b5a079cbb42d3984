"""Algorithms as policy: what is raised by a reload holds for new connections, old ones go on, and who offers less is
refused; a policy of its own file counts when it is signed.  Usage: test_algorithms.py BUILD_DIR."""

import re
import subprocess

from gateway import ANY_LEVEL, INITIATORS, PASSWORD, Gateway, Terminal, as_news, curl, good_push, make_identity, mime, push
from harness import case, check, check_eq, main

PHONE = "[terminal +15550100]\nroute = http://127.0.0.1:9\n"


def opened(bench, **conf):
    make_identity(bench)
    return Gateway(bench, PHONE, "allow * * *\n", INITIATORS, conf={
        "delivery.retry-first": "1h", "delivery.retry-max": "1h", "files.algorithms-serial": "algorithms.serial",
        **{k.replace("__", ".").replace("_", "-"): v for k, v in conf.items()}})


def tries(bench, gateway, *options):
    """What openssl s_client got: the suite, or the alert."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.tls_port}", "-CAfile", bench.path("ca.crt"),
                           *options], input="", capture_output=True, text=True, errors="replace", timeout=60, check=False)
    said = done.stdout + done.stderr
    alert = re.search(r"alert ([a-z ]+)", said)
    if alert:
        return alert.group(1).strip()
    suite = re.search(r"New, (TLSv[\d.]+), Cipher is (\S+)", said)
    return suite.group(1) + " " + suite.group(2) if suite else said[-300:]


def reloads(gateway, **changes):
    gateway.write_conf(**changes)
    done = gateway.ctl("reload")
    return done.returncode, done.stdout + done.stderr


class Open:
    """A connection that stays: submissions through one openssl s_client, by its standard input."""

    def __init__(self, bench, gateway, *options):
        self.process = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.tls_port}", "-quiet", "-ign_eof", "-CAfile",
             bench.path("ca.crt"), "-cert", bench.path("news.crt"), "-key", bench.path("news.key"), *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        bench.closers.append(self.process.kill)

    def submit(self, push_id):
        body = mime(push_id=push_id)
        head = (f"POST /pap HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\nContent-Type: multipart/related; "
                'type="application/xml"; boundary="pap-boundary-7f3a"\r\n\r\n').encode()
        self.process.stdin.write(head + body)
        self.process.stdin.flush()
        status = int(self.process.stdout.readline().split()[1])
        length = 0
        while (line := self.process.stdout.readline().strip()):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        self.process.stdout.read(length)
        return status


@case
def version_raised_while_running(bench):
    """A TLS 1.2 connection that is open goes on; new ones need 1.3; protocol_version tells a client why."""
    gateway = opened(bench)
    old = Open(bench, gateway, "-tls1_2")
    check_eq(old.submit("before"), 202)
    check_eq(reloads(gateway, pap__tls_min="1.3")[0], 0)
    check_eq(old.submit("after"), 202)
    check_eq(tries(bench, gateway, "-tls1_2"), "protocol version")
    check(tries(bench, gateway, "-tls1_3").startswith("TLSv1.3 "), "the higher one")
    gateway.wait_event("net.tls.refused", reason="version")
    session = bench.path("session")
    check_eq(reloads(gateway, pap__tls_min="1.2")[0], 0)
    check(tries(bench, gateway, "-tls1_2", "-sess_out", session).startswith("TLSv1.2 "), "lowered by its operator")
    check_eq(reloads(gateway, pap__tls_min="1.3")[0], 0)
    check_eq(tries(bench, gateway, "-tls1_2", "-sess_in", session), "protocol version", "by a ticket from before")


@case
def suites_raised_while_running(bench):
    gateway = opened(bench)
    check_eq(tries(bench, gateway, "-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256"), "TLSv1.3 TLS_AES_128_GCM_SHA256")
    check_eq(reloads(gateway, pap__ciphers="aes-256-gcm")[0], 0)
    for options in (("-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256"), ("-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"),
                    ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"), ("-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305")):
        check_eq(tries(bench, gateway, *options), "handshake failure", options)
    check_eq(tries(bench, gateway, "-tls1_3"), "TLSv1.3 TLS_AES_256_GCM_SHA384")
    check_eq(tries(bench, gateway, "-tls1_2"), "TLSv1.2 ECDHE-ECDSA-AES256-GCM-SHA384")
    done = reloads(gateway, pap__ciphers="aes-512-gcm")
    check(done[0] != 0 and "ciphers: cannot be" in done[1], done)
    check_eq(tries(bench, gateway, "-tls1_3"), "TLSv1.3 TLS_AES_256_GCM_SHA384", "a broken reload changed it")


@case
def digest_raised_while_running(bench):
    """MD5 taken away: an answer made with it is refused, one with SHA-256 is taken."""
    gateway = opened(bench, pap__digest_md5="yes")
    login = ("--digest", "--user", f"pass:{PASSWORD}")
    head = curl(bench, gateway.url, mime()).head
    check("algorithm=MD5" in head and "algorithm=SHA-256" in head, head)
    nonce = re.search(r'nonce="([^"]+)"[^\n]*algorithm=MD5', head) or re.search(r'algorithm=MD5[^\n]*nonce="([^"]+)"', head)
    check_eq(reloads(gateway, pap__digest_md5="no")[0], 0)
    head = curl(bench, gateway.url, mime()).head
    check("algorithm=MD5" not in head and "algorithm=SHA-256" in head, head)
    forced = ('Digest username="pass", realm="ppg", nonce="' + nonce.group(1) + '", uri="/pap", algorithm=MD5, qop=auth, '
              'nc=00000001, cnonce="c", response="' + "0" * 32 + '"')
    check_eq(curl(bench, gateway.url, mime(), "-H", f"Authorization: {forced}").status, 401)
    check_eq(curl(bench, gateway.url, mime(), *login).status, 202)


def key_pair(bench, name):
    bench.tool("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", bench.path(f"{name}.key"))
    bench.tool("openssl", "pkey", "-in", bench.path(f"{name}.key"), "-pubout", "-out", bench.path(f"{name}.pem"))


def sign(bench, gateway, text, key="signer", name="algorithms.conf"):
    path = gateway.write(name, text)
    bench.tool("openssl", "dgst", "-sha256", "-sign", bench.path(f"{key}.key"), "-out", path + ".sig", path)


@case
def signed_policy(bench):
    """SEC_CF-ADM-002: a signed policy raises the minimum, a downgrade attempt is refused, an unsigned policy counts for
    nothing."""
    for name in ("signer", "stranger"):
        key_pair(bench, name)
    gateway = opened(bench)
    strict = "serial = 7\ntls-min = 1.3\nciphers = aes-256-gcm, chacha20-poly1305\ndigest-md5 = no\nseal-suites = aes-gcm\n"
    sign(bench, gateway, strict)
    check_eq(reloads(gateway, files__algorithms="algorithms.conf", files__algorithms_key="../signer.pem")[0], 0)

    def strict_holds(what):
        check_eq(tries(bench, gateway, "-tls1_2"), "protocol version", what)
        check_eq(tries(bench, gateway, "-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256"), "handshake failure", what)
        check_eq(tries(bench, gateway, "-tls1_3"), "TLSv1.3 TLS_AES_256_GCM_SHA384", what)

    strict_holds("signed")
    loose = strict.replace("1.3", "1.2").replace("aes-256-gcm", "aes-128-gcm, aes-256-gcm")
    gateway.write("algorithms.conf", loose)  # under the signature of the other
    code, said = reloads(gateway)
    check(code != 0 and "algorithms.conf:0: not signed by the key of algorithms-key" in said, said)
    strict_holds("changed behind its signature")
    sign(bench, gateway, loose, "stranger")
    check(reloads(gateway)[0] != 0, "signed by a stranger")
    gateway.write("algorithms.conf.sig", "")
    check(reloads(gateway)[0] != 0, "an empty signature")
    strict_holds("not signed")
    sign(bench, gateway, strict)
    check_eq(reloads(gateway, pap__tls_min="1.2", pap__ciphers="aes-128-gcm, aes-256-gcm")[0], 0)
    strict_holds("ppg.conf cannot lower it")
    check_eq(curl(bench, gateway.tls_url, mime(), *as_news(bench)).status, 202)
    sign(bench, gateway, loose.replace("serial = 7", "serial = 8"))
    check_eq(reloads(gateway)[0], 0)
    check(tries(bench, gateway, "-tls1_2").startswith("TLSv1.2 "), "lowered by who may")


@case
def an_older_policy_is_refused(bench):
    """Signed well, and once in force: it cannot be put back, not after a kill either, nor while the serial that was in
    force cannot be kept."""
    key_pair(bench, "signer")
    weak = "serial = 7\ntls-min = 1.2\nciphers = aes-128-gcm, aes-256-gcm\ndigest-md5 = yes\nseal-suites = aes-gcm\n"
    strong = weak.replace("serial = 7", "serial = 8").replace("1.2", "1.3")
    gateway = opened(bench)
    sign(bench, gateway, weak)
    check_eq(reloads(gateway, files__algorithms="algorithms.conf", files__algorithms_key="../signer.pem")[0], 0)
    check(tries(bench, gateway, "-tls1_2").startswith("TLSv1.2 "), "the first one")
    sign(bench, gateway, strong)
    check_eq(reloads(gateway)[0], 0)
    sign(bench, gateway, weak)
    code, said = reloads(gateway)
    check(code == 1 and "algorithms.conf:1: serial: an older policy: one with the serial 8 was in force" in said, said)
    check_eq(tries(bench, gateway, "-tls1_2"), "protocol version")
    gateway.kill()
    done = bench.run("ppgd", "--check-config", "-c", gateway.path("ppg.conf"))
    check(done.returncode == 1 and "an older policy" in done.stderr, done)
    sign(bench, gateway, strong)
    gateway.start()
    check_eq(tries(bench, gateway, "-tls1_2"), "protocol version")
    sign(bench, gateway, strong.replace("serial = 8", "serial = 9"))
    code, said = reloads(gateway, files__algorithms_serial="nowhere/serial")
    check(code == 1 and "[files] algorithms-serial: " in said and "cannot be made" in said, said)


@case
def seals_raised_while_running(bench):
    """What messages are sealed with is taken from what both the association and the policy allow, from the next push on;
    where that is nothing, nothing is sent that needs a seal."""
    phone = Terminal(bench)
    gateway = Gateway(bench, phone.route("+15550100"), ANY_LEVEL)

    def suite(level):
        seen = len(phone.events())
        good_push(bench, gateway, headers={"X-Push-Protection": level})
        return phone.wait_events(seen + 1)[-1]["suite"]

    check_eq(suite("full"), "aes-ctr-hmac-sha256")
    check_eq(reloads(gateway, protection__suites="aes-gcm, hmac-sha256")[0], 0)
    gateway.settle()
    check_eq(suite("integrity"), "hmac-sha256")
    check_eq(reloads(gateway, protection__suites="aes-gcm")[0], 0)
    gateway.settle()
    check_eq(push(bench, gateway, push_id="unsealed", headers={"X-Push-Protection": "integrity"}).code, 2005)
    check_eq(reloads(gateway, protection__suites="aes-ctr-hmac-sha256")[0], 0)
    gateway.settle()
    check_eq(suite("integrity"), "aes-ctr-hmac-sha256")


main("algorithms")
