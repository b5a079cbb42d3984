"""Terminals that register at the gateway itself over SIP, and pushes to where they are.  Usage: test_sip_register.py BUILD_DIR."""

import ssl

from gateway import Gateway, make_identity, pap_push
from harness import case, check, check_eq, main, wait_until
from siphone import DOMAIN, Phone
from sipnet import MARK

ALICE = f"sip:alice@{DOMAIN}"
BOB = f"sip:bob@{DOMAIN}"
OPEN = f"allow news sip:*@{DOMAIN} *\n"
LISTEN = {"ota-sip.listen-udp": "127.0.0.1:0", "ota-sip.listen-tcp": "127.0.0.1:0", "ota-sip.identity": f"sip:push@{DOMAIN}",
          "ota-http.listen-tls": None}
LOGIN = "registers = any\ncall-proof = digest\ncall-password-file = ../password\n"


def registrar(bench, terminals=f"[terminal {ALICE}]\n{LOGIN}[terminal {BOB}]\n{LOGIN}", whitelist=OPEN, conf=None, **more):
    """A gateway and its doors: {"sip-udp": port ...}."""
    gateway = Gateway(bench, terminals, whitelist=whitelist, conf={**LISTEN, **(conf or {})}, **more)
    with open(gateway.path("ports"), encoding="utf-8") as f:
        gateway.doors = {line.split("=")[0]: int(line.rpartition(":")[2]) for line in f.read().split()}
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
    gateway = registrar(bench, conf={"pap.digest-md5": "yes"})
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


if __name__ == "__main__":
    main("sip_register")
