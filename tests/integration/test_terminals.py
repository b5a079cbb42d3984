"""Terminals as an operator sees them: ppgctl terminal list, show and disconnect, against terminals that called in, one that the
gateway connects to, and some that are away."""

import json
import re
import signal
import socket

from callers import CERTIFICATE, ID, NONE, TAKEN, Caller, Doors, Hand, registered, with_certificate
from gateway import Terminal, good_push, push
from harness import case, check, check_eq, main, wait_until

OTHER = ID.replace("0100", "0101")


def ask(gateway, *words, code=0):
    done = gateway.ctl("--json", "terminal", *words)
    check_eq(done.returncode, code, done.stderr)
    return json.loads(done.stdout)


def say_all(more):
    """A terminal that takes whatever comes."""
    return lambda method, head: registered(more + "X-Wap-Push-Accept: text/vnd.wap.si, text/plain\r\n") if method == "OPTIONS" else TAKEN


@case
def who_called_in_is_listed_with_its_proof(bench):
    gateway = Doors(bench, CERTIFICATE + NONE.replace("0100", "0101") + NONE.replace("0100", "0102"))
    check_eq(ask(gateway, "list"), {"terminals": [], "more": 0})
    Caller(bench, gateway, *with_certificate(bench))
    Hand(bench, gateway.door, say_all(OTHER))
    gateway.wait_event("ota.called", 2)
    rows = {row["terminal"]: row for row in ask(gateway, "list")["terminals"]}
    check_eq(sorted(rows), ["+15550100", "+15550101"])
    first, second = rows["+15550100"], rows["+15550101"]
    check_eq((first["proof"], first["identity"], first["tls"], first["connection"], first["reached"]),
             ("certificate", "URI:https://phone.example.com", True, "called in", "calls in"))
    check_eq((second["proof"], second["tls"], second["tag"], second["registered"], second["unanswered"]),
             ("nothing", False, "q83vEg==", True, 0))
    check(second["from"].startswith("127.0.0.1:") and second["since"].endswith("Z"), second)
    check(all(0 <= row["loop"] < 64 for row in rows.values()), rows)
    everyone = ask(gateway, "list", "--all")
    check_eq((everyone["all"], len(everyone["terminals"])), (3, 3))
    pages = [ask(gateway, "list", "--all", "--from", str(n), "--count", "1")["terminals"][0]["terminal"] for n in range(3)]
    check_eq(sorted(pages), ["+15550100", "+15550101", "+15550102"])
    one = ask(gateway, "list", "--count", "1")
    check_eq((len(one["terminals"]), one["more"]), (1, 1))
    check("+15550101" in gateway.ctl("terminal", "list").stdout, "a table")


@case
def one_is_shown_whole(bench):
    gateway = Doors(bench, NONE + CERTIFICATE.replace("0100", "0101"))
    hand = Hand(bench, gateway.door, lambda method, head: say_all(ID)(method, head) if method == "OPTIONS" else None)
    gateway.wait_event("ota.called")
    for n in range(3):
        good_push(bench, gateway, content=f"number {n}")
    wait_until(lambda: len(hand.heads) > 1, "the push")
    wait_until(lambda: ask(gateway, "show", "+15550100")["waiting"] == 2, "the others behind it")
    shown = ask(gateway, "show", "tel:+1-555-0100")
    check_eq((shown["terminal"], shown["waiting"], shown["sending"], shown["unanswered"]), ("+15550100", 2, True, 1))
    check_eq((shown["may_call_over"], shown["must_prove_by"], shown["association"]), ("any", "none", False))
    check_eq(shown["capabilities"]["types"], "text/vnd.wap.si, text/plain")
    away = ask(gateway, "show", "+15550101")
    check_eq(("connection" in away, away["must_prove_by"], away["waiting"], away["stored"]), (False, "certificate", 0, 0))
    check("capabilities" in gateway.ctl("terminal", "show", "+15550100").stdout, "lines")
    for words in (("show", "+15559999"), ("show", "no address"), ("disconnect", "+15559999")):
        check_eq(ask(gateway, *words, code=1), {"error": "no such terminal"})
    for words in (("show",), ("list", "+15550100"), ("disconnect",), ("show", "+15550100", "--all")):
        check_eq(gateway.ctl("terminal", *words).returncode, 2, f"{words}")
    hand.s.shutdown(socket.SHUT_RDWR)  # so that the end waits for no answer


@case
def what_waits_in_the_store_is_counted(bench):
    """Of one that has not called: nothing of it is in memory, also after a restart."""
    gateway = Doors(bench, CERTIFICATE + NONE.replace("0100", "0101"))
    for n in range(3):
        good_push(bench, gateway, content=f"number {n}")
    good_push(bench, gateway, to=("+15550101",))
    for _ in range(2):
        wait_until(lambda: ask(gateway, "show", "+15550100").get("stored") == 3, "three of them")
        shown = ask(gateway, "show", "+15550100")
        check_eq((shown["waiting"], shown["sending"], shown.get("stored_at_least")), (0, False, None))
        wait_until(lambda: ask(gateway, "show", "+15550101")["stored"] == 1, "and one")
        gateway.stop()
        gateway.start()


@case
def who_is_disconnected_may_come_back(bench):
    gateway = Doors(bench, NONE, admin__audit="audit.log")
    check_eq(ask(gateway, "disconnect", "+15550100", code=1), {"error": "the terminal has no connection"})
    hand = Hand(bench, gateway.door, lambda method, head: say_all(ID)(method, head) if method == "OPTIONS" else None)
    gateway.wait_event("ota.called")
    push_id = good_push(bench, gateway)
    wait_until(lambda: len(hand.heads) > 1, "the push")
    check_eq(ask(gateway, "disconnect", "+15550100")["terminal"], "+15550100")
    wait_until(hand.gone.is_set, "the end of the connection")
    gateway.wait_event("ota.hangup")
    check_eq(ask(gateway, "list")["terminals"], [])
    Hand(bench, gateway.door, say_all(ID))
    gateway.wait_state(push_id, "delivered")
    lines = wait_until(lambda: [l for l in json.loads(gateway.ctl("--json", "audit", "tail").stdout)["lines"]
                                if l["what"] == "terminal.disconnect"], "a line of the audit log")
    check_eq(len(lines), 1)
    check_eq(lines[0]["after"]["terminal"], "+15550100")


@case
def a_connection_that_the_gateway_opened_is_listed_too(bench):
    terminal = Terminal(bench)
    gateway = Doors(bench, terminal.route("+15550100"))
    check_eq(ask(gateway, "list")["terminals"], [])
    push_id = good_push(bench, gateway)
    gateway.wait_state(push_id, "delivered")
    row = ask(gateway, "list")["terminals"][0]
    check_eq((row["connection"], row["reached"], row["proof"], row["registered"]), ("opened here", "http", "nothing", True))
    check_eq(ask(gateway, "disconnect", "+15550100")["connection"], "opened here")
    wait_until(lambda: not ask(gateway, "list")["terminals"], "its end")
    again = good_push(bench, gateway)
    gateway.wait_state(again, "delivered")


@case
def a_terminal_is_deregistered(bench):
    """Its section goes, and its key: the line is cut, a push that waits and the next have no such terminal, no key is left."""
    bench.write("master", "11" * 32 + "\n", 0o600)
    bench.write("secret", "30" * 32 + "\n", 0o600)
    gateway = Doors(bench, "", keyring__path="keyring", keyring__master="../master", ota_http__listen_psk="127.0.0.1:0")
    check_eq(gateway.ctl("key", "add", "phone-1", "--kind", "psk", "--secret-file", bench.path("secret")).returncode, 0)
    gateway.write("terminals.conf", "[terminal +15550100]\ncalls-in = tls\ncall-proof = psk\ncall-key = phone-1\n")
    check_eq(gateway.ctl("reload").returncode, 0)
    gateway.settle()
    port = int(re.search(r"ota-psk=.*:(\d+)", bench.wait_for_file(gateway.path("ports"))).group(1))
    options = ("push-terminal", "connect", "--gateway", f"https://localhost:{port}", "--json", "--psk", f"phone-1:{bench.path('secret')}")
    phone = bench.start(*options)
    gateway.wait_event("ota.called")
    phone.signal(signal.SIGSTOP)
    waits = good_push(bench, gateway)
    gateway.write("terminals.conf", "")
    check_eq(gateway.ctl("reload").returncode, 0)
    gateway.settle()
    check_eq(gateway.ctl("key", "remove", "phone-1").returncode, 0)
    phone.signal(signal.SIGCONT)
    gateway.wait_event("ota.hangup")
    check_eq(push(bench, gateway).code, 2002)
    check_eq(ask(gateway, "show", "+15550100", code=1), {"error": "no such terminal"})
    check_eq(json.loads(gateway.ctl("--json", "key", "list").stdout)["keys"], [])
    gateway.wait_event("ota.call.refused", why="psk")
    check(gateway.show(waits)["targets"][0]["state"] in ("delivered", "undeliverable", "pending"), "the one on the wire ends by itself")
    gateway.check_events(1, "ota.called")


@case
def a_swarm_is_many_terminals(bench):
    """push-terminal swarm: each is itself, takes what comes, or never answers; the operator sees them all."""
    numbers = [f"+1555{n:07}" for n in range(50)]
    gateway = Doors(bench, "".join(f"[terminal {n}]\ncalls-in = any\ncall-proof = none\n" for n in numbers), ota_http__response_timeout="10s")
    swarm = bench.start("push-terminal", "swarm", "--gateway", f"https://localhost:{gateway.tls_door}", "--ca", bench.path("ca.crt"), "--terminals",
                        "50", "--first", "15550000000", "--silent", "10", "--report", "50")
    gateway.wait_event("ota.called", 50)
    check_eq(sorted(row["terminal"] for row in ask(gateway, "list")["terminals"]), numbers)
    push_id = good_push(bench, gateway, to=numbers)
    wait_until(lambda: sum(t["state"] == "delivered" for t in gateway.show(push_id)["targets"]) == 45, "45 of 50 that answer")
    late = [t["address"] for t in gateway.show(push_id)["targets"] if t["state"] != "delivered"]
    check_eq([n for n in numbers if any(n in address for address in late)], numbers[9::10])
    check_eq(swarm.stop(), 0)
    said = [json.loads(line) for line in swarm.lines()]
    check_eq((said[-1]["event"], said[-1]["registered"]), ("end", 50))
    check("complete" in {line["event"] for line in said} and said[-1]["pushes"] >= 50, said[-1])
    for options in ((), ("--gateway", "x"), ("--gateway", "https://localhost:1"), ("--gateway", "http://localhost:1", "--ca", bench.path("ca.crt")),
                    ("--gateway", "http://localhost:1", "--terminals", "0"), ("--gateway", "http://localhost:1", "word")):
        check_eq(bench.run("push-terminal", "swarm", *options).returncode, 2, f"{options}")


main("terminals")
