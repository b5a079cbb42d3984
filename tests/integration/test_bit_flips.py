"""Somebody between two ends changes bits: whatever interface it is, nothing of what was changed counts.  SEC_CF-INTE-001.
Sealed messages and push info: test_bootstrap.py.  Usage: test_bit_flips.py BUILD_DIR."""

import http.client
import json
import ssl

from flip import TO_CLIENT, TO_SERVER, Flip
from gateway import ANY_LEVEL, INITIATORS, Ear, Gateway, Terminal, as_news, curl, good_push, make_identity, mime
from gba_model import DIGEST, Module, Ue
from harness import Failure, case, check, check_eq, main, wait_until, wait_until

MARK = "what nobody changes"
PHONE, NAF, NAME = "+15550100", "naf.news.example.com", "ppg.example.net"
KEYS = "/nbsp-gba/v1/bootstrapping-info-retrieval"
DOORS = {"key-server.listen-ub": "127.0.0.1:0", "key-server.listen-naf": "127.0.0.1:0",
         "key-server.listen-entities": "127.0.0.1:0", "key-server.cert": "../gateway.crt", "key-server.key": "../gateway.key",
         "key-server.ca": "../ca.crt", "key-server.name": "km.operator.example",
         "key-server.bsf-name": "bsf.ppg.example.net", "files.subscribers": "subscribers.conf", "files.nafs": "nafs.conf",
         "files.users": "users.conf", "keyring.path": "keys", "keyring.master": "../master"}
NAFS = f"[naf news]\ncertificate = URI:https://news.example.com\nname = {NAF}\nprotocol = digest\nprotocol = push\npush = yes\n"
PROXY = "[auth-proxy ap]\ncertificate = DNS:ap.example\nnetwork = 127.0.0.1\n[initiator alice]\nasserted-identity = sip:alice@example.com\n"
RETRIES = 8  # of a notification
BROKEN = (OSError, http.client.HTTPException, ssl.SSLError)  # what a client says of a connection that was spoilt


def door(gateway, name):
    with open(gateway.path("ports"), encoding="utf-8") as f:
        return int(dict(line.strip().split("=") for line in f)[name].rpartition(":")[2])


def tls_terminal(bench, *options):
    make_identity(bench)
    cert, key = bench.certificate(bench.authority, "phone")
    return Terminal(bench, "--cert", cert, "--key", key, "--ca", bench.authority[0], *options, association=False)


@case
def submissions(bench):
    """Of an initiator, and of one for whom an authentication proxy speaks: the push is taken as it was sent, or not at all."""
    phone = tls_terminal(bench)
    gateway = Gateway(bench, phone.route(PHONE, "https", ""), "allow * +1555* *\n", INITIATORS + PROXY)
    ap = bench.certificate(bench.authority, "ap", "DNS:ap.example")
    proxied = ("--cert", ap[0], "--key", ap[1], "-H", 'X-3GPP-Asserted-Identity: "sip:alice@example.com"')
    taken, count = [], 0
    for options, who in ((as_news(bench), "news"), (proxied, "alice")):
        flip = Flip(bench, gateway.tls_port)

        def attempt():
            nonlocal count
            count += 1
            try:
                answer = curl(bench, f"https://localhost:{flip.port}/pap", mime(push_id=f"{who}{count}", content=MARK), *options)
            except Failure:
                return False
            check_eq((answer.code, answer.push_id), (1001, f"{who}{count}"))
            taken.append(f"{who}{count}")
            return True

        check(flip.every_record(attempt) >= 3, "a changed record was taken")
    for push_id in taken:
        check_eq(gateway.wait_state(push_id, "delivered")["initiator"], push_id.rstrip("0123456789"))
    check_eq({e["content"] for e in phone.events()}, {MARK})
    wait_until(lambda: gateway.events("net.fault") or gateway.events("net.tls.refused"), "somebody noticed")


def plan_of(flip):
    """Every record of the last connection."""
    return [(way, record) for way in (TO_SERVER, TO_CLIENT) for record in range(flip.passed[way])]


def spoil_each(flip, again, most=99):
    """again() makes the gateway connect and succeed at last; each of its connections has another record changed."""
    plan = plan_of(flip)[:most]
    flip.plan = list(plan)
    again()
    check(flip.count >= len(plan) - 2, (flip.count, plan))


@case
def deliveries(bench):
    """Between gateway and terminal, both ways: the terminal gets the one push as it was, once."""
    phone = tls_terminal(bench)
    flip = Flip(bench, phone.port)
    gateway = Gateway(bench, phone.route(PHONE, "https", "", flip.port), ANY_LEVEL,
                      conf={"delivery.retry-first": "20ms", "delivery.retry-max": "20ms"})
    gateway.wait_state(good_push(bench, gateway, content="first " + MARK), "delivered")
    plan, sent = plan_of(flip), ["first " + MARK]
    while len(sent) <= len(plan) and (left := [target for target in plan if target not in flip.hit]):
        phone.kill()  # and with it what sessions are resumed by: the next handshake is whole
        phone.start()
        flip.plan = left
        sent.append(f"{MARK} {len(sent)}")
        gateway.wait_state(good_push(bench, gateway, content=sent[-1]), "delivered")
    check(len(flip.hit) >= len(plan) - 2, (flip.hit, plan))
    check_eq([e["content"] for e in phone.events()], sent)
    check_eq(phone.events("dropped"), [])


@case
def notifications(bench):
    gateway = Gateway(bench, "[terminal +15550100]\nroute = http://127.0.0.1:9\n", ANY_LEVEL,
                      conf={"notify.ca": "../ca.crt", "notify.retries": ", ".join(["20ms"] * RETRIES), "delivery.retry-first": "1h",
                            "delivery.retry-max": "1h"})
    ear = Ear(bench, "--cert", bench.path("gateway.crt"), "--key", bench.path("gateway.key"))
    flip = Flip(bench, ear.port)
    url = ear.url.replace(str(ear.port), str(flip.port)).replace("127.0.0.1", "localhost")

    def ended(push_id):
        good_push(bench, gateway, push_id=push_id, attributes={"ppg-notify-requested-to": url})
        wait_until(lambda: gateway.ctl("push", "cancel", "--initiator", "news", push_id).returncode == 0, "no attempt under way")

    ended("whole")
    check_eq(ear.wait_heard(1)[0]["push_id"], "whole")
    wait_until(lambda: gateway.show("whole")["targets"][0]["notification"] == "told", "the gateway to know it, or it would tell it again")
    gateway.kill()  # and with it the connection
    gateway.start()
    spoil_each(flip, lambda: (ended("spoilt"), ear.wait_heard(2)), RETRIES - 1)
    check_eq({(n["push_id"], n["state"]) for n in ear.wait_heard(2)}, {("whole", "cancelled"), ("spoilt", "cancelled")})


def key_server(bench, subscribers, nafs=NAFS):
    make_identity(bench)
    bench.write("master", "00112233445566778899aabbccddeeff" * 2 + "\n", 0o600)
    bench.write("alice.pw", "opensesame\n", 0o600)
    gateway = Gateway(bench, "", "", conf=DOORS, start=False)
    gateway.write("subscribers.conf", subscribers)
    gateway.write("nafs.conf", nafs)
    gateway.write("users.conf", "[user alice]\npassword-file = ../alice.pw\n")
    return gateway.start()


def asked(bench, port, path, question, **headers):
    """Status and JSON of a request with the initiator's certificate; None when the connection was spoilt."""
    context = ssl.create_default_context(cafile=bench.authority[0])
    context.load_cert_chain(bench.path("news.crt"), bench.path("news.key"))
    link = http.client.HTTPSConnection("localhost", port, timeout=60, context=context)
    try:
        link.request("POST", path, json.dumps(question).encode(), {"Content-Type": "application/json", **headers})
        answer = link.getresponse()
        return answer.status, json.loads(answer.read())
    except BROKEN:
        return None
    finally:
        link.close()


@case
def bootstrapping(bench):
    """Between terminal and key server: whoever gets a key gets the right one."""
    modules = [Module(f"sim{n}@operator.example") for n in range(24)]
    gateway = key_server(bench, "".join(m.section() for m in modules))
    flip, left = Flip(bench, door(gateway, "ub")), list(modules)

    def attempt():
        try:
            return Ue(left.pop(), flip.port, bench.authority[0]).bootstrap() is not None
        except BROKEN:
            return False

    check(flip.every_record(attempt) >= 3, "a changed record was taken")


@case
def keys_for_others(bench):
    """Between a NAF and the key server (Zn): the right key, or none."""
    module = Module("sim@operator.example")
    gateway = key_server(bench, module.section())
    ue = Ue(module, door(gateway, "ub"), bench.authority[0]).bootstrap()
    flip = Flip(bench, door(gateway, "naf"))
    question = {"btId": ue.btid, "nafId": {"nafFqdn": NAF, "uaSecProtId": DIGEST.hex()}}

    def attempt():
        got = asked(bench, flip.port, KEYS, question)
        check(got is None or (got[0], got[1]["meKeyMaterial"]) == (200, ue.ks_naf(NAF, DIGEST).hex()), "another key")
        return got is not None

    check(flip.every_record(attempt) >= 3, "a changed record was taken")


@case
def push_info_from_afar(bench):
    """Between the gateway and a far BSF: what arrives changed makes no association, and the push waits for a good one."""
    module = Module("234150999999999@ims.example", bytes.fromhex("465b5ce8b199b49faa5f0a2ee238a6bc"),
                    bytes.fromhex("cd63cb71954a9f4e48a5994e37a02baf"))
    bsf = key_server(bench, module.section(f"identity = {PHONE}\n"), NAFS.replace(NAF, NAME))
    flip = Flip(bench, door(bsf, "naf"))
    card = bench.write("module", f"impi = {module.impi}\nk = {module.k.hex()}\nopc = {module.opc.hex()}\ngateway = {NAME}\n", 0o600)
    phone = Terminal(bench, "--require", "full", "--module", card, association=False)
    gateway = Gateway(bench, phone.route(PHONE, more=""), conf={
        "key-server.bsf-url": f"https://localhost:{flip.port}", "key-server.bsf-ca": "../ca.crt", "key-server.cert": "../news.crt",
        "key-server.key": "../news.key", "key-server.name": NAME, "keyring.path": "keys", "keyring.master": "../master"})
    flip.plan = [(TO_SERVER, 0), (TO_SERVER, 1), (TO_CLIENT, 0), (TO_CLIENT, 1)]
    gateway.wait_state(good_push(bench, gateway, content=MARK), "delivered")
    check_eq([(e["content"], e["associated"], e["protection"]) for e in phone.wait_events(1)], [(MARK, True, "full")])
    check(flip.count >= 3, flip.count)
    gateway.wait_event("bsf.away")
    gateway.check_events(1, "sa.made")


main("bit_flips")
