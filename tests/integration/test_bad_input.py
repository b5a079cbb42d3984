"""What a hostile or broken initiator sends, on raw sockets and with curl: each gets the answer the specifications name,
and a good push goes through afterwards.  Usage: test_bad_input.py BUILD_DIR."""

import base64
import http.client
import random
import re
import socket
import struct
import time
import xml.etree.ElementTree

from gateway import BOUNDARY, PASSWORD, Gateway, Terminal, curl, good_push, mime
from harness import case, check, check_eq, main, wait_until
from wire import connect, read_all

INITIATORS = "[initiator any]\ncertificate = URI:https://news.example.com\ndigest-user = any\npassword-file = ../password\n" \
             "basic = yes\nbasic-clear = yes\ninitiator-uri = https://news.example.com/*\n"
AUTH = "Authorization: Basic " + base64.b64encode(f"any:{PASSWORD}".encode()).decode() + "\r\n"
HEAD = "POST /pap HTTP/1.1\r\nHost: ppg\r\n" + AUTH


def opened(bench, **conf):
    """A gateway that takes Basic on a clear connection, so that octets can be written by hand, and one terminal."""
    phone = Terminal(bench)
    conf = {"pap.clear-basic": "yes", **{k.replace("__", ".").replace("_", "-"): v for k, v in conf.items()}}
    gateway = Gateway(bench, phone.route("+15550100"), "allow any +1555* *\n", INITIATORS, conf)
    gateway.phone = phone
    return gateway


def raw(bench, gateway, octets):
    """The statuses of all answers to these octets, once the gateway has closed by itself."""
    s = connect(bench, gateway.port)
    try:
        s.sendall(octets if isinstance(octets, bytes) else octets.encode("latin-1"))
    except (BrokenPipeError, ConnectionResetError):
        pass  # refused before all was written
    return [int(status) for status in re.findall(rb"(?m)^HTTP/1\.1 (\d{3}) ", read_all(s))]


def request(headers="", body=b"", head=HEAD):
    return (head + headers + "\r\n").encode("latin-1") + body


def submission(headers="", **more):
    body = mime(**more)
    return request(f'Content-Type: multipart/related; type="application/xml"; boundary="{BOUNDARY}"\r\n'
                   f"Content-Length: {len(body)}\r\n{headers}", body)


CHUNKED = HEAD + "Content-Type: application/xml\r\nTransfer-Encoding: chunked\r\n\r\n"
START = "POST /pap HTTP/1.1\r\n"

STRICT = {
    "bare line feed in the request line": (HEAD.replace("1.1\r\n", "1.1\n", 1) + "Content-Length: 0\r\n\r\n", 400),
    "bare line feed behind a header": (HEAD + "A: b\nContent-Length: 0\r\n\r\n", 400),
    "bare line feed as end of the head": (HEAD + "Content-Length: 0\r\n\n", 400),
    "bare carriage return": (HEAD + "A: b\rc\r\nContent-Length: 0\r\n\r\n", 400),
    "space before colon": (HEAD + "Content-Length : 0\r\n\r\n", 400),
    "tab before colon": (HEAD + "A\t: 0\r\n\r\n", 400),
    "folded line": (HEAD + "A: b\r\n c\r\nContent-Length: 0\r\n\r\n", 400),
    "fold before the first header": (START + " A: b\r\nHost: ppg\r\n\r\n", 400),
    "Host missing": (START + "Content-Length: 0\r\n\r\n", 400),
    "Host repeated": (HEAD + "Host: ppg\r\nContent-Length: 0\r\n\r\n", 400),
    "Host not a host": (START + "Host: a b\r\nContent-Length: 0\r\n\r\n", 400),
    "HTTP/0.9": ("GET /pap\r\n\r\n", 400),
    "version not a version": ("POST /pap HTTP/1.x\r\nHost: ppg\r\n\r\n", 400),
    "version in small letters": ("POST /pap http/1.1\r\nHost: ppg\r\n\r\n", 400),
    "HTTP/2 by line": ("POST /pap HTTP/2.0\r\nHost: ppg\r\n\r\n", 505),
    "HTTP/2 preface": ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "two spaces": ("POST  /pap HTTP/1.1\r\nHost: ppg\r\n\r\n", 400),
    "octet above 127 in a value": (HEAD + "A: \xe9\r\nContent-Length: 0\r\n\r\n", 400),
    "octet above 127 in a name": (HEAD + "\xc3: a\r\nContent-Length: 0\r\n\r\n", 400),
    "octet above 127 in the target": ("POST /p\xe4p HTTP/1.1\r\nHost: ppg\r\n\r\n", 400),
    "NUL in a value": (HEAD + "A: b\0c\r\nContent-Length: 0\r\n\r\n", 400),
    "header without colon": (HEAD + "nonsense\r\nContent-Length: 0\r\n\r\n", 400),
    "header without name": (HEAD + ": x\r\nContent-Length: 0\r\n\r\n", 400),
    "length and chunks": (HEAD + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "chunks and length": (HEAD + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400),
    "length twice": (HEAD + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400),
    "lengths in one line": (HEAD + "Content-Length: 5, 5\r\n\r\nhello", 400),
    "length with a sign": (HEAD + "Content-Length: +5\r\n\r\nhello", 400),
    "negative length": (HEAD + "Content-Length: -1\r\n\r\n", 400),
    "length in hexadecimal": (HEAD + "Content-Length: 0x5\r\n\r\nhello", 400),
    "no length at all": (HEAD + "Content-Length:\r\n\r\n", 400),
    "length past all numbers": (HEAD + "Content-Length: 99999999999999999999999\r\n\r\n", 413),
    "unknown coding": (HEAD + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    "chunked not last": (HEAD + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", (400, 501)),
    "chunked twice": (HEAD + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "coding in HTTP/1.0": (HEAD.replace("1.1", "1.0", 1) + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "chunk size not a number": (CHUNKED + "g\r\nx\r\n0\r\n\r\n", 400),
    "chunk size with 0x": (CHUNKED + "0x1\r\nx\r\n0\r\n\r\n", 400),
    "chunk size negative": (CHUNKED + "-1\r\n\r\n", 400),
    "chunk size past all numbers": (CHUNKED + "fffffffffffffffff\r\nx", (400, 413)),
    "chunk longer than its size": (CHUNKED + "1\r\nxy\r\n0\r\n\r\n", 400),
    "chunk with a bare line feed": (CHUNKED + "1\nx\r\n0\r\n\r\n", 400),
    "chunk extension without end": (CHUNKED + "1;" + "a" * 70000, 400),
    "trailer that frames": (CHUNKED + "0\r\nContent-Length: 5\r\n\r\n", 400),
    "CONNECT": ("CONNECT ppg:443 HTTP/1.1\r\nHost: ppg:443\r\n\r\n", (400, 404, 405, 501)),
    "not HTTP": ("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + "\0" * 30 + "\r\n\r\n", 400),
}


@case
def framing_faults_are_refused_and_closed(bench):
    gateway = opened(bench)
    for name, (octets, status) in STRICT.items():
        got = raw(bench, gateway, octets)
        check(got and len(got) == 1 and got[0] in (status if isinstance(status, tuple) else (status,)), (name, got))
    good_push(bench, gateway)
    gateway.phone.wait_events(1)


@case
def smuggled_request_is_never_seen(bench):
    """What one side could take for a second request must not be answered as one."""
    gateway = opened(bench)
    second = submission(push_id="smuggled").decode("latin-1")
    for octets in (HEAD + f"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{second}",
                   HEAD + f"Content-Length: 0\r\nContent-Length: {len(second)}\r\n\r\n{second}",
                   HEAD + f"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n{second}",
                   HEAD + f"X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{second}", CHUNKED + f"0\n\r\n{second}"):
        check_eq(raw(bench, gateway, octets), [400], octets[:200])
    good_push(bench, gateway)
    gateway.phone.wait_events(1)
    check_eq(gateway.query("SELECT count(*) FROM push WHERE push_id = 'smuggled'"), [["0"]])


@case
def pipelined_requests_keep_their_order(bench):
    gateway = opened(bench)
    octets = b"".join(submission(push_id=f"p{i}") for i in range(5)) + submission("Connection: close\r\n", push_id="p0")
    s = connect(bench, gateway.port)
    s.sendall(octets)
    text = read_all(s).decode()
    check_eq(re.findall(r'push-id="(p\d)"', text), ["p0", "p1", "p2", "p3", "p4", "p0"])
    check_eq(re.findall(r'code="(\d+)"', text), ["1001"] * 5 + ["2007"])


@case
def ceilings(bench):
    gateway = opened(bench, pap__body_max="20k", pap__control_max="16k")
    big = "x" * 21000
    rows = {"body announced": (HEAD + "Content-Type: application/xml\r\nContent-Length: 21000\r\n\r\n" + big, 413),
            "body in chunks": (CHUNKED + f"{len(big):x}\r\n{big}\r\n0\r\n\r\n", 413),
            "target": ("POST /" + "a" * 20000 + " HTTP/1.1\r\nHost: ppg\r\n\r\n", 414),
            "value": (HEAD + "A: " + "b" * 8000 + "\r\n\r\n", 431),
            "name": (HEAD + "A" * 20000 + ": b\r\n\r\n", 431),
            "head": (HEAD + "A: bbbbbbbbb\r\n" * 3000 + "\r\n", 431),
            "fields": (HEAD + "A: b\r\n" * 65 + "\r\n", 431),
            "method": ("A" * 100 + " /pap HTTP/1.1\r\nHost: ppg\r\n\r\n", 501),
            "endless start line": ("A" * 100000, (400, 501))}
    for name, (octets, status) in rows.items():
        got = raw(bench, gateway, octets)
        check(len(got) == 1 and got[0] in (status if isinstance(status, tuple) else (status,)), (name, got))
    good_push(bench, gateway)


@case
def slow_peers_are_cut(bench):
    gateway = opened(bench, pap__head_timeout="500ms", pap__idle_timeout="700ms", pap__body_rate="1k")
    slow = {"head": b"POST /pap HTTP/1.1\r\nHo", "nothing": b"", "body": HEAD.encode() + b"Content-Type: application/xml\r\n"
            b"Content-Length: 50000\r\n\r\n<pap>", "chunk": CHUNKED.encode() + b"100\r\nab"}
    sockets = {}
    for name, octets in slow.items():
        sockets[name] = connect(bench, gateway.port)
        sockets[name].sendall(octets)
    started = time.monotonic()
    for name, s in sockets.items():
        got = read_all(s)
        check(got == b"" or re.match(rb"HTTP/1\.1 (408|400) ", got), (name, got[:100]))
    check(time.monotonic() - started < 40, "slow peers stay")
    good_push(bench, gateway)


@case
def dripping_head_is_cut(bench):
    gateway = opened(bench, pap__head_timeout="500ms")
    s, started, got = connect(bench, gateway.port), time.monotonic(), b"?"
    s.settimeout(0.05)  # the pace: one octet for each time nothing is heard
    for octet in (HEAD + "A: " + "b" * 4000).encode():
        try:
            s.sendall(bytes([octet]))
            got = s.recv(100)
            break
        except socket.timeout:
            check(time.monotonic() - started < 60, "a dripping head goes on")  # all of it drips for 200 s
        except (BrokenPipeError, ConnectionResetError):
            break
    check(0.3 < time.monotonic() - started < 60, time.monotonic() - started)
    check(got == b"?" or got == b"" or got.startswith(b"HTTP/1.1 408"), got)
    good_push(bench, gateway)


@case
def paths_and_methods(bench):
    gateway = opened(bench)
    check_eq(curl(bench, gateway.tls_url + "x", b"x").status, 404)
    check_eq(curl(bench, gateway.tls_url.replace("/pap", "/"), b"x").status, 404)
    check_eq(curl(bench, gateway.tls_url.replace("/pap", "/%70ap"), b"x").status, 404)
    check_eq(curl(bench, gateway.tls_url, b"", "-X", "post").status, 501)
    for target, status in (("http://other.example/pap", 202), ("HTTPS://ppg:8443/pap?a=b", 202), ("http://ppg/other", 404),
                           ("http://ppg", 404), ("http:/pap", 400), ("ftp://ppg/pap", 404)):  # RFC 9112 §3.2.2
        octets = submission("Connection: close\r\n", push_id="p").replace(b"POST /pap ", f"POST {target} ".encode())
        check_eq((target, raw(bench, gateway, octets)), (target, [status]))
    for method in ("GET", "PUT", "DELETE", "OPTIONS", "TRACE"):
        answer = curl(bench, gateway.tls_url, b"", "-X", method)
        check_eq((method, answer.status, answer.headers.get("allow")), (method, 405, "POST"))
    good_push(bench, gateway)


def part(text, content_type="application/xml"):
    return f"--{BOUNDARY}\r\nContent-Type: {content_type}\r\n\r\n{text}\r\n"


CONTENT, END = part("hi", "text/plain"), f"--{BOUNDARY}--\r\n"
PUSH = '<pap><push-message push-id="x1"><address address-value="WAPPUSH=+15550100/TYPE=PLMN"/></push-message></pap>'


def send(bench, gateway, body, content_type=None):
    """Over TLS with the certificate."""
    more = {"content_type": content_type} if content_type is not None else {}
    return curl(bench, gateway.tls_url, body if isinstance(body, bytes) else body.encode(), "--cert", bench.path("news.crt"),
                "--key", bench.path("news.key"), **more)


@case
def bad_multiparts(bench):
    gateway = opened(bench)
    good = part(PUSH) + CONTENT + END
    related = f"multipart/related; boundary={BOUNDARY}"
    rows = {"no boundary": (good, "multipart/related"), "empty boundary": (good, 'multipart/related; boundary=""'),
            "another boundary": (good, "multipart/related; boundary=other"), "other type": (good, "multipart/mixed; boundary="
            + BOUNDARY), "no body": ("", related), "only the end": (END, related), "one part": (part(PUSH) + END, related),
            "four parts": (part(PUSH) + CONTENT * 3 + END, related), "no end": (part(PUSH) + CONTENT, related),
            "part without head": (f"--{BOUNDARY}\r\n{PUSH}\r\n" + CONTENT + END, related), "start names nobody":
            (good, related + '; start="<nobody>"') , "boundary too long": (good, "multipart/related; boundary=" + "b" * 300),
            "text": (good, "text/plain"), "root of another type": (good, related + '; type="text/html"'),
            "thousand empty parts": (f"--{BOUNDARY}\r\n\r\n\r\n" * 1000 + END, related)}
    for name, (body, content_type) in rows.items():
        answer = send(bench, gateway, body, content_type)
        if name == "start names nobody":
            check((answer.kind, answer.code) in (("badmessage-response", 2000), ("push-response", 1001)), (name, answer))
        else:
            check_eq((name, answer.status, answer.kind, answer.code), (name, 202, answer.kind, 2000), answer.desc)
            check(answer.kind in ("badmessage-response", "push-response"), (name, answer))
    good_push(bench, gateway)


def xml_rows():
    deep = "<a>" * 60000 + "</a>" * 60000
    many = " ".join(f'a{i}=""' for i in range(60000))
    subset = '<!DOCTYPE pap [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    return {
        "nothing": "", "not XML": "hello", "another root": "<html/>", "open": PUSH[:-3], "two roots": PUSH + PUSH,
        "text behind": PUSH + "x", "empty root": "<pap/>", "two messages": PUSH.replace("</pap>", "") + PUSH[5:],
        "entity bomb": subset + PUSH.replace("x1", "&b;"), "external entity":
        '<!DOCTYPE pap [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + PUSH.replace("x1", "&x;"), "parameter entity":
        '<!DOCTYPE pap [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x"> %p;]>' + PUSH, "internal subset":
        "<!DOCTYPE pap [<!ELEMENT pap ANY>]>" + PUSH, "unknown entity": PUSH.replace("x1", "&nbsp;"), "attribute twice":
        PUSH.replace("push-id", 'push-id="a" push-id', 1), "60000 attributes": f"<pap {many}/>", "deep":
        f"<pap>{deep}</pap>", "unknown encoding": '<?xml version="1.0" encoding="x-strange"?>' + PUSH, "UTF-7":
        '<?xml version="1.0" encoding="UTF-7"?>' + PUSH, "not UTF-8": PUSH.encode().replace(b"x1", b"\xff\xfe"),
        "overlong UTF-8": PUSH.encode().replace(b"x1", b"\xc0\xaf"), "NUL": PUSH.replace("x1", "x\0"), "control character":
        PUSH.replace("x1", "&#1;"), "UTF-16 cut": PUSH.encode("utf-16")[:-1], "long attribute":
        PUSH.replace("x1", "x" * 70000), "long name": f"<{'n' * 70000}/>", "long comment": f"<!--{'c' * 70000}-->" + PUSH,
        "no push-id": PUSH.replace(' push-id="x1"', ""), "empty push-id": PUSH.replace("x1", ""),
        "push-id past its ceiling": PUSH.replace("x1", "x" * 256), "no address": re.sub("<address[^>]*>", "", PUSH),
        "address without value": re.sub(" address-value=\"[^\"]*\"", "", PUSH), "message of a gateway":
        '<pap><resultnotification-message push-id="a" message-state="delivered" code="1000"><address address-value="x"/>'
        "</resultnotification-message></pap>", "CDATA bomb": "<pap>" + "<![CDATA[" + "x" * 66000 + "]]></pap>",
    }


@case
def bad_documents(bench):
    """Malformed, abusive or against the grammar: 2000, and never an address fetched."""
    gateway = opened(bench)
    for name, text in xml_rows().items():
        octets = text if isinstance(text, bytes) else text.encode()
        body = part("@").encode().replace(b"@", octets) + CONTENT.encode() + END.encode()
        for entity, content_type in ((body, None), (octets, "application/xml")):
            answer = send(bench, gateway, entity, content_type)
            check_eq((name, answer.status, answer.code), (name, 202, 2000), answer.desc)
            check(len(answer.body) < 4096, f"{name}: an answer of {len(answer.body)} octets")
            check("root:" not in answer.body, answer.body)
    good_push(bench, gateway)
    gateway.phone.wait_events(1)
    check_eq(gateway.query("SELECT count(*) FROM push"), [["1"]])


@case
def encodings_of_the_field(bench):
    """[PAP §11]: a declared ISO 8859-1 is decoded; UTF-16 with its mark is XML's own right."""
    gateway = opened(bench)
    latin = '<?xml version="1.0" encoding="iso-8859-1"?>' + PUSH.replace("x1", "caf\xe9")
    body = part("@").encode().replace(b"@", latin.encode("latin-1")) + (CONTENT + END).encode()
    answer = send(bench, gateway, body)
    check_eq((answer.code, answer.push_id), (1001, "caf\xe9"), answer.desc)
    good = "<?xml version='1.0' encoding='UTF-8'?>" + PUSH.replace("x1", "caf\xe9")
    for charset, octets, want in (
        ("utf-8", latin.replace("caf", "th").encode(), (1001, "th\xe9")),  # what came with it stands above its declaration
        ('"ISO-8859-1"', good.replace("caf", "pur").encode("latin-1"), (1001, "pur\xe9")),
        ("utf-8", latin.encode("latin-1"), (2000, None)),
        ("koi8-r", good.encode(), (2000, None)),
    ):
        body = part("@").encode().replace(b"application/xml", f"application/xml; charset={charset}".encode())
        answer = send(bench, gateway, body.replace(b"@", octets) + (CONTENT + END).encode())
        check_eq((answer.code, answer.push_id), want, (charset, answer.desc))


@case
def strict_takes_no_bending(bench):
    """What the lenient mode takes is refused where `strict` is on, and a push by the book is not."""
    bent = {"order of elements": PUSH.replace("<push-message push-id=\"x1\">", '<push-message push-id="x1"><quality-of-service/>'),
            "unknown attribute": PUSH.replace("push-id", 'request-progress-notes="true" push-id', 1), "letters of a value":
            PUSH.replace("</push-message>", '<quality-of-service delivery-method="UNCONFIRMED"/></push-message>')}
    for strict in ("no", "yes"):
        gateway = opened(bench, pap__strict=strict)
        for name, text in bent.items():
            answer = send(bench, gateway, part(text.replace("x1", name)) + CONTENT + END)
            check_eq((name, answer.code), (name, 2000 if strict == "yes" else 1001), answer.desc)
        check_eq(send(bench, gateway, mime().replace(b"\r\n", b"\n")).code, 2000 if strict == "yes" else 1001)
        check_eq(send(bench, gateway, b"x", "text/plain").status, 415 if strict == "yes" else 202)
        good_push(bench, gateway)


@case
def attributed_faults_name_the_push(bench):
    gateway = opened(bench)
    rows = [({"deliver-before-timestamp": "2030-01-01T00:00:00"}, 2000), ({"deliver-before-timestamp": "soon"}, 2000),
            ({"deliver-after-timestamp": "2013-09-31T13:30:00Z"}, 2000), ({"deliver-before-timestamp":
             "2030-01-01T00:00:00+01:00"}, 2000), ({"deliver-before-timestamp": "2020-01-01T00:00:00Z"}, 2001),
            ({"deliver-after-timestamp": "2031-01-01T00:00:00Z", "deliver-before-timestamp": "2030-01-01T00:00:00Z"}, 2000),
            ({"ppg-notify-requested-to": "ftp://a.example/"}, 2000), ({"ppg-notify-requested-to": "http://a.example:99999/"}, 2000),
            ({"ppg-notify-requested-to": "http://a.example/%zz"}, 2000),
            ({"ppg-notify-requested-to": "http://a.example?q=1"}, 2000), ({"ppg-notify-requested-to": "http://u:p@a.example/"},
             2000), ({"replace-push-id": "other", "replace-method": "all"}, 2004), ({"replace-push-id": ""}, 2000)]
    for i, (attributes, code) in enumerate(rows):
        answer = send(bench, gateway, mime(push_id=f"t{i}", attributes=attributes))
        check_eq((attributes, answer.kind, answer.code, answer.push_id), (attributes, "push-response", code, f"t{i}"))
    addresses = ["WAPPUSH=+1555x/TYPE=PLMN", "WAPPUSH=+15550100/TYPE=FAX", "WAPPUSH=1.2.3.4.5/TYPE=IPV4",
                 "WAPPUSH=1.2.3.256/TYPE=IPV4", "WAPPUSH=a%zz/TYPE=USER", "WAPPUSH=/TYPE=PLMN", "WAPPUSH=", "",
                 "WAPPUSH=+15550100/TYPE=PLMN@bad..host", "WAPPUSH=" + "1" * 600 + "/TYPE=PLMN", "WAPPUSH=a%00b/TYPE=USER"]
    for i, address in enumerate(addresses):
        answer = send(bench, gateway, mime(push_id=f"a{i}", to=(address,)))
        check_eq((address[:50], answer.kind, answer.code, answer.push_id), (address[:50], "push-response", 2002, f"a{i}"),
                 answer.desc)
    good_push(bench, gateway)


@case
def content_headers_are_checked(bench):
    gateway = opened(bench)
    rows = [({"X-Push-Protection": "some"}, 2000), ({"X-Wap-Initiator-URI": "a b"}, 2000), ({"Content-Transfer-Encoding": "rot13"}, (2000, 3001)), ({"Content-Transfer-Encoding":
             "base64"}, (2000,)), ({"X-A": "v" * 5000}, 2000), ({f"X-{i}": "v" for i in range(70)}, 2000),
            ({"X-\x01": "v"}, 2000), ({"X-A": "v\0w"}, 2000), ({"X-A": "v\x1bw"}, 2000)]
    for i, (headers, codes) in enumerate(rows):
        answer = send(bench, gateway, mime(push_id=f"h{i}", headers=headers, content="!!!"))
        check_eq((answer.status, answer.code in (codes if isinstance(codes, tuple) else (codes,))), (202, True),
                 f"{str(headers)[:80]}: {answer}")
    for app in (b"a b c", b"a;app-encoding=x", b"a;app-encoding=70000", b"a<b", b"a" * 300):
        answer = send(bench, gateway, mime(push_id="app").replace(b"x-wap-application:wml.ua", app))
        check_eq((answer.status, answer.code), (202, 2000), app)
    good_push(bench, gateway)


@case
def compressed_bodies_are_refused_as_that(bench):
    """And not as multiparts without a boundary; what is no coding is passed over."""
    gateway = opened(bench)
    for coding, status in (("gzip", 415), ("identity, Deflate", 415), ("binary", 202), ("identity", 202)):
        octets = submission(f"Content-Encoding: {coding}\r\nConnection: close\r\n", push_id=coding)
        check_eq((coding, raw(bench, gateway, octets)), (coding, [status]))


@case
def headers_that_decide_are_not_there_in_two_ways(bench):
    """Less protection or more, one application or another: which was meant cannot be known.  The same twice is one."""
    gateway = opened(bench)
    pairs = [("X-Push-Protection", "none", "full"), ("X-Push-Protection", "full", "none"), ("X-Wap-Application-Id", "2", "4"),
             ("X-Wap-Initiator-URI", "https://news.example.com/a", "https://other.example/"), ("Content-Type", "text/plain",
             "text/html"), ("Content-Transfer-Encoding", "8bit", "base64")]
    for i, (name, one, other) in enumerate(pairs):
        for second, code in ((other, 2000), (one, 1001)):
            lines = f"{name}: {one}\r\n{name.lower()}: {second}\r\n"
            if name != "Content-Type":
                lines += "Content-Type: text/plain\r\n"
            answer = send(bench, gateway, part(PUSH.replace("x1", f"two{i}")) + f"--{BOUNDARY}\r\n{lines}\r\naGk=\r\n{END}")
            check_eq((name, second, answer.code, name in answer.desc), (name, second, code, code == 2000), answer.desc)


@case
def too_much_of_everything(bench):
    gateway = opened(bench, pap__control_max="4k", pap__recipients_max="10", pap__body_max="30k")
    check_eq(send(bench, gateway, mime(push_id="a" * 200, to=[f"+1555{i:07}" for i in range(200)])).code, 2000)
    answer = send(bench, gateway, mime(push_id="many", to=[f"+1555{i:04}" for i in range(11)]))
    check_eq((answer.code, answer.push_id), (3005, "many"))
    check_eq(send(bench, gateway, mime(content="x" * 31000)).status, 413)
    good_push(bench, gateway, content="x" * 25000)
    check_eq(gateway.phone.wait_events(1)[0]["content"], "x" * 25000)


@case
def bad_questions(bench):
    """Cancels, queries and capabilities queries that cannot be answered well; each names what it is about."""
    gateway = opened(bench)
    address = '<address address-value="{}"/>'.format
    rows = [('<cancel-message push-id="z"/>', "cancel-response", 2004), ('<cancel-message push-id=""/>', "cancel-response", 2000),
            ("<cancel-message/>", "cancel-response", 2000), ('<statusquery-message push-id="z"/>', "statusquery-response", 2004),
            ('<statusquery-message push-id=""/>', "statusquery-response", 2000),
            (f'<cancel-message push-id="z">{address("x") * 1001}</cancel-message>', "cancel-response", 3005),
            (f'<statusquery-message push-id="z">{address("x") * 1001}</statusquery-message>', "statusquery-response", 3005),
            ('<ccq-message query-id="q"/>', "ccq-response", 2000),
            (f'<ccq-message query-id="q">{address("WAPPUSH=+1/TYPE=PLMN")}</ccq-message>', "ccq-response", 2001),
            (f'<ccq-message query-id="q">{address("WAPPUSH=+1x/TYPE=PLMN")}</ccq-message>', "ccq-response", 2002),
            (f'<ccq-message query-id="q">{address("") * 2}</ccq-message>', "ccq-response", 2000)]
    for message, kind, code in rows:
        answer = send(bench, gateway, f"<pap>{message}</pap>", "application/xml")
        check_eq((message[:60], answer.kind, answer.code), (message[:60], kind, code), answer.desc)
    good_push(bench, gateway)


@case
def connections_from_one_address_are_bounded(bench):
    gateway = opened(bench, pap__connections_per_address="5")
    held = [connect(bench, gateway.port) for _ in range(5)]
    for s in held:  # each is really taken in
        s.sendall(submission(push_id="no-such", to=("",)))
        check(s.recv(20).startswith(b"HTTP/1.1 202"), "no answer")
    extra = connect(bench, gateway.port)
    check_eq(read_all(extra), b"")
    gateway.wait_event("net.refused")
    for s in held:
        s.close()
    wait_until(lambda: raw_good(bench, gateway), "a place to become free")


def raw_good(bench, gateway):
    return raw(bench, gateway, submission("Connection: close\r\n", push_id="free")) in ([202],)


@case
def peers_that_leave_in_the_middle(bench):
    gateway = opened(bench)
    octets = submission(push_id="left")
    for cut in (1, 30, len(HEAD), len(octets) - 300, len(octets) - 1):
        s = connect(bench, gateway.port)
        s.sendall(octets[:cut])
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
        s.close()
    good_push(bench, gateway)
    check_eq(gateway.query("SELECT count(*) FROM push WHERE push_id = 'left'"), [["0"]])


@case
def broken_ears_do_no_harm(bench):
    """Answers to notifications are read as strictly."""
    gateway = opened(bench)
    server = socket.create_server(("127.0.0.1", 0))
    bench.closers.append(server.close)
    url = f"http://127.0.0.1:{server.getsockname()[1]}/n"
    push_id = good_push(bench, gateway, attributes={"ppg-notify-requested-to": url})
    for answer in (b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
                   b"HTTP/1.1 200 OK\nContent-Length: 0\n\n", b"HTTP/1.1 500 no\r\nContent-Length: 0\r\n\r\n"):
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(answer)
    connection, _ = server.accept()
    with connection:
        heard = connection.recv(65536)
        check(push_id.encode() in heard, heard)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        wait_until(lambda: gateway.show(push_id)["targets"][0]["notification"] == "told", "the debt to be closed")
    good_push(bench, gateway)


SEEDS = [control.replace("@", '<address address-value="WAPPUSH=+15550100/TYPE=PLMN@ppg.example.net"/>').encode() for control in (
    '<pap><push-message push-id="f" ppg-notify-requested-to="http://127.0.0.1:9/x" deliver-after-timestamp="2099-01-01T00:00:00Z">'
    '@<quality-of-service priority="high" network="GSM" bearer-required="true" bearer="GPRS"/></push-message></pap>',
    '<pap><push-message push-id="g" replace-push-id="f" replace-method="pending-only">@@</push-message></pap>',
    '<pap><cancel-message push-id="f">@</cancel-message></pap>', '<pap><statusquery-message push-id="f">@</statusquery-message></pap>',
    '<pap><ccq-message query-id="q" app-id="x-wap-application:wml.ua">@</ccq-message></pap>')]
PIECES = [b"\r\n", b"\0", b"--", b"\xff", b"<", b"&#x0;", b"base64", b"quoted-printable", b"=", b"application/xml", b'"', b";",
          BOUNDARY.encode(), b"\r\n--" + BOUNDARY.encode() + b"\r\n", b"</pap>", b"%00", b"99999999999999999999", b"<!DOCTYPE"]
PARTS = [b"Content-Type: text/plain\r\n\r\nhi", b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\naGk=",
         b"Content-Type: text/vnd.wap.si\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<si><indication href=3D'x'/></si>",
         b"Content-Type: application/rdf+xml\r\nContent-Transfer-Encoding: base64\r\n\r\n"
         + base64.b64encode(b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>'),
         b"Content-Type: text/xml\r\n\r\n<rdf:RDF/>", b"X-Wap-Application-Id: 2\r\n\r\n"]


def mangled(dice):
    """A request that was good before a few octets of it changed: (body, content type)."""
    control, content_type = dice.choice(SEEDS), "application/xml"
    body = bytearray(control)
    if dice.random() < 0.7:
        parts = [b"Content-Type: application/xml\r\n\r\n" + control, *(dice.choice(PARTS) for _ in range(dice.choice((1, 1, 2, 2, 3))))]
        body = bytearray(b"".join(b"--" + BOUNDARY.encode() + b"\r\n" + p + b"\r\n" for p in parts) + f"--{BOUNDARY}--\r\n".encode())
        content_type = f'multipart/related; type="application/xml"; boundary="{BOUNDARY}"'
    for _ in range(dice.choice((0, 1, 1, 2, 4))):
        at = dice.randrange(len(body) + 1)
        end = min(len(body), at + dice.choice((0, 1, 1, 3, 40)))
        body[at:end] = dice.choice((b"", dice.choice(PIECES), body[at:end] * 2, bytes(dice.randrange(256) for _ in range(end - at))))
    return bytes(body), content_type


@case
def mangled_requests(bench):
    """Two thousand requests that were good once: each is answered, in a document or by HTTP alone, and nothing breaks."""
    gateway, dice = opened(bench), random.Random(20261121)
    connection, kinds = None, set()
    for i in range(2000):
        body, content_type = mangled(dice)
        connection = connection or http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=60)
        connection.request("POST", "/pap", body, {"Content-Type": content_type, "Authorization": AUTH.split(": ")[1].strip()})
        response = connection.getresponse()
        answer = response.read()
        check(response.status in (202, 400, 413, 415), (i, response.status, body))
        if response.status == 202:
            document = answer if answer.startswith(b"<") else answer[answer.index(b"<"):answer.rindex(b"</pap>") + 6]
            kinds.add(xml.etree.ElementTree.fromstring(document)[0].tag)
        if response.getheader("Connection") == "close":
            connection.close()
            connection = None
    check_eq(sorted(kinds), ["badmessage-response", "cancel-response", "ccq-response", "push-response", "statusquery-response"])
    good_push(bench, gateway)


main("bad_input")
