"""Credentials that are forged, truncated, oversized or confused, each from an address of its own so that guesses of others
do not slow it: none is let in, none breaks anything, and the right ones are let in at the end.
Usage: test_credentials.py BUILD_DIR."""

import base64
import hashlib
import http.client
import re
import ssl

from gateway import MULTIPART, PASSWORD, Gateway, make_identity, mime
from harness import case, check, check_eq, main

PHONE = "[terminal +15550100]\nroute = http://127.0.0.1:9\n"
REFUSED = (400, 401, 403, 431)


def opened(bench, **conf):
    make_identity(bench)
    return Gateway(bench, PHONE, "allow * * *\n", conf={"pap.digest-md5": "yes", "delivery.retry-first": "1h", "delivery.retry-max": "1h",
                                                        **conf})


class Door:
    """Requests with the headers of a row, over TLS, each from the next address of 127/8."""

    def __init__(self, bench, gateway):
        self.bench, self.gateway, self.next = bench, gateway, 1

    def ask(self, headers, certificate=None, push_id="never"):
        self.next += 1
        context = ssl.create_default_context(cafile=self.bench.path("ca.crt"))
        if certificate:
            context.load_cert_chain(self.bench.path(certificate + ".crt"), self.bench.path(certificate + ".key"))
        link = http.client.HTTPSConnection("localhost", self.gateway.tls_port, timeout=60, context=context,
                                           source_address=(f"127.0.1.{self.next}", 0))
        link.putrequest("POST", "/pap")
        body = mime(push_id=push_id)
        for name, value in [("Content-Type", MULTIPART), ("Content-Length", str(len(body))), *headers]:
            link.putheader(name, value)
        link.endheaders(body)
        response = link.getresponse()
        response.read()
        link.close()
        return response.status, response.headers


def basic(text):
    text = text if isinstance(text, bytes) else text.encode()
    return "Basic " + base64.b64encode(text).decode()


@case
def basic_of_every_wrong_kind(bench):
    gateway = opened(bench)
    door = Door(bench, gateway)
    good = basic(f"pass:{PASSWORD}")
    rows = {"another password": basic("pass:x"), "a shorter one": basic(f"pass:{PASSWORD[:-1]}"),
            "a longer one": basic(f"pass:{PASSWORD}x"), "none": basic("pass:"), "no colon": basic("pass"), "nothing": basic(""),
            "another user": basic(f"passe:{PASSWORD}"), "capitals": basic(f"PASS:{PASSWORD}"), "no user": basic(f":{PASSWORD}"),
            "a user without password": basic("news:"), "a NUL behind the user": basic(b"pass\0:" + PASSWORD.encode()),
            "a NUL behind it all": basic(f"pass:{PASSWORD}\0"), "a line end": basic(f"pass:{PASSWORD}\n"),
            "8-bit octets": basic(b"pass:\xff\xfe"), "no base64": "Basic !!!!", "half of base64": good[:-3], "a blank in it": good[:9] + " " + good[9:],
            "two blanks": good.replace(" ", "  x "), "the scheme alone": "Basic", "no scheme": good[6:], "a comma list": good + ", " + good,
            "oversized": basic("pass:" + "x" * 2500), "past the ceiling": basic("pass:" + "x" * 6000), "URL alphabet": "Basic cGFzczrf__8",
            "another scheme": "Negotiate " + good[6:], "a token where there are none": "Bearer " + good[6:]}
    for name, value in rows.items():
        status, _ = door.ask([("Authorization", value)])
        check(status in REFUSED, (name, status))
    for name, headers in {"twice": [("Authorization", good)] * 2, "two kinds": [("Authorization", good), ("Authorization", "Digest x")],
                          "as proxies ask": [("Proxy-Authorization", good)], "asserted": [("X-3GPP-Asserted-Identity", '"pass"')]}.items():
        status, _ = door.ask(headers)
        check(status in REFUSED, (name, status))
    check_eq(door.ask([("Authorization", good)], certificate="news")[0], 403, "two that disagree")
    check_eq(gateway.query("SELECT count(*) FROM push"), [["0"]])
    check_eq(door.ask([("Authorization", good)], push_id="good")[0], 202)


class Digest:
    """A right answer to a challenge, of which a row changes something before or after the response is computed."""

    def __init__(self, challenge):
        self.p = dict(re.findall(r'(\w+)="([^"]*)"', challenge))

    def answer(self, algorithm="SHA-256", user="pass", password=PASSWORD, uri="/pap", nc="00000001", method="POST", then=None, **said):
        make = hashlib.md5 if algorithm == "MD5" else hashlib.sha256
        a1, a2 = (make(":".join(t).encode()).hexdigest() for t in ((user, self.p["realm"], password), (method, uri)))
        response = make(":".join((a1, self.p["nonce"], nc, "c", "auth", a2)).encode()).hexdigest()
        fields = {"username": f'"{user}"', "realm": f'"{self.p["realm"]}"', "nonce": f'"{self.p["nonce"]}"', "uri": f'"{uri}"',
                  "algorithm": algorithm, "qop": "auth", "nc": nc, "cnonce": '"c"', "response": f'"{response}"', **said}
        text = "Digest " + ", ".join(f"{k}={v}" for k, v in fields.items() if v is not None)
        return then(text) if then else text


@case
def digest_of_every_wrong_kind(bench):
    gateway = opened(bench)
    door = Door(bench, gateway)
    _, headers = door.ask([])
    challenges = headers.get_all("WWW-Authenticate")
    sha, md5 = (Digest(next(c for c in challenges if f"algorithm={a}" in c)) for a in ("SHA-256", "MD5"))
    rows = {"another password": {"password": "x"}, "another user": {"user": "passe"}, "the user of a certificate": {"user": "news"},
            "no user": {"user": ""}, "a user who was not hashed": {"username": '"passe"'}, "another realm": {"realm": '"elsewhere"'},
            "another target": {"uri": "/other"}, "a target that was not hashed": {"uri": "/pap", "then": lambda t: t.replace('"/pap"', '"/papa"')},
            "another method": {"method": "GET"}, "a nonce of nobody": {"nonce": '"' + "A" * 43 + '="'}, "no nonce": {"nonce": '""'},
            "a nonce cut short": {"nonce": f'"{sha.p["nonce"][:-4]}"'}, "a nonce longer": {"nonce": f'"{sha.p["nonce"]}AAAA"'},
            "a huge nonce": {"nonce": '"' + "A" * 3000 + '"'}, "a count of zero": {"nc": "00000000"}, "a count of one digit": {"nc": "1"},
            "a count of nine digits": {"nc": "000000001"}, "a count that is none": {"nc": "0000000g"}, "a count that was not hashed": {"then": lambda t: t.replace("nc=00000001", "nc=00000002")},
            "no count": {"nc": "00000001", "then": lambda t: t.replace("nc=00000001, ", "")}, "no cnonce": {"cnonce": None}, "an empty cnonce": {"cnonce": '""'},
            "no response": {"response": None}, "half a response": {"then": lambda t: t[:-33] + '"'}, "a response of zeros": {"response": '"' + "0" * 64 + '"'},
            "an empty response": {"response": '""'}, "a longer response": {"then": lambda t: t[:-1] + '00"'}, "a quality nobody has": {"qop": "auth-conf"},
            "another quality": {"qop": "auth-int"}, "no quality, as in RFC 2069": {"qop": None}, "an algorithm nobody has": {"algorithm": "SHA-256", "then": lambda t: t.replace("algorithm=SHA-256", "algorithm=SHA-512-256")},
            "one hash under another's name": {"algorithm": "MD5", "then": lambda t: t.replace("algorithm=MD5", "algorithm=SHA-256")},
            "a session hash": {"then": lambda t: t.replace("algorithm=SHA-256", "algorithm=SHA-256-sess")},
            "a user twice": {"then": lambda t: t + ', username="pass"'}, "a response twice": {"then": lambda t: t + ', response="x"'},
            "an escape": {"username": '"pa\\ss"'}, "an open quote": {"then": lambda t: t[:-1]}, "an octet behind the end": {"then": lambda t: t + " x"},
            "only commas": {"then": lambda t: "Digest ,,,,"}, "the scheme alone": {"then": lambda t: "Digest"}, "hashed user names": {"userhash": "true"}}
    for name, change in rows.items():
        status, _ = door.ask([("Authorization", sha.answer(**change))])
        check(status in REFUSED, (name, status))
    check_eq(door.ask([("Authorization", sha.answer())], certificate="news")[0], 403, "two that disagree")
    check_eq(gateway.query("SELECT count(*) FROM push"), [["0"]])
    for push_id, text in (("sha", sha.answer(nc="00000005")), ("md5", md5.answer("MD5"))):
        check_eq(door.ask([("Authorization", text)], push_id=push_id)[0], 202, push_id)
    check_eq(door.ask([("Authorization", sha.answer(nc="00000005"))])[0], 401, "a count again")


main("credentials")
