"""TLS of the listener for initiators as other implementations see it: openssl s_client, gnutls-cli, curl.
Usage: test_tls.py BUILD_DIR."""

import re
import socket
import subprocess
import time

from gateway import Gateway, as_news, curl, good_push, make_identity, mime
from harness import case, check, check_eq, main

PHONE = "[terminal +15550100]\nroute = http://127.0.0.1:9\n"


def opened(bench, **conf):
    conf = {"delivery.retry-first": "1h", "delivery.retry-max": "1h",
            **{k.replace("__", ".").replace("_", "-"): v for k, v in conf.items()}}
    return Gateway(bench, PHONE, "allow news * *\n", conf=conf)


def s_client(bench, gateway, *options, stdin=""):
    """openssl s_client to its end: its exit status and all it said."""
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.tls_port}", "-CAfile", bench.path("ca.crt"), *options],
        input=stdin, capture_output=True, text=True, errors="replace", timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


# What openssl itself would refuse to try must be let through: the gateway is what is tested.
ANYTHING = ("-cipher", "ALL:COMPLEMENTOFALL:@SECLEVEL=0")


@case
def old_versions_are_refused(bench):
    gateway = opened(bench)
    for version in ("-tls1", "-tls1_1"):
        status, said = s_client(bench, gateway, version, *ANYTHING)
        check(status != 0 and re.search("alert protocol version|alert handshake failure", said), (version, said[-800:]))
    for version, name in (("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
        status, said = s_client(bench, gateway, version)
        check(status == 0 and re.search(rf"New, {name}, Cipher is \w", said), (version, said[-800:]))
        check("Verify return code: 0 (ok)" in said, said)
    good_push(bench, gateway)


@case
def tls_1_3_alone_where_asked(bench):
    gateway = opened(bench, pap__tls_min="1.3")
    status, said = s_client(bench, gateway, "-tls1_2")
    check(status != 0 and "alert protocol version" in said, said[-800:])
    check_eq(s_client(bench, gateway, "-tls1_3")[0], 0)


@case
def aead_suites_alone(bench):
    gateway = opened(bench)
    for cipher in ("ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "ECDHE-ECDSA-AES128-SHA256", "AES128-SHA",
                   "AES256-GCM-SHA384", "ECDHE-ECDSA-NULL-SHA", "aNULL", "DHE-RSA-AES128-GCM-SHA256"):
        status, said = s_client(bench, gateway, "-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0")
        check(status != 0 and "alert handshake failure" in said, (cipher, said[-800:]))
    for cipher in ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"):
        status, said = s_client(bench, gateway, "-tls1_2", "-cipher", cipher)
        check(status == 0 and f"Cipher is {cipher}" in said, (cipher, said[-800:]))
    for cipher in ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"):
        status, said = s_client(bench, gateway, "-tls1_3", "-ciphersuites", cipher)
        check(status == 0 and f"Cipher is {cipher}" in said, (cipher, said[-800:]))


@case
def no_renegotiation(bench):
    """R on a line of its own makes s_client ask for it; what follows must not be served."""
    gateway = opened(bench)
    process = subprocess.Popen(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.tls_port}", "-tls1_2", "-CAfile", bench.path("ca.crt")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    bench.closers.append(process.kill)
    process.stdin.write(b"R\n")
    process.stdin.flush()
    said, _ = process.communicate(timeout=60)
    check(b"RENEGOTIATING" in said, said[-500:])
    check(re.search(rb"no renegotiation|unexpected message|alert|unexpected eof|:error:", said), said[-1500:])
    check_eq(said.count(b"verify return:1"), 2, "certificates were shown again")
    good_push(bench, gateway)


@case
def name_picks_the_certificate(bench):
    make_identity(bench)
    bench.certificate(bench.authority, "other", "DNS:other.example.net")
    gateway = opened(bench, pap__cert="../gateway.crt, ../other.crt", pap__key="../gateway.key, ../other.key")
    for name, subject in (("ppg.example.net", "gateway"), ("other.example.net", "other"), ("nobody.example", "gateway"),
                          (None, "gateway")):
        for version in ("-tls1_2", "-tls1_3"):
            options = ("-servername", name) if name else ("-noservername",)
            _, said = s_client(bench, gateway, version, *options)
            found = re.search(r"subject=(?:/)?CN ?= ?(\w+)", said)
            check_eq((name, found and found.group(1)), (name, subject), said[-500:])


@case
def protocol_and_staple(bench):
    gateway = opened(bench)
    _, said = s_client(bench, gateway, "-alpn", "http/1.1", "-status")
    check("ALPN protocol: http/1.1" in said and "OCSP response: no response sent" in said, said)
    _, said = s_client(bench, gateway, "-alpn", "h2,http/1.1")
    check("ALPN protocol: http/1.1" in said, said)
    for offer, chosen in (("http/1.0", "http/1.0"), ("h2,http/1.0", "http/1.0"), ("http/1.0,http/1.1", "http/1.1")):
        for version in ("-tls1_2", "-tls1_3"):
            _, said = s_client(bench, gateway, "-alpn", offer, version)
            check(f"ALPN protocol: {chosen}" in said, (offer, said[-500:]))
    for offer in ("http/0.9", "http/1", "HTTP/1.1"):
        status, said = s_client(bench, gateway, "-alpn", offer)
        check(status != 0 and "alert no application protocol" in said, (offer, said[-500:]))
    status, said = s_client(bench, gateway, "-alpn", "h2")
    check(status != 0 and "alert no application protocol" in said, said)
    check("No ALPN negotiated" in s_client(bench, gateway)[1], "no offer, no choice")
    done = subprocess.run(["gnutls-cli", "--x509cafile", bench.path("ca.crt"), "--alpn", "http/1.1", "--port",
                           str(gateway.tls_port), "localhost"], input="", capture_output=True, text=True, timeout=60, check=False)
    check("Application protocol: http/1.1" in done.stdout and "Status: The certificate is trusted" in done.stdout, done.stdout)


@case
def client_certificate_as_configured(bench):
    gateway = opened(bench, pap__client_certificate="required")
    status, said = s_client(bench, gateway, "-tls1_2")
    check(status != 0 and "alert" in said, said[-500:])
    _, said = s_client(bench, gateway, "-tls1_2", *("-cert", bench.path("news.crt"), "-key", bench.path("news.key")))
    check("Acceptable client certificate CA names\nCN = ca" in said, said)
    good_push(bench, gateway)
    gateway = opened(bench, pap__client_certificate="none")
    check("No client certificate CA names sent" in s_client(bench, gateway, "-tls1_2")[1], "asked all the same")
    check_eq(curl(bench, gateway.tls_url, mime(), *as_news(bench)).status, 401)


@case
def half_handshake_is_cut(bench):
    gateway = opened(bench, pap__handshake_timeout="500ms")
    hello = bytes.fromhex("160301020001")  # the start of a client hello, the rest never comes
    for octets in (b"", hello):
        s = socket.create_connection(("127.0.0.1", gateway.tls_port), timeout=60)
        bench.closers.append(s.close)
        started = time.monotonic()
        s.sendall(octets)
        try:
            s.recv(1000)
        except ConnectionResetError:
            pass
        check(0.3 < time.monotonic() - started < 60, "a stalled handshake is kept")
    good_push(bench, gateway)


@case
def noise_is_refused(bench):
    gateway = opened(bench)
    for octets in (b"POST /pap HTTP/1.1\r\nHost: a\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"a" * 70000, b"\0" * 100,
                   b"\x80\x2e\x01\x00\x02" + b"\0" * 60):
        s = socket.create_connection(("127.0.0.1", gateway.tls_port), timeout=60)
        bench.closers.append(s.close)
        try:
            s.sendall(octets)
            while got := s.recv(1000):
                check(not got.startswith(b"HTTP/"), got)
        except (BrokenPipeError, ConnectionResetError):
            pass
    good_push(bench, gateway)


@case
def resumption_keeps_the_identity(bench):
    """A session taken up again is still the initiator's whose certificate it was."""
    gateway = opened(bench)
    session = bench.path("session")
    body = mime(push_id="first")
    head = (f"POST /pap HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(body)}\r\nContent-Type: "
            'multipart/related; type="application/xml"; boundary="pap-boundary-7f3a"\r\n\r\n')
    options = ("-cert", bench.path("news.crt"), "-key", bench.path("news.key"), "-quiet", "-no_ign_eof", "-ign_eof")
    for version in ("-tls1_2", "-tls1_3"):
        text = head + body.decode().replace("first", f"first{version}")
        text = text.replace(f"Content-Length: {len(body)}", f"Content-Length: {len(body) + len(version)}")
        _, said = s_client(bench, gateway, version, *options, "-sess_out", session, stdin=text)
        check('code="1001"' in said, said)
        text = text.replace("first", "again")
        _, said = s_client(bench, gateway, version, *options, "-sess_in", session, stdin=text)
        check('code="1001"' in said, said)


main("tls")
