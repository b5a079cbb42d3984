"""Every operation an initiator can ask for, over the wire: cancel, status query, capabilities query, replacement, version
negotiation, and every PAP code they and a submission can provoke.  Requests by Python's http.client and email package (an
independent MIME library) and by curl.  Usage: test_operations.py BUILD_DIR."""

import base64
import email.message
import quopri
import re
import time
import xml.etree.ElementTree

from gateway import (ANY_LEVEL, INITIATORS, PASSWORD, Ear, Gateway, Relay, Terminal, as_news, curl, good_push, mime)
from harness import case, check, check_eq, main, wait_until
from initiator import POLICY, XML, Client, address, addresses, control_of, entity, query

LATER = {f"deliver_{word}_timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + days * 86400))
         for word, days in (("after", 9), ("before", 10))}


def opened(bench, terminals="", phone=None, **more):
    """A gateway with one terminal, +15550100, that takes everything; more by `terminals`."""
    phone = phone or Terminal(bench, association=False)
    gateway = Gateway(bench, phone.route("+15550100", more="") + terminals, ANY_LEVEL, **more)
    gateway.phone, gateway.client = phone, Client(bench, gateway)
    return gateway, gateway.client


def route(number, port):
    return f"[terminal {number}]\nroute = http://127.0.0.1:{port}\n"


def held(bench, **more):
    """A gateway whose terminal +15550101 answers when relay.let_go() says so; the push `wire` is on its way there."""
    phone = Terminal(bench, association=False)
    relay = Relay(bench, phone.port, b"POST")
    relay.hold()
    gateway, client = opened(bench, route("+15550101", relay.port), phone, **more)
    check_eq(client.push("wire", ["+15550101"]).code, 1001)
    check(relay.held.wait(60), "nothing went out")
    return gateway, client, relay


# --- who may ask ---

@case
def every_kind_of_message_comes_in_by_one_rule(bench):
    """Which transport and proof are good enough is decided for a submission, a cancel and every query alike."""
    gateway, client = opened(bench, initiators=INITIATORS)
    check_eq(client.push("known").code, 1001)
    body, content_type = entity([(XML, control_of("new", ["+15550100"], "", {}).encode(), {}), ("text/plain", b"hi", {})])
    provision, _ = entity([(XML, control_of("provision", ["+15550100"], "", {}).encode(), {}),
                           ("application/xml", b"<SecProv/>", {"X-Wap-Application-Id": "x-wap-application:sec.prov.ua"})])
    kinds = {"content": (body, content_type), "provisioning": (provision, _), "cancel": (query("cancel-message", "known").encode(), XML),
             "status": (query("statusquery-message", "known").encode(), XML),
             "capabilities": (f'<pap><ccq-message query-id="q">{addresses(["+15550100"])}</ccq-message></pap>'.encode(), XML)}
    login = ("-u", f"pass:{PASSWORD}")
    ways = {"TLS and a certificate": (gateway.tls_url, as_news(bench), 202), "TLS and nothing": (gateway.tls_url, (), 401),
            "TLS and Basic": (gateway.tls_url, login, 202), "clear and nothing": (gateway.url, (), 401),
            "clear and Basic": (gateway.url, login, 401), "clear and Digest": (gateway.url, ("--digest", *login), 202),
            "clear and a wrong password": (gateway.url, ("--digest", "-u", "pass:wrong"), 401)}
    for way, (url, options, want) in ways.items():
        got = {}
        for kind, (octets, form) in kinds.items():
            got[kind] = curl(bench, url, octets, *options, content_type=form).status
            curl(bench, gateway.url, kinds["status"][0], "--digest", *login, content_type=XML)  # ends the wait of a guesser
        check_eq(got, {kind: want for kind in kinds}, way)


# --- cancel ---

@case
def cancel_all(bench):
    gateway, client = opened(bench, route("+15550101", 9))
    ear = Ear(bench)
    later(client, "a", ["+15550100", "+15550101"], ppg_notify_requested_to=ear.url)
    check_eq(client.cancel("a").results, [(1000, None, [address("+15550100"), address("+15550101")])])
    check_eq(client.cancel("a").results, [(2008, None, [address("+15550100"), address("+15550101")])])
    check_eq({(t["push_id"], t["state"], t["code"]) for t in ear.wait_heard(2)}, {("a", "cancelled", 1000)})
    gateway.wait_event("notify.told", 2)
    results = client.status("a").results
    check_eq([(c, s) for c, s, _ in results], [(1000, "cancelled")])
    check_eq(gateway.phone.events(), [])


def later(client, push_id, to, **more):
    check_eq(client.push(push_id, to, **LATER, **more).code, 1001)


@case
def cancel_is_grouped_by_outcome(bench):
    """One result for each code; addresses in the spelling of the request."""
    gateway, client = opened(bench, route("+15550101", 9) + route("+15550102", 9))
    later(client, "a", ["+15550100", "+15550101", "+15550102"])
    check_eq(client.cancel("a", "+15550101").code, 1000)
    asked = ["WAPPUSH=+1555-0100/TYPE=PLMN", "+15550101", "+15550999", "WAPPUSH=+1x/TYPE=PLMN", "wappush=+15550102/type=plmn",
             "WAPPUSH=+15550998/TYPE=PLMN", "WAPPUSH=+15550100/TYPE=FAX", "WAPPUSH=+15550100/TYPE=PLMN"]
    check_eq(client.cancel("a", *asked).results,
             [(1000, None, [asked[0], asked[4], asked[7]]), (2008, None, [address(asked[1])]),
              (2003, None, [address(asked[2]), asked[5]]), (2002, None, [asked[3], asked[6]])])
    check_eq({(t["state"], t["code"]) for t in gateway.show("a")["targets"]}, {("cancelled", 1000)})


@case
def cancel_of_only_malformed_addresses_cancels_nothing(bench):
    _, client = opened(bench)
    later(client, "a", ["+15550100"])
    check_eq(client.cancel("a", "WAPPUSH=+1x/TYPE=PLMN").results, [(2002, None, ["WAPPUSH=+1x/TYPE=PLMN"])])
    check_eq(client.cancel("b", "WAPPUSH=+1x/TYPE=PLMN").results, [(2004, None, [])])
    check_eq(client.status("a").results, [(1001, "pending", [address("+15550100")])])


@case
def cancel_recalls_what_waits_in_memory(bench):
    """On the wire is too late; behind it in the lane is not, whichever loop owns the terminal."""
    for loops in ("1", "3"):
        gateway, client, relay = held(bench, conf={"gateway.loops": loops})
        check_eq(client.push("lane", ["+15550101"]).code, 1001)
        check_eq(client.push("next", ["+15550101"]).code, 1001)
        check_eq([client.cancel(p).results[0][0] for p in ("wire", "lane", "lane")], [2008, 1000, 2008])
        relay.let_go()
        gateway.wait_state("wire", "delivered")
        gateway.wait_state("next", "delivered")
        check_eq(gateway.wait_state("lane", "cancelled")["targets"][0]["tries"], 0)
        check_eq(len(gateway.phone.events()), 2, "what was cancelled went out")
        check_eq(gateway.stop(), 0)


@case
def cancel_before_the_terminal_got_anything(bench):
    """It has only been connected to, and asked what it takes: the push can still be taken back, and replaced; then none of
    its octets go out, and the next one uses that connection."""
    phone = Terminal(bench, association=False)
    relay = Relay(bench, phone.port, b"OPTIONS")
    relay.hold()
    gateway, client = opened(bench, route("+15550101", relay.port), phone, conf={"ota-http.response-timeout": "60s"})
    check_eq(client.push("asked", ["+15550101"]).code, 1001)
    check(relay.held.wait(60), "nothing was asked")
    check_eq([client.cancel("asked").code for _ in range(2)], [1000, 2008])
    check_eq(client.push("old", ["+15550101"]).code, 1001)
    check_eq(client.push("new", ["+15550101"], replace_push_id="old").code, 1001)
    check_eq(client.status("old").results[0][:2], (1000, "cancelled"))
    relay.let_go()
    gateway.wait_state("new", "delivered")
    check_eq(len(phone.wait_events(1)), 1, "what was cancelled went out")
    check_eq(relay.seen.count(b"OPTIONS /wappush"), 1)
    explained = gateway.ctl("push", "explain", "asked").stdout
    check("withdrawn before the terminal took it" in explained and "no longer possible" not in explained, explained)


@case
def a_terminal_that_does_not_answer_is_told_of_as_that(bench):
    phone = Terminal(bench, association=False)
    relay = Relay(bench, phone.port, b"OPTIONS")
    relay.hold()
    gateway, client = opened(bench, route("+15550101", relay.port), phone, conf={"ota-http.response-timeout": "300ms"})
    check_eq(client.push("deaf", ["+15550101"]).code, 1001)
    gateway.wait_event("target.retry", push_id="deaf")
    explained = gateway.ctl("push", "explain", "deaf").stdout
    check("no answer in time" in explained and "no longer possible" not in explained, explained)


@case
def cancel_outlives_a_crash(bench):
    gateway, client = opened(bench)
    later(client, "a", ["+15550100"])
    check_eq(client.cancel("a").code, 1000)
    gateway.kill()
    gateway.start()
    check_eq(gateway.show("a")["targets"][0]["state"], "cancelled")


@case
def peers_that_leave_while_they_are_served(bench):
    """A cancel, a query and a replacement go on when nobody waits for the answer."""
    gateway, client, relay = held(bench)
    for push_id in ("lane", "old"):
        check_eq(client.push(push_id, ["+15550101"]).code, 1001)
    requests = [(query("cancel-message", "lane"), XML), (query("statusquery-message", "lane"), XML),
                entity([(XML, control_of("new", ["+15550101"], "", {"replace_push_id": "old"}).encode(), {}),
                        ("text/plain", b"hi", {})])]
    for body, content_type in requests:
        leaver = Client(bench, gateway).connection
        leaver.request("POST", "/pap", body, {"Content-Type": content_type})
        leaver.sock.close()
    for push_id in ("lane", "old"):
        gateway.wait_state(push_id, "cancelled")
    relay.let_go()
    gateway.wait_state("new", "delivered")
    check_eq(len(gateway.phone.events()), 2)


@case
def foreign_and_unknown_pushes_look_the_same(bench):
    gateway, client = opened(bench)
    login = ("--basic", "--user", f"pass:{PASSWORD}")
    later(client, "mine", ["+15550100"])
    for kind in ("cancel-message", "statusquery-message"):
        heard = [curl(bench, gateway.tls_url, query(kind, i, *to).encode(), *login, content_type=XML)
                 for to in ((), ("+15550100",)) for i in ("mine", "none")]
        for i in (0, 2):
            check_eq((heard[i].status, heard[i].code), (202, 2004))
            check_eq(heard[i].body.replace("mine", "none"), heard[i + 1].body)
            check("<address" not in heard[i].body, heard[i].body)
    replace = mime(push_id="r", attributes={"replace-push-id": "mine"})
    check_eq(curl(bench, gateway.tls_url, replace, *login).code, 2004)
    check_eq(client.status("mine").results, [(1001, "pending", [address("+15550100")])])


# --- status ---

@case
def status_is_grouped_by_state_code_and_time(bench):
    gateway, client = opened(bench, route("+15550101", 9) + route("+15550102", 9))
    later(client, "a", ["+15550100", "+15550101", "+15550102"])
    check_eq(client.status("a").results, [(1001, "pending", [address(f"+1555010{i}") for i in range(3)])])
    check_eq(client.cancel("a", "+15550101").code, 1000)
    reply = client.status("a")
    check_eq(reply.results, [(1001, "pending", [address("+15550100"), address("+15550102")]),
                             (1000, "cancelled", [address("+15550101")])])
    times = [e.get("event-time") for e in reply.message.iter("statusquery-result")]
    check_eq((times[0], bool(re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", times[1]))), (None, True), times)
    asked = ["WAPPUSH=+1555.0101/TYPE=PLMN", "+15550999", "WAPPUSH=/TYPE=PLMN", "+15550100"]
    check_eq(client.status("a", *asked).results,
             [(1000, "cancelled", [asked[0]]), (2003, "unknown", [address(asked[1])]), (2002, "unknown", [asked[2]]),
              (1001, "pending", [address(asked[3])])])
    check_eq(client.status("b").results, [(2004, "unknown", [])])
    good_push(bench, gateway, push_id="c")
    gateway.wait_state("c", "delivered")
    check_eq(client.status("c").results, [(1000, "delivered", [address("+15550100")])])


@case
def status_of_what_failed(bench):
    """A terminal that refuses, a deadline that passes: final states with the codes of their classes."""
    phone = Terminal(bench, "--require", "full", association=False)
    gateway, client = opened(bench, route("+15550101", 9), phone, conf={"pap.default-lifetime": "6s"})
    check_eq(client.push("refused").code, 1001)
    check_eq(client.push("late", ["+15550101"]).code, 1001)
    code, state, _ = wait_until(lambda: (r := client.status("refused").results[0])[1] != "pending" and r, "an end")
    check_eq((code // 1000, state), (5, "aborted"))
    code, state, _ = wait_until(lambda: (r := client.status("late").results[0])[1] != "pending" and r, "an end")
    check_eq((code, state), (4000, "expired"))


@case
def status_repeats_quality_of_service(bench):
    _, client = opened(bench, route("+15550101", 9))
    qos = '<quality-of-service priority="high" delivery-method="unconfirmed" network="GSM" bearer="Packet Data" ' \
          'bearer-required="true"/>'
    later(client, "with", ["+15550100", "+15550101"], qos=qos)
    later(client, "without", ["+15550100"])
    client.cancel("with", "+15550101")
    reply = client.status("with", "+15550100", "+15550101", "+15550999")
    got = [r.find("quality-of-service") for r in reply.message.iter("statusquery-result")]
    wanted = xml.etree.ElementTree.fromstring(qos).attrib
    check_eq([g is not None and g.attrib for g in got], [wanted, wanted, False])
    check(client.status("without").message.find(".//quality-of-service") is None, "nobody asked for one")


# --- capabilities ---

@case
def capabilities_query(bench):
    gateway, client = opened(bench, phone=Terminal(bench, "--max-size", "5000", association=False))

    def ask(number, app_id="", query_id="q1"):
        app = f' app-id="{app_id}"' if app_id else ""
        reply = client.post(f'<pap><ccq-message query-id="{query_id}"{app}>{addresses([number])}</ccq-message></pap>')
        check_eq((reply.status, reply.kind, reply.message.get("query-id")), (202, "ccq-response", query_id), reply)
        check_eq(reply.message.find("address").get("address-value"), address(number))
        return reply

    rows = [("+15550100", "", 3008), ("+15550100", "x-wap-application:mms.ua", 3008), ("+16660100", "", 2001),
            ("WAPPUSH=+1x/TYPE=PLMN", "", 2002), ("WAPPUSH=bob/TYPE=USER", "", 2001), ("+15550100", "a b", 2000)]
    for number, app_id, code in rows:
        reply = ask(number, app_id)
        check_eq((number, app_id, reply.code, reply.type), (number, app_id, code, XML), reply)
    gateway.check_events(2, "whitelist.denied")
    gateway.wait_state(good_push(bench, gateway), "delivered")  # then it has said what it takes
    reply = ask("+15550100")
    check_eq((reply.code, len(reply.parts)), (1000, 2), reply)
    media = email.message.Message()
    media["Content-Type"] = reply.type
    check_eq((media.get_content_type(), media.get_param("type")), ("multipart/related", XML))
    check_eq([p.get_content_type() for p in reply.parts], [XML, "application/rdf+xml"])
    rdf = xml.etree.ElementTree.fromstring(reply.parts[1].get_payload(decode=True))
    check("5000" in "".join(rdf.itertext()), reply.body)


# --- replacement ---

@case
def replace_all(bench):
    """Everybody listed gets the new one; where the old one is pending it is cancelled."""
    gateway, client = opened(bench)
    ear = Ear(bench)
    later(client, "old", ["+15550100"], ppg_notify_requested_to=ear.url)
    reply = client.push("new", replace_push_id="old", replace_method="all", progress_notes_requested="true")
    check_eq(reply.code, 1001)
    notes = {n.get("stage"): n.get("note") for n in reply.message.iter("progress-note")}
    check_eq((list(notes), notes["replaced"]), (["received", "validated", "replaced", "stored"], "replaced 1 pending"))
    gateway.wait_state("new", "delivered")
    told = ear.wait_heard(1)[0]
    check_eq((told["push_id"], told["state"], told["code"]), ("old", "cancelled", 1000))
    check_eq(client.status("old").results, [(1000, "cancelled", [address("+15550100")])])
    check_eq(client.push("newer", replace_push_id="new").code, 1001, "a delivered one: everybody gets the newer")
    gateway.wait_state("newer", "delivered")
    check_eq((client.status("new").results[0][1], len(gateway.phone.events())), ("delivered", 2))


@case
def replace_pending_only(bench):
    gateway, client = opened(bench, route("+15550101", gateway_port := Terminal(bench, association=False).port))
    check(gateway_port > 0, "a port")
    ear = Ear(bench)
    later(client, "old", ["+15550100", "+15550101"])
    check_eq(client.cancel("old", "+15550100").code, 1000)
    reply = client.push("new", ["+15550100", "+15550101"], replace_push_id="old", replace_method="pending-only",
                        ppg_notify_requested_to=ear.url, progress_notes_requested="true")
    check_eq(reply.code, 1001)
    check("replaced 1 pending" in reply.body.decode(), reply.body)
    heard = {t["addresses"][0]: (t["state"], t["code"]) for t in ear.wait_heard(2)}
    check_eq(heard, {address("+15550100"): ("cancelled", 3003), address("+15550101"): ("delivered", 1000)})
    check_eq(gateway.phone.events(), [])
    check_eq(client.status("old").results[0][:2], (1000, "cancelled"))


@case
def replace_what_waits_in_memory(bench):
    """The old one stands in a lane behind one on the wire: it is recalled, and only the new one goes out."""
    gateway, client, relay = held(bench)
    check_eq(client.push("old", ["+15550101"]).code, 1001)
    reply = client.push("new", ["+15550101"], replace_push_id="old", progress_notes_requested="true")
    check_eq(reply.code, 1001)
    check("replaced 1 pending" in reply.body.decode(), reply.body)
    check_eq(client.push("newer", ["+15550101"], replace_push_id="wire", replace_method="pending-only").code, 1001)
    relay.let_go()
    for push_id, state in (("wire", "delivered"), ("old", "cancelled"), ("new", "delivered"), ("newer", "cancelled")):
        gateway.wait_state(push_id, state)
    check_eq(client.status("newer").results[0][0], 3003)
    check_eq(len(gateway.phone.events()), 2)


@case
def replace_refused_leaves_the_old_one(bench):
    gateway, client = opened(bench)
    later(client, "old", ["+15550100"])
    rows = [("old", {"replace_push_id": "old"}, 2007), ("n1", {"replace_push_id": "none"}, 2004),
            ("n2", {"replace_push_id": "old", "to": ["+16660100"]}, 2001), ("n3", {"replace_push_id": "n3"}, 2000),
            ("n4", {"replace_push_id": "old", "replace_method": "some"}, 2000), ("n5", {"replace_push_id": ""}, 2000)]
    for push_id, how, code in rows:
        check_eq((push_id, client.push(push_id, **how).code), (push_id, code))
    check_eq(client.status("old").results, [(1001, "pending", [address("+15550100")])])
    check_eq(gateway.query("SELECT count(*) FROM push"), [["1"]])


# --- codes of a submission ---

@case
def codes_of_a_submission(bench):
    """[PAP §6], in the order of the checks; one line with code and reason in the log each."""
    gateway, client = opened(bench, conf={"pap.recipients-max": "3", "pap.aliases": "ppg.example.net",
                                          "protection.ceiling": "integrity"})
    qos = "<quality-of-service {}/>".format
    rows = [("+15550100", {}, 1001), ("WAPPUSH=+1x/TYPE=PLMN", {}, 2002), ("WAPPUSH=+15550100/TYPE=PLMN@other.example", {}, 2002),
            ("+15550777", {}, 2002), ("+16660100", {}, 2001),
            ("+15550100", {"deliver_before_timestamp": "2020-01-01T00:00:00Z"}, 2001),
            ("+15550100", {"deliver_before_timestamp": "2013-09-31T13:30:00Z"}, 2000),
            ("+15550100", {"ppg_notify_requested_to": "ftp://a.example"}, 2000),
            ("+15550100", {"headers": {"X-Push-Protection": "full"}}, 2005),
            ("+15550100", {"headers": {"X-Push-Protection": "integrity"}}, 2005),
            ("+15550100", {"replace_push_id": "none"}, 2004), ("+15550100", {"qos": qos('network="TETRA" network-required="true"')}, 3009),
            ("+15550100", {"qos": qos('bearer="SMS" bearer-required="true"')}, 3010),
            ("+15550100", {"qos": qos('bearer="packet data" bearer-required="true" network="ANY" network-required="true"')}, 1001),
            ("+15550100", {"qos": qos(f'network="{"n" * 65}"')}, 2000), ("+15550100", {"qos": qos('network-required="true"')}, 2000)]
    for i, (to, how, code) in enumerate(rows):
        reply = client.push(f"s{i}", [to], **how)
        check_eq((to, how, reply.code), (to, how, code), reply)
        said = gateway.wait_event("pap.answered", push_id=f"s{i}")
        check_eq((said["code"], said["initiator"], bool(said.get("why")) or code == 1001 or code == 2004), (code, "news", True), said)
    reply = client.push("many", [f"+1555010{i}" for i in range(4)])
    check_eq((reply.code, client.cancel("s0", *["+15550100"] * 4).code, client.status("s0", *["+15550100"] * 4).code),
             (3005, 3005, 3005))
    gateway.wait_event("pap.answered", push_id="many", code=3005)


@case
def lifetime_begins_when_a_push_may_first_be_tried(bench):
    """One for the day after tomorrow, without a deadline, where such pushes are tried for a day; none is tried beyond the
    longest that any is."""
    gateway, client = opened(bench, conf={"pap.default-lifetime": "1d", "pap.max-lifetime": "3d"})
    now = int(time.time())
    stamp = lambda s: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + s))
    for push_id, after_s, code, until_s in (("late", 36 * 3600, 1001, 60 * 3600), ("cut", 60 * 3600, 1001, 72 * 3600),
                                            ("past", -86400, 1001, 86400), ("never", 73 * 3600, 2001, 0)):
        check_eq((push_id, client.push(push_id, deliver_after_timestamp=stamp(after_s)).code), (push_id, code))
        if code == 1001:
            until = int(gateway.query(f"SELECT expires_ms FROM push WHERE push_id = '{push_id}'")[0][0]) // 1000
            check(abs(until - now - until_s) < 60, f"{push_id}: {until - now}")


@case
def used_push_id_comes_before_what_else_is_wrong(bench):
    gateway, client = opened(bench)
    later(client, "a", ["+15550100"])
    rows = [{}, {"to": ["+16660100"]}, {"to": ["WAPPUSH=+1x/TYPE=PLMN"]}, {"to": ["+15550777"]},
            {"deliver_before_timestamp": "2020-01-01T00:00:00Z"}, {"replace_push_id": "none"},
            {"qos": '<quality-of-service bearer="SMS" bearer-required="true"/>'}]
    for how in rows:
        check_eq((how, client.push("a", **how).code), (how, 2007))
    check_eq(gateway.query("SELECT count(*) FROM push"), [["1"]])


@case
def progress_notes(bench):
    gateway, client = opened(bench)
    stamp = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"

    def notes(reply):
        found = list(reply.message.iter("progress-note"))
        check(all(re.fullmatch(stamp, n.get("time", "")) for n in found), reply.body)
        return [n.get("stage") for n in found]

    check_eq(notes(client.push("a", progress_notes_requested="true")), ["received", "validated", "stored"])
    check_eq(notes(client.push("a", progress_notes_requested="true")), ["received", "validated"])
    check_eq(notes(client.push("b", ["+16660100"], progress_notes_requested="true")), ["received"])
    check_eq(notes(client.push("c", progress_notes_requested="false")), [])
    gateway.wait_state("a", "delivered")


@case
def parts_by_another_mime_library(bench):
    """Order, number and transfer encodings of parts as the email package writes them."""
    gateway, client = opened(bench)
    check_eq(client.push("base64").code, 1001)
    check_eq(gateway.phone.wait_events(1)[0]["content"], "hi")
    rdf = ("application/rdf+xml", b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>', {})
    four = entity([(XML, control_of("four", ["+15550100"], "", {}).encode(), {}), ("text/plain", b"hi", {}), rdf, rdf])
    reply = client.post(*four)
    check_eq((reply.kind, reply.code), ("badmessage-response", 2000))
    alone = entity([(XML, control_of("alone", ["+15550100"], "", {}).encode(), {})])
    reply = client.post(*alone)
    check_eq(reply.code, 2000, reply)
    quoted = email.message.EmailMessage(policy=POLICY)
    quoted.set_content("caf\xe9 = " + "long " * 40, cte="quoted-printable")
    control = control_of("quoted", ["+15550100"], "", {})
    body = (f"--b\r\nContent-Type: application/xml\r\n\r\n{control}\r\n--b\r\n".encode() + quoted.as_bytes() + b"\r\n--b--\r\n")
    check_eq(client.post(body, "multipart/related; type=application/xml; boundary=b").code, 1001)
    check("caf\xe9 = long long" in gateway.phone.wait_events(2)[1]["content"], gateway.phone.events())
    for encoding, octets, code in (("base64", base64.encodebytes(control_of("c1", ["+15550100"], "", {}).encode()), 1001),
                                   ("Quoted-Printable", quopri.encodestring(control_of("c2", ["+15550100"], "", {}).encode()), 1001),
                                   ("base64", b"*", 2000), ("x-uuencode", control_of("c3", ["+15550100"], "", {}).encode(), 2000)):
        body = (b"--b\r\nContent-Type: application/xml\r\nContent-Transfer-Encoding: " + encoding.encode() + b"\r\n\r\n" + octets +
                b"\r\n--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n--b--\r\n")
        reply = client.post(body, "multipart/related; type=application/xml; boundary=b")
        check_eq((encoding, octets[:10], reply.code), (encoding, octets[:10], code), reply)


# --- versions and what is no request ---

DOCTYPE = '<!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP {}//EN" "http://www.wapforum.org/DTD/pap_{}.dtd">'


@case
def versions(bench):
    _, client = opened(bench)
    for asked, answered in (("1.0", "1.0"), ("2.0", "2.0"), ("2.1", "2.1"), ("2.2", "2.1"), ("2.3", "2.1"), ("", "2.0")):
        doctype = DOCTYPE.format(asked, asked) if asked else ""
        for message in ('<cancel-message push-id="v"/>', '<statusquery-message push-id="v"/>'):
            reply = client.post(f"{doctype}<pap>{message}</pap>")
            check_eq((asked, reply.code), (asked, 2004))
            check(f"DTD PAP {answered}//EN" in reply.body.decode(), reply.body)
    for version in ("3.0", "9.1"):
        reply = client.post(DOCTYPE.format(version, version) + '<pap><cancel-message push-id="v"/></pap>')
        check_eq((reply.status, reply.kind, reply.code), (202, "badmessage-response", 3002))
        check(b'<?wap-pap-ver supported-versions="2.1,2.0,1.0"?>' in reply.body, reply.body)


@case
def what_cannot_be_attributed(bench):
    gateway, client = opened(bench)
    rows = [("<pap><pusj-message/></pap>", "<pusj-message"), ("<bpds><subscriptionquery-message/></bpds>", "<bpds"),
            ('<pap><push-response push-id="a"><response-result code="1001"/></push-response></pap>', ""), ("", ""),
            ('<pap><resultnotification-response push-id="a" code="1000"/></pap>', "")]
    for text, fragment in rows:
        reply = client.post(text)
        check_eq((text, reply.kind, reply.code), (text, "badmessage-response", 2000))
        check((reply.message.get("bad-message-fragment") or "").startswith(fragment), reply.body)
        check(len(reply.message.get("bad-message-fragment") or "") <= 256, reply.body)
    said = gateway.wait_event("pap.answered", 4, code=2000)
    check(said["why"], said)


@case
def answer_with_200_where_it_is_wanted(bench):
    """[PAP §3.2]: deployed initiators insist on it; curl as the client."""
    gateway, client = opened(bench, conf={"pap.success-status": "200"})
    client.connection.close()
    for kind in ("cancel-message", "statusquery-message"):
        answer = curl(bench, gateway.tls_url, query(kind, "x").encode(), *as_news(bench), content_type="application/xml; charset=utf-8")
        check_eq((answer.status, answer.code, answer.headers["content-type"]), (200, 2004, XML))


# --- size ---

MANY = 10000


@case
def ten_thousand_addresses(bench):
    """An answer about 10 000 recipients, all at once and one by one; a push from before the ceiling was lowered."""
    gateway, client = opened(bench, conf={"pap.recipients-max": str(MANY), "pap.control-max": "1M", "pap.body-max": "2M"})
    numbers = [f"+155{i:07}" for i in range(5000000, 5000000 + MANY)]
    gateway.write("terminals.conf", gateway.phone.route("+15550100", more="") + "".join(route(n, 9) for n in numbers))
    check_eq(gateway.ctl("reload").returncode, 0)
    later(client, "a", numbers)
    everybody = [address(n) for n in numbers]
    check_eq(client.status("a").results, [(1001, "pending", everybody)])
    check_eq(client.cancel("a", *numbers[::2]).results, [(1000, None, everybody[::2])])
    check_eq([(c, len(a)) for c, _, a in client.cancel("a").results], [(2008, MANY // 2), (1000, MANY // 2)])
    odd = [n if i % 3 else n.replace("+155", "+166") for i, n in enumerate(numbers)]
    results = client.status("a", *odd).results
    check_eq(sum(len(a) for c, _, a in results if c == 2003), len(odd[::3]))
    check_eq(sum(len(a) for _, _, a in results), MANY)
    gateway.write_conf(pap__recipients_max="5", pap__control_max="4k")
    check_eq(gateway.ctl("reload").returncode, 0)
    check_eq((client.status("a").code, client.cancel("a").code), (3000, 3000))
    check_eq(client.status("a", numbers[0]).results[0][:2], (1000, "cancelled"))


main("operations")
