"""Terminals that bootstrap over Ub: HTTP Digest AKA over TLS against a model of the identity module (gba_model.py).
RFC 3310, TS 24.109 section 4.  Usage: test_ub.py BUILD_DIR."""

import datetime
import os

from gateway import Gateway, make_identity
from gba_model import Module, Ue
from harness import case, check, check_eq, main

IMPI = "234150999999999@ims.mnc015.mcc234.3gppnetwork.org"
CONF = {"key-server.listen-ub": "127.0.0.1:0", "key-server.cert": "../gateway.crt", "key-server.key": "../gateway.key",
        "files.subscribers": "subscribers.conf"}


def opened(bench, *modules, **conf):
    make_identity(bench)
    gateway = Gateway(bench, "", "", conf={**CONF, **conf}, start=False)
    gateway.write("subscribers.conf", "".join(m if isinstance(m, str) else m.section() for m in modules))
    return gateway.start()


def ub_port(gateway):
    with open(gateway.path("ports"), encoding="utf-8") as f:
        return int(dict(line.strip().split("=") for line in f)["ub"].rpartition(":")[2])


def ue_of(bench, gateway, module, **more):
    return Ue(module, ub_port(gateway), bench.authority[0], **more)


@case
def a_terminal_bootstraps(bench):
    module = Module(IMPI)
    gateway = opened(bench, module)
    ue = ue_of(bench, gateway, module).bootstrap()
    ends = datetime.datetime.strptime(ue.lifetime, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)
    hours = (ends - datetime.datetime.now(datetime.timezone.utc)).total_seconds() / 3600
    check(23.5 < hours <= 24, hours)
    first = ue.btid
    check(ue.bootstrap().btid != first, "each run has its own name")
    gateway.check_events(2, "ub.bootstrapped")
    check(ue.btid not in gateway.said() and IMPI not in gateway.said(), "neither name is in the log")


@case
def an_identity_shown_once(bench):
    module = Module(IMPI)
    gateway = opened(bench, module)
    ue = ue_of(bench, gateway, module).bootstrap()
    ue.user = ue.tmpi()
    ue.bootstrap()
    check_eq(ue.ask(f'username="{ue.user}", realm="{ue.bsf}", nonce="", uri="/", response=""')[0], 403)
    plain = ue_of(bench, gateway, module, agent="ue/1").bootstrap()
    plain.user = plain.tmpi()
    check_eq(plain.ask(f'username="{plain.user}", realm="{plain.bsf}", nonce="", uri="/", response=""')[0], 403)


@case
def numbers_are_never_used_twice(bench):
    """Not by a kill, nor across a reload; a module that is ahead is followed."""
    module = Module(IMPI)
    gateway = opened(bench, module)
    ue_of(bench, gateway, module).bootstrap()
    gateway.kill()
    gateway.start()
    ue = ue_of(bench, gateway, module).bootstrap()
    check_eq(gateway.ctl("reload").returncode, 0)
    ue.bootstrap()
    check_eq(ue.syncs, 0)
    module.seen[1] += 100000
    ue.bootstrap()
    check_eq(ue.syncs, 1)
    gateway.kill()
    gateway.start()
    check_eq(ue_of(bench, gateway, module).bootstrap().syncs, 0)


@case
def wrong_answers_get_nothing(bench):
    module, stranger = Module(IMPI), Module("nobody@operator.example")
    gateway = opened(bench, module)
    ue = ue_of(bench, gateway, module)
    good = ue.answer(ue.challenged())[0]
    check_eq(ue.ask(good.replace('response="', 'response="0'))[0], 403, "that is no digest")
    check_eq(ue.ask(good)[0], 200)
    check_eq(ue.ask(good)[0], 401, "once is enough")
    check_eq((ue.ask(good, path="/other")[0], ue.ask(good, method="POST")[0]), (404, 405))
    check_eq(ue.ask(None)[0], 403, "nobody")
    other = ue_of(bench, gateway, stranger)
    check_eq(other.ask(f'username="{stranger.impi}", realm="{ue.bsf}", nonce="", uri="/", response=""')[0], 403)
    offer = ue.challenged()
    guesses = []
    while 429 not in guesses and len(guesses) < 12:  # on a slow machine the first waits may be over before we ask
        guesses.append(ue.ask(ue.says(offer, os.urandom(8))[0])[0])
    check_eq((guesses[:2], set(guesses[2:-1]) <= {403}, guesses[-1]), ([403, 403], True, 429), "a guesser waits")
    gateway.check_events(2 + len(guesses), "ub.refused")


@case
def whoever_asks_often_waits(bench):
    """Each run uses a number up, and anybody may name a subscriber."""
    module = Module(IMPI)
    gateway = opened(bench, module)
    ue = ue_of(bench, gateway, module)
    first = f'username="{IMPI}", realm="{ue.bsf}", nonce="", uri="/", response=""'
    answers = []
    while 503 not in [a[0] for a in answers] and len(answers) < 100:
        answers.append(ue.ask(first))
    check(503 in [a[0] for a in answers], answers)
    check(all(a[1].get("retry-after") for a in answers if a[0] == 503), "it is told when to come again")


@case
def the_door_stays_until_a_restart(bench):
    """A reload that would take it away is refused, rather than leave it open without TLS."""
    module = Module(IMPI)
    gateway = opened(bench, module)
    ue = ue_of(bench, gateway, module).bootstrap()
    gateway.write_conf(key_server__listen_ub=None)
    done = gateway.ctl("reload")
    check_eq((done.returncode, "without a restart" in done.stdout + done.stderr), (1, True), done.stderr)
    ue.bootstrap()


@case
def bad_configurations_are_told(bench):
    make_identity(bench)
    gateway = Gateway(bench, "", "", conf=CONF, start=False)
    gateway.write("subscribers.conf", Module(IMPI).section())
    for change, says in (({"key-server.cert": None}, "cert and key go together"),
                         ({"key-server.cert": None, "key-server.key": None}, "needs cert and key"),
                         ({"files.subscribers": None}, "needs subscribers"),
                         ({"key-server.bsf-name": "Not/A/Name"}, "not a domain name"),
                         ({"key-server.bootstrapped-max": "0"}, "bootstrapped-max"),
                         ({"key-server.key": "../gateway.crt"}, "gateway.crt"),
                         ({}, "")):
        kept = dict(gateway.conf)
        gateway.write_conf(**{k.replace("-", "_").replace(".", "__"): v for k, v in change.items()})
        done = bench.run("ppgd", "-c", gateway.path("ppg.conf"), "--check-config")
        check_eq((done.returncode, says in done.stderr + done.stdout), (1 if change else 0, True), (change, done.stderr))
        gateway.conf = kept


main("ub")
