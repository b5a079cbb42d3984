"""What stays untold: anonymous initiators, and the names that terminals have from bootstrapping (SEC_CF 1.1, 3.2).
Usage: test_privacy.py BUILD_DIR."""

import base64

from gateway import ANY_LEVEL, INITIATORS, Gateway, Terminal, curl, good_push, make_identity, mime
from gba_model import Module, Ue
from harness import case, check, check_eq, main

IMPI = "234150999999999@ims.mnc015.mcc234.3gppnetwork.org"
FQDN = "ppg.example.net"
PEOPLE = {"X-Wap-Initiator-URI": "https://news.example.com/alice", "From": "alice@news.example.com",
          "X-3GPP-Asserted-Identity": '"sip:alice@news.example.com"', "X-Colour": "blue"}


def told(bench, anonymous, **headers):
    """What a terminal is told of a push of that account: the event, and the octets."""
    phone = Terminal(bench)
    initiators = INITIATORS.replace("trusted       = yes", f"trusted = yes\nanonymous = {anonymous}")
    gateway = Gateway(bench, phone.route("+15550100"), ANY_LEVEL, initiators)
    good_push(bench, gateway, name="bare", headers={"Content-Type": "text/plain", **PEOPLE, **headers})
    return phone.wait_events(1)[0], phone.wire(), gateway


@case
def an_anonymous_initiator_is_not_named(bench):
    """No identity header reaches the terminal, sealed or not; other headers and the trust of the gateway do."""
    event, wire, _ = told(bench, "no")
    check_eq(event["initiator_uri"], PEOPLE["X-Wap-Initiator-URI"])
    check(b"alice@news.example.com" in wire and b"X-Colour: blue" in wire, "one that is not anonymous is named")
    event, wire, gateway = told(bench, "yes")
    check_eq((event["initiator_uri"], event["authenticated"]), ("", False))
    check(b"news.example.com" not in wire and b"alice" not in wire, wire)
    check(b"X-Colour: blue" in wire, "the rest travels")
    check("alice" not in gateway.said(), "nor in the log")
    check('"anonymous": true' in gateway.ctl("--json", "initiator", "show", "news").stdout, "operators see that it is")
    event, wire, _ = told(bench, "yes", **{"X-Push-Protection": "full"})
    check_eq((event["initiator_uri"], event["authenticated"], event["trusted"]), ("", False, True), "inside a seal")


@case
def an_anonymous_initiator_is_still_judged_by_what_it_claims(bench):
    """The whitelist sees the URI that the terminal does not."""
    phone = Terminal(bench)
    initiators = INITIATORS.replace("trusted       = yes", "anonymous = yes")
    gateway = Gateway(bench, phone.route("+15550100"), "deny news +1555* * uri=https://news.example.com/alice\n" + ANY_LEVEL, initiators)
    refused = curl(bench, gateway.tls_url, mime(name="bare", push_id="no", headers={"Content-Type": "text/plain", **PEOPLE}),
                   "--cert", bench.path("news.crt"), "--key", bench.path("news.key"))
    check_eq(refused.code, 2001)
    good_push(bench, gateway, name="bare", headers={"Content-Type": "text/plain", "X-Wap-Initiator-URI": "https://news.example.com/bob"})
    check_eq(phone.wait_events(1)[0]["initiator_uri"], "")


@case
def a_bootstrapped_name_is_in_no_log(bench):
    """B-TID and IMPI, in full, whether the login is good or not."""
    make_identity(bench)
    phone, module = Terminal(bench, association=False), Module(IMPI)
    gateway = Gateway(bench, phone.route("+15550100", more=""), "allow subscriber +1555* *\n",
                      f"[initiator subscriber]\nsubscriber = {IMPI}\n",
                      {"key-server.listen-ub": "127.0.0.1:0", "key-server.cert": "../gateway.crt", "key-server.key": "../gateway.key",
                       "files.subscribers": "subscribers.conf", "key-server.name": FQDN}, start=False)
    gateway.write("subscribers.conf", module.section())
    gateway.start()
    with open(gateway.path("ports"), encoding="utf-8") as f:
        port = int(dict(line.strip().split("=") for line in f)["ub"].rpartition(":")[2])
    ue = Ue(module, port, bench.authority[0]).bootstrap()
    key = base64.b64encode(ue.ks_naf(FQDN, bytes.fromhex("0100000002"))).decode()
    for secret, code in ((key, 1001), ("wrong", None)):
        got = curl(bench, gateway.tls_url, mime(push_id="p"), "-A", "ue 3gpp-gba", "--digest", "--user", f"{ue.btid}:{secret}")
        check_eq(got.code, code)
    for name in (ue.btid, ue.btid.split("@")[0], IMPI):
        check(name not in gateway.said(), name)


main("privacy")
