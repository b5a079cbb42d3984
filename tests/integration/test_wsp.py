"""WSP datagrams and the session initiation content against tshark, whose dissectors must read of ours what we meant.
Usage: test_wsp.py BUILD_DIR.

Where tshark 4.0 is known to read less than the octets say, the octets themselves are looked at: it shows the port of a
contact point as 0, and of an application's number the last seven bits.
"""

import os
import re
import subprocess

import pcap
from harness import case, check, check_eq, main


def driver(bench, *args, octets=b""):
    """Exit status, octets, error name."""
    done = subprocess.run([os.path.join(bench.build, "tests", "wsp_driver"), *args], input=octets, capture_output=True,
                          timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr.decode().strip()


def push(bench, lines, content=b"", tid=5):
    status, octets, error = driver(bench, "push", str(tid), octets="\r\n".join(lines).encode() + b"\r\n\r\n" + content)
    check_eq((status, error), (0, ""), lines)
    return octets


def dissected(bench, datagrams):
    path = bench.path("captured.pcap")
    pcap.write(path, datagrams)
    return [layers["wsp"] for layers in pcap.objects(bench, path)]


MESSAGE = (  # header, what tshark calls it, what it shows
    ("Date: Wed, 01 May 2024 12:00:00 GMT", "wsp.header.date", "May  1, 2024 12:00:00 UTC"),
    ("Expires: Thu, 02 May 2024 00:00:01 GMT", "wsp.header.expires", "May  2, 2024 00:00:01 UTC"),
    ("Last-Modified: Thu, 01 Jan 1970 00:00:09 GMT", "wsp.header.last_modified", "Jan  1, 1970 00:00:09 UTC"),
    ("Content-Length: 2", "wsp.header.content_length", "2"),
    ("Content-Length: 300", "wsp.header.content_length", "300"),
    ("Content-Encoding: gzip", "wsp.header.content_encoding", "gzip"),
    ("Content-Encoding: deflate", "wsp.header.content_encoding", "deflate"),
    ("Content-Language: en", "wsp.header.content_language", "en"),
    ("Content-Location: c/d", "wsp.header.content_location", "c/d"),
    ("Content-ID: <a@b>", "wsp.header.content_id", '"<a@b>"'),
    ('Etag: "x"', "wsp.header.etag", '"x"'),
    ("Cache-Control: no-transform", "wsp.header.cache_control", "no-transform"),
    ("Cache-Control: private", "wsp.header.cache_control", "private"),
    ("Profile: http://p.example/", "wsp.header.profile", "http://p.example/"),
    ("X-Wap-Application-Id: x-wap-application:mms.ua", "wsp.header.x_wap_application_id", "x-wap-application:mms.ua"),
    ("X-Wap-Application-Id: 4", "wsp.header.x_wap_application_id", "x-wap-application:mms.ua"),
    ("X-Wap-Application-Id: urn:own", "wsp.header.x_wap_application_id", "urn:own"),
    ("X-Wap-Content-URI: http://c.example/", "wsp.header.content_uri", "http://c.example/"),
    ("X-Wap-Initiator-URI: https://a.example/?b=c", "wsp.header.initiator_uri", "https://a.example/?b=c"),
    ("X-Wap-Push-Info: authenticated", "wsp.header.push_flag", "(Initiator URI authenticated)"),
    ("X-Wap-Push-Info: trusted, last", "wsp.header.push_flag", "(Content trusted) (Last push message)"),
    ("X-Push-Message-ID: n-1", "wsp.header_text_value", "n-1"),
    ("X-Own: any text; of=mine", "wsp.header_text_value", "any text; of=mine"),
)
TYPES = (  # ours, tshark's, its charset
    ("application/vnd.wap.sic; charset=utf-8", "application/vnd.wap.sic", "UTF-8"),
    ("text/plain", "text/plain", None),
    ("TEXT/Plain;charset=iso-8859-1", "text/plain", "ISO-8859-1"),
    ("application/vnd.wap.emn+wbxml", "<Unknown media type identifier 0x30A>", None),  # registered later; the number is read
    ("application/x-push-gpl-a1", "application/x-push-gpl-a1", None),
)


@case
def every_header_is_read_as_it_was_meant(bench):
    datagrams = [push(bench, ["Content-Type: text/plain", line], b"Hi", tid=i) for i, (line, _, _) in enumerate(MESSAGE)]
    for i, (layer, (line, field, want)) in enumerate(zip(dissected(bench, datagrams), MESSAGE)):
        check_eq((int(layer["wsp.TID"], 16), layer["wsp.pdu_type"]), (i, "0x06"), line)
        check_eq(layer["wsp.headers"].get(field, "nothing").strip(), want, line)


@case
def whole_messages_and_their_types(bench):
    lines = [m[0] for m in MESSAGE if not m[0].startswith(("Content-Enc", "Content-Length"))]
    datagrams = [push(bench, [f"Content-Type: {ours}", *lines], b"Hi") for ours, _, _ in TYPES]
    for layer, (ours, theirs, charset) in zip(dissected(bench, datagrams), TYPES):
        check_eq(layer["wsp.header.content_type"], theirs, ours)
        check_eq(layer.get("wsp.header.content_type_tree", {}).get("wsp.parameter.charset"), charset, ours)
        check_eq(layer["wsp.headers"]["wsp.header.name_string"], "X-Own")  # the last of those that go by name


# What tshark calls otherwise (the names of WAP 1.1), or what was registered after its table was written.
OLD_NAMES = {0x0A: "text/vnd.wap.channel", 0x16: "application/vnd.wap.channelc"}
TSHARK_TYPES = 0x4E


@case
def numbers_of_media_types_agree(bench):
    codes = range(0x80, 0x100)
    datagrams = [bytes([5, 6, 1, code]) for code in codes]
    agreed = 0
    for datagram, layer in zip(datagrams, dissected(bench, datagrams)):
        status, text, error = driver(bench, "read", octets=datagram)
        if status:
            check_eq(error, "unsupported", datagram.hex())
            continue
        code = datagram[3] & 0x7F
        ours = text.decode().split("\r\n")[0].removeprefix("Content-Type: ")
        if code < TSHARK_TYPES:
            check_eq(layer["wsp.header.content_type"].lower(), OLD_NAMES.get(code, ours.lower()), datagram.hex())
            agreed += 1
    check_eq(agreed, TSHARK_TYPES)


@case
def numbers_of_charsets_agree(bench):
    names = ("us-ascii", "iso-8859-1", "iso-8859-2", "iso-8859-9", "shift_jis", "utf-8", "utf-16", "iso-10646-ucs-2", "big5",
             "gb2312", "euc-kr", "koi8-r", "utf-16be", "euc-jp")
    datagrams = [push(bench, [f"Content-Type: text/plain; charset={name}"]) for name in names]
    for layer, name in zip(dissected(bench, datagrams), names):
        shown = layer["wsp.header.content_type_tree"]["wsp.parameter.charset"].lower().replace("_", "-")
        check(name.replace("_", "-") in shown, f"{name}: {shown}")


@case
def codes_of_headers_agree(bench):
    lines = sorted({m[0].split(":")[0]: m[0] for m in MESSAGE}.values()) + ["From: a", "Location: b", "Server: c"]
    path = bench.path("names.pcap")
    pcap.write(path, [push(bench, ["Content-Type: text/plain", line]) for line in lines])
    for line, found in zip(lines, pcap.fields(bench, path)):
        name = line.split(":")[0]
        if name in ("X-Push-Message-ID", "X-Own"):
            continue
        shown = re.search(r"Header name: (\S+)", found["wsp.header.name_value"][-1][0]).group(1)
        check_eq(shown.lower(), {"X-Wap-Push-Info": "push-flag"}.get(name, name.lower()), line)


@case
def session_initiation_is_read_field_by_field(bench):
    rows = (("q83vEg==", "ppg.example.net"), ("4-text-tag", ""), ("AQIDBA==", ""))
    datagrams = []
    for tag, url in rows:
        status, sia, error = driver(bench, "sia", "-", "192.0.2.10:4035", tag, url)
        check_eq((status, error), (0, ""))
        datagrams.append(push(bench, ["Content-Type: application/vnd.wap.sia",
                                      "X-Wap-Application-Id: x-wap-application:push.sia"], sia))
    path = bench.path("sia.pcap")
    pcap.write(path, datagrams)
    for (tag, url), found in zip(rows, pcap.fields(bench, path)):
        tagged = tag.endswith("==")
        check("Malformed" not in str(found), found)
        check_eq(found["wsp.header.x_wap_application_id"][0][0].split(": ")[1], "x-wap-application:push.sia")
        check_eq([v for _, v in found["wap.sir.version"]], ["01"])
        check_eq([v for _, v in found["wap.sir.app_id_list.length"]], ["00"])
        check_eq([v for _, v in found["wap.sir.wsp_contact_points.length"]], ["00"])
        check_eq(found["wsp.address"], [("Address Record: 1", "c40b0fc3c000020a")])
        check_eq(found["wsp.address.bearer_type"], [("Bearer Type: GSM GPRS (0x0b)", "0b")])
        check_eq(found["wsp.address.port"][0][1], "0fc3")
        check_eq(found["wsp.address.ipv4"], [("IPv4 Address: 192.0.2.10", "c000020a")])
        check_eq([v for _, v in found["wap.sir.protocol_options"]], ["01" if tagged else "00"])
        check_eq([v for _, v in found["wap.sir.prov_url.length"]], [f"{len(url):02x}"])
        check_eq([v for _, v in found.get("wap.sir.prov_url", []) if v], [url.encode().hex()] if url else [])
        check_eq([v for _, v in found.get("wap.sir.cpi_tag", [])], [{"q": "abcdef12", "A": "01020304"}[tag[0]]] if tagged else [])


@case
def broken_datagrams_give_nothing(bench):
    good = push(bench, ["Content-Type: text/plain", "X-Own: b"], b"Hi")
    check_eq(driver(bench, "read", octets=good), (0, b"Content-Type: text/plain\r\nX-Own: b\r\n\r\nHi", ""))
    for octets, error in ((good[:8], "limit"), (b"\x05\x07" + good[2:], "malformed"), (good.replace(b"\x83", b"\xfe", 1), "unsupported"),
                          (good.replace(b"b\0", b"\n\0"), "malformed"), (b"", "malformed")):
        check_eq(driver(bench, "read", octets=octets), (1, b"", error), octets)


main("wsp")
