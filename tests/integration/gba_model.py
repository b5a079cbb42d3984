"""Milenage, the KDF of TS 33.220 and a terminal that bootstraps over Ub, written anew from their formulas: hashlib and
hmac, and openssl for AES.  What the gateway makes is computed here again."""

import base64
import hashlib
import hmac
import http.client
import http.server
import os
import re
import ssl
import subprocess
import threading
import time
import xml.etree.ElementTree

from harness import check_eq


def aes(key, blocks):
    done = subprocess.run(["openssl", "enc", f"-aes-{8 * len(key)}-ecb", "-nopad", "-K", key.hex()], input=blocks, capture_output=True,
                          timeout=60, check=True)
    return done.stdout


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def kdf(key, fc, *params):
    s = bytes([fc]) + b"".join(p + len(p).to_bytes(2, "big") for p in params)
    return hmac.new(key, s, hashlib.sha256).digest()


def ctr(key, start, data):
    first = int.from_bytes(start, "big")
    counters = b"".join(((first + i) % (1 << 128)).to_bytes(16, "big") for i in range(len(data) // 16 + 1))
    return xor(data, aes(key, counters))


class Milenage:
    """f1 to f5* of one run (TS 35.206 section 4.1)."""

    def __init__(self, k, opc, rand, sqn, amf):
        def rot(x, octets):
            return x[octets:] + x[:octets]

        def constant(i):
            return i.to_bytes(16, "big")

        temp = aes(k, xor(rand, opc))
        base = xor(temp, opc)
        inputs = [xor(temp, rot(xor((sqn + amf) * 2, opc), 8))]
        inputs += [xor(rot(base, r), constant(c)) for r, c in ((0, 1), (4, 2), (8, 4), (12, 8))]
        out = aes(k, b"".join(inputs))
        blocks = [xor(out[i:i + 16], opc) for i in range(0, 80, 16)]
        self.mac_a, self.mac_s = blocks[0][:8], blocks[0][8:]
        self.ak, self.res = blocks[1][:6], blocks[1][8:]
        self.ck, self.ik, self.ak_star = blocks[2], blocks[3], blocks[4][:6]


def ghash(h, data):
    y, h = 0, int.from_bytes(h, "big")
    for i in range(0, len(data), 16):
        x, z, v = y ^ int.from_bytes(data[i:i + 16], "big"), 0, h
        for bit in range(127, -1, -1):
            z ^= v if x >> bit & 1 else 0
            v = v >> 1 ^ (0xE1 << 120 if v & 1 else 0)
        y = z
    return y.to_bytes(16, "big")


def gcm(key, nonce, aad, plain):
    def pad(x):
        return x + bytes(-len(x) % 16)

    sealed = ctr(key, nonce + b"\0\0\0\2", plain)
    lengths = (8 * len(aad)).to_bytes(8, "big") + (8 * len(sealed)).to_bytes(8, "big")
    tag = ghash(aes(key, bytes(16)), pad(aad) + pad(sealed) + lengths)
    return sealed + xor(tag, aes(key, nonce + b"\0\0\0\1"))


def gcm_open(key, nonce, aad, sealed):
    """What gcm() sealed; None when the tag is another."""
    plain = ctr(key, nonce + b"\0\0\0\2", sealed[:-16])
    return plain if gcm(key, nonce, aad, plain) == sealed else None


NAMESPACE = "{uri:3gpp-gba}"
DIGEST, GPL = bytes.fromhex("0100000002"), bytes.fromhex("0100000005")  # Ua security protocol identifiers


def md5(*parts):
    return hashlib.md5(b":".join(p if isinstance(p, bytes) else p.encode() for p in parts)).hexdigest()


def parameters(value):
    return {k: q or w for k, q, w in re.findall(r'([a-zA-Z]+)=(?:"([^"]*)"|([^\s,"]+))', value)}


class Module:
    """A subscriber's identity module: K, OPc, and the numbers it has accepted."""

    def __init__(self, impi, k=None, opc=None):
        self.impi, self.k, self.opc = impi, k or os.urandom(16), opc or os.urandom(16)
        self.seen = {}  # IND: SEQ

    def section(self, more=""):
        """As subscribers.conf has it."""
        return f"[subscriber {self.impi}]\nk = {self.k.hex()}\nopc = {self.opc.hex()}\n{more}"

    def run(self, rand, autn):
        """(Milenage, None) of a run that is good and fresh, else (None, AUTS)."""
        ak = Milenage(self.k, self.opc, rand, bytes(6), bytes(2)).ak
        m = Milenage(self.k, self.opc, rand, xor(autn[:6], ak), autn[6:8])
        check_eq(autn[8:], m.mac_a, "MAC-A")
        sqn = int.from_bytes(xor(autn[:6], ak), "big")
        highest = max(self.seen.values(), default=0)
        if sqn >> 5 <= self.seen.get(sqn & 31, 0) or sqn >> 5 > highest + (1 << 28):
            sqn_ms = (highest << 5).to_bytes(6, "big")
            back = Milenage(self.k, self.opc, rand, sqn_ms, bytes(2))
            return None, xor(sqn_ms, back.ak_star) + back.mac_s
        self.seen[sqn & 31] = sqn >> 5
        return m, None


class Ue:
    """A terminal with that module.  bootstrap() leaves btid, ks and lifetime."""

    def __init__(self, module, port, ca, bsf="bsf.ppg.example.net", agent="ue/1 3gpp-gba-tmpi"):
        self.module, self.bsf, self.agent, self.user = module, bsf, agent, module.impi
        self.context = ssl.create_default_context(cafile=ca)
        self.port, self.btid, self.syncs = port, None, 0

    def ask(self, authorization=None, method="GET", path="/"):
        """One request: status, headers, body."""
        link = http.client.HTTPSConnection("localhost", self.port, timeout=60, context=self.context)
        headers = {"User-Agent": self.agent, **({"Authorization": "Digest " + authorization} if authorization else {})}
        link.request(method, path, headers=headers)
        answer = link.getresponse()
        body = answer.read()
        link.close()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, body

    def challenged(self, authorization=None):
        """The parameters of the challenge to a first request, or to that one."""
        first = f'username="{self.user}", realm="{self.bsf}", nonce="", uri="/", response=""'
        status, headers, _ = self.ask(authorization or first)
        check_eq(status, 401, "a challenge")
        offer = parameters(headers["www-authenticate"])
        check_eq((offer["algorithm"], offer["qop"], offer["realm"]), ("AKAv1-MD5", "auth-int", self.bsf))
        return offer

    def proof(self, offer, password, cnonce, a2):
        return md5(md5(self.user, self.bsf, password), offer["nonce"], "00000001", cnonce, "auth-int", a2)

    def says(self, offer, password, more=""):
        """Authorization in answer to that challenge, and its cnonce."""
        cnonce = os.urandom(8).hex()
        response = self.proof(offer, password, cnonce, md5("GET", "/", md5(b"")))
        return (f'username="{self.user}", realm="{self.bsf}", nonce="{offer["nonce"]}", uri="/", qop=auth-int, nc=00000001, '
                f'cnonce="{cnonce}", response="{response}", algorithm=AKAv1-MD5{more}'), cnonce

    def answer(self, offer):
        """What goes back to that challenge, the run, and the cnonce; AUTS and a fresh challenge come first if need be."""
        octets = base64.b64decode(offer["nonce"])
        m, auts = self.module.run(octets[:16], octets[16:32])
        if auts:
            self.syncs += 1
            says, _ = self.says(offer, b"", f', auts="{base64.b64encode(auts).decode()}"')
            return self.answer(self.challenged(says))
        return (*self.says(offer, m.res), m, octets[:16], offer)

    def bootstrap(self):
        says, cnonce, m, rand, offer = self.answer(self.challenged())
        status, headers, body = self.ask(says)
        check_eq((status, headers["content-type"]), (200, "application/vnd.3gpp.bsf+xml"))
        info = parameters(headers["authentication-info"])
        check_eq(info["rspauth"], self.proof(offer, m.res, cnonce, md5("", "/", md5(body))), "rspauth")
        told = xml.etree.ElementTree.fromstring(body)
        self.rand, self.ks = rand, m.ck + m.ik
        self.btid, self.lifetime = told.find(NAMESPACE + "btid").text, told.find(NAMESPACE + "lifetime").text
        check_eq(self.btid, f"{base64.b64encode(rand).decode()}@{self.bsf}", "B-TID")
        return self

    def tmpi(self):
        name = self.bsf.encode() + bytes.fromhex("0100000100")
        short = base64.b64encode(self.derive(b"gba-me", name)[:24]).decode()
        return short + "@tmpi.bsf.3gppnetwork.org"

    def derive(self, label, naf_id):
        return kdf(self.ks, 0x01, label, self.rand, self.module.impi.encode(), naf_id)

    def ks_naf(self, fqdn, ua):
        return self.derive(b"gba-me", fqdn.encode() + ua)


class Bsf:
    """A key server with one subscriber, over TLS on a port of its own: `users` is who it was asked by, request by request, and
    `given` the temporary names that came of its runs."""

    def __init__(self, bench, impi, k, opc, name, life_s):
        self.impi, self.k, self.opc, self.name, self.life_s = impi, k, opc, name, life_s
        self.users, self.given, self.sqn, self.nonce, self.run = [], [], 0, None, None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(bench.path("gateway.crt"), bench.path("gateway.key"))
        bsf = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            server_version, sys_version = "bsf/1 3gpp-gba-tmpi", ""

            def do_GET(self):
                status, headers, body = bsf.answer(parameters(self.headers["Authorization"].removeprefix("Digest ")))
                self.send_response(status)
                for header in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(*header)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = server.server_address[1]
        bench.closers += [server.shutdown, server.server_close]
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def answer(self, says):
        self.users.append(says["username"])
        if says["username"] not in [self.impi] + self.given[-1:]:
            return 403, {}, b""
        if self.nonce and says["nonce"] == self.nonce:
            return self.verdict(says)
        rand = os.urandom(16)
        self.sqn += 32
        sqn = self.sqn.to_bytes(6, "big")
        self.run = Milenage(self.k, self.opc, rand, sqn, bytes(2))
        autn = xor(sqn, self.run.ak) + bytes(2) + self.run.mac_a
        self.nonce = base64.b64encode(rand + autn).decode()
        offer = f'Digest realm="{self.name}", nonce="{self.nonce}", algorithm=AKAv1-MD5, qop="auth-int"'
        return 401, {"WWW-Authenticate": offer}, b""

    def verdict(self, says):
        nonce, self.nonce = self.nonce, None
        rand, ha1 = base64.b64decode(nonce)[:16], md5(says["username"], self.name, self.run.res)

        def proof(a2):
            return md5(ha1, nonce, says["nc"], says["cnonce"], "auth-int", a2)

        if says["response"] != proof(md5("GET", "/", md5(b""))):
            return 403, {}, b""
        btid = f"{base64.b64encode(rand).decode()}@{self.name}"
        ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + self.life_s))
        body = (f'<?xml version="1.0" encoding="UTF-8"?>\n<BootstrappingInfo xmlns="uri:3gpp-gba"><btid>{btid}</btid>'
                f"<lifetime>{ends}</lifetime></BootstrappingInfo>").encode()
        naf_id = self.name.encode() + bytes.fromhex("0100000100")
        name = base64.b64encode(kdf(self.run.ck + self.run.ik, 0x01, b"gba-me", rand, self.impi.encode(), naf_id)[:24])
        self.given.append(name.decode() + "@tmpi.bsf.3gppnetwork.org")
        info = (f'qop=auth-int, rspauth="{proof(md5("", "/", md5(body)))}", cnonce="{says["cnonce"]}", nc={says["nc"]}')
        return 200, {"Authentication-Info": info, "Content-Type": "application/vnd.3gpp.bsf+xml"}, body
