"""Malformed TLS handshakes by the hundred (tls_breaker.py) against the doors where terminals call in: each is answered with an
alert or with the end of its connection, told once, and costs nobody else anything.  Usage: test_handshakes.py BUILD_DIR."""

import concurrent.futures
import re
import socket
import subprocess

import tls_breaker
from callers import CERTIFICATE, NONE, Witness
from harness import case, check, main
from wire import read_all

PHONE_1 = "[terminal +15550100]\ncalls-in = tls\ncall-proof = psk\ncall-psk-identity = phone-1\ncall-psk-file = ../phone.psk\n"
# What breaks a rule that a server need not look at, or asks for what this one does not have: it may say ServerHello, and the
# handshake gets no further.
MAY_GO_ON = re.compile(r"two hellos in one|a hello and half another|compression: two$|extension 11 (less|of)|extension 45 of 15000"
                       r"|an unknown extension twice|two thousand|key share: the same group|key share: half|early data with a body")


def shout(port, chunks):
    """Sends one chunk after the other, each behind an answer to the one before it, and nothing more; what was answered, to the
    end."""
    got = b""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as s:
        try:
            for n, chunk in enumerate(chunks):
                if n > 0:
                    more = s.recv(65536)
                    got += more
                    if not more:
                        break
                s.sendall(chunk)
            s.shutdown(socket.SHUT_WR)
        except TimeoutError:
            raise
        except OSError:  # it has enough: reset, or not connected any more
            pass
        return got + read_all(s)


def try_rows(witness, port, makers, wrong, at_once=1):
    """Each row on a connection of its own; wrong(row's name, what was said) must hold for none."""
    rows = [row for maker in makers for row in maker()]
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        answers = list(pool.map(lambda row: tls_breaker.answer(shout(port, row[1])), rows))
    for (what, _), said in zip(rows, answers):
        check(not wrong(what, said), f"{what}: answered {said}")
    check(len({entry for said in answers for entry in said if isinstance(entry, int) and entry < 0}) > 2, "more than one kind of alert")
    check(all(witness.refusals(len(rows))), "each says why")
    witness.check("handshakes")


def took_it(what, said):
    return "hello" in said or "retry" in said


@case
def octets_that_are_no_hello(bench):
    """Records, handshake headers and hellos that end too early: no ServerHello for any."""
    w = Witness(bench, NONE)
    check("hello" in tls_breaker.answer(shout(w.gateway.tls_door, [tls_breaker.record(tls_breaker.hello())])), "the one that is not broken")
    w.refusals()
    try_rows(w, w.gateway.tls_door, (tls_breaker.records_rows, tls_breaker.header_rows, tls_breaker.truncated_rows), took_it)


@case
def hellos_that_break_a_rule(bench):
    """Fields, extensions, keys, fragments."""
    w = Witness(bench, NONE)
    try_rows(w, w.gateway.tls_door, (tls_breaker.fragment_rows, tls_breaker.field_rows, tls_breaker.extension_rows, tls_breaker.key_rows),
             lambda what, said: took_it(what, said) and not MAY_GO_ON.match(what))


@case
def wrong_proofs_of_a_shared_key(bench):
    """Lists of identities and binders that do not fit, binders that are wrong, early data: at the door for shared keys, where the
    identity is somebody's, and at the one that has none."""
    bench.write("phone.psk", "30" * 32 + "\n", 0o600)
    w = Witness(bench, PHONE_1, ota_http__listen_psk="127.0.0.1:0")
    ports = bench.wait_for_file(w.gateway.path("ports"))
    rows = (tls_breaker.psk_rows, tls_breaker.binder_rows)
    try_rows(w, int(re.search(r"ota-psk=127.0.0.1:(\d+)", ports).group(1)), rows, took_it)
    try_rows(w, w.gateway.tls_door, rows, lambda what, said: False)


@case
def what_should_not_follow_a_hello(bench):
    """Alerts, messages and records that may not stand there, behind a hello that was answered: in TLS 1.2, where the types of
    records are seen, nothing is ever said inside a session that does not stand."""
    w = Witness(bench, NONE)
    try_rows(w, w.gateway.tls_door, (tls_breaker.middle_rows,),
             lambda what, said: "hello" not in said or (what.startswith("1.2") and tls_breaker.DATA in said))


@case
def noise_from_many_at_a_time(bench):
    w = Witness(bench, NONE)
    try_rows(w, w.gateway.tls_door, (tls_breaker.random_rows, tls_breaker.fragment_rows), lambda what, said: False, at_once=8)


@case
def a_session_is_not_begun_anew(bench):
    """Renegotiation of TLS 1.2 costs the caller its line at once; new keys of TLS 1.3 change nothing.  Neither costs anybody else."""
    w = Witness(bench, CERTIFICATE)
    for version, words, ends_by in (("-tls1_2", "R\n", "protocol"), ("-tls1_3", "K\n", None)):
        client = bench.start("/usr/bin/openssl", "s_client", version, "-connect", f"127.0.0.1:{w.gateway.tls_door}", "-CAfile",
                             bench.path("ca.crt"), stdin=subprocess.PIPE)
        client.process.stdin.write(words.encode())
        client.process.stdin.flush()
        client.wait()  # the gateway hangs up on who does not answer
        check(("RENEGOTIATING" in client.err()) == (words == "R\n"), client.err())
        why = w.refusals()[0]
        check(not ends_by or why == ends_by, why)
    w.check("a session begun anew")


main("handshakes")
