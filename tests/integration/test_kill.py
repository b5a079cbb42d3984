"""kill -9 at moments chosen and at random: every push that was accepted is in the terminal's output exactly once (again,
under its message id, only where the terminal was killed between showing it and keeping its state), its initiator is
told, and no sequence number is used twice.  Usage: test_kill.py BUILD_DIR."""

import random
import re
import struct
import threading

from gateway import Ear, Gateway, Relay, Terminal, good_push, push
from harness import Failure, case, check, check_eq, free_port, main, wait_until


def sequence_numbers(wire):
    """Of the sealed messages that reached the terminal: flags, suite, SN (4 octets), Ls, SAID ([GPL-A1])."""
    numbers = []
    line = rb"[^\r\n]+\r\n"
    for match in re.finditer(rb"POST /wappush HTTP/1\.1\r\n(?:%s)+\r\n(HTTP/1\.1 200 OK\r\n(?:%s)+\r\n)" % (line, line), wire):
        check(b"Content-Type: application/x-push-gpl-a1\r\n" in match.group(1), f"not sealed: {match.group()}")
        head = wire[match.end():match.end() + 23]
        if len(head) == 23:
            _, _, number, said_n = struct.unpack(">BBIB", head[:7])
            check_eq((said_n, head[7:]), (16, b"association-0001"))
            numbers.append(number)
    return numbers


def check_numbers(phone, at_least):
    numbers = sequence_numbers(phone.wire())
    check(len(numbers) >= at_least, f"only {len(numbers)} sealed messages")
    check_eq(len(numbers), len(set(numbers)), f"sequence numbers repeat: {numbers}")
    check_eq(numbers, sorted(numbers), "sequence numbers go back")


class Chain:
    """Gateway, terminal and ear, the last two behind relays."""

    def __init__(self, bench):
        self.phone = Terminal(bench, "--require", "full", "--state", bench.path("state"))
        self.ear = Ear(bench)
        self.phone_relay = Relay(bench, self.phone.port, b"POST")
        self.ear_relay = Relay(bench, self.ear.port, b"POST")
        self.url = f"http://127.0.0.1:{self.ear_relay.port}/notify"
        self.gateway = Gateway(bench, self.phone.route("+15550100", port=self.phone_relay.port))

    def push(self, bench, content="kept", url=None):
        return good_push(bench, self.gateway, content=content, attributes={"ppg-notify-requested-to": url or self.url})

    def check_once(self, push_id, content="kept"):
        check_eq(self.gateway.wait_state(push_id, "delivered")["targets"][0]["code"], 1000)
        wait_until(lambda: self.gateway.show(push_id)["targets"][0]["notification"] == "told", "the debt to be closed")
        check_eq([e["content"] for e in self.phone.events()], [content])
        check({(h["push_id"], h["state"], h["code"]) for h in self.ear.heard()} == {(push_id, "delivered", 1000)},
              self.ear.heard())
        check_eq(self.gateway.query("SELECT count(*) FROM push"), [["1"]])
        wait_until(lambda: self.gateway.query("SELECT count(*) FROM notice") == [["0"]], "the outbox to be empty")


@case
def right_after_accepted(bench):
    chain = Chain(bench)
    push_id = chain.push(bench)
    chain.gateway.kill()
    chain.gateway.start()
    chain.check_once(push_id)
    check_numbers(chain.phone, 1)


@case
def while_terminal_holds_its_answer(bench):
    chain = Chain(bench)
    chain.phone_relay.hold()
    push_id = chain.push(bench)
    check(chain.phone_relay.held.wait(60), "the terminal did not answer")
    check_eq(chain.gateway.show(push_id)["targets"][0]["state"], "pending")
    chain.gateway.kill()
    chain.phone_relay.let_go()
    chain.gateway.start()
    chain.check_once(push_id)
    check_eq(len(chain.phone.events("duplicate")), 1)
    check_numbers(chain.phone, 2)


@case
def when_terminal_has_answered(bench):
    chain = Chain(bench)
    push_id = chain.push(bench)
    chain.phone.wait_events(1)
    chain.gateway.kill()
    chain.gateway.start()
    chain.check_once(push_id)
    check_numbers(chain.phone, 1)


@case
def before_the_notification(bench):
    chain = Chain(bench)
    port = free_port()
    push_id = chain.push(bench, url=f"http://127.0.0.1:{port}/notify")
    chain.gateway.wait_event("notify.retry")
    check_eq(chain.gateway.show(push_id)["targets"][0]["notification"], "owed")
    chain.gateway.kill()
    chain.ear = Ear(bench, port=port)
    chain.gateway.start()
    chain.check_once(push_id)
    check_eq(len(chain.ear.heard()), 1)


@case
def during_the_notification(bench):
    chain = Chain(bench)
    chain.ear_relay.hold()
    push_id = chain.push(bench)
    check(chain.ear_relay.held.wait(60), "the initiator was not told")
    check_eq(chain.gateway.show(push_id)["targets"][0]["notification"], "owed")
    chain.gateway.kill()
    chain.ear_relay.let_go()
    chain.gateway.start()
    chain.check_once(push_id)
    check_eq(len(chain.ear.heard()), 2)


@case
def terminal_dies_before_its_answer_is_heard(bench):
    chain = Chain(bench)
    chain.phone_relay.hold()
    push_id = chain.push(bench)
    check(chain.phone_relay.held.wait(60), "the terminal did not answer")
    chain.phone.kill()
    chain.phone.start()
    chain.phone_relay.drop()
    chain.check_once(push_id)
    check_eq(len(chain.phone.events("duplicate")), 1)
    check_numbers(chain.phone, 2)


@case
def both_die(bench):
    chain = Chain(bench)
    chain.phone_relay.hold()
    push_id = chain.push(bench)
    check(chain.phone_relay.held.wait(60), "the terminal did not answer")
    chain.gateway.kill()
    chain.phone.kill()
    chain.phone_relay.drop()
    chain.phone.start()
    chain.gateway.start()
    chain.check_once(push_id)


class Submitter(threading.Thread):
    """Submits `count` pushes one after the other, each again with its id until it is known to be accepted: 1001, or 2007
    when the answer of the try before was lost."""

    def __init__(self, bench, gateway, url, count):
        super().__init__(daemon=True)
        self.bench, self.gateway, self.url, self.count = bench, gateway, url, count
        self.accepted, self.trouble = [], None

    def run(self):
        try:
            for i in range(self.count):
                wait_until(lambda i=i: self.submit(f"n{i}"), f"push {i} to be accepted")
                self.accepted.append(f"n{i}")
        except Exception as trouble:
            self.trouble = trouble

    def submit(self, name):
        try:
            answer = push(self.bench, self.gateway, push_id=name, content=name,
                          attributes={"ppg-notify-requested-to": self.url})
        except Failure:
            return False  # nobody listens, or it died while we waited
        check(answer.code in (1001, 2007) or answer.status == 503, answer)
        return answer.code in (1001, 2007)


def wait_shown(gateway, phone, want):
    """Until each was shown; a failure tells what became of those that were not."""
    try:
        wait_until(lambda: {e["content"] for e in phone.events()} >= set(want), "every push to be shown", 300)
    except Failure:
        missing = sorted(set(want) - {e["content"] for e in phone.events()})
        raise Failure(f"{len(missing)} not shown: {[gateway.show(name)['targets'] for name in missing[:3]]}; the terminal "
                      f"dropped {phone.events('dropped')[:3]}") from None


@case
def random_kills_under_load(bench):
    pushes, kills, phone_kills, seed = 200, 10, 0, 20261121
    chance = random.Random(seed)
    phone, ear = Terminal(bench, "--require", "full", "--state", bench.path("state")), Ear(bench)
    gateway = Gateway(bench, phone.route("+15550100"), conf={"log.level": "info"})
    submitter = Submitter(bench, gateway, ear.url, pushes)
    submitter.start()
    for at in sorted(chance.sample(range(1, pushes - 1), kills)):
        wait_until(lambda at=at: len(submitter.accepted) >= at or submitter.trouble, f"{at} pushes")
        gateway.kill()
        if chance.random() < 0.3:
            phone.kill()
            phone.start()
            phone_kills += 1
        gateway.start()
    submitter.join(600)
    check(not submitter.trouble, submitter.trouble)
    want = sorted(submitter.accepted)
    check_eq(len(want), pushes)
    wait_shown(gateway, phone, want)
    shown = phone.events()
    check_eq(sorted(content for content, _ in {(e["content"], e["message_id"]) for e in shown}), want, "what the terminal showed")
    check(len(shown) <= pushes + phone_kills, f"shown twice: {len(shown) - pushes}, terminal killed {phone_kills} times")
    wait_until(lambda: {h["push_id"] for h in ear.heard()} == set(want), "every push to be told of")
    wait_until(lambda: gateway.query("SELECT count(*) FROM notice") == [["0"]], "the outbox to be empty")
    check_eq(gateway.query("SELECT stage, code, notified, count(*) FROM target GROUP BY 1, 2, 3"),
             [["2", "1000", "2", str(pushes)]])
    check({(h["state"], h["code"]) for h in ear.heard()} == {("delivered", 1000)}, "another result")
    numbers = sequence_numbers(phone.wire())
    check(len(numbers) >= pushes and len(numbers) == len(set(numbers)), f"sequence numbers repeat: {numbers}")


main("kill")
