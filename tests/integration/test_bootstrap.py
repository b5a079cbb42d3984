"""A gateway that has never met a terminal sends it, in one message, an association and content protected under it.  What
crosses the wire is opened by push-terminal and by a model of its own (gpl_model.py), that starts at the module's key.
Usage: test_bootstrap.py BUILD_DIR."""

import base64
import json
import os
import re
import shutil
import socket
import time

from gateway import Gateway, Relay, Terminal, good_push, push
from gpl_model import Message, PushModule
from harness import case, check, check_eq, main, wait_until
from sipnet import ALICE, FULL, ended, good

IMPI, NAME = "234150999999999@ims.example", "ppg.example.net"
K, OPC = "465b5ce8b199b49faa5f0a2ee238a6bc", "cd63cb71954a9f4e48a5994e37a02baf"
MODEL = PushModule(bytes.fromhex(K), bytes.fromhex(OPC), IMPI.encode())
SUBSCRIBERS = f"[subscriber {IMPI}]\nidentity = +15550100\nk = {K}\nopc = {OPC}\n"
CONF = {"files.subscribers": "subscribers.conf", "key-server.name": NAME, "protection.number-range": "16",
        "keyring.path": "keys", "keyring.master": "../master"}


def module(bench, k=K, gateway=NAME, more="", name="module"):
    return bench.write(name, f"impi = {IMPI}\nk = {k}\nopc = {OPC}\ngateway = {gateway}\n{more}", 0o600)


def phone(bench, *options, **how):
    """A terminal that knows nobody, with its module."""
    return Terminal(bench, "--require", "full", "--module", module(bench, **how), "--state", bench.path("state"), *options,
                    association=False)


def gateway(bench, terminals, conf=None, subscribers=SUBSCRIBERS, **more):
    bench.write("master", "00112233445566778899aabbccddeeff" * 2 + "\n", 0o600)
    g = Gateway(bench, terminals, conf={**CONF, **(conf or {})}, start=False, **more)
    g.write("subscribers.conf", subscribers)
    return g.start()


def deliver(bench, g, content, **more):
    push_id = good_push(bench, g, content=content, **more)
    g.wait_state(push_id, "delivered")
    return push_id


def messages(octets):
    """The sealed messages in what a terminal was sent, oldest first."""
    found, at = [], 0
    while (at := octets.find(b"POST /wappush", at)) >= 0:
        end = octets.find(b"\r\n\r\n", at) + 4
        n = int(re.search(rb"Content-Length: (\d+)", octets[at:end]).group(1))
        body = octets[end:end + n]
        check_eq(len(body), n, "octets of a body")
        head, _, sealed = body.partition(b"\r\n\r\n")
        check(b"Content-Type: application/x-push-gpl-a1" in head, head)
        found.append(Message(sealed))
        at = end + n
    return found


def check_secrets(bench, g, *secrets):
    """None of them stands in anything that the gateway wrote but its own secret files."""
    for name in os.listdir(g.folder):
        if name in ("subscribers.conf", "admin.sock"):
            continue
        with open(g.path(name), "rb") as f:
            octets = f.read()
        for secret in secrets:
            check(secret not in octets and secret.hex().encode() not in octets.lower(), f"a secret in {name}")
    for secret in secrets:
        check(secret.hex() not in g.said(), "a secret in the log")


@case
def the_first_push_brings_its_association(bench):
    p = phone(bench)
    g = gateway(bench, p.route("+15550100", more=""))
    ids = [deliver(bench, g, f"content {i}") for i in range(3)]
    events = p.wait_events(3)
    check_eq([(e["content"], e["associated"], e["gateway"], e["key"], e["protection"]) for e in events],
             [(f"content {i}", i == 0, NAME, "gba-push", "full") for i in range(3)])
    check(all(e["proofs"] == ["seal"] and e["authenticated"] and e["trusted"] for e in events), events)
    sent = messages(p.wire())
    check_eq([(len(m.gpi) > 0, m.sn) for m in sent], [(True, 1), (False, 2), (False, 3)], "push info, numbers")
    ks, sqn, name, ptid, _ = MODEL.take(sent[0].gpi)
    check_eq((name, len(ptid), sqn % 32, sent[0].gpi[1:17]), (NAME, 8, 1, sent[0].said), "what the model read")
    for i, m in enumerate(sent):
        head, _, body = m.open(ks).partition(b"\r\n\r\n")
        check_eq((body, m.said), (f"content {i}".encode(), sent[0].said))
        check(b"X-Wap-Push-Info: authenticated, trusted" in head, head)
    told = [g.ctl("push", "explain", i).stdout for i in ids]
    check(f"association=brought gpi={len(sent[0].gpi)}" in told[0], told[0])
    check("association=bootstrapped" in told[1] and "gpi=" not in told[1], told[1])
    check_secrets(bench, g, MODEL.k, MODEL.opc, ks)
    for secret in (MODEL.k, MODEL.opc, ks):
        check(secret not in p.wire() and secret.hex().encode() not in p.wire(), "key octets on the wire")
    check_eq([e["said"] for e in g.check_events(1, "sa.made")], [sent[0].said.hex()], "what was agreed on")
    rows = json.loads(g.ctl("--json", "sa", "list").stdout)["associations"]
    check_eq([(a["said"], a["agreed"], a["made"] < a["expires"]) for a in rows], [(sent[0].said.hex(), "push-info", True)])


WORD = re.compile(rb"X-Push-Association: confirmed; gpl=([A-Za-z0-9+/=]+)\r\n")


@case
def it_is_confirmed_in_the_terminals_own_words(bench):
    """The terminal answers the push that brought its association with a protected message, which the model opens from the
    module's key on: it has the name and the keys of the way up, and says which push it answers.  Then nothing is brought any
    more."""
    p = phone(bench)
    relay = Relay(bench, p.port)
    g = gateway(bench, p.route("+15550100", more="", port=relay.port), conf={"protection.confirmation": "uplink"})
    for i in range(3):
        deliver(bench, g, f"content {i}")
    sent = messages(p.wire())
    check_eq([len(m.gpi) > 0 for m in sent], [True, False, False], "push info")
    words = WORD.findall(bytes(relay.seen))
    check_eq(len(words), 1, "confirmations")
    up = Message(base64.b64decode(words[0]))
    ks, _, _, ptid, _ = MODEL.take(sent[0].gpi)
    check_eq((up.flags, up.suite, up.sn, up.said, up.gpi), (0x1A, 0x02, 1, ptid, b""))
    message_id = p.wait_events(3)[0]["message_id"]
    check_eq(up.open(ks), f"X-Push-Message-ID: {message_id}\r\n\r\n".encode())
    check(message_id.encode() not in up.octets, "readable on the wire")
    g.check_events(1, "sa.confirmed", said=sent[0].said.hex(), why="uplink")


@case
def a_word_from_the_way_confirms_nothing(bench):
    """The answer "accepted" alone, over a path that anybody can write on; a message with a bit turned; a good one, at another
    push; that one again.  The pushes are delivered, and bring the association until the terminal's own word gets through."""
    p = phone(bench)
    heard, state = [], {"n": 0}

    def rewrite(octets):
        found = WORD.search(octets)
        if not found:
            return octets
        heard.append(found)
        state["n"] += 1
        if state["n"] == 1:
            return octets.replace(found.group(0), b"")
        flipped = bytearray(base64.b64decode(found.group(1)))
        flipped[-1] ^= 1
        word = {2: base64.b64encode(flipped), 3: heard[1].group(1), 4: heard[1].group(1)}.get(state["n"], found.group(1))
        return octets.replace(found.group(1), word)

    relay = Relay(bench, p.port, answer=rewrite)
    g = gateway(bench, p.route("+15550100", more="", port=relay.port))
    for i in range(6):
        deliver(bench, g, f"content {i}")
        g.check_events(int(i >= 4), "sa.confirmed")
    check_eq([len(m.gpi) > 0 for m in messages(p.wire())], [True] * 5 + [False], "push info")
    refused = g.check_events(3, "sa.confirm.refused")
    check_eq([e["why"] for e in refused], ["mac", "of another push", "replay"])
    check_eq([e["content"] for e in p.wait_events(6)], [f"content {i}" for i in range(6)])


@case
def associations_outlive_programs(bench):
    """kill -9 of either end: the association is there, no number is repeated, and what was recorded is not taken again."""
    p = phone(bench)
    g = gateway(bench, p.route("+15550100", more=""))
    deliver(bench, g, "one")
    first = messages(p.wire())[0]
    g.kill()
    g.start()
    deliver(bench, g, "two")
    p.kill()
    p.start()
    deliver(bench, g, "three")
    g.kill()
    p.kill()
    p.start()
    g.start()
    deliver(bench, g, "four")
    check_eq([e["content"] for e in p.wait_events(4)], ["one", "two", "three", "four"])
    sent = messages(p.wire())
    check_eq([len(m.gpi) > 0 for m in sent], [True, False, False, False], "push info")
    check_eq({m.said for m in sent}, {first.said}, "one association")
    numbers = [m.sn for m in sent]
    check(numbers == sorted(set(numbers)), numbers)
    ks = MODEL.take(first.gpi)[0]
    check(all(m.open(ks) for m in sent), "one key")
    with Raw(bench, p) as raw:
        check_eq(raw.post(first.octets), ("235", None), "a recorded push that brings its association")
    check_eq(p.wait_events(1, "dropped")[-1]["reason"], "replay")


class Raw:
    """Our own connection to a terminal: pushes octets as they are."""

    def __init__(self, bench, p):
        self.s = socket.create_connection(("127.0.0.1", p.port), timeout=60)
        bench.closers.append(self.s.close)
        self.tag = self.request(b"OPTIONS", b"")["x-wap-cpitag"]

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.s.close()

    def request(self, method, body):
        tag = getattr(self, "tag", None)
        head = method + b" /wappush HTTP/1.1\r\nHost: t\r\nContent-Type: application/x-push-gpl-a1\r\n"
        head += b"X-Wap-CPITag: %s\r\n" % tag.encode() if tag else b""
        self.s.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        got = b""
        while b"\r\n\r\n" not in got:
            more = self.s.recv(65536)
            check(more, "the terminal closed")
            got += more
        lines = got.split(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        return {line.split(":")[0].lower(): line.split(":", 1)[1].strip() for line in lines}

    def post(self, octets):
        answer = self.request(b"POST", octets)
        return answer["x-wap-push-status"], answer.get("x-push-association")


@case
def killed_before_the_first_answer(bench):
    """The association was kept and used, and the gateway does not live to hear of it: it comes again with the same one, and
    with another number; what the terminal has seen it shows once."""
    p = phone(bench)
    relay = Relay(bench, p.port, b"POST")
    g = gateway(bench, p.route("+15550100", more="", port=relay.port))
    relay.hold()
    push_id = good_push(bench, g, content="once")
    for _ in range(2):
        check(relay.held.wait(60), "the terminal did not answer")
        g.kill()
        relay.held.clear()
        g.start()
    relay.let_go()
    g.wait_state(push_id, "delivered")
    sent = messages(p.wire())
    check(len(sent) >= 3 and all(m.gpi == sent[0].gpi and m.gpi for m in sent), [len(m.gpi) for m in sent])
    check_eq(len({m.said for m in sent}), 1, "associations")
    numbers = [m.sn for m in sent]
    check(numbers == sorted(set(numbers)), numbers)
    check_eq([e["content"] for e in p.wait_events(1)], ["once"])


@case
def no_changed_bit_is_taken(bench):
    """A recorded first push, to terminals that have not seen it: with any bit of its head or its push info turned, and one
    of each octet behind them, it is dropped; as it was it is taken."""
    p = phone(bench)
    g = gateway(bench, p.route("+15550100", more=""))
    deliver(bench, g, "hello")
    whole = messages(p.wire())[0]
    module(bench, more="rate = 1000000\n", name="other")
    begin = len(whole.head) - len(whole.gpi)
    info = [8 * i + b for i in range(begin, len(whole.head)) for b in range(8)]
    rest = [8 * i + b for i in range(begin) for b in range(8)]
    rest += [8 * i + i % 8 for i in range(len(whole.head), len(whole.octets))]
    for bits, want in ((info, {"auth-mac", "gpi-mac", "gpi-policy", "gpi-malformed", "no-sa"}),
                       (rest, {"mac", "malformed", "suite", "no-sa"})):
        fresh = Terminal(bench, "--module", bench.path("other"), association=False)
        with Raw(bench, fresh) as raw:
            for bit in bits:
                changed = bytearray(whole.octets)
                changed[bit // 8] ^= 1 << bit % 8
                check_eq(raw.post(bytes(changed))[0], "235", f"bit {bit}")
        reasons = {e["reason"] for e in fresh.wait_events(len(bits), "dropped")}
        check(want <= reasons, reasons)
        check_eq(fresh.events(), [], "pushes")
    last = Terminal(bench, "--module", bench.path("other"), association=False)
    with Raw(bench, last) as raw:
        status, word = raw.post(whole.octets)
        check_eq((status, word.startswith("confirmed; gpl=")), ("400", True))
        check_eq(raw.post(whole.octets), ("235", None), "the same again")
    check_eq([e["content"] for e in last.wait_events(1)], ["hello"])


@case
def a_module_that_is_ahead_is_followed(bench):
    """Its numbers are higher than the key server knows: AUTS, and the same push goes out with the next association, from
    where the module stands."""
    seen = [0x1000 * (i == 7) for i in range(32)]
    seen[1] = 0x1000  # our slot
    bench.write("state", "push-terminal-state 1\nmodule " + "".join(f"{s:016x}" for s in seen) + "\n", 0o600)
    p = phone(bench)
    g = gateway(bench, p.route("+15550100", more=""))
    push_id = deliver(bench, g, "followed")
    check_eq([e["content"] for e in p.wait_events(1)], ["followed"])
    sent = messages(p.wire())
    check_eq([MODEL.take(m.gpi)[1] >> 5 for m in sent], [1, 0x1001], "SEQ of the push info")
    check(g.wait_event("sa.resync") and g.wait_event("deliver.associate", push_id=push_id), "log")
    check_eq(g.show(push_id)["targets"][0]["tries"], 1, "attempts")
    g.kill()
    g.start()
    check_eq(g.ctl("sa", "revoke", "+15550100").returncode, 0)
    deliver(bench, g, "again", push_id="again")
    check(MODEL.take(messages(p.wire())[-1].gpi)[1] >> 5 > 0x1001, "it went back")


@case
def a_terminal_that_lost_its_association_gets_another(bench):
    """It keeps its module's numbers, as a card would, and says that it does not know what the gateway seals with."""
    p = phone(bench)
    g = gateway(bench, p.route("+15550100", more=""))
    deliver(bench, g, "one")
    p.kill()
    with open(bench.path("state"), encoding="utf-8") as f:
        kept = [line for line in f if not line.startswith("made ")]
    check_eq(len(kept), 3, kept)
    bench.write("state", "".join(kept), 0o600)
    p.start()
    deliver(bench, g, "two")
    check_eq([(e["content"], e["associated"]) for e in p.wait_events(2)], [("one", True), ("two", True)])
    sent = messages(p.wire())
    check_eq([len(m.gpi) > 0 for m in sent], [True, False, True], "push info")
    check_eq(len({m.said for m in sent}), 2, "associations")


@case
def nothing_is_sent_below_its_level(bench):
    """Nobody the key server knows, a module with another key, and one that takes no association of this gateway: refused, or
    aborted by the terminal; the content is never in the clear, and nothing opens it."""
    p = phone(bench, k="00" * 16)
    q = Terminal(bench, "--module", module(bench, gateway="other.example", name="other"), association=False)
    g = gateway(bench, p.route("+15550100", more="") + p.route("+15550101", more="") + q.route("+15550102", more=""),
                subscribers=SUBSCRIBERS.replace("identity", "identity = +15550102\nidentity"))
    check_eq(push(bench, g, to=["+15550101"], push_id="stranger", content="secret words").code, 2005)
    for address, reason in (("+15550100", "auth-mac"), ("+15550102", "gpi-policy")):
        push_id = good_push(bench, g, to=[address], push_id=f"to{address}", content="secret words")
        check_eq(g.wait_state(push_id, "aborted")["targets"][0]["code"], 5027)
        check_eq((p if address == "+15550100" else q).wait_events(1, "dropped")[-1]["reason"], reason)
    check(b"secret words" not in p.wire() + q.wire(), "content in the clear")
    check_eq(p.events() + q.events(), [], "pushes")


@case
def over_sip_too(bench):
    """The first MESSAGE brings the association, of a module that is ahead; the next uses it, and one that was lost comes again."""
    bench.write("state", "push-terminal-state 1\nmodule " + f"{0x2000:016x}" * 32 + "\n", 0o600)
    p = Terminal(bench, "--require", "full", "--module", module(bench), "--state", bench.path("state"), association=False,
                 command="sip")
    g = gateway(bench, f"[terminal {ALICE}]\nroute = sip:alice@127.0.0.1:{p.port};transport=tcp\n", whitelist=FULL,
                subscribers=SUBSCRIBERS.replace("+15550100", ALICE))
    for i in range(3):
        if i == 2:
            check_eq(g.ctl("sa", "revoke", ALICE).returncode, 0)
        good(bench, g, f"p{i}")
        ended(g, f"p{i}", "delivered")
    check_eq([(e["key"], e["associated"], e["protection"]) for e in p.wait_events(3)],
             [("gba-push", first, "full") for first in (True, False, True)])
    check_eq([e["reason"] for e in p.events("dropped")], ["auth-sync"])
    g.check_events(2, "sa.confirmed", why="uplink")


@case
def operators_see_and_revoke(bench):
    p = phone(bench)
    g = gateway(bench, p.route("+15550100", more=""))
    deliver(bench, g, "one")
    said = messages(p.wire())[0].said.hex()
    listed = wait_until(lambda: (t := g.ctl("sa", "list").stdout) and "confirmed" in t and t, "a confirmed association")
    check(said in listed and "+15550100" in listed, listed)
    shown = g.ctl("sa", "show", "+15550100").stdout
    check(said in shown and "gba-push" in shown, shown)
    check_eq(g.ctl("sa", "show", "+15550199").returncode, 1)
    revoked = g.ctl("sa", "revoke", said)
    check_eq(revoked.returncode, 0, revoked.stderr)
    check(said not in g.ctl("sa", "list").stdout, "it is still there")
    deliver(bench, g, "two")
    check_eq([e["associated"] for e in p.wait_events(2)], [True, True])
    check(messages(p.wire())[-1].said.hex() != said, "the revoked one sealed")


@case
def an_old_store_repeats_nothing(bench):
    """The store's file as it was a while ago is brought back: associations are those of then, and their numbers go on from
    where the clock is."""
    p = phone(bench)
    g = gateway(bench, p.route("+15550100", more=""))
    deliver(bench, g, "one")
    g.kill()
    names = [name for name in os.listdir(g.folder) if name.startswith("store.db")]
    for name in names:
        shutil.copyfile(g.path(name), bench.path(name))
    g.start()
    for i in range(20):  # more than one range of numbers
        deliver(bench, g, f"more {i}", push_id=f"more{i}")
    g.kill()
    second = time.time() // 1 + 1
    wait_until(lambda: time.time() > second, "the next second")
    for name in [name for name in os.listdir(g.folder) if name.startswith("store.db")]:
        os.remove(g.path(name))
    for name in names:
        shutil.copyfile(bench.path(name), g.path(name))
    g.start()
    deliver(bench, g, "back", push_id="back")
    p.wait_events(1, "duplicate")  # what names messages is as old as the file: a backup would have had another
    check(messages(p.wire())[-1].open(MODEL.take(messages(p.wire())[0].gpi)[0]).endswith(b"back"), "it does not open")
    numbers = [(m.said, m.sn) for m in messages(p.wire())]
    check_eq(len({said for said, _ in numbers}), 1, "associations")
    check(numbers == sorted(set(numbers)), f"numbers go back or repeat: {numbers}")


@case
def without_a_keyring_a_restart_makes_new_ones(bench):
    """There is no key to keep them under: what is in the store opens for no later run, and terminals get new ones."""
    p = phone(bench)
    g = gateway(bench, p.route("+15550100", more=""), conf={"keyring.path": None, "keyring.master": None})
    deliver(bench, g, "one")
    g.kill()
    g.start()
    deliver(bench, g, "two")
    check_eq([e["associated"] for e in p.wait_events(2)], [True, True])
    sent = messages(p.wire())
    check(sent[0].said != sent[1].said and all(m.gpi for m in sent), "one association")


main("bootstrap")
