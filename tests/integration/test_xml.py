"""Pushes that are signed and encrypted as XML, where neither the way nor an association protects them: the gateway against
push-terminal, and each of the two against the tool xmlsec1, whose cryptography is OpenSSL's.  DM message security 5.3 to 5.5.  Usage:
test_xml.py BUILD_DIR."""

import base64
import json
import os
import re
import shutil
import time

import terminal as by_hand
from gateway import Gateway, Terminal, pap_push
from harness import case, check, check_eq, main
from sipnet import ALICE, OPEN, ended, route
from sipuas import Device
from xmlmaker import SIGN, WRAP, Maker, key_files, saved

SECRET = "<order><card>4019 2445 0277 5567</card></order>"
WITH_KEYS = "xml-name = ppg\nxml-key-file = ../xml.keys\n"
ENCRYPTED, SIGNED = "application/x-push-xmlenc+xml", "application/x-push-xmldsig+xml"


def opened(bench, terminals, whitelist=OPEN, **conf):
    key_files(bench)
    return Gateway(bench, terminals, whitelist=whitelist, conf={"delivery.retry-first": "50ms", "ota-sip.large-messages": "yes", **conf})


def submit(bench, gateway, push_id, *options, to=ALICE, text=SECRET, kind="application/xml"):
    return pap_push(bench, gateway, "--to", to, "--text", text, "--type", kind, "--id", push_id, "--initiator-uri",
                    "https://news.example.com/today", *options)


def good(bench, gateway, push_id, *options, **more):
    done = submit(bench, gateway, push_id, *options, **more)
    check_eq(done.returncode, 0, done.stdout + done.stderr)
    ended(gateway, push_id, "delivered")


def refused(bench, gateway, push_id, *options, **more):
    done = submit(bench, gateway, push_id, *options, **more)
    check(done.returncode != 0 and "2005" in done.stdout, done.stdout + done.stderr)


@case
def confidential_xml_over_clear_sip(bench):
    """DM-06.  Arrives as EncryptedData, nothing of it can be read on the way, and push-terminal has it."""
    keys = key_files(bench)
    for transport in ("udp", "tcp"):
        phone = Terminal(bench, "--xml", f"ppg:{keys}", "--require", "full", command="sip", association=False)
        gateway = opened(bench, route(f"sip:alice@127.0.0.1:{phone.port};transport={transport}", WITH_KEYS))
        good(bench, gateway, transport, "--protection", "full")
        event = phone.wait_events(1)[0]
        check_eq((event["content"], event["content_type"], event["protection"], event["proofs"], event["initiator_uri"], event["trusted"]),
                 (SECRET, "application/xml", "full", ["xml-signature"], "https://news.example.com/today", True))
        wire = phone.wire()
        check(b"<EncryptedData " in wire and ENCRYPTED.encode() in wire, wire)
        check(b"4019 2445" not in wire and b"news.example.com" not in wire and base64.b64encode(b"4019 2445 02") not in wire, wire)
        said = gateway.ctl("push", "explain", transport).stdout
        check("level=full auth=xml int=xml conf=xml" in said, said)
        gateway.stop()


@case
def demanded_by_a_rule(bench):
    """Whoever wants it: a whitelist rule, a provider's floor.  Integrity alone is a signature, and content that can be read."""
    phone = Terminal(bench, "--xml", f"ppg:{key_files(bench)}", "--require", "integrity", command="sip", association=False)
    to = route(f"sip:alice@127.0.0.1:{phone.port}", WITH_KEYS)
    rule = "allow news sip:*@127.0.0.1 * protect="
    for n, (whitelist, conf, level) in enumerate(((rule + "full\n", {}, "full"), (OPEN, {"protection.floor": "full"}, "full"),
                                                  (rule + "integrity\n", {}, "integrity"))):
        gateway = opened(bench, to, whitelist, **conf)
        good(bench, gateway, f"p{n}")
        check_eq(phone.wait_events(n + 1)[n]["protection"], level)
        gateway.stop()
    check(SIGNED.encode() in phone.wire(), "a signature")


@case
def what_cannot_be_is_refused(bench):
    """Content that is no XML, a terminal without the keys, a ceiling: 2005, and never a message of less."""
    phone = Terminal(bench, command="sip", association=False)
    at = f"sip:alice@127.0.0.1:{phone.port}"
    gateway = opened(bench, route(at, WITH_KEYS))
    refused(bench, gateway, "text", "--protection", "full", kind="text/plain")
    gateway.stop()
    gateway = opened(bench, route(at))
    refused(bench, gateway, "keyless", "--protection", "full")
    gateway.stop()
    gateway = opened(bench, route(at, WITH_KEYS), **{"protection.ceiling": "integrity"})
    refused(bench, gateway, "ceiling", "--protection", "full")
    gateway.stop()
    check_eq((phone.events(), phone.wire()), ([], b""))


@case
def an_association_comes_first(bench):
    phone = Terminal(bench, "--xml", f"ppg:{key_files(bench)}", "--require", "full", command="sip")
    gateway = opened(bench, route(f"sip:alice@127.0.0.1:{phone.port}", "association-file = ../association\n" + WITH_KEYS))
    good(bench, gateway, "sealed", "--protection", "full")
    check_eq(phone.wait_events(1)[0]["proofs"], ["seal"])


@case
def in_a_session_too(bench):
    """Larger than a MESSAGE may be on an unknown path: the terminal takes it over MSRP."""
    phone = Terminal(bench, "--xml", f"ppg:{key_files(bench)}", "--require", "full", command="sip", association=False)
    gateway = opened(bench, route(f"sip:alice@127.0.0.1:{phone.port};transport=tcp", "session = large\n" + WITH_KEYS), **{"ota-sip.large-messages": "no"})
    good(bench, gateway, "p", "--protection", "full")
    event = phone.wait_events(1)[0]
    check_eq((event["content"], event["protection"], event["proofs"]), (SECRET, "full", ["xml-signature"]))


def sent_to(bench, level):
    """The body of a push of that level as a device of another make gets it."""
    device = Device(bench)
    gateway = opened(bench, route(f"sip:alice@127.0.0.1:{device.port}", WITH_KEYS))
    good(bench, gateway, level, "--protection", level)
    return device.wait(1)[0].envelope()


@case
def another_implementation_decrypts(bench):
    """DM-13, DM-08.  What the gateway sends, by xmlsec1: the signature is right with the one key, the content there with the other."""
    headers, body = sent_to(bench, "full")
    check_eq(headers["Content-Type"], ENCRYPTED)
    file = saved(bench, "sent.xml", body)
    bench.tool("xmlsec1", "--verify", "--hmackey:ppg", bench.path("sign"), file)
    check_eq(bench.run(shutil.which("xmlsec1"), "--verify", "--hmackey:ppg", bench.path("wrap"), file).returncode != 0, True, "with a wrong key")
    bench.tool("xmlsec1", "--decrypt", "--aeskey:ppg", bench.path("wrap"), "--output", bench.path("plain"), file)
    with open(bench.path("plain"), "rb") as f:
        head, _, content = f.read().partition(b"\r\n\r\n")
    check_eq(content, SECRET.encode())
    check(b"Content-Type: application/xml\r\n" in head and b"X-Wap-Initiator-URI: https://news.example.com/today\r\n" in head, head)


@case
def another_implementation_verifies(bench):
    """DM-08.  A signature alone, by xmlsec1."""
    headers, body = sent_to(bench, "integrity")
    check_eq(headers["Content-Type"], SIGNED)
    tool = ("xmlsec1", "--verify", "--id-attr:Id", "Object", "--hmackey:ppg", bench.path("sign"))
    bench.tool(*tool, saved(bench, "sent.xml", body))
    inside = base64.b64decode(re.search(rb"<Object [^>]*>([^<]*)<", body)[1])
    check(inside.endswith(SECRET.encode()), inside)
    at = body.index(b"Encoding=") - 10
    check_eq(bench.run(shutil.which(tool[0]), *tool[1:], saved(bench, "bent.xml", body[:at] + b"X" + body[at + 1:])).returncode != 0, True, "changed")


class Messages(Maker):
    """Messages as the gateway would make them, for push-terminal."""

    def message(self, message_id, at=None, bits=256, key="sign"):
        made = f"X-Push-Made: {int(time.time()) if at is None else at}\r\n".encode()
        return self.object(made + by_hand.inner(message_id, SECRET.encode(), b"authenticated, trusted"), bits, key)


@case
def what_another_implementation_made_is_taken(bench):
    """DM-13.  By xmlsec1, aes-cbc under kw-aes256 and a signature; once, while it is new, with the right keys and whole."""
    maker = Messages(bench)
    phone = by_hand.Terminal(bench, "--xml", f"ppg:{maker.keys}", "--require", "full")
    for n, bits in enumerate((128, 256)):
        message = maker.message(b"m%d" % n, bits=bits)
        answer, event = phone.push(message, ENCRYPTED)
        check_eq((answer, event["event"], event.get("content"), event.get("protection")), ("400", "push", SECRET, "full"))
        answer, event = phone.push(message, ENCRYPTED)
        check_eq((answer, event["event"]), ("400", "duplicate"))
    now = int(time.time())
    good_one = maker.message(b"m9")
    unsigned = maker.encrypt(by_hand.inner(b"m8")).encode()
    for message, reason in ((maker.message(b"m3", at=now - 100000), "expired"), (maker.message(b"m4", at=now + 100000), "expired"),
                            (maker.message(b"m5", key="wrap"), "mac"), (unsigned, "suite"), (good_one[:-2], "malformed"),
                            (good_one.replace(b"aes256-cbc", b"tripledes-cbc", 1), "mac"), (good_one.replace(b">ppg<", b">gpp<"), "no-sa")):
        answer, event = phone.push(message, ENCRYPTED)
        check_eq((answer, event["event"], event.get("reason")), ("235", "dropped", reason))
    for at in range(40, len(good_one) - 1, 97):
        bent = good_one[:at] + bytes([good_one[at] ^ 1]) + good_one[at + 1:]
        _, event = phone.push(bent, ENCRYPTED)
        check_eq(event["event"], "dropped", f"octet {at}: {event}")
    check_eq(phone.push(good_one, ENCRYPTED)[1]["event"], "push")


@case
def without_keys_nothing_is_taken(bench):
    phone = by_hand.Terminal(bench)
    _, event = phone.push(Messages(bench).message(b"m1"), ENCRYPTED)
    check_eq((event["event"], event["reason"]), ("dropped", "no-sa"))


@case
def operators_see_which_keys_there_are(bench):
    """The name, and how many keys of which kind; no key, in no form.  A terminal without has neither."""
    gateway = opened(bench, route("sip:alice@127.0.0.1:9;transport=udp", WITH_KEYS) + "[terminal +15550100]\nroute = http://127.0.0.1:9\n")
    said = gateway.ctl("--json", "terminal", "show", ALICE).stdout
    shown = json.loads(said)
    check_eq((shown["xml_name"], [(k["use"], k["kind"]) for k in shown["xml_keys"]]),
             ("ppg", [("signing", "hmac-sha256"), ("key wrap", "kw-aes256")]))
    for_people = gateway.ctl("terminal", "show", ALICE).stdout
    check(re.search(r"xml name +ppg\n", for_people) and "xml keys (2)" in for_people, for_people)
    for key in (SIGN, WRAP):
        for form in (key.hex(), key.hex()[:16], base64.b64encode(key).decode()[:20]):
            check(form not in said + for_people + gateway.said(), form)
    check("xml" not in gateway.ctl("terminal", "show", "+15550100").stdout, "none")


main("xml")
