"""What a terminal takes: learnt from it, written by the operator, told to initiators, compared with what they assume, and
pushed in a form it takes.  WBXML is read by libwbxml's wbxml2xml, RDF and MIME by Python's own libraries, so that no
reader here is the product's.  Usage: test_capabilities.py BUILD_DIR."""

import base64
import email.parser
import xml.etree.ElementTree

from gateway import ANY_LEVEL, BOUNDARY, MULTIPART, Ear, Gateway, Terminal, as_news, curl, mime
from harness import case, check, check_eq, main

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
SI = ('<?xml version="1.0"?>\n<!DOCTYPE si PUBLIC "-//WAPFORUM//DTD SI 1.0//EN" "http://www.wapforum.org/DTD/si.dtd">\n'
      '<si><indication href="http://www.example.com/m/1" si-id="1@example.com" created="2024-05-01T12:00:00Z" '
      'action="signal-high">Hi there</indication></si>')
SIC = "application/vnd.wap.sic"
NO_TRANSFORM = {"Cache-Control": "no-transform"}


def opened(bench, *options, more="", **conf):
    """A gateway with one terminal, +15550100, that says what `options` say; more: lines of its section."""
    phone = Terminal(bench, *options, association=False)
    gateway = Gateway(bench, phone.route("+15550100", more=more), ANY_LEVEL, conf=conf.get("conf"))
    gateway.phone = phone
    return gateway


def submit(bench, gateway, push_id, code=1001, rdf=None, rdf_type="application/rdf+xml", **more):
    more.setdefault("content", SI)
    body = mime(push_id=push_id, **more)
    if rdf is not None:
        end = f"\r\n--{BOUNDARY}--".encode()
        part = f"\r\n--{BOUNDARY}\r\nContent-Type: {rdf_type}\r\n\r\n{rdf}".encode()
        body = body.replace(end, part + end)
    answer = curl(bench, gateway.tls_url, body, *as_news(bench))
    check_eq((answer.status, answer.kind, answer.push_id, answer.code), (202, "push-response", push_id, code), answer.desc)
    return answer


def register(bench, gateway):
    """One push that the terminal takes: then it has said what it takes."""
    submit(bench, gateway, "register@news.example.com")
    gateway.wait_state("register@news.example.com", "delivered")


def ended(gateway, push_id, state):
    """The code the push ended with, in that state."""
    return gateway.wait_state(push_id, state)["targets"][0]["code"]


def content(event):
    return base64.b64decode(event["content_base64"]) if "content_base64" in event else event["content"].encode()


def same_indication(bench, octets):
    with open(bench.path("si.wbxml"), "wb") as f:
        f.write(octets)
    bench.tool("wbxml2xml", "-o", bench.path("si.xml"), bench.path("si.wbxml"))
    got, want = (xml.etree.ElementTree.parse(bench.path("si.xml")).getroot(), xml.etree.ElementTree.fromstring(SI))
    check_eq((got.tag, [e.tag for e in got]), (want.tag, [e.tag for e in want]))
    check_eq(dict(got[0].attrib), dict(want[0].attrib))
    check_eq(got[0].text.strip(), want[0].text)


@case
def tokenised_where_only_that_is_taken(bench):
    gateway = opened(bench, "--accept", SIC)
    for n in (1, 2):  # the first is learnt within its attempt, the second known before
        submit(bench, gateway, f"si-{n}", headers={"Content-MD5": "x", "X-Note": "y"})
        gateway.wait_state(f"si-{n}", "delivered")
        event = gateway.phone.wait_events(n)[-1]
        check_eq(event["content_type"], SIC)
        same_indication(bench, content(event))
    check_eq(len(gateway.phone.wait_events(1, "registered")), 1)
    wire = gateway.phone.wire()
    check(b"Content-MD5" not in wire and b"X-Note: y" in wire, "what is true of the text alone stays behind")
    check_eq(gateway.show("si-1")["targets"][0]["tries"], 1)


@case
def sealed_content_is_tokenised_too(bench):
    phone = Terminal(bench, "--accept", SIC, "--require", "full")
    gateway = Gateway(bench, phone.route("+15550100"))
    for n in (1, 2):
        submit(bench, gateway, f"si-{n}")
        gateway.wait_state(f"si-{n}", "delivered")
        event = phone.wait_events(n)[-1]
        check_eq((event["content_type"], event["protection"]), (SIC, "full"))
        same_indication(bench, content(event))


@case
def text_where_it_is_taken(bench):
    gateway = opened(bench, "--accept", SIC, "--accept", "text/vnd.wap.si")
    submit(bench, gateway, "text")
    gateway.wait_state("text", "delivered")
    event = gateway.phone.wait_events(1)[0]
    check_eq((event["content_type"], event["content"]), ("text/vnd.wap.si", SI.replace("\n", "\r\n")
             if "\r\n" in event["content"] else SI))


@case
def what_may_not_or_cannot_be_made(bench):
    """Learnt within the attempt: notified; known: refused at once."""
    gateway = opened(bench, "--accept", SIC)
    ear = Ear(bench)
    told = {"ppg-notify-requested-to": ear.url}
    submit(bench, gateway, "late", headers=NO_TRANSFORM, attributes=told)
    check_eq(ended(gateway, "late", "undeliverable"), 2006)
    heard = ear.wait_heard(1)[0]
    check_eq((heard["state"], heard["code"]), ("undeliverable", 2006))
    submit(bench, gateway, "fixed", 2006, headers=NO_TRANSFORM)
    submit(bench, gateway, "broken", 3006, content="<si><indication")
    submit(bench, gateway, "wrong", 3006, content="<sl href='http://a.example/'/>")
    register(bench, gateway)
    check_eq([e["content_type"] for e in gateway.phone.events()], [SIC])


@case
def too_large(bench):
    gateway = opened(bench, "--max-size", "400")
    submit(bench, gateway, "late", content="x" * 401)
    check_eq(ended(gateway, "late", "undeliverable"), 2006)
    submit(bench, gateway, "known", 2006, content="x" * 401)
    submit(bench, gateway, "fits", content="x" * 400)
    gateway.wait_state("fits", "delivered")


@case
def unknown_application(bench):
    gateway = opened(bench, "--app", "x-wap-application:wml.ua", "--app", "urn:own")
    register(bench, gateway)

    def to(application, push_id, code):
        body = mime(push_id=push_id, content=SI).replace(b"x-wap-application:wml.ua", application)
        answer = curl(bench, gateway.tls_url, body, *as_news(bench))
        check_eq((application, answer.code), (application, code), answer.desc)

    rows = [(b"x-wap-application:mms.ua", 2006), (b"4", 2006), (b"9", 2006), (b"urn:other", 2006), (b"2", 1001),
            (b"urn:own", 1001), (b"urn:own;app-encoding=9", 1001), (b"/", 1001)]
    for n, (application, code) in enumerate(rows):
        to(application, f"app-{n}", code)
    for n in (4, 5, 6, 7):
        gateway.wait_state(f"app-{n}", "delivered")
    fresh = opened(bench, "--app", "urn:own")
    submit(bench, fresh, "unserved")
    check_eq(ended(fresh, "unserved", "undeliverable"), 2006)


@case
def query_is_answered_with_what_was_declared(bench):
    gateway = opened(bench, "--accept", SIC, "--accept", "image/png", "--charset", "utf-8", "--encoding", "gzip",
                     "--language", "en", "--language", "de", "--app", "x-wap-application:wml.ua", "--max-size", "5000")
    ask = ('<pap><ccq-message query-id="q"><address address-value="WAPPUSH=+15550100/TYPE=PLMN@ppg.example.net"/>'
           "</ccq-message></pap>").encode()
    answer = curl(bench, gateway.tls_url, ask, *as_news(bench), content_type="application/xml")
    check_eq((answer.kind, answer.code), ("ccq-response", 3008))
    register(bench, gateway)
    answer = curl(bench, gateway.tls_url, ask, *as_news(bench), content_type="application/xml")
    whole = email.parser.Parser().parsestr(f"Content-Type: {answer.headers['content-type']}\n\n{answer.body}")
    check_eq([p.get_content_type() for p in whole.get_payload()], ["application/xml", "application/rdf+xml"])
    response = xml.etree.ElementTree.fromstring(whole.get_payload()[0].get_payload(decode=True))[0]
    check_eq((response.tag, response.get("code"), response.get("query-id")), ("ccq-response", "1000", "q"))
    rdf = xml.etree.ElementTree.fromstring(whole.get_payload()[1].get_payload(decode=True))
    said = {}
    for e in rdf.iter():
        name = e.tag.split("}")[1]
        if name.startswith("Push-"):
            said[name] = [li.text for li in e.iter(RDF + "li")] or e.text
    check_eq(said, {"Push-Accept": [SIC, "image/png", "text/vnd.wap.si"], "Push-Accept-Charset": ["utf-8"],
                    "Push-Accept-Encoding": ["gzip"], "Push-Accept-Language": ["en", "de"],
                    "Push-Accept-AppID": ["x-wap-application:wml.ua"], "Push-MsgSize": "5000"})


def profile(inside):
    return ('<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
            f'xmlns:prf="http://www.wapforum.org/profiles/UAPROF/ccppschema-20010430#">{inside}</rdf:RDF>')


SIZE = "<prf:component><rdf:Description><prf:Push-MsgSize>{}</prf:Push-MsgSize></rdf:Description></prf:component>"
ACCEPT = "<prf:Push-Accept><rdf:Bag><rdf:li>{}</rdf:li></rdf:Bag></prf:Push-Accept>"


@case
def assumptions_are_compared(bench):
    gateway = opened(bench, "--accept", SIC, "--max-size", "5000")
    submit(bench, gateway, "early", rdf=profile(SIZE.format(99999)))  # nothing is known: taken
    gateway.check_events(1, "pap.capabilities.unmatched")
    gateway.wait_state("early", "delivered")
    submit(bench, gateway, "fits", rdf=profile(SIZE.format(5000) + ACCEPT.format("text/vnd.wap.si")))
    submit(bench, gateway, "xml", rdf=profile(SIZE.format(1)), rdf_type="text/xml")
    submit(bench, gateway, "large", 2005, rdf=profile(SIZE.format(5001)))
    submit(bench, gateway, "type", 2005, rdf=profile(ACCEPT.format("image/png")))
    submit(bench, gateway, "broken", 2000, rdf="<rdf:RDF>")
    submit(bench, gateway, "entity", 2000, rdf='<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>' + profile("&b;"))
    submit(bench, gateway, "plain", 2000, rdf=profile(""), rdf_type="text/plain")
    submit(bench, gateway, "other", rdf=profile("<prf:Vendor>x</prf:Vendor>"))
    for push_id in ("fits", "xml", "other"):
        gateway.wait_state(push_id, "delivered")


@case
def strict_wants_something_to_compare(bench):
    gateway = opened(bench, "--max-size", "5000", conf={"pap.capabilities": "strict"})
    submit(bench, gateway, "early", 3004, rdf=profile(SIZE.format(1)))
    register(bench, gateway)
    submit(bench, gateway, "known", rdf=profile(SIZE.format(1)))
    submit(bench, gateway, "incomparable", 3004, rdf=profile(ACCEPT.format("image/png")))
    submit(bench, gateway, "large", 2005, rdf=profile(SIZE.format(5001)))
    gateway.wait_state("known", "delivered")


@case
def ignored_when_told_so(bench):
    gateway = opened(bench, "--max-size", "5000", conf={"pap.capabilities": "ignore"})
    register(bench, gateway)
    submit(bench, gateway, "large", rdf=profile(SIZE.format(5001)))
    submit(bench, gateway, "broken", rdf="<")
    for push_id in ("large", "broken"):
        gateway.wait_state(push_id, "delivered")


@case
def the_operators_word(bench):
    """Known before the terminal is; from a profile, key by key; and changed by a reload."""
    bench.write("model.rdf", profile(ACCEPT.format(SIC) + SIZE.format(300)))
    gateway = opened(bench, more="profile-file = ../model.rdf\nmax-size = 600\n")
    submit(bench, gateway, "large", 2006, content=SI.replace("Hi there", "Hi" * 300))
    submit(bench, gateway, "si")
    gateway.wait_state("si", "delivered")
    check_eq(gateway.phone.wait_events(1)[0]["content_type"], SIC)
    submit(bench, gateway, "assumed", 2005, rdf=profile(SIZE.format(601)))
    gateway.write("terminals.conf", gateway.phone.route("+15550100", more="accept = text/*\n"))
    check_eq(gateway.ctl("reload").returncode, 0)
    gateway.wait_event("reload.done")
    submit(bench, gateway, "text", content=SI + " " * 600)
    gateway.wait_state("text", "delivered")
    check_eq(gateway.phone.wait_events(2)[1]["content_type"], "text/vnd.wap.si")
    gateway.write("terminals.conf", gateway.phone.route("+15550100", more="accept = text\nprofile-file = gone.rdf\n"))
    done = gateway.ctl("reload")
    check(done.returncode != 0 and "terminals.conf:3: accept: not media types" in done.stdout + done.stderr, done.stdout)
    check("gone.rdf" in done.stdout + done.stderr, done.stderr)


main("capabilities")
