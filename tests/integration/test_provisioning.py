"""Terminals that are provisioned with one object (SEC_CF B.5, B.8): pushed to them sealed, or in the file they start with.
Usage: test_provisioning.py BUILD_DIR."""

import base64
import hashlib
import os

from gateway import ANY_LEVEL, Gateway, Relay, Terminal, make_identity, pap_push
from harness import case, check, check_eq, main, wait_until

APP = "x-wap-application:sec.prov.ua"
KEY = bytes(range(48))  # SAID and K_s


def text(version, *inside):
    return f'<SecProv version="{version}">{"".join(inside)}</SecProv>'


def white(*servers, initiators=()):
    return ("<WhiteList>" + "".join(f'<Ppg uri="{s}"/>' for s in servers) + "".join(f'<Initiator uri="{i}"/>' for i in initiators)
            + "</WhiteList>")


def association(octets=KEY):
    return f'<Keys><Key id="phone" use="association" alg="aes-gcm">{base64.b64encode(octets).decode()}</Key></Keys>'


def der(bench, *command):
    """What openssl writes as DER, in base64."""
    path = bench.path("der")
    bench.tool(*command, "-outform", "DER", "-out", path)
    with open(path, "rb") as f:
        return base64.b64encode(f.read()).decode()


def push(bench, gateway, content, *options):
    """Accepted; its id."""
    gateway.pushed = getattr(gateway, "pushed", 0) + 1
    done = pap_push(bench, gateway, "--to", "+15550100", "--text", content, "--id", f"p{gateway.pushed}", "--protection", "full",
                    "--initiator-uri", "https://news.example.com/today", *options)
    check_eq(done.returncode, 0, done.stdout + done.stderr)
    return f"p{gateway.pushed}"


def provision(bench, gateway, document):
    return push(bench, gateway, document, "--type", "application/xml", "--app", APP)


@case
def pushed_confirmed_and_kept(bench):
    """UC-B.8-1, UC-B.8-3: the lists of an object that came sealed hold from the next push on, its hash is in the answer, and
    it is what the terminal starts with; in the open it is nothing."""
    make_identity(bench)
    kept = bench.path("provisioned")
    phone = Terminal(bench, "--provisioning", kept, "--require", "integrity")
    relay = Relay(bench, phone.port)
    gateway = Gateway(bench, phone.route("+15550100", port=relay.port), ANY_LEVEL)
    first = text(1, white("127.0.0.1", initiators=["https://news.example.com/*"]), association())
    gateway.wait_state(provision(bench, gateway, first), "delivered")
    event = phone.wait_events(1)[0]
    check_eq((event["provisioned"], event["sha256"], event["app_id"]), (1, hashlib.sha256(first.encode()).hexdigest(), APP))
    check(f"X-Push-Provisioned: 1; sha-256={event['sha256']}".encode() in relay.seen, "the answer does not confirm it")
    with open(kept, encoding="utf-8") as f:
        check_eq(f.read(), first)
    check_eq(os.stat(kept).st_mode & 0o777, 0o600)
    check(base64.b64encode(KEY).decode() not in phone.program.out() + phone.program.err(), "its key is shown")
    gateway.wait_state(push(bench, gateway, "still"), "delivered")
    older = provision(bench, gateway, text(1, white("127.0.0.1")))
    check_eq(phone.wait_events(1, "dropped")[-1]["reason"], "provisioning")
    gateway.wait_state(older, "aborted")
    second = text(2, white("ppg.example.net"))
    gateway.wait_state(provision(bench, gateway, second), "delivered")
    for run in range(2):
        push(bench, gateway, "not any more")
        wait_until(lambda: [e["reason"] for e in phone.events("dropped")].count("server") > run, "a refusal of the gateway")
        phone.kill()
        phone.start()
    check_eq([e.get("provisioned") for e in phone.events()], [1, None, 2])


@case
def whole_identity_from_one_file(bench):
    """UC-B.5-3, UC-B.8-3: authorities, certificate and key, whom to believe and the key of an association, from the object in
    the file that a terminal starts with."""
    ca = make_identity(bench)
    cert, key = bench.certificate(ca, "phone")
    object_ = text(
        7, "<Certs>", f'<Cert id="root" purpose="ca">{der(bench, "openssl", "x509", "-in", ca[0])}</Cert>',
        f'<Cert id="me" purpose="client">{der(bench, "openssl", "x509", "-in", cert)}</Cert></Certs>',
        white("ppg.example.net"), association()[:-len("</Keys>")],
        f'<Key id="me" use="client" alg="pkcs8">{der(bench, "openssl", "pkcs8", "-topk8", "-nocrypt", "-in", key)}</Key></Keys>')
    path = bench.write("object", object_, 0o600)
    phone = Terminal(bench, "--provisioning", path, "--require", "full", association=False)
    keyed = bench.write("keyed", f"said = {KEY[:16].hex()}\nkey = {KEY[16:].hex()}\nsuites = aes-gcm\nexpires = never\n", 0o600)
    gateway = Gateway(bench, phone.route("+15550100", "https", more=f"association-file = {keyed}\n"), ANY_LEVEL,
                      conf={"protection.message": "always", "protection.floor": "full"})
    gateway.wait_state(push(bench, gateway, "Hello"), "delivered")
    event = phone.wait_events(1)[0]
    check_eq((event["content"], event["server"], event["server_proved"], event["suite"], event["protection"]),
             ("Hello", "ppg.example.net", True, "aes-gcm", "full"))
    rows = ((0o644, object_, "is open to others"), (0o600, object_.replace("SecProv", "Other"), "not known there"),
            (0o600, object_[:-5], "not well-formed"), (0o600, "x" * 70000, ""))
    for mode, document, said in rows:
        done = bench.run("push-terminal", "listen", "--bind", "127.0.0.1:0", "--provisioning", bench.write("other", document, mode))
        check_eq((done.returncode, said in done.stderr), (2, True), done.stderr)


main("provisioning")
