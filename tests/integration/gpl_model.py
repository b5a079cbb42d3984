"""Pushes that bring their association, opened from the formulas of the profiles GPI-A1 and GPL-A1 alone, from the key of the
identity module on (gba_model.py)."""

import hashlib
import hmac

from gba_model import Milenage, ctr, kdf, xor

UNCIPHERED = (0x01, 0x11)


class Message:
    """A protected message as it came: its fields, and what open() makes of it."""

    def __init__(self, octets):
        self.octets, self.flags, self.suite = octets, octets[0], octets[1]
        self.sn, n = int.from_bytes(octets[2:6], "big"), octets[6]
        self.said, at, self.gpi = octets[7:7 + n], 7 + n, b""
        if self.flags & 0x04:
            gpi_n = int.from_bytes(octets[at:at + 2], "big")
            self.gpi, at = octets[at + 2:at + 2 + gpi_n], at + 2 + gpi_n
        self.head, self.payload, self.tag = octets[:at], octets[at:-16], octets[-16:]

    def open(self, ks):
        """Of the suites aes-ctr-hmac-sha256 and hmac-sha256; None when the tag is another."""
        direction = bytes([self.flags >> 3 & 1])
        keys = [kdf(ks, 0xF1, label, direction, bytes([self.suite])) for label in (b"gpl-int", b"gpl-enc", b"gpl-salt")]
        if hmac.new(keys[0], self.octets[:-16], hashlib.sha256).digest()[:16] != self.tag:
            return None
        nonce = keys[2][:8] + self.sn.to_bytes(4, "big")
        return self.payload if self.suite in UNCIPHERED else ctr(keys[1][:16], nonce + bytes(4), self.payload)


class PushModule:
    """What an identity module does with push info."""

    def __init__(self, k, opc, impi):
        self.k, self.opc, self.impi = k, opc, impi

    def take(self, octets):
        """(Ks_NAF, SQN, name of the gateway, P-TID, expiry as UTC seconds before 2036); None when it is not good."""
        rand, autn, at = octets[1:17], octets[17:33], 34 + octets[33]
        naf_id, at = octets[at + 1:at + 1 + octets[at]], at + 1 + octets[at]
        sealed = octets[at + 1:at + 1 + octets[at]]
        sqn = xor(autn[:6], Milenage(self.k, self.opc, rand, bytes(6), autn[6:8]).ak)
        run = Milenage(self.k, self.opc, rand, sqn, autn[6:8])
        ks = kdf(run.ck + run.ik, 0x01, b"gba-me", rand, self.impi, naf_id)
        mac = hmac.new(kdf(ks, 0xF0, b"gpi-int", rand), octets[:-16], hashlib.sha256).digest()[:16]
        if autn[8:] != run.mac_a or mac != octets[-16:]:
            return None
        inner = ctr(kdf(ks, 0xF0, b"gpi-enc", rand)[:16], bytes(16), sealed)
        expires = int.from_bytes(inner[:4], "big") - 2208988800
        return ks, int.from_bytes(sqn, "big"), naf_id[:-5].decode(), inner[5:5 + inner[4]], expires
