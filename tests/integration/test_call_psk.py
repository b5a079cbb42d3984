"""Terminals that call in with a shared key: push-terminal and openssl s_client against the gateway's PSK-TLS door; strangers,
wrong keys and thieves of identities; keys that change."""

import os
import re
import signal
import subprocess

from callers import ID, TAKEN, Doors, Hand, registered
from gateway import good_push, make_identity
from gba_model import Module, Ue
from harness import case, check, check_eq, main, wait_until

IMPI, FQDN = "234150999999999@ims.mnc015.mcc234.3gppnetwork.org", "ppg.example.net"
KEY, OTHER_KEY = "30" * 32, "c1" * 32
SECTIONS = ("[terminal +15550100]\ncalls-in = tls\ncall-proof = psk\ncall-psk-identity = phone-1\ncall-psk-file = ../phone.psk\n"
            "[terminal +15550101]\ncalls-in = tls\ncall-proof = psk\ncall-psk-identity = old phone\ncall-psk-file = ../old.psk\n"
            "call-psk-tls = 1.2\n")


def keyed(bench, sections=SECTIONS, subscribers=(), **conf):
    make_identity(bench)
    bench.write("subscribers.conf", "".join(m.section() for m in subscribers), 0o600)
    bench.write("phone.psk", KEY + "\n", 0o600)
    bench.write("old.psk", OTHER_KEY + "\n", 0o600)
    bench.write("wrong.psk", "00" * 32 + "\n", 0o600)
    gateway = Doors(bench, sections, ota_http__listen_psk="127.0.0.1:0", **conf)
    ports = bench.wait_for_file(gateway.path("ports"))
    gateway.psk_door = int(re.search(r"ota-psk=127.0.0.1:(\d+)", ports).group(1))
    return gateway


def connect(bench, gateway, identity, file, *options):
    return bench.start("push-terminal", "connect", "--gateway", f"https://localhost:{gateway.psk_door}", "--json", "--psk",
                       f"{identity}:{bench.path(file)}", *options)


class Client:
    """openssl s_client as a socket."""

    def __init__(self, bench, gateway, identity, key, *options):
        self.p = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.psk_door}", "-quiet", "-psk", key,
                                   "-psk_identity", identity, *options],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        bench.closers.append(self.close)

    def recv(self, n):
        return os.read(self.p.stdout.fileno(), n)

    def sendall(self, octets):
        self.p.stdin.write(octets)
        self.p.stdin.flush()

    def close(self):
        self.p.kill()
        self.p.wait()


def dial(bench, gateway, identity, key, *options, more=""):
    return Hand(bench, 0, lambda method, head: registered(more) if method == "OPTIONS" else TAKEN,
                s=Client(bench, gateway, identity, key, *options))


@case
def a_shared_key_is_proof_both_ways(bench):
    """The terminal is known by its key, and the gateway by having it: full protection without a sealed message."""
    gateway = keyed(bench)
    phone = connect(bench, gateway, "phone-1", "phone.psk")
    check_eq(gateway.wait_event("ota.called")["tls"], True)
    push_id = good_push(bench, gateway, content="Hello", headers={"X-Push-Protection": "full"})
    gateway.wait_state(push_id, "delivered")
    wait_until(lambda: '"event":"push"' in phone.out(), "the push")
    check('"server_proved":true' in phone.out() and '"proofs":["psk"]' in phone.out(), phone.out())
    row = gateway.ctl("--json", "terminal", "show", "+15550100").stdout
    check('"proof": "psk"' in row and '"identity": "phone-1"' in row and '"must_prove_by": "psk"' in row, row)


@case
def openssl_calls_with_every_suite(bench):
    gateway = keyed(bench)
    rows = [("+15550100", "phone-1", KEY, ("-tls1_3",)),
            ("+15550101", "old phone", OTHER_KEY, ("-tls1_2", "-cipher", "DHE-PSK-AES128-GCM-SHA256")),
            ("+15550101", "old phone", OTHER_KEY, ("-tls1_2", "-cipher", "ECDHE-PSK-CHACHA20-POLY1305"))]
    for n, (address, identity, key, options) in enumerate(rows):
        hand = dial(bench, gateway, identity, key, *options)
        gateway.wait_event("ota.called", n + 1)
        push_id = good_push(bench, gateway, to=(address,), content=f"number {n}")
        gateway.wait_state(push_id, "delivered")
        check_eq([h.split(" ")[0] for h in hand.heads], ["OPTIONS", "POST"])


@case
def a_stranger_fails_as_a_wrong_key_does(bench):
    gateway = keyed(bench)
    for version, good, key, other in (("-tls1_3", "phone-1", KEY, ("old phone", OTHER_KEY)),
                                      ("-tls1_2", "old phone", OTHER_KEY, ("phone-1", KEY))):
        seen = set()
        for identity, secret in ((good, "00" * 32), ("nobody", key), (good.upper(), key), other):
            client = Client(bench, gateway, identity, secret, version)
            check_eq(client.p.communicate(timeout=60)[0], b"", "an answer")
            seen.add(client.p.returncode)
            client = Client(bench, gateway, identity, secret, version)
            said = client.p.communicate(timeout=60)[1].decode()
            check("alert decrypt error" in said, said)
        check_eq(len(seen), 1)
    check_eq(gateway.events("ota.called"), [])
    gateway.wait_event("ota.call.refused")
    check_eq({e["why"] for e in gateway.events("ota.call.refused")}, {"psk"})


@case
def nobody_takes_anothers_name(bench):
    """One who has a key of its own says that it is somebody else; one who should have a key comes without."""
    gateway = keyed(bench)
    owner = dial(bench, gateway, "phone-1", KEY, "-tls1_3")
    gateway.wait_event("ota.called")
    thief = dial(bench, gateway, "old phone", OTHER_KEY, "-tls1_2", more=ID)
    wait_until(thief.gone.is_set, "the end of a thief")
    check_eq(gateway.wait_event("ota.call.refused")["why"], "not proved")
    clear = Hand(bench, gateway.door, lambda method, head: registered(ID))
    wait_until(clear.gone.is_set, "the end of one without TLS")
    check_eq(gateway.wait_event("ota.call.refused", 2)["why"], "not over this transport")
    push_id = good_push(bench, gateway)
    gateway.wait_state(push_id, "delivered")
    check_eq([h.split(" ")[0] for h in owner.heads], ["OPTIONS", "POST"])
    check(not owner.gone.is_set(), "the owner lost its line")


@case
def a_key_of_the_keyring_changes(bench):
    """Its name is the identity; with another key the line is cut, and only the new one calls again."""
    sections = "[terminal +15550100]\ncalls-in = tls\ncall-proof = psk\ncall-key = phone-1\n"
    make_identity(bench)
    bench.write("master", "11" * 32 + "\n", 0o600)
    gateway = keyed(bench, "", keyring__path="keyring", keyring__master="../master")
    done = gateway.ctl("key", "add", "phone-1", "--kind", "psk", "--secret-file", bench.path("phone.psk"))
    check_eq(done.returncode, 0, done.stderr)
    gateway.write("terminals.conf", sections)
    check_eq(gateway.ctl("reload").returncode, 0)
    gateway.settle()
    hand = dial(bench, gateway, "phone-1", KEY, "-tls1_3")
    gateway.wait_event("ota.called")
    done = gateway.ctl("key", "rotate", "phone-1", "--grace", "1h", "--secret-file", bench.path("old.psk"))
    check_eq(done.returncode, 0, done.stderr)
    wait_until(hand.gone.is_set, "the end of a line under the old key")
    gateway.wait_event("ota.hangup")
    old = connect(bench, gateway, "phone-1", "phone.psk")
    gateway.wait_event("ota.call.refused", why="psk")
    check_eq(old.out(), "", "content under the old key")
    old.signal(signal.SIGKILL)
    dial(bench, gateway, "phone-1", OTHER_KEY, "-tls1_3")
    gateway.wait_event("ota.called", 2)


@case
def a_bootstrapped_key_is_proof(bench):
    """B-TID and Ks_NAF of the subscriber that the terminal is, computed by the model; of another one, of another suite and of
    nobody they are a wrong key."""
    make_identity(bench)
    module, other = Module(IMPI), Module("other@operator.example")
    gateway = keyed(bench, f"[terminal +15550100]\ncalls-in = tls\ncall-proof = psk\ncall-subscriber = {IMPI}\n", subscribers=(module, other),
                    key_server__listen_ub="127.0.0.1:0", key_server__cert="../gateway.crt", key_server__key="../gateway.key",
                    files__subscribers="../subscribers.conf", key_server__name=FQDN)
    ub = int(re.search(r"ub=127.0.0.1:(\d+)", bench.wait_for_file(gateway.path("ports"))).group(1))
    ues = [Ue(m, ub, bench.authority[0]).bootstrap() for m in (module, other)]
    rows = [(("-tls1_3",), "0100000007"), (("-tls1_2", "-cipher", "DHE-PSK-AES128-GCM-SHA256"), "01000100aa")]
    for n, (options, ua) in enumerate(rows):
        key = ues[0].ks_naf(FQDN, bytes.fromhex(ua)).hex()
        hand = dial(bench, gateway, "3GPP-bootstrapping;" + ues[0].btid, key, "-servername", FQDN, *options)
        gateway.wait_event("ota.called", n + 1)
        push_id = good_push(bench, gateway, content=f"number {n}", headers={"X-Push-Protection": "full"})
        gateway.wait_state(push_id, "delivered")
        check_eq([h.split(" ")[0] for h in hand.heads], ["OPTIONS", "POST"])
    check(f'"identity": "{IMPI}"' in gateway.ctl("--json", "terminal", "show", "+15550100").stdout, "who it proved to be")
    key = ues[1].ks_naf(FQDN, bytes.fromhex("0100000007")).hex()
    stranger = dial(bench, gateway, "3GPP-bootstrapping;" + ues[1].btid, key, "-servername", FQDN, "-tls1_3", more=ID)
    wait_until(stranger.gone.is_set, "the end of another subscriber")
    gateway.wait_event("ota.call.refused", why="not proved")
    for btid, options, ua in ((ues[0].btid, rows[0][0], rows[1][1]), (ues[0].btid[::-1], rows[0][0], rows[0][1])):
        client = Client(bench, gateway, "3GPP-bootstrapping;" + btid, ues[0].ks_naf(FQDN, bytes.fromhex(ua)).hex(), "-servername", FQDN, *options)
        check("alert decrypt error" in client.p.communicate(timeout=60)[1].decode(), btid)
    bench.write("subscribers.conf", other.section(), 0o600)
    check_eq(gateway.ctl("reload").returncode, 0)
    wait_until(lambda: "alert decrypt error" in Client(bench, gateway, "3GPP-bootstrapping;" + ues[0].btid, ues[0].ks_naf(FQDN, bytes.fromhex(
        "0100000007")).hex(), "-tls1_3", "-servername", FQDN).p.communicate(timeout=60)[1].decode(), "a subscriber that is struck off")


@case
def mistakes_are_told(bench):
    gateway = keyed(bench)
    start = "[terminal +15550100]\ncalls-in = tls\ncall-proof = psk\n"
    rows = [(start, "call-proof = psk goes with"), (start + "call-psk-identity = a\n", "call-proof = psk goes with"),
            (start + "call-psk-file = ../phone.psk\n", "call-proof = psk goes with"), (start + "call-key = nobody\n", "no shared key of that name"),
            (start.replace("tls", "any") + "call-psk-identity = a\ncall-psk-file = ../phone.psk\n", "needs calls-in = tls"),
            (SECTIONS.replace("old phone", "phone-1"), "as another terminal does"),
            (SECTIONS.replace("= psk", "= none"), "call-proof = psk goes with"), (SECTIONS.replace("1.2", "1.1"), "1.2 or 1.3"),
            ("[terminal +1]\nroute = http://h:1\ncall-psk-identity = a\n", "calls-in = tls or any")]
    for text, why in rows:
        gateway.write("terminals.conf", text)
        done = gateway.ctl("reload")
        check(done.returncode == 1 and why in done.stderr, (text, done.stderr))
    for options in (("--psk", "x"), ("--psk", f"a:{bench.path('phone.psk')}", "--ca", bench.path("ca.crt"))):
        done = bench.run("push-terminal", "connect", "--gateway", "https://localhost:1", *options)
        check(done.returncode == 2 and "--psk" in done.stderr, done.stderr)


main("call_psk")
