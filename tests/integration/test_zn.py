"""Other NAFs at the key service: keys by B-TID (Zn) and push info (Zpn), JSON over mutual TLS, checked against the model
(gba_model.py).  TS 29.309.  Usage: test_zn.py BUILD_DIR."""

import datetime
import hashlib
import hmac
import json
import os
import subprocess

from gateway import Gateway, make_identity
from gba_model import DIGEST, GPL, Module, Ue, kdf
from harness import case, check, check_eq, main

IMPI, PHONE = "234150999999999@ims.mnc015.mcc234.3gppnetwork.org", "+15550100"
NAF = "naf.news.example.com"
KEYS, PUSH = "/nbsp-gba/v1/bootstrapping-info-retrieval", "/nbsp-gba/v1/push-info-retrieval"
NAFS = f"""[naf news]
certificate = URI:https://news.example.com
name        = {NAF}
protocol    = digest
protocol    = tls
protocol    = push
push        = yes
identity    = yes
lifetime    = 1h
[naf quiet]
certificate = DNS:quiet.example.com
name        = quiet.example.com
protocol    = digest
protocol    = push
"""
CONF = {"key-server.listen-ub": "127.0.0.1:0", "key-server.listen-naf": "127.0.0.1:0", "key-server.cert": "../gateway.crt",
        "key-server.key": "../gateway.key", "key-server.ca": "../ca.crt", "files.subscribers": "subscribers.conf",
        "files.nafs": "nafs.conf"}


def opened(bench, module, **conf):
    make_identity(bench)
    bench.certificate(bench.authority, "quiet", "DNS:quiet.example.com")
    bench.certificate(bench.authority, "stranger", "DNS:stranger.example.com")
    gateway = Gateway(bench, "", "", conf={**CONF, **conf}, start=False)
    gateway.write("subscribers.conf", module.section(f"identity = {PHONE}\n"))
    gateway.write("nafs.conf", NAFS)
    return gateway.start()


def port(gateway, door):
    with open(gateway.path("ports"), encoding="utf-8") as f:
        return int(dict(line.strip().split("=") for line in f)[door].rpartition(":")[2])


def bootstrapped(bench, gateway, module):
    return Ue(module, port(gateway, "ub"), bench.authority[0]).bootstrap()


def ask(bench, gateway, path, question, who="news", *options):
    """Status and answer."""
    cert = ("--cert", bench.path(f"{who}.crt"), "--key", bench.path(f"{who}.key")) if who else ()
    text = question if isinstance(question, str) else json.dumps(question)
    done = subprocess.run(
        ["curl", "-sS", "--max-time", "50", "--cacert", bench.authority[0], *cert, "-H", "Content-Type: application/json", "-w",
         "\n%{http_code}", "--data-binary", text, *options, f"https://localhost:{port(gateway, 'naf')}{path}"],
        capture_output=True, text=True, timeout=60, check=False)
    body, _, status = done.stdout.rpartition("\n")
    return int(status or 0), json.loads(body) if body.startswith("{") else body


def naf_id(fqdn=NAF, ua=DIGEST):
    return {"nafFqdn": fqdn, "uaSecProtId": ua.hex()}


def key_question(btid, **more):
    return {"btId": btid, "nafId": naf_id(), **more}


def push_question(**more):
    return {"ueId": "tel:" + PHONE, "ueIdType": "PUBLIC", "uiccAppLabel": "USIM", "nafId": naf_id(ua=GPL), "ptId": "0102030405060708",
            "uiccOrMe": "GBA_ME", "requestedLifeTime": "2099-01-01T00:00:00Z", **more}


def hours_left(text):
    ends = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)
    return (ends - datetime.datetime.now(datetime.timezone.utc)).total_seconds() / 3600


def log_has_no_secret(gateway, *secrets):
    for secret in secrets:
        check(secret not in gateway.said(), "a key in the log")


@case
def keys_by_btid(bench):
    module = Module(IMPI)
    gateway = opened(bench, module)
    ue = bootstrapped(bench, gateway, module)
    for ua in (DIGEST, bytes.fromhex("01000100aa"), bytes.fromhex("010001c02b")):
        status, got = ask(bench, gateway, KEYS, key_question(ue.btid, nafId=naf_id(ua=ua), gbaUAware=True))
        check_eq((status, got["meKeyMaterial"], got["impi"], got["gbaType"]), (200, ue.ks_naf(NAF, ua).hex(), IMPI, "3G_GBA"))
        check("uiccKeyMaterial" not in got, "a module that holds no keys")
        check(0.9 < hours_left(got["keyExpiryTime"]) <= 1, "the NAF's own ceiling")
        log_has_no_secret(gateway, got["meKeyMaterial"])
    status, got = ask(bench, gateway, KEYS, key_question(ue.btid, nafId=naf_id("quiet.example.com")), "quiet")
    check_eq((status, got["meKeyMaterial"]), (200, ue.ks_naf("quiet.example.com", DIGEST).hex()))
    check("impi" not in got, "not told to everybody")
    gateway.check_events(4, "zn.key")


@case
def who_may_ask_for_what(bench):
    """A foreign NAF_Id, protocol or certificate is refused, and the log says so."""
    module = Module(IMPI)
    gateway = opened(bench, module)
    ue = bootstrapped(bench, gateway, module)
    good = key_question(ue.btid)
    refused = [(KEYS, key_question(ue.btid, nafId=naf_id("quiet.example.com")), "news"),
               (KEYS, key_question(ue.btid, nafId=naf_id("ppg.example.net")), "news"),
               (KEYS, key_question(ue.btid, nafId=naf_id(ua=bytes.fromhex("0100000007"))), "news"),
               (PUSH, push_question(nafId=naf_id("quiet.example.com", GPL)), "quiet"),
               (PUSH, push_question(nafId=naf_id("ppg.example.net", GPL)), "news")]
    for path, question, who in refused:
        status, got = ask(bench, gateway, path, question, who)
        check_eq((status, got["status"]), (403, 403), (path, question))
    gateway.check_events(len(refused), "zn.refused", status=403)
    check_eq(ask(bench, gateway, KEYS, good, "stranger")[0], 403)
    gateway.check_events(1, "zn.stranger")
    check_eq(ask(bench, gateway, KEYS, good, None)[0], 0, "no certificate, no TLS")
    check_eq(ask(bench, gateway, "/nbsp-gba/v1/other", good)[0], 404)
    check_eq(ask(bench, gateway, KEYS, good, "news", "-X", "PUT")[0], 405)
    check_eq(ask(bench, gateway, KEYS, good)[0], 200)


@case
def bad_questions(bench):
    module = Module(IMPI)
    gateway = opened(bench, module)
    ue = bootstrapped(bench, gateway, module)
    for text in ("", "{", "[]", "{}", json.dumps(key_question("")), json.dumps({"btId": ue.btid}), "\xff", "{" * 5000):
        check_eq(ask(bench, gateway, KEYS, text)[0], 400, text[:40])
    check_eq(ask(bench, gateway, KEYS, "x" * 20000)[0], 413)
    check_eq(ask(bench, gateway, KEYS, "x" * 20000, "news", "-H", "Transfer-Encoding: chunked")[0], 413, "without saying how much")
    for field, value in (("ueIdType", "OTHER"), ("ptId", "xy"), ("uiccOrMe", ""), ("requestedLifeTime", "soon"), ("auts", "00")):
        check_eq(ask(bench, gateway, PUSH, push_question(**{field: value}))[0], 400, field)
    other = ue.btid
    ue.bootstrap()
    for btid in (other, "AAAAAAAAAAAAAAAAAAAAAA==@" + ue.bsf, "nonsense"):
        check_eq(ask(bench, gateway, KEYS, key_question(btid))[0], 404, btid)
    check_eq(ask(bench, gateway, PUSH, push_question(ueId="tel:+19990000"))[0], 404)
    check_eq(ask(bench, gateway, PUSH, push_question(requestedLifeTime="2020-01-01T00:00:00Z"))[0], 403)
    check_eq(ask(bench, gateway, PUSH, push_question(uiccOrMe="GBA_U"))[0], 403)


def opened_gpi(module, octets):
    """Ks_NAF, when the module takes it; else its AUTS."""
    rand, autn = octets[1:17], octets[17:33]
    m, auts = module.run(rand, autn)
    if auts:
        return None, auts
    ks_naf = kdf(m.ck + m.ik, 0x01, b"gba-me", rand, module.impi.encode(), NAF.encode() + GPL)
    mac = hmac.new(kdf(ks_naf, 0xF0, b"gpi-int", rand), octets[:-16], hashlib.sha256).digest()[:16]
    check_eq(octets[-16:], mac, "MAC of the GPI")
    return ks_naf, None


@case
def push_info(bench):
    """What a module opens, by public and by private identity; each from a number of its own; followed when it is ahead."""
    module = Module(IMPI)
    gateway = opened(bench, module)
    for more in ({}, {"ueId": IMPI, "ueIdType": "PRIVATE"}, {"privateIdRequest": True}):
        status, got = ask(bench, gateway, PUSH, push_question(**more))
        check_eq(status, 200, got)
        check_eq(opened_gpi(module, bytes.fromhex(got["gbaPushInfo"]))[0].hex(), got["meKeyMaterial"], "key")
        check_eq(got.get("impi"), IMPI if "privateIdRequest" in more else None)
        check(0.9 < hours_left(got["keyExpiryTime"]) <= 1, "lifetime")
        log_has_no_secret(gateway, got["meKeyMaterial"], got["gbaPushInfo"])
    gateway.kill()
    gateway.start()
    _, got = ask(bench, gateway, PUSH, push_question())
    check(opened_gpi(module, bytes.fromhex(got["gbaPushInfo"]))[0], "fresh after a crash")
    module.seen[1] += 1000
    _, got = ask(bench, gateway, PUSH, push_question())
    octets = bytes.fromhex(got["gbaPushInfo"])
    _, auts = opened_gpi(module, octets)
    check(auts, "it is ahead")
    check_eq(ask(bench, gateway, PUSH, push_question(rand=octets[1:17].hex(), auts=os.urandom(14).hex()))[0], 403, "another's AUTS")
    status, got = ask(bench, gateway, PUSH, push_question(rand=octets[1:17].hex(), auts=auts.hex()))
    check_eq(status, 200, got)
    check_eq(opened_gpi(module, bytes.fromhex(got["gbaPushInfo"]))[0].hex(), got["meKeyMaterial"], "followed")


@case
def bad_configurations_are_told(bench):
    module = Module(IMPI)
    make_identity(bench)
    gateway = Gateway(bench, "", "", conf=CONF, start=False)
    gateway.write("subscribers.conf", module.section())
    rows = [("", NAFS), ("needs cert, key and ca", {"key-server.ca": None}), ("needs nafs", {"files.nafs": None}),
            ("needs subscribers", {"files.subscribers": None}),
            ("belongs to another NAF", NAFS + NAFS.replace("[naf news]", "[naf b]").replace("[naf quiet]", "[naf c]")),
            ("not a domain name", NAFS.replace(NAF, "Naf/x")), ("10 hexadecimal digits", NAFS.replace("= tls", "= ssl")),
            ("certificate", NAFS.replace("URI:", "CN:")), ("lifetime", NAFS.replace("1h", "1s")),
            ("gateway's own", NAFS.replace(NAF, "ppg.example.net")), ("protocol", NAFS.replace("protocol", "protocoll"))]
    for says, change in rows:
        kept = dict(gateway.conf)
        gateway.write("nafs.conf", change if isinstance(change, str) else NAFS)
        gateway.conf.update(change if isinstance(change, dict) else {})
        gateway.write_conf()
        done = bench.run("ppgd", "-c", gateway.path("ppg.conf"), "--check-config")
        check_eq((done.returncode, says in done.stderr + done.stdout), (1 if says else 0, True), (says, done.stderr))
        gateway.conf = kept


main("zn")
