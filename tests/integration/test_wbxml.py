"""Tokenised SI, SL and CO against libwbxml: what it reads of ours, what it writes.  Usage: test_wbxml.py BUILD_DIR.

wbxml2xml must read our octets as the document they were made of; xml2wbxml must make the same octets wherever the
format leaves no choice.  It is given no document with CDATA, which it writes as opaque octets.
"""

import os
import subprocess
import xml.etree.ElementTree as ElementTree

from harness import case, check, check_eq, main

PUBLIC = '<!DOCTYPE {0} PUBLIC "-//WAPFORUM//DTD {1} 1.0//EN" "http://www.wapforum.org/DTD/{0}.dtd">'
ACTIONS = ("signal-none", "signal-low", "signal-medium", "signal-high", "delete")
URIS = ("", "a", "tel:+1555", "http://", "http://a.com/b", "http://www.", "http://www", "http://www.b.org", "https://c.edu/",
        "https://www.d.net/.com/e.org/", "ftp://x.net", "http://f/?g=h&amp;i=&quot;j&quot;", "http://\u20ac.com/\u00e9")
TIMES = ("1999-06-25T15:23:15Z", "1999-06-30T00:00:00Z", "2024-02-29T12:00:00Z", "2000-10-10T10:10:00Z",
         "2000-01-01T00:00:01Z")
TEXTS = ("Hi", "a &amp; b &lt;c&gt;", "\u20ac 5.com/ \u00e9\U0001f600", "&#x41;&#233;", " \n laid out  wide\n ")


def si(attributes="", text="", info=""):
    return f"<si>\n <indication {attributes}>{text}</indication>\n{info}</si>"


SI = (
    [si(f'href="{uri}"') for uri in URIS]
    + [si(f'action="{action}" href="http://a"', "x") for action in ACTIONS]
    + [si(f'created="{at}" si-id="a.com/{at}" si-expires="{at}"', "x") for at in TIMES]
    + [si("", text) for text in TEXTS]
    + [si('si-id="1"', "x", '<info><item class="a-1">b</item> <item class="c"></item></info>')]
)
SL = [f'<sl href="{uri}"/>' for uri in URIS] + [
    f'<sl action="{action}" href="https://www.a.com/"/>' for action in ("execute-low", "execute-high", "cache")]
CO = ["<co>" + "".join(f'<invalidate-{kind} uri="{uri}"/>\n' for uri in URIS) + "</co>" for kind in ("object", "service")]
KINDS = (("si", SI), ("sl", SL), ("co", CO))


def whole(kind, body):
    return f'<?xml version="1.0" encoding="utf-8"?>\n{PUBLIC.format(kind, kind.upper())}\n{body}\n'.encode()


def ours(bench, kind, document, parameters=""):
    """Exit status, octets, error name."""
    done = subprocess.run(
        [os.path.join(bench.build, "tests", "wbxml_driver"), f"text/vnd.wap.{kind}{parameters}"], input=document,
        capture_output=True, timeout=60, check=False,
    )
    return done.returncode, done.stdout, done.stderr.decode().strip()


def meaning(element):
    """Without the blanks that only lay a document out."""
    return (element.tag, element.attrib, (element.text or "").strip(), [meaning(child) for child in element])


def theirs_reads(bench, octets):
    bench.tool("wbxml2xml", "-m", "0", "-o", bench.path("read.xml"), bench.write("read.wbxml", octets))
    with open(bench.path("read.xml"), "rb") as f:
        return f.read()


def theirs_writes(bench, document):
    bench.tool("xml2wbxml", "-v", "1.2", "-n", "-o", bench.path("written.wbxml"), bench.write("write.xml", document))
    with open(bench.path("written.wbxml"), "rb") as f:
        return f.read()


@case
def another_decoder_reads_the_same_document(bench):
    for kind, bodies in KINDS:
        for body in bodies:
            status, octets, error = ours(bench, kind, whole(kind, body))
            check_eq((status, error), (0, ""), body)
            back = theirs_reads(bench, octets)
            check(f"-//WAPFORUM//DTD {kind.upper()} 1.0//EN".encode() in back, back)
            check_eq(meaning(ElementTree.fromstring(back)), meaning(ElementTree.fromstring(body)), body)


@case
def another_encoder_writes_the_same_octets(bench):
    for kind, bodies in KINDS:
        for body in bodies:
            octets = ours(bench, kind, whole(kind, body))[1]
            check_eq(octets.hex(" "), theirs_writes(bench, whole(kind, body)).hex(" "), body)


@case
def every_encoding_gives_the_same_octets(bench):
    body = si('href="http://\u00e9.com/"', "\u00e9t\u00e9")
    want = ours(bench, "si", body.encode())
    check_eq(want[0], 0, want[2])
    for name in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"):
        check_eq(ours(bench, "si", body.encode(name)), want, name)
    check_eq(ours(bench, "si", body.encode("latin-1"), "; charset=iso-8859-1"), want)
    check_eq(ours(bench, "si", b'<?xml version="1.0" encoding="iso-8859-1"?>' + body.encode("latin-1")), want)


@case
def broken_documents_give_nothing(bench):
    good = whole("si", si('href="http://a.com/"', "x"))
    check_eq(ours(bench, "si", good)[0], 0)
    rows = [
        ("si", good[:-8], "malformed"), ("sl", good, "malformed"), ("co", good, "malformed"), ("wml", good, "unsupported"),
        ("si", good.replace(b'dtd">', b'dtd" [<!ENTITY a "b">]>'), "malformed"), ("si", good.replace(b">x<", b">&a;<"), "malformed"),
        ("si", good.replace(b"utf-8", b"koi8-r"), "unsupported"), ("si", good.replace(b">x<", b">" + b"x" * 65536 + b"<"), "limit"),
    ]
    for kind, document, error in rows:
        check_eq(ours(bench, kind, document), (1, b"", error), document[:200])


main("wbxml")
