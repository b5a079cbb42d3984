"""HTTP Digest over the wire: curl, and a client of its own that does what curl does not - auth-int, nextnonce, counts on
one connection.  RFC 7616.  Usage: test_digest.py BUILD_DIR."""

import hashlib
import http.client
import os
import re
import time

from gateway import MULTIPART, PASSWORD, Gateway, curl, make_identity, mime
from harness import case, check, check_eq, main

PHONE = "[terminal +15550100]\nroute = http://127.0.0.1:9\n"
CONF = {"delivery.retry-first": "1h", "delivery.retry-max": "1h", "pap.digest-md5": "yes"}
HASHES = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}
AS_PASS = ("--digest", "--user", f"pass:{PASSWORD}")


def opened(bench, **conf):
    make_identity(bench)
    return Gateway(bench, PHONE, "allow pass * *\n", conf={**CONF, **conf})


def parameters(value):
    return {k: q or w for k, q, w in re.findall(r'([a-z]+)=(?:"([^"]*)"|([^\s,"]+))', value)}


class Client:
    """One kept connection of the initiator `pass`."""

    def __init__(self, gateway, algorithm, qop, password=PASSWORD):
        self.link = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=60)
        self.hash = lambda text: HASHES[algorithm](text if isinstance(text, bytes) else text.encode()).hexdigest()
        self.algorithm, self.qop, self.password, self.nonce, self.count = algorithm, qop, password, None, 0

    def challenged(self):
        answer, _ = self.send(mime(), {})
        check_eq(answer.status, 401)
        offers = [parameters(v) for k, v in answer.getheaders() if k.lower() == "www-authenticate" and v.startswith("Digest")]
        offer = next(o for o in offers if o["algorithm"] == self.algorithm)
        check_eq(offer["qop"], "auth, auth-int")
        self.realm, self.nonce, self.count = offer["realm"], offer["nonce"], 0

    def send(self, body, headers):
        self.link.request("POST", "/pap", body, {"Content-Type": MULTIPART, **headers})
        answer = self.link.getresponse()
        return answer, answer.read()

    def a2(self, method, body):
        return self.hash(f"{method}:/pap" + (f":{self.hash(body)}" if self.qop == "auth-int" else ""))

    def response(self, a2):
        a1 = self.hash(f"pass:{self.realm}:{self.password}")
        return self.hash(f"{a1}:{self.nonce}:{self.count:08x}:{self.cnonce}:{self.qop}:{a2}")

    def push(self, push_id, count=None, body=None, signed=None, method="POST"):
        """The answer and its text; `signed` is the body that the digest is made of."""
        self.count = self.count + 1 if count is None else count
        self.cnonce = os.urandom(8).hex()
        body = mime(push_id=push_id) if body is None else body
        response = self.response(self.a2(method, body if signed is None else signed))
        return self.send(body, {"Authorization":
            f'Digest username="pass", realm="{self.realm}", nonce="{self.nonce}", uri="/pap", algorithm={self.algorithm}, '
            f'qop={self.qop}, nc={self.count:08x}, cnonce="{self.cnonce}", response="{response}"'})

    def check_proof(self, answer, text):
        """RFC 7616 §3.5: of the gateway's answer, method left out."""
        info = parameters(answer.getheader("Authentication-Info"))
        check_eq((info["qop"], info["cnonce"], info["nc"]), (self.qop, self.cnonce, f"{self.count:08x}"))
        check_eq(info["rspauth"], self.response(self.a2("", text)), "rspauth")
        return info.get("nextnonce")


@case
def every_algorithm_and_qop(bench):
    gateway = opened(bench)
    for algorithm in HASHES:
        for qop in ("auth", "auth-int"):
            client = Client(gateway, algorithm, qop)
            client.challenged()
            for n in range(3):
                answer, text = client.push(f"{algorithm}.{qop}.{n}")
                check_eq(answer.status, 202, (algorithm, qop, n))
                check(client.check_proof(answer, text) is None, "a nonce as young as that needs no other")
    check_eq(gateway.query("SELECT count(*) FROM push")[0][0], "12")


@case
def curl_speaks_it(bench):
    gateway = opened(bench)
    check_eq(curl(bench, gateway.url, mime(push_id="sha"), *AS_PASS).code, 1001)
    check("Digest SHA-256 as pass" in gateway.ctl("push", "explain", "sha").stdout, "curl takes the strongest")
    check_eq(curl(bench, gateway.tls_url, mime(push_id="tls"), *AS_PASS).code, 1001)
    check_eq(curl(bench, gateway.url, mime(), "--digest", "--user", "pass:wrong").status, 401)
    check_eq(curl(bench, gateway.url, mime(), "--digest", "--user", f"nobody:{PASSWORD}").status, 401)


@case
def a_count_is_good_once(bench):
    gateway = opened(bench)
    client = Client(gateway, "SHA-256", "auth")
    client.challenged()
    check_eq([client.push(f"c{n}", count=n)[0].status for n in (1, 2, 5, 4)], [202] * 4)
    for n in (1, 5):
        answer, _ = client.push("again", count=n)
        check_eq(answer.status, 401)
        check("stale=true" in answer.getheader("WWW-Authenticate"), answer.getheaders())
    check_eq(gateway.events("auth.slowed"), [])  # stale is no guess
    client.nonce = client.nonce[:-4] + "AAA="  # not one of ours, though the digest is right
    answer, _ = client.push("foreign", count=1)
    check_eq((answer.status, "stale=true" in answer.getheader("WWW-Authenticate")), (401, True))


@case
def changed_bodies_are_refused(bench):
    """auth-int covers the body; auth does not, and never did."""
    gateway = opened(bench)
    for qop, status in (("auth-int", 401), ("auth", 202)):
        client = Client(gateway, "SHA-256", qop)
        client.challenged()
        answer, _ = client.push("", body=mime(push_id=f"{qop}.changed"), signed=mime(push_id=f"{qop}.other"))
        check_eq(answer.status, status, qop)
    wrong = Client(gateway, "SHA-256", "auth-int", "wrong")
    wrong.challenged()
    check_eq(wrong.push("w")[0].status, 401)
    method = Client(gateway, "SHA-256", "auth-int")
    method.challenged()
    check_eq(method.push("m", method="PUT")[0].status, 401)
    gateway.wait_event("auth.refused", count=3, reason="wrong user name or password")
    ids = [row[0] for row in gateway.query("SELECT push_id FROM push")]
    check_eq(ids, ["auth.changed"])


@case
def a_foreign_nonce_gets_no_body_read(bench):
    """auth-int is decided by the body, but a body is not waited for from somebody who was never challenged."""
    gateway = opened(bench)
    client = Client(gateway, "SHA-256", "auth-int")
    client.challenged()
    client.nonce = "A" * 43 + "="
    client.link.putrequest("POST", "/pap")
    client.count, client.cnonce = 1, "c"
    response = client.response(client.a2("POST", b""))
    for name, value in (("Content-Type", MULTIPART), ("Content-Length", "1000000"), ("Authorization",
            f'Digest username="pass", realm="{client.realm}", nonce="{client.nonce}", uri="/pap", algorithm=SHA-256, '
            f'qop=auth-int, nc=00000001, cnonce="c", response="{response}"')):
        client.link.putheader(name, value)
    client.link.endheaders()  # and not an octet of the body
    check_eq(client.link.getresponse().status, 401)


@case
def next_nonce_goes_on_without_a_challenge(bench):
    gateway = opened(bench, **{"pap.nonce-lifetime": "10s"})
    client = Client(gateway, "SHA-256", "auth-int")
    client.challenged()
    began, turned, n = time.monotonic(), 0, 0
    while turned < 2 and time.monotonic() < began + 90:
        answer, text = client.push(f"n{n}")
        check_eq(answer.status, 202, (n, turned))
        following = client.check_proof(answer, text)
        n += 1
        if following:
            check(following != client.nonce, "the same again")
            client.nonce, client.count, turned = following, 0, turned + 1
    check_eq(turned, 2)
    check(time.monotonic() > began + 3.5, "told too early")
    check_eq(gateway.events("auth.refused", outcome="stale"), [])


main("digest")
