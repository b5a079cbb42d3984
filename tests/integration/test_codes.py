"""Each status code that a request of an initiator can provoke, provoked over the wire [PAP §6]: one case a code, with every
answer that may carry it.  What a code says of a delivery is looked at twice, in the notification and in a status query.
Terminals are scripted here.  Usage: test_codes.py BUILD_DIR."""

import http.server
import os
import re
import resource
import threading
import time

from gateway import ANY_LEVEL, INITIATORS, Ear, Gateway
from harness import CASES, case, check, check_eq, main, wait_until
from initiator import XML, Client, address, control_of, entity, query

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NOBODY_CAN = {3001, 3011}  # everything these speak of is done here


def at(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


LATER = {"deliver_after_timestamp": at(9 * 86400), "deliver_before_timestamp": at(10 * 86400)}
QOS = "<quality-of-service {}/>".format


class Phone:
    """A terminal that says `cpi` when it is registered, and `status`, `push_status` to each push."""

    def __init__(self, bench, status=200, push_status=400, **cpi):
        self.status, self.push_status, self.cpi, self.pushes = status, push_status, cpi, 0
        phone = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_OPTIONS(self):
                self.answer(204, {"X-Wap-Push-Status": "501", "X-Wap-CPITag": "q83vEg==", **phone.said()})

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                phone.pushes += 1
                self.answer(phone.status, {"X-Wap-Push-Status": str(phone.push_status)} if phone.push_status else {})

            def answer(self, status, headers):
                self.send_response(status)
                for name, value in ({} if status == 204 else {"Content-Length": "0"} | headers).items() or headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        bench.closers.append(self.close)
        self.port = self.server.server_address[1]

    def said(self):
        return {f"X-Wap-Push-{name.replace('_', '-')}": value for name, value in self.cpi.items()}

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def opened(bench, phone=None, **more):
    """A gateway with the terminal +15550100, and an initiator."""
    phone = phone or Phone(bench)
    gateway = Gateway(bench, f"[terminal +15550100]\nroute = http://127.0.0.1:{phone.port}\n", ANY_LEVEL, **more)
    gateway.phone = phone
    return gateway, Client(bench, gateway)


def refused(client, code, **rows):
    """Each row a submission that is answered with the code: nothing of it is known afterwards."""
    for name, how in rows.items():
        reply = client.push(name, **how)
        check_eq((name, reply.code), (name, code), reply)
        check(reply.desc, reply.body)
        check_eq(client.status(name).code, 2004, name)


def capabilities(client, code, number="+15550100", more=""):
    reply = client.post(f'<pap><ccq-message query-id="q"{more}><address address-value="{address(number)}"/></ccq-message></pap>')
    check_eq((reply.status, reply.kind, reply.message.get("query-id"), reply.code), (202, "ccq-response", "q", code), reply)
    return reply


def ended(bench, client, push_id, state, code, **how):
    """A push that is accepted and then ends so; as the initiator is told and as it may ask."""
    ear = Ear(bench)
    how = {name: value() if callable(value) else value for name, value in how.items()}  # times count from here
    check_eq(client.push(push_id, ppg_notify_requested_to=ear.url, **how).code, 1001)
    told = ear.wait_heard(1)[0]
    check_eq((told["push_id"], told["state"], told["code"], told["addresses"]), (push_id, state, code, [address("+15550100")]))
    check_eq(client.status(push_id).results, [(code, state, [address("+15550100")])])


def refused_by_terminal(bench, state, code, *answers):
    """Each answer a terminal may give (HTTP status, push status or 0) ends a push so."""
    gateway, client = opened(bench)
    for i, (gateway.phone.status, gateway.phone.push_status) in enumerate(answers):
        ended(bench, client, f"p{i}", state, code)


def bad_message(client, code, body, fragment, content_type=XML):
    """A badmessage-response, and the piece of the request that it quotes."""
    reply = client.post(body, content_type)
    check_eq((reply.status, reply.kind, reply.code), (202, "badmessage-response", code), reply)
    check_eq(reply.message.get("bad-message-fragment"), fragment, body)
    return reply


def related(push_id, parts=()):
    control = control_of(push_id, ["+15550100"], "", {}).encode()
    return entity([(XML, control, {}), *(("text/plain", b"hi", {}) for _ in range(1 + len(parts)))])


# --- 1xxx ---

@case
def code_1000(bench):
    gateway, client = opened(bench)
    ended(bench, client, "a", "delivered", 1000)
    check_eq(client.push("b", **LATER).code, 1001)
    check_eq(client.cancel("b").results, [(1000, None, [address("+15550100")])])
    check_eq(client.status("b").results, [(1000, "cancelled", [address("+15550100")])])
    capabilities(client, 1000)
    check_eq(gateway.phone.pushes, 1)


@case
def code_1001(bench):
    _, client = opened(bench)
    check_eq(client.push("a", **LATER).code, 1001)
    check_eq(client.status("a").results, [(1001, "pending", [address("+15550100")])])


# --- 2xxx ---

@case
def code_2000(bench):
    """What names its operation is answered by it; the rest is a bad message."""
    _, client = opened(bench)
    refused(client, 2000, order={"deliver_after_timestamp": at(7200), "deliver_before_timestamp": at(3600)},
            day={"deliver_before_timestamp": "2013-09-31T13:30:00Z"}, zone={"deliver_before_timestamp": "2099-01-01T00:00:00+01:00"},
            url={"ppg_notify_requested_to": "ftp://pi.example/"}, method={"replace_push_id": "a", "replace_method": "some"},
            itself={"replace_push_id": "itself"}, unnamed={"qos": QOS('bearer-required="true"')},
            priority={"qos": QOS('priority="urgent"')}, level={"headers": {"X-Push-Protection": "some"}},
            application={"headers": {"X-Wap-Application-Id": "a b"}}, coding={"document": control_of("coding", [], "", {})})
    for kind in ("cancel", "statusquery"):
        for attribute in ("", ' push-id=""'):
            reply = client.post(f"<pap><{kind}-message{attribute}/></pap>")
            check_eq((reply.status, reply.kind, reply.code), (202, f"{kind}-response", 2000), attribute)
    capabilities(client, 2000, more=' app-id="a b"')
    bad_message(client, 2000, "<pap>\n  <pusj-message push-id='a'/></pap>", "<pusj-message push-id='a'/></pap>")
    bad_message(client, 2000, "<bpds><subscriptionquery-message/></bpds>", "<bpds><subscriptionquery-message/></bpds>")
    bad_message(client, 2000, "", None)
    bad_message(client, 2000, "hi", None, "text/plain")
    body, content_type = related("four", parts=(1, 2))
    bad_message(client, 2000, body, None, content_type)
    bad_message(client, 2000, body, None, "multipart/related; type=\"application/xml\"")
    bad_message(client, 2000, body, None, content_type.replace("application/xml", "text/html"))
    check_eq(client.status("four").code, 2004)


@case
def fragment_of_a_bad_message(bench):
    """[PAP §3.3]: 256 characters of it, without control characters, escaped."""
    _, client = opened(bench)
    long = '<pusj a="&amp;&lt;&quot;' + "\xe9" * 400 + '"/>'
    reply = bad_message(client, 2000, "<pap>" + long + "</pap>", long[:256])
    check("&lt;pusj a=&quot;&amp;amp;&amp;lt;&amp;quot;" in reply.body.decode(), reply.body)
    bad_message(client, 2000, "<pap><pusj\ta='1'\r\n\tb='\x7f\x01'/></pap>", "<pusja='1'b=''/></pap>")


@case
def code_2001(bench):
    _, client = opened(bench, initiators=INITIATORS.replace("trusted", "ask-protection = no\ntrusted"))
    refused(client, 2001, stranger={"to": ["+16660100"]}, both={"to": ["+15550100", "+16660100"]},
            level={"headers": {"X-Push-Protection": "none"}}, past={"deliver_before_timestamp": "2020-01-01T00:00:00Z"}, far={"deliver_after_timestamp": at(90 * 86400)})
    capabilities(client, 2001, "+16660100")


@case
def code_2002(bench):
    _, client = opened(bench, conf={"pap.aliases": "ppg.example.net"})
    bad = "WAPPUSH=+1x/TYPE=PLMN"
    refused(client, 2002, syntax={"to": [bad]}, kind={"to": ["WAPPUSH=+15550100/TYPE=FAX"]}, unknown={"to": ["+15550777"]},
            elsewhere={"to": ["WAPPUSH=+15550100/TYPE=PLMN@other.example"]}, second={"to": ["+15550100", bad]})
    capabilities(client, 2002, bad)
    check_eq(client.push("a", **LATER).code, 1001)
    check_eq(client.cancel("a", bad).results, [(2002, None, [bad])])
    check_eq(client.status("a", bad).results, [(2002, "unknown", [bad])])
    check_eq(client.status("a").code, 1001)


@case
def code_2003(bench):
    _, client = opened(bench)
    check_eq(client.push("a", **LATER).code, 1001)
    check_eq(client.cancel("a", "+15550101").results, [(2003, None, [address("+15550101")])])
    check_eq(client.status("a", "+15550101").results, [(2003, "unknown", [address("+15550101")])])
    check_eq(client.status("a").code, 1001)


@case
def code_2004(bench):
    """Of no push: no address is repeated, also of those that were asked for."""
    _, client = opened(bench)
    for to in ((), ("+15550100",)):
        check_eq(client.cancel("none", *to).results, [(2004, None, [])])
        check_eq(client.status("none", *to).results, [(2004, "unknown", [])])
    refused(client, 2004, new={"replace_push_id": "none"}, only={"replace_push_id": "none", "replace_method": "pending-only"})


@case
def code_2005(bench):
    _, client = opened(bench, Phone(bench, MaxMsgSize="500"))
    assumed = ('<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:p="http://www.openmobilealliance.org/tech/'
               'profiles/UAPROF/ccppschema-20021212#"><rdf:Description rdf:about="x"><p:Push-MsgSize>9999</p:Push-MsgSize>'
               "</rdf:Description></rdf:RDF>")
    ended(bench, client, "a", "delivered", 1000)  # it has said what it takes
    refused(client, 2005, full={"headers": {"X-Push-Protection": "full"}}, integrity={"headers": {"X-Push-Protection": "integrity"}},
            assumed={"extra": [("application/rdf+xml", assumed.encode(), {})]})


@case
def code_2006(bench):
    """Learnt within the attempt, then known."""
    for what in ({"MaxMsgSize": "1"}, {"Accept_AppID": "urn:own"}):
        gateway, client = opened(bench, Phone(bench, **what))
        ended(bench, client, "learnt", "undeliverable", 2006)
        refused(client, 2006, known={})
        check_eq(gateway.phone.pushes, 0)


@case
def code_2006_of_the_terminal(bench):
    refused_by_terminal(bench, "undeliverable", 2006, (413, 0))


@case
def code_2007(bench):
    _, client = opened(bench)
    check_eq(client.push("a", **LATER).code, 1001)
    for how in ({}, LATER, {"to": ["+16660100"]}, {"replace_push_id": "a"}, {"replace_push_id": "none"}):
        check_eq((how, client.push("a", **how).code), (how, 2007))
    check_eq(client.status("a").results, [(1001, "pending", [address("+15550100")])])


@case
def code_2008(bench):
    """Nothing is left to cancel; what is on the wire: integration.operations."""
    _, client = opened(bench)
    ended(bench, client, "a", "delivered", 1000)
    check_eq(client.cancel("a").results, [(2008, None, [address("+15550100")])])
    check_eq(client.push("b", **LATER).code, 1001)
    check_eq([client.cancel("b", "+15550100").code for _ in range(2)], [1000, 2008])


# --- 3xxx ---

@case
def code_3000(bench):
    """A disk that is full: every write of the store fails.  Nothing is kept, and all goes well when there is room again."""
    wrapper = bench.write("ppgd", f'#!/bin/sh\ntrap "" XFSZ\nexec {bench.program("ppgd")} "$@"\n', 0o755)
    gateway, client = opened(bench, ppgd=wrapper)
    check_eq(client.push("old", **LATER).code, 1001)
    room = resource.prlimit(gateway.program.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(gateway.program.process.pid, resource.RLIMIT_FSIZE, (1, room[1]))
    check_eq((client.push("new").code, client.cancel("old").code), (3000, 3000))
    check_eq((client.push("new", replace_push_id="old").code, client.status("new").code), (3000, 2004))
    resource.prlimit(gateway.program.process.pid, resource.RLIMIT_FSIZE, room)
    check_eq(client.status("old").results, [(1001, "pending", [address("+15550100")])])
    check_eq(client.push("new", replace_push_id="old").code, 1001)
    check_eq(client.status("old").results[0][:2], (1000, "cancelled"))
    wait_until(lambda: client.status("new").results[0][1] == "delivered", "the delivery")


@case
def code_3002(bench):
    _, client = opened(bench)
    for version in ("0.9", "3.0", "9.1"):
        doctype = f'<!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP {version}//EN" "http://www.wapforum.org/DTD/pap_{version}.dtd">'
        document = doctype + '<pap><cancel-message push-id="v"/></pap>'
        reply = bad_message(client, 3002, document, None)
        check(b'[<?wap-pap-ver supported-versions="2.1,2.0,1.0"?>]' in reply.body, reply.body)
        push = entity([(XML, (doctype + control_of("v", ["+15550100"], "", {}).split("?>")[1]).encode(), {}), ("text/plain", b"hi", {})])
        bad_message(client, 3002, push[0], None, push[1])
    check_eq(client.status("v").code, 2004)


@case
def code_3003(bench):
    """The old one is gone already where the new one is for those alone who still wait."""
    _, client = opened(bench)
    ended(bench, client, "old", "delivered", 1000)
    ended(bench, client, "new", "cancelled", 3003, replace_push_id="old", replace_method="pending-only")


@case
def code_3004(bench):
    _, client = opened(bench, conf={"pap.capabilities": "strict"})
    rdf = b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>'
    refused(client, 3004, early={"extra": [("application/rdf+xml", rdf, {})]})


@case
def code_3005(bench):
    _, client = opened(bench, conf={"pap.recipients-max": "3"})
    numbers = [f"+1555010{i}" for i in range(4)]
    refused(client, 3005, many={"to": numbers})
    check_eq(client.push("a", **LATER).code, 1001)
    check_eq((client.cancel("a", *numbers).code, client.status("a", *numbers).code), (3005, 3005))
    check_eq(client.status("a").code, 1001)


@case
def code_3006(bench):
    """At the submission where it is known what the terminal takes, within the attempt where that is learnt."""
    gateway, client = opened(bench, Phone(bench, Accept="application/vnd.wap.sic"))
    ended(bench, client, "learnt", "undeliverable", 3006, part="text/vnd.wap.si")
    refused(client, 3006, known={"part": "text/vnd.wap.si"})
    check_eq(gateway.phone.pushes, 0)


@case
def code_3007(bench):
    """A terminal without a push service: confirmed or not, there is no method."""
    refused_by_terminal(bench, "undeliverable", 3007, (404, 0), (405, 0), (501, 0))


@case
def code_3008(bench):
    _, client = opened(bench)
    reply = capabilities(client, 3008)
    check_eq((reply.type, reply.parts), (XML, []))


@case
def code_3009(bench):
    _, client = opened(bench)
    refused(client, 3009, gsm={"qos": QOS('network="GSM" network-required="true"')},
            both={"qos": QOS('network="PHS" network-required="true" bearer="SMS" bearer-required="true"')})
    check_eq(client.push("hint", qos=QOS('network="GSM"')).code, 1001)


@case
def code_3010(bench):
    _, client = opened(bench)
    refused(client, 3010, sms={"qos": QOS('bearer="SMS" bearer-required="true"')},
            any={"qos": QOS('network="any" network-required="true" bearer="CSD" bearer-required="true"')})
    check_eq(client.push("hint", qos=QOS('bearer="SMS"')).code, 1001)


# --- 4xxx, 5xxx ---

@case
def code_4000(bench):
    refused_by_terminal(bench, "undeliverable", 4000, (200, 501), (200, 999), (302, 0))


@case
def code_4000_of_what_expired(bench):
    _, client = opened(bench, Phone(bench, 503, 0))
    ended(bench, client, "a", "expired", 4000, deliver_before_timestamp=lambda: at(5))


@case
def code_4001(bench):
    """All attempts came to nothing."""
    gateway, client = opened(bench, Phone(bench, 503, 0), conf={"delivery.tries-max": "2"})
    ended(bench, client, "a", "timeout", 4001)
    check_eq(gateway.phone.pushes, 2)


@case
def code_5000(bench):
    refused_by_terminal(bench, "aborted", 5000, (200, 256), (200, 233), (400, 0))


@case
def code_5026(bench):
    refused_by_terminal(bench, "aborted", 5026, (200, 234), (503, 234))


@case
def code_5027(bench):
    refused_by_terminal(bench, "aborted", 5027, (200, 235))


@case
def code_5028(bench):
    refused_by_terminal(bench, "aborted", 5028, (200, 236))


@case
def code_5029(bench):
    """Lack of resources may pass: it is tried again before it is final."""
    gateway, client = opened(bench, Phone(bench, 200, 237))
    ended(bench, client, "a", "aborted", 5029)
    check_eq(gateway.phone.pushes, 4)


@case
def code_5030(bench):
    refused_by_terminal(bench, "aborted", 5030, (200, 238), (415, 0))


@case
def no_code_is_left_out(bench):
    """Every code of the vocabulary has its case above, but for those nobody can provoke."""
    with open(os.path.join(TOP, "pap", "message.h"), encoding="utf-8") as f:
        known = {int(n) for n in re.findall(r"^ *X\((\d{4}), ", f.read(), re.M)}
    named = {int(f.__name__[5:9]) for f in CASES if re.match(r"code_\d{4}", f.__name__)}
    check_eq((len(known) > 30, sorted(known - named)), (True, sorted(NOBODY_CAN)))


main("codes")
