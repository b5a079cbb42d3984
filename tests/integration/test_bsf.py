"""A gateway whose keys come from a far BSF: another ppgd with the subscribers, asked over mutual TLS.  While the BSF is away
pushes wait, and nothing goes out with less.  Usage: test_bsf.py BUILD_DIR."""

import json
import signal

from gateway import Gateway, Terminal, good_push, make_identity
from gba_model import Module
from harness import case, check, check_eq, main, wait_until

IMPI, NAME, PHONE = "234150999999999@ims.example", "ppg.example.net", "+15550100"
K, OPC = "465b5ce8b199b49faa5f0a2ee238a6bc", "cd63cb71954a9f4e48a5994e37a02baf"
BSF = {"key-server.listen-naf": "127.0.0.1:0", "key-server.cert": "../gateway.crt", "key-server.key": "../gateway.key",
       "key-server.ca": "../ca.crt", "key-server.name": "bsf.operator.example", "files.subscribers": "subscribers.conf",
       "files.nafs": "nafs.conf"}
NAFS = f"[naf ppg]\ncertificate = URI:https://news.example.com\nname = {NAME}\nprotocol = push\npush = yes\n"
PPG = {"key-server.name": NAME, "key-server.cert": "../news.crt", "key-server.key": "../news.key",
       "key-server.bsf-ca": "../ca.crt", "key-server.bsf-timeout": "20s", "keyring.path": "keys", "keyring.master": "../master",
       "delivery.retry-first": "200ms", "delivery.retry-max": "500ms"}


def bsf_of(bench, module, nafs=NAFS):
    make_identity(bench)
    bsf = Gateway(bench, "", "", conf=BSF, start=False)
    bsf.write("subscribers.conf", module.section(f"identity = {PHONE}\n"))
    bsf.write("nafs.conf", nafs)
    bsf.start()
    with open(bsf.path("ports"), encoding="utf-8") as f:
        port = int(dict(line.strip().split("=") for line in f)["naf"].rpartition(":")[2])
    bsf.conf["key-server.listen-naf"] = f"127.0.0.1:{port}"
    bsf.write_conf()
    bsf.naf_port = port
    return bsf


def phone(bench):
    module = bench.write("module", f"impi = {IMPI}\nk = {K}\nopc = {OPC}\ngateway = {NAME}\n", 0o600)
    return Terminal(bench, "--require", "full", "--module", module, "--state", bench.path("state"), association=False)


def gateway(bench, bsf, terminals, **conf):
    bench.write("master", "00112233445566778899aabbccddeeff" * 2 + "\n", 0o600)
    return Gateway(bench, terminals, conf={**PPG, "key-server.bsf-url": f"https://localhost:{bsf.naf_port}", **conf})


def status(g):
    return json.loads(g.ctl("--json", "status").stdout)["bsf"]


def the_module():
    return Module(IMPI, bytes.fromhex(K), bytes.fromhex(OPC))


@case
def an_association_from_afar(bench):
    """The first push brings what the BSF made; the next ones need nothing from it, nor does a restart."""
    bsf = bsf_of(bench, the_module())
    p = phone(bench)
    g = gateway(bench, bsf, p.route(PHONE, more=""))
    for text in ("one", "two"):
        g.wait_state(good_push(bench, g, content=text), "delivered")
    bsf.check_events(1, "zn.push-info")
    check_eq((status(g)["state"], status(g)["asked"]), ("ok", 1))
    check_eq(bsf.stop(), 0)
    g.kill()
    g.start()
    g.wait_state(good_push(bench, g, content="three"), "delivered")
    events = p.wait_events(3)
    check_eq([e["content"] for e in events], ["one", "two", "three"])
    check(all(e["protection"] == "full" and e["key"] == "gba-push" for e in events), events)


@case
def pushes_wait_while_it_is_away(bench):
    """Nothing leaves in the clear, the operator sees it, and all goes out when it is back."""
    bsf = bsf_of(bench, the_module())
    p = phone(bench)
    g = gateway(bench, bsf, p.route(PHONE, more=""))
    bsf.kill()
    ids = [good_push(bench, g, content=f"secret-{n}") for n in range(3)]
    g.wait_event("bsf.away")
    away = wait_until(lambda: (s := status(g))["state"] == "away" and s, "away in the status")
    check(away["reason"] and away["away_since"].endswith("Z"), away)
    check(all(t["state"] == "pending" for i in ids for t in g.show(i)["targets"]), "they wait")
    check(b"secret-" not in p.wire() and not p.events(), "not a word of them")
    bsf.start()
    for i in ids:
        g.wait_state(i, "delivered")
    check_eq(status(g)["state"], "ok")
    g.check_events(1, "bsf.back")
    check_eq(sorted(e["content"] for e in p.wait_events(3)), [f"secret-{n}" for n in range(3)])
    check(b"secret-" not in p.wire(), "sealed on the wire")
    g.check_events(1, "bsf.away")


@case
def a_silent_bsf_is_away(bench):
    """It takes connections and says nothing."""
    bsf = bsf_of(bench, the_module())
    p = phone(bench)
    g = gateway(bench, bsf, p.route(PHONE, more=""), **{"key-server.bsf-timeout": "1s"})
    bsf.program.signal(signal.SIGSTOP)
    try:
        push_id = good_push(bench, g, content="later")
        g.wait_event("bsf.away")
    finally:
        bsf.program.signal(signal.SIGCONT)
    g.wait_state(push_id, "delivered")
    check_eq(p.wait_events(1)[0]["content"], "later")


@case
def a_module_that_is_ahead_is_followed(bench):
    """What it says goes to the BSF with the next question."""
    bsf = bsf_of(bench, the_module())
    seen = [0x1000 * (i == 1) for i in range(32)]
    bench.write("state", "push-terminal-state 1\nmodule " + "".join(f"{n:016x}" for n in seen) + "\n", 0o600)
    p = phone(bench)
    g = gateway(bench, bsf, p.route(PHONE, more=""))
    g.wait_state(good_push(bench, g, content="followed"), "delivered")
    check_eq([e["content"] for e in p.wait_events(1)], ["followed"])
    g.wait_event("sa.resync")
    bsf.check_events(2, "zn.push-info")


@case
def a_refusal_is_final(bench):
    """Not allowed for this gateway: the terminal is left alone, and the BSF is not away."""
    bsf = bsf_of(bench, the_module(), NAFS.replace(NAME, "other.example.net"))
    p = phone(bench)
    g = gateway(bench, bsf, p.route(PHONE, more=""))
    good_push(bench, g, content="never")
    g.wait_event("bsf.refused", status=403)
    check_eq(status(g)["state"], "ok")
    check(b"never" not in p.wire() and not p.events(), "nothing was sent")


@case
def a_bsf_of_another_authority_is_not_asked(bench):
    bsf = bsf_of(bench, the_module())
    bench.ca("other")
    p = phone(bench)
    g = gateway(bench, bsf, p.route(PHONE, more=""), **{"key-server.bsf-ca": "../other.crt"})
    good_push(bench, g, content="never")
    g.wait_event("bsf.away", reason="cert-untrusted")
    check_eq(bsf.events("zn.push-info"), [])
    check(b"never" not in p.wire(), "nothing was sent")


main("bsf")
