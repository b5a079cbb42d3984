"""Malformed TLS handshakes by the hundred, as octets: a ClientHello that can be taken apart field by field, and rows that each
break one rule of RFC 8446 or RFC 5246.  Nothing here opens a socket or needs a TLS library; who uses it sends the chunks of a
row one after the other and looks at what comes back."""

import os
import random
import struct

ALERT, HANDSHAKE, CCS, DATA = 21, 22, 20, 23
HELLO, SUPPORTED_GROUPS, SIGNATURES, KEY_SHARE, VERSIONS, PSK, MODES, EARLY_DATA = 1, 10, 13, 51, 43, 41, 45, 42
X25519, P256 = 29, 23
SUITES_13, SUITES_12 = (0x1301, 0x1302, 0x1303), (0xC02B, 0xC02F, 0xC02C, 0xC030)
G_P256 = bytes.fromhex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
                       "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")  # a point of the curve: its base
G_25519 = b"\x09" + bytes(31)
RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")  # nonce of a HelloRetryRequest


def vec(octets, width=2, n=None):
    """A vector with its length in front; n: a length that is not its own."""
    return (len(octets) if n is None else n).to_bytes(width, "big") + octets


def u16s(*values):
    return b"".join(struct.pack(">H", v) for v in values)


def share(group=P256, key=b"\4" + G_P256):
    return u16s(group) + vec(key)


def extensions(suites12=False):
    """Of a ClientHello that is fine: number -> body."""
    made = {0: vec(b"\0" + vec(b"localhost")), SUPPORTED_GROUPS: vec(u16s(P256, X25519)), 11: b"\1\0",
            SIGNATURES: vec(u16s(0x0403, 0x0804, 0x0401)), 16: vec(vec(b"http/1.1", 1)), 22: b"", 23: b"",
            MODES: b"\1\1", VERSIONS: vec(u16s(0x0304, 0x0303), 1), KEY_SHARE: vec(share(X25519, G_25519) + share())}
    if suites12:
        for number in (MODES, VERSIONS, KEY_SHARE):
            del made[number]
    return made


def hello(exts=None, *, version=0x0303, nonce=b"\x5a" * 32, session=b"\x11" * 32, session_n=None, suites=SUITES_13 + SUITES_12,
          suites_raw=None, compressions=b"\0", compressions_n=None, exts_raw=None, exts_n=None, tail=b"", kind=HELLO, n=None):
    """A ClientHello with its handshake header."""
    pairs = (exts if exts is not None else extensions())
    pairs = pairs.items() if isinstance(pairs, dict) else pairs
    block = exts_raw if exts_raw is not None else b"".join(u16s(number) + vec(body) for number, body in pairs)
    body = (u16s(version) + nonce + vec(session, 1, session_n) + (suites_raw if suites_raw is not None else vec(u16s(*suites))) +
            vec(compressions, 1, compressions_n) + vec(block, 2, exts_n) + tail)
    return bytes([kind]) + vec(body, 3, n)


def record(octets, kind=HANDSHAKE, version=0x0303, n=None):
    return bytes([kind]) + u16s(version) + vec(octets, 2, n)


def cut(octets, *sizes):
    """Records of these sizes, the last of what is left."""
    made, at = b"", 0
    for size in sizes:
        made, at = made + record(octets[at:at + size]), at + size
    return made + (record(octets[at:]) if octets[at:] else b"")


def with_extension(number, body):
    made = extensions()
    made[number] = body
    return made


def psk_extension(identities=(b"phone-1",), binders=(b"\0" * 32,), identities_n=None, binders_n=None, age=0):
    """The pre_shared_key extension (RFC 8446 §4.2.11)."""
    ids = b"".join(vec(i) + struct.pack(">I", age) for i in identities)
    return vec(ids, 2, identities_n) + vec(b"".join(vec(b, 1) for b in binders), 2, binders_n)


def records_rows():
    """What is no record, or no record of a first flight.  RFC 8446 §5.1."""
    good = hello()
    for kind in [*range(0, 22), *range(23, 32), 64, 127, 128, 200, 255]:
        yield f"record type {kind}", [record(good, kind)]
    for version in (0x0000, 0x0002, 0x0200, 0x0400, 0x0504, 0x7F1C, 0xFEFD, 0xFFFF):
        yield f"record version {version:04x}", [record(good, version=version)]
    for n in (0, 1, 2, 3, 4, 5, len(good) - 1, len(good) + 1, 16384, 16385, 17000, 18433, 32768, 65535):
        yield f"record length {n}", [record(good, n=n)]
    yield "2^14 + 1 octets", [record(good + bytes(16385 - len(good)))]
    yield "a hello of 2^16 octets in four records", [cut(hello(with_extension(21, bytes(60000))), 16384, 16384, 16384)]
    yield "empty handshake record", [record(b"")]
    yield "a hundred empty handshake records", [record(b"") * 100]
    yield "empty alert record", [record(b"", ALERT)]
    yield "SSL 2 hello", [b"\x80\x2e\x01\x03\x03\0\x15\0\0\0\x10" + b"\1\0\x80" * 7 + b"z" * 16]
    for at in range(1, 5):
        yield f"record header of {at} octets", [record(good)[:at]]


def fragment_rows():
    """A hello in pieces with something between them that may not stand there.  RFC 8446 §5.1."""
    good = hello()
    between = {"a warning": record(b"\1\0", ALERT), "data": record(b"x", DATA), "CCS": record(b"\1", CCS),
               "a hello": record(good), "an empty record": record(b""), "a heartbeat": record(b"\1\0\1x" + bytes(16), 24)}
    for what, other in between.items():
        for at in (1, 4, 38, len(good) - 1):
            yield f"{what} at octet {at}", [record(good[:at]) + other + record(good[at:])]
    for at in (1, 3, 4, 5, 6, 38, 39, 71, 72, 100, len(good) - 1):
        yield f"nothing behind octet {at}", [record(good[:at])]
    yield "half a hello, half another", [record(good[:50]) + record(good)]
    yield "two hellos in one record", [record(good + good)]
    yield "a hello and half another in one record", [record(good + good[:80])]
    yield "one octet a record, the last missing", [cut(good[:-1], *[1] * (len(good) - 2))]


def header_rows():
    good = hello()
    for kind in [0, *range(2, 26), 67, 254, 255]:
        yield f"handshake type {kind} first", [record(hello(kind=kind))]
    for n in (0, 1, 2, 34, len(good) - 5, len(good) - 3, len(good) + 96, 0x10000, 0xFFFFFF):
        yield f"handshake length {n}", [record(hello(n=n))]


def field_rows():
    """The fields before the extensions.  RFC 8446 §4.1.2, RFC 5246 §7.4.1.2."""
    for n in (*range(33, 48), 64, 128, 255):
        yield f"session id of {n} octets", [record(hello(session=bytes(n)))]
    for n in (0, 1, 31, 33, 200, 255):
        yield f"session id length {n} of 32", [record(hello(session_n=n))]
    listed = u16s(*SUITES_13)
    for what, raw in {"none": vec(b""), "odd": vec(listed[:-1]), "length odd": vec(listed, 2, 5), "length 0": vec(listed, 2, 0),
                      "length past the end": vec(listed, 2, 0xFFFE), "unknown ones": vec(u16s(*range(0xDA00, 0xDA20))),
                      "NULL": vec(u16s(0, 1, 2)), "anonymous": vec(u16s(0x18, 0x34, 0x6C, 0xC018)), "export": vec(u16s(3, 6, 8)),
                      "RC4": vec(u16s(4, 5, 0xC007, 0xC011)), "renegotiation alone": vec(u16s(0xFF)),
                      "fallback from above": vec(u16s(0x5600, *SUITES_12)), "60000 octets": vec(u16s(*range(0x2000, 0x2000 + 30000)))}.items():
        sent = hello(suites_raw=raw, exts=extensions(suites12=what == "fallback from above"))
        yield f"suites: {what}", [cut(sent, 16384, 16384, 16384)]
    for what, octets, n in (("none", b"", None), ("no null", b"\1", None), ("length 0", b"\0", 0), ("length 2 of 1", b"\0", 2),
                            ("length 255", b"\0", 255), ("two", b"\0\1", None), ("null last of 255", bytes(range(255, 0, -1)), None)):
        yield f"compression: {what}", [record(hello(compressions=octets, compressions_n=n))]
    for n in (0, 1, 2, 3, 4, 10, 1000, 65535):
        yield f"extensions length {n}", [record(hello(exts_n=n))]
    for tail in (b"\0", b"\0\0", b"x" * 40):
        yield f"{len(tail)} octets behind the extensions", [record(hello(tail=tail))]
    for version in (0x0000, 0x0002, 0x0200, 0x0300, 0x0301, 0x0302):
        yield f"version {version:04x} and no newer", [record(hello(extensions(suites12=True), version=version, suites=SUITES_12))]


def truncated_rows():
    """Every length is right but the hello ends early."""
    whole = hello()[4:]
    for n in range(0, len(whole), 2):
        if n != 2 + 32 + 33 + 2 + 14 + 2:  # without extensions it is a whole one of TLS 1.2
            yield f"hello of {n} octets", [record(b"\1" + vec(whole[:n], 3))]


def extension_rows():
    """Each extension: twice, empty, too short, too long, lengths that are not its own.  RFC 8446 §4.2."""
    for number, body in extensions().items():
        yield f"extension {number} twice", [record(hello([*extensions().items(), (number, body)]))]
        if number not in (22, 23):
            yield f"extension {number} empty", [record(hello(with_extension(number, b"")))]
            yield f"extension {number} less an octet", [record(hello(with_extension(number, body[:-1])))]
            yield f"extension {number} of ff", [record(hello(with_extension(number, b"\xff" * len(body))))]
            yield f"extension {number} of 15000 octets of ff", [record(hello(with_extension(number, b"\xff" * 15000)))]
            yield f"extension {number} of one octet", [record(hello(with_extension(number, b"\xff")))]
        block = b"".join(u16s(n) + vec(b) for n, b in extensions().items() if n != number)
        for n in (len(body) + 1, 0x7FFF, 0xFFFF):
            yield f"extension {number} last, length {n}", [record(hello(exts_raw=block + u16s(number) + vec(body, 2, n)))]
    yield "an unknown extension twice", [record(hello([*extensions().items(), (0xFAFA, b""), (0xFAFA, b"")]))]
    yield "two thousand extensions", [cut(hello([*extensions().items(), *((0x4000 + n, b"") for n in range(2000)), (0x4000, b"")]))]
    for name in (b"", b"a" * 300, b"localhost\0.example.com", b"\xff\xfe"):
        yield f"server name {name[:12]!r}", [record(hello(with_extension(0, vec(b"\0" + vec(name)) + b"\0")))]
    yield "renegotiation info of a connection before", [record(hello(with_extension(0xFF01, vec(b"\x22" * 12, 1))))]
    yield "max fragment length 0", [record(hello(with_extension(1, b"\0")))]
    yield "max fragment length 200", [record(hello(with_extension(1, b"\xc8")))]


def key_rows():
    """Keys, groups and versions of TLS 1.3.  RFC 8446 §4.2.1, §4.2.8, §4.2.8.2."""
    rows = {"the point at infinity": share(key=b"\0"), "a point off the curve": share(key=b"\4" + G_P256[:-1] + b"\0"),
            "zeros": share(key=b"\4" + bytes(64)), "a compressed point": share(key=b"\2" + G_P256[:32]), "no key": share(key=b""),
            "an octet short": share(key=b"\4" + G_P256[:-1]), "an octet long": share(key=b"\4" + G_P256 + b"\0"),
            "past the field": share(key=b"\4" + b"\xff" * 64), "form 5": share(key=b"\5" + G_P256),
            "X25519 of zeros": share(X25519, bytes(32)), "X25519 of order 8": share(X25519, bytes.fromhex(
                "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")), "X25519 of one": share(X25519, b"\1" + bytes(31)),
            "X25519 of 31 octets": share(X25519, b"\x22" * 31), "X25519 of 33 octets": share(X25519, b"\x22" * 33),
            "the same group twice": share() + share(), "half an entry": share() + u16s(X25519), "a length past the end": u16s(P256) + vec(b"\4" + G_P256, 2, 500)}
    for what, entries in rows.items():
        made = {**with_extension(KEY_SHARE, vec(entries)), SUPPORTED_GROUPS: vec(entries[:2])}
        yield f"key share: {what}", [record(hello(made))]
    for what, body in {"none": b"\0", "odd": b"\3\3\4\3", "length 255": b"\xff\3\4", "1.1 alone": b"\2\3\2", "1.4 alone": b"\2\3\5", "SSL 3": b"\2\3\0"}.items():
        yield f"versions: {what}", [record(hello(with_extension(VERSIONS, body)))]
    for missing in (SUPPORTED_GROUPS, SIGNATURES, KEY_SHARE):
        made = extensions()
        del made[missing]
        made[VERSIONS] = b"\2\3\4"
        yield f"1.3 without extension {missing}", [record(hello(made, suites=SUITES_13))]
    for what, groups in {"none": b"\0\0", "unknown": vec(u16s(0xFE00, 0xFE01)), "odd": vec(b"\0\x17\0")}.items():
        yield f"groups: {what}", [record(hello({**with_extension(SUPPORTED_GROUPS, groups), VERSIONS: b"\2\3\4"}, suites=SUITES_13))]
    for what, listed in {"none": b"\0\0", "unknown": vec(u16s(0xFE00)), "odd": vec(b"\4\3\4"), "SHA-1": vec(u16s(0x0201, 0x0203))}.items():
        yield f"signatures: {what}", [record(hello({**with_extension(SIGNATURES, listed), VERSIONS: b"\2\3\4"}, suites=SUITES_13))]


def psk_rows():
    """Shared keys and early data: wrong proofs, wrong counts, wrong places.  RFC 8446 §4.2.9, §4.2.10, §4.2.11."""
    def row(psk):
        made = {**extensions(), VERSIONS: b"\2\3\4"}
        return [record(hello([*made.items(), (PSK, psk)], suites=SUITES_13))]

    for what, psk in {
            "identities: none": psk_extension((), ()), "binders: none": psk_extension(binders=()), "binders: two for one": psk_extension(binders=(bytes(32),) * 2),
            "binder of 0 octets": psk_extension(binders=(b"",)), "binder of 31 octets": psk_extension(binders=(bytes(31),)),
            "identity of 0 octets": psk_extension((b"",)), "identities past the end": psk_extension(identities_n=60000), "binders past the end": psk_extension(binders_n=60000),
            "a length of 0": psk_extension(identities_n=0), "empty": b"", "one octet": b"\0", "binders missing": psk_extension()[:13]}.items():
        yield f"psk: {what}", row(psk)
    made = {**extensions(), VERSIONS: b"\2\3\4"}
    yield "psk: not last", [record(hello([(PSK, psk_extension()), *made.items()], suites=SUITES_13))]
    yield "psk: twice", [record(hello([*made.items(), (PSK, psk_extension()), (PSK, psk_extension())], suites=SUITES_13))]
    del made[MODES]
    yield "psk: without modes", [record(hello([*made.items(), (PSK, psk_extension())], suites=SUITES_13))]
    for what, modes in {"none": b"\0", "a length past the end": b"\5\1", "two octets": b"\1"}.items():
        made = {**extensions(), VERSIONS: b"\2\3\4", MODES: modes}
        yield f"psk modes: {what}", [record(hello([*made.items(), (PSK, psk_extension())], suites=SUITES_13))]
    yield "early data with a body", [record(hello({**extensions(), EARLY_DATA: b"\0\0\0\1"}))]


def binder_rows():
    """A proof that is wrong, of a key that may exist.  RFC 8446 §4.2.11.2."""
    made = {**extensions(), VERSIONS: b"\2\3\4"}
    for what, psk in {"zeros": psk_extension(), "ones": psk_extension(binders=(b"\xff" * 32,)), "of 48 octets": psk_extension(binders=(bytes(48),)),
                      "of 255 octets": psk_extension(binders=(bytes(255),)), "the second of two": psk_extension((b"nobody", b"phone-1"), (bytes(32),) * 2),
                      "of a hundred": psk_extension((b"phone-1",) * 100, (bytes(32),) * 100), "with an age": psk_extension(age=0xFFFFFFFF)}.items():
        yield f"wrong binder: {what}", [record(hello([*made.items(), (PSK, psk)], suites=SUITES_13))]
    early = record(hello([*made.items(), (EARLY_DATA, b""), (PSK, psk_extension())], suites=SUITES_13))
    yield "early data under a wrong binder", [early + record(b"x" * 200, DATA) * 3]
    yield "early data without end", [early + record(b"x" * 16000, DATA) * 40]


def middle_rows():
    """Behind a good hello, in place of what should follow: the other end has answered, or waits.  RFC 8446 §5, §6; RFC 5246 §7."""
    alerts = [(level, kind) for level in (1, 2, 3, 255) for kind in (0, 10, 20, 40, 42, 80, 90, 100, 255)]
    then = {f"alert {level} {kind}": record(bytes((level, kind)), ALERT) for level, kind in alerts if (level, kind) != (1, 0)}
    then.update({
        "two hundred warnings": record(b"\1\x5a", ALERT) * 200, "alert of 1 octet": record(b"\2", ALERT), "alert of 3 octets": record(b"\2\x28\0", ALERT),
        "alert of 4096 octets": record(b"\1\x5a" * 2048, ALERT),
        "CCS of 2": record(b"\2", CCS), "CCS of two octets": record(b"\1\1", CCS), "empty CCS": record(b"", CCS), "a hundred CCS": record(b"\1", CCS) * 100,
        "data": record(b"GET / HTTP/1.1\r\n\r\n", DATA), "data of nothing": record(b"", DATA) * 50, "data of 2^14 + 257 octets": record(bytes(16641), DATA),
        "another hello": record(hello()), "HelloRequest": record(b"\0\0\0\0"), "ServerHello": record(hello(kind=2)), "a ticket": record(b"\4" + vec(bytes(20), 3)),
        "end of early data": record(b"\5\0\0\0"), "Finished": record(b"\x14" + vec(bytes(32), 3)), "Finished of nothing": record(b"\x14\0\0\0"),
        "KeyUpdate": record(b"\x18\0\0\1\1"), "CCS and Finished": record(b"\1", CCS) + record(b"\x14" + vec(bytes(12), 3)),
        "CCS and noise": record(b"\1", CCS) + record(b"\x99" * 40), "a record of type 99": record(b"x", 99), "heartbeat": record(b"\1\x40\0", 24),
        "certificate lists of nothing": record(b"\x0b" + vec(vec(b"", 3), 3)), "certificate past the end": record(b"\x0b" + vec(vec(vec(b"x", 3, 9000), 3), 3)),
        "certificate of 1 GB": record(b"\x0b\xff\xff\xff" + bytes(100)), "key exchange of nothing": record(b"\x10\0\0\0"),
        "key exchange of a bad point": record(b"\x10" + vec(vec(b"\4" + bytes(64), 1), 3)), "key exchange past the end": record(b"\x10" + vec(b"\xff\4", 3)),
        "certificate verify first": record(b"\x0f" + vec(b"\4\3" + vec(bytes(70)), 3)),
        "key exchange, CCS, noise": record(b"\x10" + vec(vec(b"\4" + G_P256, 1), 3)) + record(b"\1", CCS) + record(os.urandom(40)),
        "half a record": record(b"\x10" + bytes(40))[:9]})
    for what, octets in then.items():
        yield f"1.3 hello, then {what}", [record(hello()), octets]
        yield f"1.2 hello, then {what}", [record(hello(extensions(suites12=True), suites=SUITES_12)), octets]


def random_rows(seed=8446, n=120):
    """A good hello with some octets changed, cut or doubled."""
    dice = random.Random(seed)
    for at in range(n):
        octets = bytearray(hello(exts=extensions(suites12=at % 3 == 0)))
        for _ in range(dice.randint(1, 6)):
            where, what = dice.randrange(4, len(octets)), dice.randrange(3)
            if what == 0:
                octets[where] = dice.randrange(256)
            elif what == 1:
                del octets[where:where + dice.randint(1, 8)]
            else:
                octets[where:where] = octets[where:where + dice.randint(1, 30)]
        yield f"random {at}", [record(octets[:1] + vec(octets[4:], 3))]


def answer(octets):
    """What a server said: the types of its records in order, "hello" for a ServerHello and "retry" for a HelloRetryRequest, and
    its alerts in the clear as negative numbers."""
    said, at = [], 0
    while at + 5 <= len(octets):
        n = int.from_bytes(octets[at + 3:at + 5], "big")
        kind, body = octets[at], octets[at + 5:at + 5 + n]
        if kind == ALERT and n == 2:
            said.append(-body[1])
        elif kind == HANDSHAKE and body[:1] == b"\2":
            said.append("retry" if body[6:38] == RETRY else "hello")
        else:
            said.append(kind)
        at += 5 + n
    return said
