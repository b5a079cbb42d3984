"""slowhttptest against each door that speaks HTTP: heads and bodies that come by the spoonful, answers that are read so.  Every
connection is cut off by the gateway, while initiators are served and terminals get their pushes.  Usage: test_slow_http.py
BUILD_DIR."""

import os
import re

from callers import CERTIFICATE, Witness
from gateway import good_push
from harness import case, check, check_eq, main, wait_until

CONNECTIONS = 50
LIMIT_S = 90  # nothing is waited for so long: the gateway is done with all of them before


def opened(bench):
    """A gateway that has little patience, and its doors."""
    w = Witness(bench, CERTIFICATE, **{"pap__head_timeout": "1s", "pap__idle_timeout": "1s", "inbox__listen_tls": "127.0.0.1:0"})
    ports = dict(line.split("=") for line in bench.wait_for_file(w.gateway.path("ports")).split())
    return w, [f"{scheme}://127.0.0.1:{ports[name].rpartition(':')[2]}{path}" for name, scheme, path in
               (("ota", "http", "/wappush"), ("ota-tls", "https", "/wappush"), ("pap", "http", "/pap"), ("pap-tls", "https", "/pap"),
                ("inbox-tls", "https", "/inbox"))]


def begin(bench, doors, *mode):
    return [bench.start("/usr/bin/slowhttptest", *mode, "-u", url, "-c", str(CONNECTIONS), "-r", str(CONNECTIONS), "-i", "1", "-l", str(LIMIT_S),
                        "-p", "20", "-v", "1") for url in doors]


def said(run):
    return re.sub("\x1b\\[[0-9;]*m", "", run.out())


def serve(bench, w):
    push_id = good_push(bench, w.gateway, to=("+15550199",))
    w.gateway.wait_state(push_id, "delivered")


def attack(bench, *mode):
    """All doors at a time; meanwhile pushes go in, and out to a terminal."""
    w, doors = opened(bench)
    runs = begin(bench, doors, *mode)
    while any(run.running() for run in runs):
        serve(bench, w)
    for url, run in zip(doors, runs):
        check_eq(run.wait(), 0, f"{url}: {run.err()}")
        check("No open connections left" in said(run), f"{url}: {said(run)[-600:]}")
    w.check(mode)


@case
def heads_by_the_spoonful(bench):
    attack(bench, "-H")


@case
def bodies_by_the_spoonful(bench):
    attack(bench, "-B", "-t", "POST")


@case
def answers_read_by_the_spoonful(bench):
    """Who reads an octet a second does not see the end, which is behind what it has not read; the gateway has let go long before."""
    w, doors = opened(bench)
    sockets = f"/proc/{w.gateway.program.process.pid}/fd"
    serve(bench, w)
    before = len(os.listdir(sockets))
    runs = begin(bench, doors, "-X", "-n", "1", "-w", "1", "-y", "8", "-z", "1")
    wait_until(lambda: len(w.gateway.events("ota.call.refused")) >= 2 * CONNECTIONS, "the end of the crowd at two doors", LIMIT_S)
    serve(bench, w)
    probes = 2 * len(doors)  # the tool looks now and then whether the door is still open
    wait_until(lambda: len(os.listdir(sockets)) <= before + probes, "the end of all of them at the gateway", LIMIT_S)
    check(runs[0].running(), "they are still reading")
    w.check("slow readers")


main("slow_http")
