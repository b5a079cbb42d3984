"""Bootstrapped associations against a model of their own: Milenage, the KDF, GPI-A1 and GPL-A1 written anew from their
formulas, with hashlib and hmac, and openssl for AES.  Usage: test_gba.py BUILD_DIR.

gba_driver draws subscribers at random and prints what it was given and what it made; everything made is computed here
again, from the long-term key on.
"""

import base64
import hashlib
import hmac
import os
import re
import subprocess

from gba_model import Milenage, aes, ctr, gcm, kdf, xor
from harness import case, check, check_eq, main

RUNS = 9  # each kind of identity module three times
UNCIPHERED, CBC, GCM, SHORT = (0x01, 0x11), 0x03, 0x04, (0x11, 0x12)


def gpl(ks, direction, suite, sn, said, gpi, payload):
    """A protected message, built anew."""
    keys = [kdf(ks, 0xF1, label, bytes([direction]), bytes([suite])) for label in (b"gpl-int", b"gpl-enc", b"gpl-salt")]
    nonce, enc = keys[2][:8] + sn, keys[1][:16]
    flags = 0x10 | direction << 3 | (0x04 if gpi else 0) | (0 if suite in UNCIPHERED else 0x02)
    head = bytes([flags, suite]) + sn + bytes([len(said)]) + said
    if gpi:
        head += len(gpi).to_bytes(2, "big") + gpi
    if suite == GCM:
        return head + gcm(enc, nonce, head, payload)
    if suite == CBC:
        pad = 16 - len(payload) % 16
        chain, body = aes(enc, nonce + bytes(4)), b""
        for i in range(0, len(payload) + pad, 16):
            chain = aes(enc, xor((payload + bytes([pad]) * pad)[i:i + 16], chain))
            body += chain
    else:
        body = payload if suite in UNCIPHERED else ctr(enc, nonce + bytes(4), payload)
    return head + body + hmac.new(keys[0], head + body, hashlib.sha256).digest()[:8 if suite in SHORT else 16]


def gpi(ks_naf, uicc, rand, autn, label, naf_id, ptid, expires):
    """Push info, built anew."""
    inner = ((expires + 2208988800) % (1 << 32)).to_bytes(4, "big") + bytes([len(ptid)]) + ptid
    inner = ctr(kdf(ks_naf, 0xF0, b"gpi-enc", rand)[:16], bytes(16), inner)
    parts = (label, naf_id, inner)
    whole = bytes([0x1C if uicc else 0x14]) + rand + autn + b"".join(bytes([len(p)]) + p for p in parts)
    return whole + hmac.new(kdf(ks_naf, 0xF0, b"gpi-int", rand), whole, hashlib.sha256).digest()[:16]


def subscribers(bench):
    """What the driver printed: a list of (name, values) by subscriber."""
    done = subprocess.run([os.path.join(bench.build, "tests", "gba_driver"), str(RUNS)], capture_output=True, timeout=120,
                          check=False)
    check_eq(done.returncode, 0, done.stderr[-300:])
    for text in done.stdout.decode().strip("\n").split("\n\n"):
        said = {}
        for line in text.split("\n"):
            name, _, value = line.partition(" ")
            said.setdefault(name, []).append(int(value) if name in ("star", "expires") else bytes.fromhex(value))
        yield {name: values if name in ("payload", "message", "authorization", "tmpi") else values[0]
               for name, values in said.items()}


def star(kind, ik):
    """What the AUTN of a GBA_U run is hidden with."""
    return bytes(8) if kind == 0 else (hashlib.sha256 if kind == 1 else hashlib.sha1)(ik).digest()[:8]


@case
def push_info_is_what_the_model_makes(bench):
    for s in subscribers(bench):
        check_eq(s["opc"], xor(aes(s["k"], s["op"]), s["op"]), "opc")
        rand = s["gpi"][1:17]
        m = Milenage(s["k"], s["opc"], rand, s["sqn"], s["amf"])
        autn = xor(s["sqn"], m.ak) + s["amf"] + xor(m.mac_a, star(s["star"], m.ik))
        keys = [kdf(m.ck + m.ik, 0x01, label, rand, s["impi"], s["naf_id"]) for label in (b"gba-me", b"gba-u")]
        check_eq(s["ks_naf"], keys[0], "Ks_NAF")
        check_eq(s["ks_int"], keys[1] if s["star"] else b"", "Ks_int_NAF")
        check_eq(s["gpi"], gpi(keys[0], s["star"] > 0, rand, autn, b"label", s["naf_id"], s["ptid"], s["expires"]), "GPI")
        check(s["k"] not in s["gpi"] and s["ptid"][:4] not in s["gpi"][42:] or len(s["ptid"]) < 4, "the GPI tells too much")
        back = Milenage(s["k"], s["opc"], rand, s["sqn"], b"\0\0")
        check_eq(s["auts"], xor(s["sqn"], back.ak_star) + back.mac_s, "AUTS")


@case
def messages_are_what_the_model_makes(bench):
    for s in subscribers(bench):
        check_eq([m[1] for m in s["message"]], [0x01, 0x02, 0x03, 0x04, 0x11, 0x12, 0x02], "suites")
        for i, message in enumerate(s["message"]):
            up = i == 6
            said = s["ptid"] if up else s["gpi"][1:17]
            want = gpl(s["ks_naf"], int(up), message[1], message[2:6], said, b"" if up else s["gpi"], s["payload"][i])
            check_eq(message.hex(), want.hex(), f"message {i}")


def digest(*parts):
    return hashlib.md5(b":".join(parts)).hexdigest().encode()


@case
def digest_aka_is_what_the_model_makes(bench):
    for s in subscribers(bench):
        for version, header in enumerate(s["authorization"], 1):
            said = {k.encode(): v for k, v in re.findall(r'(\w+)="?([^",]*)"?', header.decode().removeprefix("Digest "))}
            check_eq(said[b"algorithm"], f"AKAv{version}-MD5", "algorithm")
            nonce = base64.b64decode(said[b"nonce"])
            m = Milenage(s["k"], s["opc"], nonce[:16], (77).to_bytes(6, "big"), b"\0\0")
            check_eq(nonce[16:32], xor((77).to_bytes(6, "big"), m.ak) + b"\0\0" + m.mac_a, "AUTN")
            v2 = hmac.new(m.res + m.ik + m.ck, b"http-digest-akav2-password", hashlib.md5).digest()
            password = m.res if version == 1 else base64.b64encode(v2)
            a1 = digest(s["impi"], b"bsf.operator.example", password)
            a2 = digest(b"GET", b"/", hashlib.md5(b"").hexdigest().encode())
            want = digest(a1, said[b"nonce"].encode(), b"00000001", b"cnonce", b"auth-int", a2)
            check_eq(said[b"response"].encode(), want, "response")
            name = b"bsf.operator.example" + bytes.fromhex("0100000100")
            tmpi = base64.b64encode(kdf(m.ck + m.ik, 0x01, b"gba-me", nonce[:16], s["impi"], name)[:24])
            check_eq(s["tmpi"][version - 1], tmpi + b"@tmpi.bsf.3gppnetwork.org", "TMPI")


main("gba")
