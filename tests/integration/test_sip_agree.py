"""Security agreement of the gateway with its next hop (RFC 3329): TLS or Digest as that has it in its list, the list said back, and
never less than was agreed on.  Usage: test_sip_agree.py BUILD_DIR."""

import hashlib
import re
import ssl

from gateway import Gateway, make_identity
from harness import case, check, check_eq, main
from sipnet import OPEN, ended, good, route
from sipuas import Device

CONF = {"ota-sip.sec-agree": "yes", "delivery.retry-first": "100ms", "delivery.retry-max": "100ms"}
WANTS = (494, "Require: sec-agree", "Security-Server: ipsec-ike;q=0.1", "Security-Server: tls;q=0.2")
LOGIN = "login-user = ppg\nlogin-password-file = ../password\n"


def hop(bench, *script):
    """Takes requests over UDP and, on the same port, TLS."""
    make_identity(bench)
    bench.certificate(bench.authority, "hop", "DNS:localhost,URI:sip:localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bench.path("hop.crt"), bench.path("hop.key"))
    return Device(bench, *script, tls=context)


def gateway_to(bench, device, more="", **conf):
    return Gateway(bench, route(f"sip:alice@localhost:{device.port}", more), whitelist=OPEN, conf={**CONF, **conf})


def security(message):
    return message["Security-Client"], message["Security-Verify"], message["Require"], message["Proxy-Require"]


FIRST = ("tls, digest", None, "sec-agree", "sec-agree")


@case
def on_tls(bench):
    """The first request asks; the second one and all further ones go over TLS with the server's list."""
    device = hop(bench, WANTS, 200)
    gateway = gateway_to(bench, device)
    for i in range(2):
        good(bench, gateway, f"p{i}")
        check_eq(ended(gateway, f"p{i}", "delivered")["tries"], 1)
    check_eq([m.over for m in device.messages], ["udp", "tls", "tls"])
    listed = (None, "ipsec-ike;q=0.1, tls;q=0.2", "sec-agree", "sec-agree")
    check_eq([security(m) for m in device.messages], [FIRST, listed, listed])


def digest_of(message, password, extra="", name="response"):
    """What the credentials say in the place of `name`, and what they should."""
    said = {k: q or v for k, q, v in re.findall(r'([\w-]+)=(?:"([^"]*)"|([^\s,;]+))', message["Proxy-Authorization"] + ";" + message["Security-Verify"])}

    def h(*texts):
        return {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[said["algorithm"]](":".join(texts).encode()).hexdigest()

    a2 = h(message.method, said["uri"], *([extra] if extra else []))
    want = h(h(said["username"], said["realm"], password), said["nonce"], said["nc"], said["cnonce"], "auth", a2)
    return said[name], want


@case
def on_digest(bench):
    """With the algorithm of the list, not of the challenge, and a digest over the list; then the next request has both at once."""
    for offered, algorithm in (("digest;d-alg=SHA-256;d-qop=auth;q=0.2, tls;q=0.1", "SHA-256"), ("tls;q=0.1,\t digest;q=0.7", "MD5")):
        device = hop(bench, (494, f"Security-Server: {offered}", 'Proxy-Authenticate: Digest realm="net", nonce="n-1", qop="auth,auth-int", algorithm=MD5'),
                     200)
        gateway = gateway_to(bench, device, LOGIN)
        for i in range(2):
            good(bench, gateway, f"p{i}")
            check_eq(ended(gateway, f"p{i}", "delivered")["tries"], 1)
        check_eq([m.over for m in device.messages], ["udp"] * 3)
        check_eq(security(device.messages[0]), FIRST)
        listed = re.sub(r"\s+", " ", offered)
        for i, message in enumerate(device.messages[1:]):
            check("algorithm=" + algorithm in message["Proxy-Authorization"] and f"nc=0000000{i + 1}" in message["Proxy-Authorization"],
                  message["Proxy-Authorization"])
            check_eq(*digest_of(message, "correct-horse-7391"))
            check_eq(*digest_of(message, "correct-horse-7391", listed, "d-ver"))
            check_eq(re.sub(r';d-ver="[0-9a-f]+"', "", message["Security-Verify"]), listed)
            check_eq((message["Security-Client"], message["Require"]), (None, "sec-agree"))
        gateway.stop()


@case
def no_agreement(bench):
    """No list, none that we know, two of one preference, a Digest without its challenge, or a new list again and again: refused, and
    nothing else was sent."""
    mechanisms = [((494,), 1), ((421, "Require: sec-agree"), 1), ((494, "Security-Server: ipsec-ike;q=0.1"), 1),
                  ((494, "Security-Server: tls;q=0.1, digest;q=0.1"), 1), ((494, "Security-Server: digest;q=0.1"), 1), ((420, "Unsupported: sec-agree"), 1),
                  ((494, "Security-Server: tls;q=0.1"), 3)]
    for said, requests in mechanisms:
        device = hop(bench, said)
        gateway = gateway_to(bench, device, LOGIN)
        good(bench, gateway, "p1")
        check_eq(ended(gateway, "p1", "undeliverable")["code"], 4000, said)
        check_eq([m.over for m in device.messages], ["udp", "tls", "tls"][:requests], said)
        gateway.stop()


@case
def never_less(bench):
    """Who has agreed on TLS cannot be talked into Digest, and a hop that cannot be reached over TLS is not asked over anything else."""
    weaker = (494, "Security-Server: digest;q=0.9", 'Proxy-Authenticate: Digest realm="net", nonce="n-1", qop="auth"')
    device = hop(bench, WANTS, weaker)
    gateway = gateway_to(bench, device, LOGIN)
    good(bench, gateway, "p1")
    check_eq(ended(gateway, "p1", "undeliverable")["code"], 4000)
    check_eq([m.over for m in device.messages], ["udp", "tls"])
    gateway.stop()
    device = Device(bench, WANTS)  # speaks no TLS
    gateway = gateway_to(bench, device)
    good(bench, gateway, "p1")
    gateway.wait_event("target.retry", push_id="p1")
    check({m.over for m in device.messages} == {"udp"} and all(security(m) == FIRST for m in device.messages), device.messages)


@case
def each_hop_has_its_own(bench):
    """What was agreed on with a hop that sends us elsewhere is not said there."""
    second = Device(bench)
    first = hop(bench, WANTS, (302, f"Contact: <sip:alice@127.0.0.1:{second.port}>"))
    gateway = gateway_to(bench, first)
    good(bench, gateway, "p1")
    check_eq(ended(gateway, "p1", "delivered")["tries"], 1)
    check_eq([m.over for m in first.messages], ["udp", "tls"])
    check_eq([(m.over, security(m)) for m in second.messages], [("udp", FIRST)])


@case
def not_where_tls_is_meant_anyway(bench):
    """sips needs no agreement (RFC 3329 §2.3.1)."""
    device = hop(bench)
    gateway = Gateway(bench, route(f"sips:alice@localhost:{device.port}"), whitelist=OPEN, conf=CONF)
    good(bench, gateway, "p1")
    ended(gateway, "p1", "delivered")
    check_eq((device.messages[0].over, security(device.messages[0])), ("tls", (None,) * 4))


main("sip_agree")
