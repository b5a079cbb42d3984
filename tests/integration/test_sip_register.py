"""Terminals that register at the gateway itself over SIP, and pushes to where they are.  Usage: test_sip_register.py BUILD_DIR."""

import email.utils
import hashlib
import json
import re
import socket
import ssl
import time

import pcap
from baresip import Baresip
from gba_model import Module
from gateway import PASSWORD, Gateway, Terminal, make_identity, pap_push
from harness import case, check, check_eq, free_port, main, needs_ipv6, wait_until
from siphone import DOMAIN, Phone
from sipnet import MARK
from msrppeer import chunks_of, response
from sipuas import Device, answer

ALICE = f"sip:alice@{DOMAIN}"
BOB = f"sip:bob@{DOMAIN}"
OPEN = f"allow news sip:*@{DOMAIN} *\n"
LISTEN = {"ota-sip.listen-udp": "127.0.0.1:0", "ota-sip.listen-tcp": "127.0.0.1:0", "ota-sip.identity": f"sip:push@{DOMAIN}",
          "ota-http.listen-tls": None}
SIPP_REGISTER = """<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="register">
  <send retrans="500"><![CDATA[
REGISTER sip:{domain} SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport
Max-Forwards: 70
From: <sip:alice@{domain}>;tag=[call_number]
To: <sip:alice@{domain}>
Call-ID: [call_id]
CSeq: 1 REGISTER
Contact: <sip:alice@[local_ip]:[local_port];transport=[transport]>
Expires: 600
Content-Length: 0

]]></send>
  <recv response="401" auth="true"/>
  <send retrans="500"><![CDATA[
REGISTER sip:{domain} SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport
Max-Forwards: 70
From: <sip:alice@{domain}>;tag=[call_number]
To: <sip:alice@{domain}>
Call-ID: [call_id]
CSeq: 2 REGISTER
Contact: <sip:alice@[local_ip]:[local_port];transport=[transport]>
Expires: 600
[authentication username=alice@{domain} password={password}]
Content-Length: 0

]]></send>
  <recv response="200"/>
</scenario>
"""
LOGIN = "registers = any\ncall-proof = digest\ncall-password-file = ../password\n"


def doors(gateway):
    with open(gateway.path("ports"), encoding="utf-8") as f:
        return {line.split("=")[0]: int(line.rpartition(":")[2]) for line in f.read().split()}


def registrar(bench, terminals=f"[terminal {ALICE}]\n{LOGIN}[terminal {BOB}]\n{LOGIN}", whitelist=OPEN, conf=None, **more):
    """A gateway and its doors: {"sip-udp": port ...}."""
    gateway = Gateway(bench, terminals, whitelist=whitelist, conf={**LISTEN, **(conf or {})}, **more)
    if gateway.runs:
        gateway.doors = doors(gateway)
    return gateway


def push(bench, gateway, push_id, *options, to=ALICE, text=MARK):
    done = pap_push(bench, gateway, "--to", to, "--text", text, "--id", push_id, *options)
    check_eq(done.returncode, 0, done.stdout + done.stderr)


def delivered(bench, gateway, push_id, *options, **more):
    push(bench, gateway, push_id, *options, **more)
    check_eq(gateway.wait_state(push_id, "delivered")["targets"][0]["code"], 1000)


@case
def registered_and_reached(bench):
    """Digest with either algorithm, over each transport; a push then comes over the way that the phone registered by."""
    gateway = registrar(bench, conf={"ota-sip.digest": "both"})
    for over in ("udp", "tcp"):
        for algorithm in ("SHA-256", "MD5"):
            phone = Phone(bench, gateway.doors[f"sip-{over}"], over=over)
            reply = phone.register(algorithm=algorithm)
            check(f"<{phone.contact().split('>')[0][1:]}>;expires=" in reply["Contact"] and reply["Date"], reply.octets)
            delivered(bench, gateway, f"{over}-{algorithm}", "--method", "confirmed")
            message = phone.wait(1)[0]
            check(message.start.startswith(f"MESSAGE sip:alice@{phone.at}"), message.start)
            check_eq((message["To"], message["Route"]), (f"<{ALICE}>", None))
            check_eq(message.envelope()[1], MARK.encode())
            phone.register(expires=0)
            phone.close()

@case
def by_http_or_sip(bench):
    """A terminal with two ways is reached by the one that works: HTTP first, SIP when nobody listens there, and HTTP again
    when the registration is over."""
    http = Terminal(bench, association=False)
    gateway = registrar(bench, http.route(ALICE, more=LOGIN))
    delivered(bench, gateway, "p1")
    check_eq([e["content"] for e in http.wait_events(1)], [MARK])
    phone = Phone(bench, gateway.doors["sip-udp"])
    phone.register()
    http.kill()
    delivered(bench, gateway, "p2", text="by sip")
    check_eq(phone.wait(1)[0].envelope()[1], b"by sip")
    phone.register(expires=0)
    http.start()
    delivered(bench, gateway, "p3", text="by http")
    check_eq([e["content"] for e in http.wait_events(2)], [MARK, "by http"])
    bearers = {push_id: gateway.show(push_id)["targets"][0]["bearer"] for push_id in ("p1", "p2", "p3")}
    check_eq((bearers["p1"], bearers["p2"], bearers["p3"]), ("http", "sip", "http"))


@case
def over_tls(bench):
    """Over TLS, and only so when the operator says; a closed connection ends the registration of who came through a NAT."""
    make_identity(bench)
    context = ssl.create_default_context(cafile=bench.path("ca.crt"))
    gateway = registrar(bench, f"[terminal {ALICE}]\n{LOGIN.replace('any', 'tls')}", conf={"ota-sip.listen-tls": "127.0.0.1:0"})
    clear = Phone(bench, gateway.doors["sip-tcp"], over="tcp")
    clear.register(want=403)
    phone = Phone(bench, gateway.doors["sip-tls"], over="tls", via="192.0.2.1:5061", context=context)
    phone.register()
    delivered(bench, gateway, "p1")
    check_eq((phone.messages[0].over, phone.messages[0].start), ("tls", "MESSAGE sip:alice@192.0.2.1:5061;transport=tls SIP/2.0"))
    phone.close()
    gateway.wait_event("ota.sip.closed")
    push(bench, gateway, "p2")
    gateway.wait_event("target.absent", push_id="p2")


@case
def over_ipv6(bench):
    needs_ipv6()
    gateway = registrar(bench, conf={"ota-sip.listen-udp": "[::1]:0", "ota-sip.listen-tcp": "[::1]:0"})
    for over in ("udp", "tcp"):
        phone = Phone(bench, gateway.doors[f"sip-{over}"], over=over, host="::1")
        reply = phone.register()
        check("Via: SIP/2.0/" in reply.octets.decode() and f";rport={phone.socket.getsockname()[1]}" in reply["Via"], reply.octets)
        delivered(bench, gateway, over)
        check_eq(phone.wait(1)[0].start, f"MESSAGE sip:alice@{phone.at}{';transport=tcp' if over == 'tcp' else ''} SIP/2.0")
        phone.register(expires=0)


@case
def behind_a_nat(bench):
    """A phone that does not know where it is seen from is reached over its flow; what it calls itself is never sought."""
    gateway = registrar(bench)
    for over in ("udp", "tcp"):
        phone = Phone(bench, gateway.doors[f"sip-{over}"], over=over, via="198.51.100.9:5060")
        reply = phone.register("Supported: outbound, path, gruu", more=';+g.oma.pusheventapp="wml.ua";reg-id=1;+sip.instance="<urn:uuid:0f8fad5b-d9cb-469f-a165-70867728950e>"')
        check(";received=127.0.0.1" in reply["Via"] and f";rport={phone.socket.getsockname()[1]}" in reply["Via"], reply["Via"])
        check_eq(reply["Require"], "outbound")
        check(f'pub-gruu="{ALICE};gr=urn:uuid:0f8fad5b-d9cb-469f-a165-70867728950e"' in reply["Contact"], reply["Contact"])
        check_eq(reply["Flow-Timer"], "900" if over == "tcp" else None)
        delivered(bench, gateway, over, "--method", "confirmed")
        check_eq(phone.wait(1)[0].start, f"MESSAGE sip:alice@198.51.100.9:5060{';transport=tcp' if over == 'tcp' else ''} SIP/2.0")
        other = Phone(bench, gateway.doors[f"sip-{over}"], over=over, via="198.51.100.9:5061")
        reply = other.register("Supported: outbound", more=';+g.oma.pusheventapp="wml.ua";reg-id=1;+sip.instance="<urn:uuid:0f8fad5b-d9cb-469f-a165-70867728950e>"')
        check(":5061" in reply["Contact"] and len(reply.headers.get_all("Contact")) == 1, "the same flow of the same device, elsewhere now")
        other.register(expires=0)


@case
def waits_until_it_registers(bench):
    """What is pushed to somebody who is away waits, whatever the loop; REGISTER brings it.  De-registration and expiry end that."""
    gateway = registrar(bench, conf={"gateway.loops": "4", "ota-sip.expires-min": "1s"})
    push(bench, gateway, "p1")
    push(bench, gateway, "b1", to=BOB)
    gateway.check_events(2, "target.absent")
    for over in ("tcp", "udp"):
        phone = Phone(bench, gateway.doors[f"sip-{over}"], over=over)
        phone.register(expires=600)
        phone.wait(1)
        gateway.wait_state("p1" if over == "tcp" else "p2", "delivered")
        check_eq(phone.ask("REGISTER", "Contact: *", "Expires: 0")["Contact"], None)
        push(bench, gateway, "p2" if over == "tcp" else "p3")
        gateway.wait_event("target.absent", push_id="p2" if over == "tcp" else "p3")
        phone.close()
    phone = Phone(bench, gateway.doors["sip-udp"])
    phone.register(expires=4)
    gateway.wait_state("p3", "delivered")
    wait_until(lambda: phone.ask("REGISTER")["Contact"] is None, "the end of the registration")
    push(bench, gateway, "p4")
    gateway.wait_event("target.absent", push_id="p4")
    check_eq(gateway.show("b1")["targets"][0]["state"], "pending")


@case
def which_device_gets_it(bench):
    """By application and methods, the best first; a device that refuses the flow gives way to the next; 5028 when none has the application."""
    gateway = registrar(bench)
    door = gateway.doors["sip-udp"]
    tagged = ';+g.oma.pusheventapp="{}"'
    first = Phone(bench, door, script=(503,))
    first.register(more=tagged.format("wml.ua") + ";q=0.9")
    second = Phone(bench, door)
    second.register(more=tagged.format("wml.ua,mms.ua") + ";q=0.5")
    silent = Phone(bench, door)
    silent.register(more="")
    deaf = Phone(bench, door)
    deaf.register(more=tagged.format("wml.ua,push.sia") + ';methods="ACK,BYE"')
    delivered(bench, gateway, "p1")
    check_eq((len(first.wait(1)), len(second.wait(1))), (1, 1))
    check_eq(second.messages[0]["Call-ID"], first.messages[0]["Call-ID"])
    delivered(bench, gateway, "p2", "--app", "x-wap-application:mms.ua")
    check_eq((len(first.messages), len(second.wait(2))), (1, 2))
    push(bench, gateway, "p3", "--app", "x-wap-application:push.sia")
    target = gateway.wait_state("p3", "aborted")["targets"][0]
    check_eq((target["code"], target["tries"]), (5028, 1))
    check_eq((silent.messages, deaf.messages), ([], []))
    done = pap_push(bench, gateway, "--to", f"sip:nobody@{DOMAIN}", "--text", MARK, "--id", "p4")
    check("2002" in done.stdout + done.stderr, done)


@case
def by_the_methods_it_names(bench):
    """Of the Contact or of Allow: no MESSAGE but INVITE is a session, without a word in the configuration; a telephone is not rung."""
    gateway = registrar(bench, conf={"ota-sip.untagged-ok": "yes"})
    door = gateway.doors["sip-udp"]
    for n, (headers, more, start) in enumerate((((), ';+g.oma.pusheventapp="wml.ua";methods="INVITE,ACK,BYE"', "INVITE "),
                                                (("Allow: INVITE, ACK, BYE",), ';+g.oma.pusheventapp="wml.ua"', "INVITE "),
                                                (("Allow: INVITE, MESSAGE",), ';+g.oma.pusheventapp="wml.ua"', "MESSAGE "))):
        phone = Phone(bench, door, script=(603,))
        phone.register(*headers, more=more)
        push(bench, gateway, f"p{n}")
        check_eq(gateway.wait_state(f"p{n}", "aborted")["targets"][0]["code"], 5027)
        check(phone.wait(1)[0].start.startswith(start), phone.messages[0].start)
        phone.register(expires=0, more=more)
    for n, allow in enumerate(("INVITE, ACK, BYE", "OPTIONS")):
        phone = Phone(bench, door)
        phone.register(f"Allow: {allow}", more="")
        push(bench, gateway, f"q{n}")
        check_eq(gateway.wait_state(f"q{n}", "aborted")["targets"][0]["code"], 5028)
        check_eq(phone.messages, [])
        shown = json.loads(gateway.ctl("--json", "terminal", "show", ALICE).stdout)["contacts"][0]
        check_eq(shown["methods"], ("INVITE", "none")[n])
        phone.register(expires=0, more="")


@case
def within_a_session(bench):
    """A device asks within the session that it has over its own connection: it hears what we do and do not, never that there is no
    session (481 would end it, RFC 3261 §12.2.1.2), and the push goes on."""
    gateway = registrar(bench)
    streams = socket.create_server(("127.0.0.1", 0))
    bench.closers.append(streams.close)
    streams.settimeout(60)
    port = streams.getsockname()[1]
    body = (f"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=message {port} TCP/MSRP *\r\n"
            f"a=accept-types:*\r\na=path:msrp://127.0.0.1:{port}/s1;tcp\r\n").encode()
    phone = Phone(bench, gateway.doors["sip-tcp"], over="tcp", script=(None,))
    phone.register(more=';+g.oma.pusheventapp="wml.ua";methods="INVITE,ACK,BYE"')
    push(bench, gateway, "p1")
    invite = phone.wait(1)[0]
    said = answer(invite, 200, f"Contact: <sip:alice@{phone.at};transport=tcp>", "Content-Type: application/sdp")
    phone.send(said.replace(b"Content-Length: 0", b"Content-Length: %d" % len(body)) + body)
    stream, _ = streams.accept()
    bench.closers.append(stream.close)
    stream.settimeout(60)
    found, octets = [], b""
    while not found:
        found, octets = chunks_of(octets + stream.recv(65536))
    for n, (method, status) in enumerate((("OPTIONS", 200), ("INFO", 405), ("UPDATE", 405), ("FROB", 501), ("INVITE", 488))):
        phone.send((f"{method} {invite['Contact'].strip('<>')} SIP/2.0\r\nVia: SIP/2.0/TCP {phone.at};branch=z9hG4bKd{n}\r\n"
                    f"Max-Forwards: 70\r\nFrom: {invite['To']};tag=device\r\nTo: {invite['From']}\r\nCall-ID: {invite['Call-ID']}\r\n"
                    f"CSeq: {n + 1} {method}\r\nContent-Length: 0\r\n\r\n").encode())
        reply = phone.reply()
        check_eq((method, int(reply.start.split(" ")[1])), (method, status))
        check_eq(reply["Allow"], None if status == 488 else "OPTIONS, BYE", method)
    stream.sendall(response(found[0]))
    gateway.wait_state("p1", "delivered")


@case
def refused_over_and_over(bench):
    """An INVITE over a flow is refused and the ACK lost: who says so again gets it again (RFC 3261 §17.1.1.2)."""
    gateway = registrar(bench)
    phone = Phone(bench, gateway.doors["sip-udp"], script=(603, None))
    phone.register("Supported: outbound", more=';+g.oma.pusheventapp="wml.ua";methods="INVITE,ACK,BYE";reg-id=1;'
                                               '+sip.instance="<urn:uuid:0f8fad5b-d9cb-469f-a165-70867728950e>"')
    push(bench, gateway, "p1")
    check_eq(gateway.wait_state("p1", "aborted")["targets"][0]["code"], 5027)
    check_eq([m.method for m in phone.wait(2)], ["INVITE", "ACK"])
    phone.send(answer(phone.messages[0], 603))
    check_eq(phone.wait(3)[2].octets, phone.messages[1].octets)


@case
def asked_before_the_first_push(bench):
    """`probe`: OPTIONS to who has not said what it takes, once until it registers again; and the push as the answer says."""
    gateway = registrar(bench, conf={"ota-sip.probe": "yes"})
    can = "Contact: <sip:phone@127.0.0.1>;+g.oma.pusheventapp=\"wml.ua\""
    phone = Phone(bench, gateway.doors["sip-udp"], script=((200, "Allow: MESSAGE, OPTIONS", "Accept: text/plain", can), 200, 200,
                                                           (200, "Allow: INVITE, ACK, BYE", can), 603))
    phone.register(more=';+g.oma.pusheventapp="wml.ua"')
    delivered(bench, gateway, "p1")
    delivered(bench, gateway, "p2")
    check_eq([m.method for m in phone.messages], ["OPTIONS", "MESSAGE", "MESSAGE"])
    asked = phone.messages[0]
    check_eq((asked["To"], asked["Accept-Contact"], asked.body), (f"<{ALICE}>", phone.messages[1]["Accept-Contact"], b""))
    check_eq(phone.messages[1]["Content-Type"], "text/plain", "it accepts no envelope")
    phone.register(more=';+g.oma.pusheventapp="wml.ua"')
    push(bench, gateway, "p3")
    check_eq(gateway.wait_state("p3", "aborted")["targets"][0]["code"], 5027)
    check_eq([m.method for m in phone.wait(5)[3:5]], ["OPTIONS", "INVITE"])


@case
def not_here_any_more(bench):
    """410 takes a device off the register; 404 and 480 leave it there.  Each gives way to the next, and counts when it is the last."""
    gateway = registrar(bench)
    door = gateway.doors["sip-udp"]
    tagged = ';+g.oma.pusheventapp="wml.ua"'
    last = Phone(bench, door)
    last.register(more=tagged + ";q=0.1")
    for n, status in enumerate((410, 404, 480)):
        first = Phone(bench, door, script=(status,))
        first.register(more=tagged)
        delivered(bench, gateway, f"p{n}")
        check_eq((len(first.wait(1)), len(last.wait(n + 1))), (1, n + 1))
        check_eq(first.at in last.ask("REGISTER").octets.decode(), status != 410)
        first.register(expires=0, more=tagged)
    last.script = (410,)
    push(bench, gateway, "gone")
    check_eq(gateway.wait_state("gone", "undeliverable")["targets"][0]["code"], 2002)
    push(bench, gateway, "away")
    gateway.wait_event("target.absent", push_id="away")
    last.script = (480, 200)
    with last.lock:
        last.messages.clear()
    last.register(more=tagged)
    last.wait(1)
    gateway.wait_event("deliver.done", push_id="away", note="480 not available now")
    last.register(more=tagged)  # the next REGISTER wakes what waits
    gateway.wait_state("away", "delivered")


@case
def one_device_of_several(bench):
    """A GRUU as the recipient reaches that device and no other; two of them are two recipients; one that is not here is waited for."""
    gateway = registrar(bench)
    tagged = ';+g.oma.pusheventapp="wml.ua";q={};+sip.instance="<urn:uuid:0f8fad5b-d9cb-469f-a165-{:012}>"'
    phones = [Phone(bench, gateway.doors["sip-udp"]) for _ in range(3)]
    gruus = []
    for n, phone in enumerate(phones[:2]):
        reply = phone.register("Supported: gruu", more=tagged.format(f"0.{9 - n}", n))
        gruus += [g for g in re.findall(r'pub-gruu="([^"]+)"', reply.octets.decode()) if g not in gruus]
    check_eq(gruus, [f"{ALICE};gr=urn:uuid:0f8fad5b-d9cb-469f-a165-{n:012}" for n in range(2)])
    delivered(bench, gateway, "p1", to=gruus[1])
    delivered(bench, gateway, "p2")
    check_eq((len(phones[0].messages), len(phones[1].messages)), (1, 1), "the second, then the better one")
    push(bench, gateway, "p3", "--to", gruus[1], to=gruus[0])
    check_eq([t["state"] for t in gateway.wait_state("p3", "delivered")["targets"]], ["delivered"] * 2)
    check_eq((len(phones[0].messages), len(phones[1].messages)), (2, 2))
    push(bench, gateway, "p4", to=gruus[0][:-1] + "2")
    gateway.wait_event("deliver.done", push_id="p4", note="that device is not registered")
    phones[2].register("Supported: gruu", more=tagged.format("0.1", 2))
    gateway.wait_state("p4", "delivered")
    check_eq([len(p.messages) for p in phones], [2, 2, 1])


@case
def a_device_that_there_is_not(bench):
    """A GRUU of no device of that user, or of one that has left, is 2002 in the first answer while others of the user's are here (once all
    have had to say so since the start); while nobody is here it is waited for."""
    gateway = registrar(bench, conf={"ota-sip.expires-min": "1s", "ota-sip.expires": "2s", "ota-sip.expires-max": "2s"})
    tagged = ';+g.oma.pusheventapp="wml.ua";+sip.instance="<urn:uuid:0f8fad5b-d9cb-469f-a165-{:012}>"'
    phones = [Phone(bench, gateway.doors["sip-udp"]) for _ in range(2)]
    ids = (f"p{n}" for n in range(1000))

    def submitted(n, *here):
        """What a push to the n-th device comes to at once, when these have just registered."""
        for at in here:
            phones[at].register("Supported: gruu", more=tagged.format(at), expires=2)
        done = pap_push(bench, gateway, "--to", f"{ALICE};gr=urn:uuid:0f8fad5b-d9cb-469f-a165-{n:012}", "--text", MARK, "--id", next(ids))
        return done.stdout.split()[0]

    check_eq(submitted(7), "1001", "nobody is registered")
    wait_until(lambda: submitted(7, 0, 1) == "2002", "the unknown one to be refused", 60)
    wait_until(lambda: submitted(1, 0, 1) == "1001" and phones[1].messages, "the second one", 60)
    phones[1].register("Supported: gruu", more=tagged.format(1), expires=0)
    wait_until(lambda: submitted(1, 0) == "2002", "the one that has left to be refused", 60)


@case
def too_large_is_fetched(bench):
    """What is too large for a MESSAGE, to who takes no session: the push says where it lies, as protected as the content; `push-terminal
    --items` gets it.  Who does not accept that is told nothing."""
    section = f"{LOGIN}inbox = yes\ncall-user = "
    gateway = registrar(bench, f"[terminal {ALICE}]\n{section}alice@{DOMAIN}\n[terminal {BOB}]\n{section}bob@{DOMAIN}\nassociation-file = "
                        "../association\n", whitelist=OPEN + "allow inbox * *\n", conf={"inbox.listen-tls": "127.0.0.1:0"})
    url = f"https://localhost:{gateway.doors['inbox-tls']}"
    gateway.write_conf(inbox__url=url)
    check_eq(gateway.ctl("reload").returncode, 0)
    gateway.settle()
    large = "L" * 5000
    phone = Phone(bench, gateway.doors["sip-tcp"], over="tcp")
    phone.register("Allow: MESSAGE")
    push(bench, gateway, "p1", text=large)
    head, body = phone.wait(1)[0].envelope()
    check(head["Content-Type"].startswith(f'message/external-body; access-type=URL; URL="{url}/inbox/'), head)
    said = dict(re.findall(r'; (\w+)="?([^";]+)', head["Content-Type"]))
    check_eq((said["size"], said["hash"]), ("5000", hashlib.sha1(large.encode()).hexdigest()))
    check(email.utils.parsedate_to_datetime(said["expiration"]).timestamp() > time.time() + 3600, said)
    check(f"Content-ID: <{said['URL'].rpartition('/')[2]}@localhost>\r\n".encode() in body, body)
    check(b"Content-Type: text/plain" in body and large[:20].encode() not in phone.messages[0].octets, body)
    gateway.wait_event("deliver.indirect", push_id="p1", bearer="sip")
    phone.register("Allow: MESSAGE", "Accept: text/plain, application/vnd.oma.push")
    push(bench, gateway, "p2", text=large)
    check_eq(gateway.wait_state("p2", "undeliverable")["targets"][0]["code"], 2006)
    check_eq(len(phone.messages), 1)
    gateway.write_conf(inbox__indirect_above="1000")
    check_eq(gateway.ctl("reload").returncode, 0)
    gateway.settle()
    terminal = Terminal(bench, "--record", BOB, "--registrar", f"sip:127.0.0.1:{gateway.doors['sip-udp']}", "--app", "x-wap-application:wml.ua",
                        "--proof", f"bob@{DOMAIN}:{bench.path('password')}", "--items", url, "--ca", bench.path("ca.crt"), command="sip")
    check_eq(terminal.wait_events(1, "registration")[0]["status"], 200)
    delivered(bench, gateway, "b1", "--protection", "full", to=BOB, text=large)
    notice, content = terminal.wait_events(2)
    check("message/external-body" in notice["content_type"] and notice["proofs"] == ["seal"] and notice["protection"] == "full", notice)
    check_eq((content["content"], content["tls"]), (large, True))


@case
def nobody_else(bench):
    """Wrong passwords, another's address, used and old answers, strange domains and extensions: nothing is registered."""
    make_identity(bench)
    gateway = registrar(bench, conf={"pap.nonce-lifetime": "30s"})
    door = gateway.doors["sip-tcp"]
    mallory = Phone(bench, door, "bob", over="tcp")
    mallory.register(to=ALICE, want=403)
    check_eq(mallory.register()["Contact"].count("expires="), 1)
    sent = mallory.request("REGISTER", f"Contact: {mallory.contact()}", mallory.authorization("REGISTER", f"sip:{DOMAIN}"))
    check_eq(mallory.status(sent), 200)
    check_eq(mallory.status(sent.replace(b"CSeq: %d " % mallory.cseq, b"CSeq: 99 ")), 401, "the same nonce count again")
    check_eq(mallory.status(mallory.request("REGISTER", mallory.authorization("REGISTER", f"sip:{DOMAIN}").replace("nc=", "nc=0"))), 401)
    mallory.challenge["nonce"] = mallory.challenge["nonce"][::-1]
    reply = mallory.ask("REGISTER")
    check(" 200 " in reply.start and mallory.nc == 1, "a nonce of its own making is stale")
    for wrong in (Phone(bench, door, over="tcp", password="wrong"), Phone(bench, door, "nobody", over="tcp")):
        wrong.register(want=401)
        wrong.close()
    alice = Phone(bench, door, over="tcp")
    alice.register(uri="sip:elsewhere.example", want=404)
    alice.register("Require: timer", want=420)
    reply = alice.register(expires=30, want=423)
    check_eq(reply["Min-Expires"], "60")
    check_eq(alice.ask("REGISTER", "Contact: *", "Expires: 1").start, "SIP/2.0 400 Bad Request")
    reply = alice.ask("REGISTER")
    check_eq((reply.start, reply["Contact"]), ("SIP/2.0 200 OK", None))
    alice.register()
    alice.cseq -= 2
    alice.register(expires=0, want=500)
    check(alice.contact().split(">")[0] in alice.ask("REGISTER")["Contact"], "still there")


@case
def only_what_is_offered(bench):
    """OPTIONS after a login, with our methods and the applications it named; everything else is refused, nothing with 6xx."""
    gateway = registrar(bench)
    for over in ("udp", "tcp"):
        phone = Phone(bench, gateway.doors[f"sip-{over}"], over=over)
        for method, status in (("OPTIONS", 401), ("MESSAGE", 405), ("SUBSCRIBE", 405), ("INVITE", 405), ("PUBLISH", 405), ("BYE", 481),
                               ("CANCEL", 481), ("FROBNICATE", 501)):
            phone.send(phone.request(method))
            reply = phone.reply()
            check_eq((int(reply.start.split(" ")[1]), reply["Allow"], reply["Allow-Events"]),
                     (status, "OPTIONS, REGISTER, BYE" if status in (405, 501) else None, None), method)
        phone.send(phone.request("ACK"))
        phone.challenge = None
        reply = phone.ask("OPTIONS", f"Contact: {phone.contact()}", "Allow: MESSAGE, INVITE")
        check_eq((reply.start, reply["Allow"]), ("SIP/2.0 200 OK", "OPTIONS, REGISTER, BYE"))
        check_eq(reply["Contact"], f'<sip:push@{DOMAIN}>;+g.oma.pusheventapp="wml.ua,mms.ua"')
    check_eq(gateway.events("target.absent"), [])


@case
def said_again(bench):
    """A request that comes twice gets the same answer twice, octet for octet; without rport it goes to the port that Via names."""
    gateway = registrar(bench)
    phone = Phone(bench, gateway.doors["sip-udp"])
    first = phone.request("REGISTER")
    answers = []
    for _ in range(3):
        phone.send(first)
        answers.append(phone.reply().octets)
    check_eq(len(set(answers)), 1, "challenges")
    phone.register()
    again = phone.request("REGISTER", phone.authorization("REGISTER", f"sip:{DOMAIN}"))
    answers = []
    for _ in range(3):
        phone.send(again)
        answers.append(phone.reply().octets)
    check_eq((len(set(answers)), answers[0].split(b"\r\n")[0]), (1, b"SIP/2.0 200 OK"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        s.settimeout(60)
        request = phone.request("OPTIONS").replace(phone.at.encode(), b"127.0.0.1:%d" % s.getsockname()[1]).replace(b";rport", b"")
        phone.send(request)
        check(b" 401 " in s.recv(65536), "where Via says")


@case
def connections(bench):
    """Pings are answered, messages in pieces taken; who says nothing or nothing good is hung up on, and so is who is one too many."""
    gateway = registrar(bench, conf={"ota-sip.login-timeout": "3s", "ota-http.calls-per-address": "3"})
    door = gateway.doors["sip-tcp"]
    phone = Phone(bench, door, over="tcp")
    for octet in phone.request("REGISTER"):
        phone.send(bytes([octet]))
    check_eq(phone.reply().start, "SIP/2.0 401 Unauthorized")
    phone.register()
    phone.send(b"\r\n\r\n")
    wait_until(lambda: phone.pongs == 1, "a pong")
    for broken in (b"", b"GET / HTTP/1.1\r\n\r\n", b"REGISTER " + b"x" * 20000, phone.request("REGISTER").replace(b"Content-Length: 0", b"X: y"),
                   phone.request("OPTIONS").replace(b"Content-Length: 0", b"Content-Length: 99999999")):
        with socket.create_connection(("127.0.0.1", door)) as s:
            s.settimeout(60)
            s.sendall(broken)
            while s.recv(65536):
                pass
    held = [socket.create_connection(("127.0.0.1", door)) for _ in range(2)]
    with socket.create_connection(("127.0.0.1", door)) as s:
        s.settimeout(60)
        check_eq(s.recv(1), b"", "one too many")
    for s in held:
        s.close()
    delivered(bench, gateway, "p1")
    check_eq(len(phone.messages), 1)


@case
def one_way_or_the_other(bench):
    """A terminal with an OTA-HTTP route that registers too is reached over what works, in one attempt; not where policy forbids it."""
    dead = free_port()
    gateway = registrar(bench, f"[terminal {ALICE}]\nroute = http://127.0.0.1:{dead}\n{LOGIN}[terminal {BOB}]\n"
                        f"route = https://localhost:{dead}\ntls-name = localhost\n{LOGIN}",
                        whitelist=f"allow news {ALICE} *\nallow news {BOB} * protect=full\n")
    phones = [Phone(bench, gateway.doors["sip-udp"], user) for user in ("alice", "bob")]
    for phone in phones:
        phone.register()
    push(bench, gateway, "p1")
    target = gateway.wait_state("p1", "delivered")["targets"][0]
    check_eq((target["code"], target["tries"], len(phones[0].messages)), (1000, 1, 1))
    gateway.check_events(1, "deliver.reroute", bearer="http", next="sip")
    push(bench, gateway, "p2", to=BOB)
    gateway.wait_event("deliver.done", push_id="p2", bearer="http")
    check_eq((phones[1].messages, gateway.show("p2")["targets"][0]["state"]), ([], "pending"))


@case
def by_way_of_a_proxy(bench):
    """A Path of a trusted proxy is the route of pushes (RFC 3327); of anybody else it is nothing, and flows end where no proxy keeps them."""
    proxy = Device(bench)
    path = f"Path: <sip:127.0.0.1:{proxy.port};lr;edge=1>"
    twice = "Via: SIP/2.0/UDP 10.1.1.1:5060;branch=z9hG4bKbehind"
    for trusted in (True, False):
        gateway = registrar(bench, conf={"ota-sip.trusted-peers": "127.0.0.0/8"} if trusted else None)
        edge = Phone(bench, gateway.doors["sip-udp"], via="10.9.9.9:5060")
        edge.register("Supported: path", path, twice)
        delivered(bench, gateway, "p1")
        message = (proxy if trusted else edge).wait(1)[0]
        check_eq((message.start, message["Route"], message["To"]),
                 ("MESSAGE sip:alice@10.9.9.9:5060 SIP/2.0", f"<sip:127.0.0.1:{proxy.port};lr;edge=1>" if trusted else None, f"<{ALICE}>"))
        check_eq((len(proxy.messages), len(edge.messages)), (1, 0) if trusted else (1, 1))
        edge.register("Supported: outbound", path, twice, more=';reg-id=1;+sip.instance="<urn:uuid:1>"', want=439)
        gateway.stop()


@case
def our_own_terminal(bench):
    """push-terminal sip registers here and gets what is pushed, sealed and open, with initiator and trust; the operator sees where it is."""
    make_identity(bench)
    gateway = registrar(bench, f"[terminal {ALICE}]\n{LOGIN}association-file = ../association\n")
    for over in ("udp", "tcp"):
        phone = Terminal(bench, "--record", ALICE, "--registrar", f"sip:127.0.0.1:{gateway.doors['sip-' + over]};transport={over}",
                         "--app", "x-wap-application:wml.ua", "--app", "x-wap-application:mms.ua", "--proof",
                         f"alice@{DOMAIN}:{bench.path('password')}", command="sip")
        check_eq(phone.wait_events(1, "registration")[0]["status"], 200)
        shown = gateway.ctl("--json", "terminal", "show", ALICE)
        contact = json.loads(shown.stdout)["contacts"][0]
        check_eq((contact["contact"], contact["applications"]), (f"sip:terminal@127.0.0.1:{phone.port}", "wml.ua,mms.ua"))
        check("registered" in gateway.ctl("terminal", "list").stdout, gateway.ctl("terminal", "list").stdout)
        delivered(bench, gateway, f"open-{over}", "--app", "x-wap-application:mms.ua")
        delivered(bench, gateway, f"full-{over}", "--protection", "full", "--method", "confirmed")
        first, second = phone.wait_events(3 if over == "tcp" else 2)[-2:]  # the last time's comes first
        check_eq((first["content"], first["proofs"], second["content"], second["protection"], second["proofs"]),
                 (MARK, [], MARK, "full", ["seal"]))
        check(second["trusted"], second)
        check_eq(gateway.ctl("terminal", "disconnect", ALICE).returncode, 0)
        push(bench, gateway, f"late-{over}")
        gateway.wait_event("target.absent", push_id=f"late-{over}")
        phone.kill()


@case
def baresip_registers_here(bench):
    """It logs in with its own Digest and its user reads what is pushed; over TCP the gateway uses the connection that baresip made."""
    gateway = registrar(bench, f"[terminal {ALICE}]\n{LOGIN}form = direct\n", conf={"ota-sip.untagged-ok": "yes", "ota-sip.digest": "md5"})
    for over in ("udp", "tcp"):
        phone = Baresip(bench, f"<sip:alice@{DOMAIN};transport={over}>;auth_user=alice@{DOMAIN};auth_pass={PASSWORD}"
                        f';outbound="sip:127.0.0.1:{gateway.doors["sip-" + over]};transport={over}";regint=600')
        gateway.wait_event("sip.register", status=200, via=over.upper())
        delivered(bench, gateway, over, "--method", "confirmed")
        phone.shows(f'sip:push@{DOMAIN}: "{MARK}"')
        phone.console.close()
        phone.program.stop()
        gateway.ctl("terminal", "disconnect", ALICE)  # it may have taken itself away


@case
def floods(bench):
    """Thousands of REGISTERs from strangers, of guessers, and of connections that hang: who is registered gets its push meanwhile."""
    gateway = registrar(bench, conf={"ota-sip.registered-max": "1", "ota-sip.login-timeout": "2s"})
    phone = Phone(bench, gateway.doors["sip-udp"])
    phone.register()
    other = Phone(bench, gateway.doors["sip-udp"], "bob")
    other.register(want=503)  # no room: nobody is thrown out for it
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", gateway.doors["sip-udp"]))
        s.settimeout(60)
        guess = phone.authorization("REGISTER", f"sip:{DOMAIN}").replace('response="', 'response="0')[:-2] + '"'
        for i in range(3000):
            strange = phone.request("REGISTER", f"Contact: <sip:x{i}@192.0.2.{i % 250}>", *([guess] if i % 2 else [])).replace(b"z9hG4bK", b"z9hG4bKf")
            s.send(strange)
            if i % 50 == 49:
                check(b"SIP/2.0 " in s.recv(65536), "answers")
        held = [socket.create_connection(("127.0.0.1", gateway.doors["sip-tcp"])) for _ in range(50)]
        delivered(bench, gateway, "p1", "--method", "confirmed")
        for c in held:
            c.settimeout(60)
            check_eq(c.recv(1), b"", "hung up on")
            c.close()
    check_eq([e for e in gateway.events("sip.register") if e["status"] == 200 and e["peer"] != "127.0.0.1"], [])
    check_eq(json.loads(gateway.ctl("--json", "terminal", "show", ALICE).stdout)["contacts"][0]["contact"], f"sip:alice@{phone.at}")
    check("contacts" not in json.loads(gateway.ctl("--json", "terminal", "show", BOB).stdout), "bob")


@case
def somebody_elses_client(bench):
    """sipp registers with its own Digest, which is MD5, over UDP and TCP; tshark finds nothing wrong in what it was told."""
    make_identity(bench)
    gateway = registrar(bench, conf={"ota-sip.digest": "md5"})
    for over, mode in (("udp", "u1"), ("tcp", "t1")):
        scenario = bench.write("register.xml", SIPP_REGISTER.format(domain=DOMAIN, password=PASSWORD))
        done = bench.run("/usr/bin/sipp", f"127.0.0.1:{gateway.doors['sip-' + over]}", "-sf", scenario, "-i", "127.0.0.1", "-p",
                         str(free_port()), "-t", mode, "-auth_uri", DOMAIN, "-m", "20", "-l", "5", "-nostdin", "-timeout", "60", timeout_s=90)
        check_eq(done.returncode, 0, done.stdout[-2000:] + done.stderr[-2000:])
    gateway.wait_event("sip.register", count=40, status=200)
    phone = Phone(bench, gateway.doors["sip-udp"])
    seen = [phone.register("Supported: outbound, gruu", algorithm="MD5", more=';reg-id=1;+sip.instance="<urn:uuid:0f8f>"').octets]
    phone.send(phone.request("REGISTER"))
    seen.append(phone.reply().octets)
    seen.append(phone.ask("OPTIONS", algorithm="MD5").octets)
    path = bench.path("wire.pcap")
    pcap.write(path, seen, port=5060)
    for read in pcap.fields(bench, path):
        check("sip.Status-Code" in read and "_ws.malformed" not in read and "_ws.expert" not in read, read.keys())


@case
def by_identity_module(bench):
    """AKAv1-MD5 with a subscriber of the embedded key server: each challenge once, numbers follow AUTS, and another's address is 403."""
    module, other = Module("alice@ims.example"), Module("bob@ims.example")
    aka = "registers = any\ncall-proof = aka\ncall-subscriber = {}@ims.example\n"
    gateway = registrar(bench, f"[terminal {ALICE}]\n{aka.format('alice')}[terminal {BOB}]\n{aka.format('bob')}",
                        conf={"files.subscribers": "subscribers.conf", "key-server.name": DOMAIN}, start=False)
    gateway.write("subscribers.conf", module.section() + other.section())
    gateway.start()
    door = doors(gateway)["sip-udp"]
    phone = Phone(bench, door, login="alice@ims.example")

    def asks(phone, *headers, more="", to=None):
        uri = f"sip:{DOMAIN}"
        login = [phone.authorization("REGISTER", uri) + more] if phone.challenge else []
        phone.send(phone.request("REGISTER", f"Contact: {phone.contact()}", *headers, *login, to=to))
        return phone.reply()

    for first in ([], ['Authorization: Digest username="alice@ims.example", realm="%s", nonce="", uri="sip:%s", response=""' % (DOMAIN, DOMAIN)]):
        phone.challenge = None
        reply = asks(phone, *first)
        check_eq(reply.start, "SIP/2.0 401 Unauthorized")
        check_eq(len(reply.headers.get_all("WWW-Authenticate")), 1)
        check_eq(phone.answer_aka(reply, module), "")
        reply = asks(phone)
        check_eq(reply.start, "SIP/2.0 200 OK", reply.octets)
        check("rspauth=" in reply["Authentication-Info"], reply.octets)
    delivered(bench, gateway, "p1", "--method", "confirmed")
    phone.wait(1)
    reply = asks(phone)
    check_eq(reply.start, "SIP/2.0 401 Unauthorized", "the same answer again")
    module.seen = {i: 1 << 20 for i in range(32)}
    auts = phone.answer_aka(reply, module)
    check(auts, "the module is ahead")
    reply = asks(phone, more=auts)
    check_eq(reply.start, "SIP/2.0 401 Unauthorized", reply.octets)
    check_eq(phone.answer_aka(reply, module), "")
    check_eq(asks(phone).start, "SIP/2.0 200 OK")
    phone.challenge = None
    phone.answer_aka(asks(phone), module)
    phone.password = b"wrong"
    check_eq(asks(phone).start, "SIP/2.0 403 Forbidden")
    thief = Phone(bench, door, "bob", login="bob@ims.example")
    thief.answer_aka(asks(thief), other)
    reply = asks(thief, to=ALICE)
    check_eq(reply.start, "SIP/2.0 403 Forbidden")
    check_eq(thief.status(thief.request("REGISTER", to=ALICE)), 401)


if __name__ == "__main__":
    main("sip_register")
