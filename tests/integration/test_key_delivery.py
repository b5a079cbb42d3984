"""Keys leave and enter inside TLS or wrapped, and no other way: every door, every object, every tool; and what is asked for in
the clear is refused.  SEC_CF-SEC-002.  Usage: test_key_delivery.py BUILD_DIR."""

import base64
import json
import os
import socket
import ssl
import stat

from gateway import ANY_LEVEL, KEY, SAID, Gateway, Terminal, make_identity, pap_push
from gba_model import Module, Ue
from harness import case, check, check_eq, main, wait_until
from terminal import Terminal as FedTerminal

APP = "x-wap-application:sec.prov.ua"
IMPI, NAF = "234150999999999@ims.mnc015.mcc234.3gppnetwork.org", "naf.news.example.com"
MASTER = "00112233445566778899aabbccddeeff" * 2
DOORS = {"key-server.listen-ub": "127.0.0.1:0", "key-server.listen-naf": "127.0.0.1:0",
         "key-server.listen-entities": "127.0.0.1:0", "key-server.cert": "../gateway.crt", "key-server.key": "../gateway.key",
         "key-server.ca": "../ca.crt", "files.subscribers": "subscribers.conf", "files.nafs": "nafs.conf",
         "files.users": "users.conf", "keyring.path": "keys", "keyring.master": "../master"}
NAFS = f"[naf news]\ncertificate = URI:https://news.example.com\nname = {NAF}\nprotocol = digest\n"
PROVISIONED = bytes(range(100, 148))  # SAID and K_s
OBJECT = f'<SecProv version="1"><Keys><Key id="phone" use="association" alg="aes-gcm">{base64.b64encode(PROVISIONED).decode()}</Key></Keys></SecProv>'


def opened(bench, module, **more):
    make_identity(bench)
    bench.write("master", MASTER + "\n", 0o600)
    bench.write("alice.pw", "opensesame\n", 0o600)
    gateway = Gateway(bench, "", "", conf={**DOORS, **more}, start=False)
    gateway.write("subscribers.conf", module.section())
    gateway.write("nafs.conf", NAFS)
    gateway.write("users.conf", "[user alice]\npassword-file = ../alice.pw\n")
    return gateway


def door(gateway, name):
    with open(gateway.path("ports"), encoding="utf-8") as f:
        return int(dict(line.strip().split("=") for line in f)[name].rpartition(":")[2])


def said_to(octets, s):
    """All that the other end says before it closes, which it must."""
    s.settimeout(60)
    got = b""
    try:
        s.sendall(octets)
        while more := s.recv(65536):
            got += more
    except OSError:
        pass
    return got


@case
def doors_are_deaf_in_the_clear(bench):
    """The very requests that get a key inside TLS get no word of HTTP without it, nor does anybody without the certificate
    that the door of NAFs wants."""
    module = Module(IMPI)
    gateway = opened(bench, module).start()
    ue = Ue(module, door(gateway, "ub"), bench.authority[0]).bootstrap()
    question = json.dumps({"btId": ue.btid, "nafId": {"nafFqdn": NAF, "uaSecProtId": "0100000002"}}).encode()
    login = base64.b64encode(b"alice:opensesame").decode()
    requests = {"ub": f'GET / HTTP/1.1\r\nHost: {ue.bsf}\r\nAuthorization: Digest username="{IMPI}", realm="{ue.bsf}", nonce="", uri="/", response=""\r\n\r\n'.encode(),
                "naf": b"POST /nbsp-gba/v1/bootstrapping-info-retrieval HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                       b"Content-Length: %d\r\n\r\n" % len(question) + question,
                "entities": f"POST /sec/v1/entities/phone HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {login}\r\nContent-Length: 0\r\n\r\n".encode()}
    gateway.wait_event("ub.bootstrapped")
    before = {name: len(gateway.events(name)) for name in ("ub.challenge", "zn.key", "entity.assigned")}
    for name, octets in requests.items():
        with socket.create_connection(("127.0.0.1", door(gateway, name)), timeout=60) as s:
            got = said_to(octets, s)
        check(b"HTTP" not in got and len(got) < 100, (name, got))
    context = ssl.create_default_context(cafile=bench.authority[0])
    with socket.create_connection(("127.0.0.1", door(gateway, "naf")), timeout=60) as s:
        try:
            with context.wrap_socket(s, server_hostname="localhost") as tls:
                check_eq(said_to(requests["naf"], tls), b"", "to one without a certificate")
        except OSError:
            pass
    wait_until(lambda: len(gateway.events("net.tls.refused") + gateway.events("net.fault")) >= 3, "somebody noticed")
    check_eq({name: len(gateway.events(name)) for name in before}, before, "something was answered")


@case
def clear_ways_cannot_be_configured(bench):
    """A door for keys without a certificate, a key server that is asked without TLS, and secrets that others may read."""
    gateway = opened(bench, Module(IMPI))
    good = dict(gateway.conf)
    rows = [({}, ""), ({"key-server.cert": None, "key-server.key": None}, "needs cert"), ({"key-server.ca": None}, "needs cert, key and ca"),
            ({"key-server.bsf-url": "http://bsf.example.net", "key-server.bsf-ca": "../ca.crt"}, "not an https URI")]
    for change, says in rows:
        gateway.conf = {**good, **change}
        gateway.write_conf()
        done = bench.run("ppgd", "-c", gateway.path("ppg.conf"), "--check-config")
        check_eq((done.returncode, says in done.stderr), (1 if says else 0, True), (change, done.stderr))
    gateway.conf = good
    gateway.write_conf()
    for path in (gateway.path("subscribers.conf"), bench.path("alice.pw"), bench.path("master"), bench.path("gateway.key")):
        os.chmod(path, 0o644)
        done = bench.run("ppgd", "-c", gateway.path("ppg.conf"), "--check-config")
        check_eq((done.returncode, os.path.basename(path) in done.stderr), (1, True), done.stderr)
        os.chmod(path, 0o600)


@case
def an_object_with_keys_is_sealed_or_stays(bench):
    """It goes out as `full` although nobody asks for that: sealed it shows no key, and where it can be neither sealed nor sent
    inside TLS it is refused with 2005."""
    sealed, bare = Terminal(bench, "--provisioning", bench.path("object")), Terminal(bench, association=False)
    gateway = Gateway(bench, sealed.route("+15550100") + bare.route("+15550101", more=""), ANY_LEVEL)
    submit = ("--text", OBJECT, "--type", "application/xml", "--app", APP, "--initiator-uri", "https://news.example.com/x")
    for more in ((), ("--protection", "none")):
        check_eq(pap_push(bench, gateway, "--to", "+15550100", "--id", f"one{len(more)}", *submit, *more).returncode, 0)
        protection = gateway.wait_state(f"one{len(more)}", "delivered")["targets"][0]["protection"]
        check("level=full" in protection and "conf=gpl" in protection, protection)
        done = pap_push(bench, gateway, "--to", "+15550101", "--id", f"two{len(more)}", *submit, *more)
        check("2005" in done.stdout + done.stderr, done)
    check_eq([e["provisioned"] for e in sealed.wait_events(2)], [1, 1])
    for form in (PROVISIONED, base64.b64encode(PROVISIONED), b"SecProv"):
        check(form not in sealed.wire() + bare.wire(), "a key on the wire")
    gateway.write_conf(protection__ceiling="integrity")
    check_eq(gateway.ctl("reload").returncode, 0)
    gateway.settle()
    done = pap_push(bench, gateway, "--to", "+15550100", "--id", "three", *submit)
    check("2005" in done.stdout + done.stderr, done)


@case
def an_object_in_the_clear_is_not_taken(bench):
    """Whoever sends it: a terminal takes keys from what was sealed, or came inside TLS from who proved itself, alone."""
    fed = FedTerminal(bench, "--provisioning", bench.path("object"))
    status, event = fed.push(OBJECT.encode(), "application/xml", **{"X-Wap-Application-Id": APP, "X-Wap-Push-Info": "authenticated, trusted"})
    check_eq((event["event"], event["reason"], os.path.exists(bench.path("object"))), ("dropped", "untrusted", False), status)


@case
def the_operators_way_in_is_the_owners(bench):
    """Keys enter by a socket that nobody else may open; what comes back names them and shows none; a first key leaves in a
    package that is of no use without its code."""
    make_identity(bench)
    bench.write("master", MASTER + "\n", 0o600)
    gateway = Gateway(bench, "", conf={"keyring.path": "keys", "keyring.master": "../master"})
    mode = os.stat(gateway.path("admin.sock")).st_mode
    check(stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600, oct(mode))
    told = gateway.ctl("--json", "key", "import", "phone", "--file", bench.path("association")).stdout
    made = json.loads(gateway.ctl("--json", "key", "add", "new", "--kind", "association", "--package", bench.path("package")).stdout)
    check_eq(bench.run("push-terminal", "activate", "--package", bench.path("package"), "--code", made["code"], "--out",
                       bench.path("own")).returncode, 0)
    with open(bench.path("own"), encoding="ascii") as f:
        secret = dict(line.strip().split(" = ") for line in f)["key"]
    with open(bench.path("package"), "rb") as f:
        package = f.read()
    shown = told + json.dumps(made) + gateway.ctl("--json", "key", "list").stdout + gateway.ctl("--json", "sa", "list").stdout
    for text in (KEY, secret):
        octets = bytes.fromhex(text)
        check(SAID in shown and text not in shown and base64.b64encode(octets).decode() not in shown, "an answer shows a key")
        check(octets not in package and text.encode() not in package, "the package shows a key")
    done = bench.run("push-terminal", "activate", "--package", bench.path("own"), "--code", made["code"], "--out", bench.path("x"))
    check_eq((done.returncode, os.path.exists(bench.path("x"))), (2, False), "a key in the clear was taken for a package")


main("key_delivery")
