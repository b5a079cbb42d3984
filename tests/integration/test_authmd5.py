"""A client of DM 1.2 that knows nothing but syncml:auth-md5: at the inbox, where it asks about pushes, and when it calls, always
inside TLS.  The client is Python's hashlib, http.client and ssl.  Requirement DM-18.  Usage: test_authmd5.py BUILD_DIR."""

import base64
import hashlib
import http.client
import json
import ssl

from callers import Doors, Hand, ID, TAKEN, registered
from gateway import Gateway, good_push, make_identity
from harness import case, check, check_eq, main, wait_until
from macs import b64, fields, inner

USER, PASSWORD = "4+15550100", "open-sesame"
MD5 = "call-proof = syncml-md5\ncall-password-file = ../phone.password\n"
FETCHES = "[terminal +15550100]\ninbox = yes\n" + MD5
CALLS = "[terminal +15550100]\ncalls-in = tls\n" + MD5
RULES = "allow news +1555* *\nallow inbox * *\n"
WEAK = {"pap.digest-md5": "yes"}


def response(nonce, user=USER, password=PASSWORD):
    """nonce: the octets, or the text that they travelled as: both are heard in the field."""
    return b64(hashlib.md5(inner(user, password).encode() + b":" + nonce).digest())


def credentials(nonce, user=USER, password=PASSWORD):
    return f'Syncml-MD5 username="{user}", response="{response(nonce, user, password)}"'


class Store(Gateway):
    """A gateway with doors for the inbox and for questions, and a terminal that logs in by syncml:auth-md5."""

    def __init__(self, bench, terminals=FETCHES, conf=None, **more):
        make_identity(bench)
        bench.write("phone.password", PASSWORD + "\n", 0o600)
        super().__init__(bench, terminals, RULES, conf={"inbox.listen-tls": "127.0.0.1:0", "verify.listen-tls": "127.0.0.1:0",
                                                        **(WEAK if conf is None else conf)}, **more)

    def door(self, name):
        with open(self.path("ports"), encoding="utf-8") as f:
            return int(dict(line.strip().split("=") for line in f)[name].rpartition(":")[2])


class Client:
    """One connection of the terminal; hears nonces, and says what it is told to."""

    def __init__(self, bench, gateway, door="inbox-tls", source=None):
        tls = ssl.create_default_context(cafile=bench.path("ca.crt"))
        self.http = http.client.HTTPSConnection("localhost", gateway.door(door), timeout=60, context=tls,
                                                source_address=(source, 0) if source else None)
        bench.closers.append(self.http.close)

    def say(self, authorization=None, target="/inbox", method="GET", body=None, **more):
        headers = {"Authorization": authorization} if authorization else {}
        self.http.request(method, target, body, {**headers, **{k.replace("_", "-"): v for k, v in more.items()}})
        self.heard = self.http.getresponse()
        self.body = self.heard.read()
        self.status = self.heard.status
        told = self.heard.getheader("x-syncml-nonce")
        self.next = base64.b64decode(told) if told else None
        return self.status

    def schemes(self):
        return [v.split(" ")[0] for v in self.heard.headers.get_all("WWW-Authenticate") or []]

    def asked(self):
        """The nonce of the challenge, in both forms."""
        value = next(v for v in self.heard.headers.get_all("WWW-Authenticate") if v.startswith("Syncml-MD5 "))
        text = fields(value)["nonce"]
        return base64.b64decode(text), text.encode()


def known(bench, gateway, **more):
    """A client that has logged in once and knows the next nonce."""
    client = Client(bench, gateway, **more)
    check_eq(client.say(), 401)
    check_eq(client.say(credentials(client.asked()[0])), 200, client.body)
    return client


@case
def a_client_with_nothing_else_fetches(bench):
    """Asked once, then nonce by nonce, on a new connection too; its item arrives, is fetched, and is acknowledged."""
    gateway = Store(bench)
    push_id = good_push(bench, gateway, content="Good morning")
    client = known(bench, gateway)
    items = wait_until(lambda: client.say(credentials(client.next)) == 200 and json.loads(client.body)["items"], "the item")
    check_eq(client.say(credentials(client.next), f"/inbox/{items[0]['id']}"), 200)
    check_eq(client.body, b"Good morning")
    last = client.next
    client = Client(bench, gateway)  # begins with the last nonce it heard, unasked
    check_eq(client.say(credentials(last), f"/inbox/{items[0]['id']}", "DELETE"), 204)
    gateway.wait_state(push_id, "delivered")
    check_eq(client.say(credentials(client.next), "/inbox/nothing"), 404)
    check_eq(client.say(credentials(client.next), "/inbox", "PUT"), 405)
    check_eq(client.say(credentials(client.next)), 200, "each answer tells the next nonce")
    shown = json.loads(gateway.ctl("--json", "terminal", "show", "+15550100").stdout)
    check_eq((shown["may_fetch"], shown["must_prove_by"]), (True, "syncml-md5"))


@case
def both_readings_of_a_nonce(bench):
    gateway = Store(bench)
    for reading in (0, 1):
        client = Client(bench, gateway)
        check_eq(client.say(), 401)
        check_eq(client.say(credentials(client.asked()[reading])), 200, reading)
        check(client.next and len(client.next) == 16, client.next)


@case
def a_nonce_is_good_once(bench):
    gateway = Store(bench)
    client = known(bench, gateway)
    nonce = client.next
    check_eq(client.say(credentials(nonce)), 200)
    check_eq(client.say(credentials(nonce)), 401, "used")
    check_eq((client.schemes(), client.next), (["Syncml-MD5"], None), "one challenge, for nothing else")
    check_eq(client.say(credentials(client.asked()[0])), 200, "and a right answer to it is heard")


@case
def a_second_failure_ends_the_session(bench):
    """One fresh challenge after a failure; then a wrong response, another scheme, or nothing at all is 403 and the end."""
    wrong = credentials(b"0" * 16)
    digest = f'Digest username="{USER}", realm="x", nonce="x", uri="/inbox", response="{"0" * 32}"'
    for second in (wrong, digest, None):
        gateway = Store(bench)
        client = Client(bench, gateway)
        check_eq(client.say(wrong), 401)
        check_eq(client.schemes(), ["Syncml-MD5"])
        nonce = client.asked()[0]
        check_eq(client.say(second), 403, second)
        check_eq((client.heard.getheader("Connection"), client.schemes()), ("close", []), second)
        again = Client(bench, gateway)
        check_eq(again.say(credentials(nonce)), 401, "the nonce was that connection's")
        gateway.kill()


@case
def unknown_user_and_wrong_response_are_one(bench):
    """Not even the nonce of a challenge tells them apart: the answers differ in its digits and the date alone."""
    gateway = Store(bench, FETCHES + FETCHES.replace("0100", "0101").replace("syncml-md5", "digest"))
    answers = set()
    for user, password in ((USER, "open-simsim"), ("4+15550199", PASSWORD), ("4+15550101", PASSWORD), ("nobody", "x")):
        client = Client(bench, gateway)
        check_eq(client.say(), 401)
        check_eq(client.say(credentials(client.asked()[0], user, password)), 401, user)
        text = client.asked()[1].decode()
        answers.add(str([(k, v.replace(text, "*")) for k, v in client.heard.getheaders() if k.lower() != "date"]) + str(client.body))
        known(bench, gateway)  # a good login clears the price that guessing has for this address
    check_eq(len(answers), 1, answers)


@case
def guessing_slows_the_name_wherever_from(bench):
    gateway = Store(bench)
    for n in range(4):
        client = Client(bench, gateway, source=f"127.0.0.{10 + n}")
        check_eq(client.say(credentials(b"0" * 16)), 401)
    client = Client(bench, gateway, source="127.0.0.99")
    check_eq(client.say(credentials(b"1" * 16)), 429, "from an address that never guessed")
    check(int(client.heard.getheader("Retry-After")) >= 1, client.heard.getheaders())
    other = Client(bench, gateway, source="127.0.0.99")
    check_eq(other.say(credentials(b"1" * 16, "another")), 401, "and that is about this name alone")


@case
def never_offered_to_nobody(bench):
    """While no terminal is named for it, and where MD5 is off; and never taken for another proof."""
    other = FETCHES.replace("syncml-md5", "digest")
    gateway = Store(bench, other)
    client = Client(bench, gateway)
    check_eq((client.say(), "Syncml-MD5" in client.schemes()), (401, False), client.schemes())
    check_eq(client.say(credentials(b"0" * 16)), 401)
    check("Syncml-MD5" not in client.schemes() and "Digest" in client.schemes(), client.schemes())
    gateway.write("terminals.conf", other + FETCHES.replace("0100", "0101"))
    check_eq(gateway.ctl("reload").returncode, 0)
    client = Client(bench, gateway)
    check_eq((client.say(), "Syncml-MD5" in client.schemes()), (401, True), client.schemes())
    check_eq(client.say(credentials(client.asked()[0])), 401, "a terminal whose proof is digest")
    gateway.write_conf(**{"pap__digest_md5": "no"})
    done = gateway.ctl("reload")
    check(done.returncode != 0 and "call-proof: MD5 is off" in done.stdout + done.stderr, done.stdout + done.stderr)


@case
def who_asks_about_a_push(bench):
    """The door of questions: X-Wap-Terminal-Id says who, the response proves it."""
    gateway = Store(bench, FETCHES + CALLS.replace("0100", "0101").replace("phone.password", "other.password"), start=False)
    bench.write("other.password", "open-simsim\n", 0o600)
    gateway.start()
    question = json.dumps({"token": "x", "digest": "0" * 64})
    post = {"target": "/sec/v1/verify", "method": "POST", "body": question}
    for user, password in ((USER, PASSWORD), ("4+15550101", "open-simsim")):
        client = Client(bench, gateway, "verify")
        check_eq(client.say(**post, X_Wap_Terminal_Id=user), 401)
        check_eq(client.say(credentials(client.asked()[0], user, password), **post, X_Wap_Terminal_Id=user), 200)
        check_eq(json.loads(client.body), {"valid": False})
        check_eq(client.say(credentials(client.next, user, password), **post, X_Wap_Terminal_Id=user), 200)
        nonce = client.next
        check_eq(client.say(credentials(nonce, user, "x"), **post, X_Wap_Terminal_Id=user), 401)
        check_eq(client.schemes(), ["Syncml-MD5"])
        check_eq(client.say(credentials(nonce, USER if user != USER else "4+15550101", password), **post, X_Wap_Terminal_Id=user), 403)
        check_eq(client.heard.getheader("Connection"), "close")
        client = Client(bench, gateway, "verify")
        check_eq(client.say(**post, X_Wap_Terminal_Id=user), 401)
        check_eq(client.say(credentials(client.asked()[0], "nobody", password), **post, X_Wap_Terminal_Id=user), 401, "its password under another name")


def proof(head, password=PASSWORD):
    """X-Wap-Authorization for the challenge of a call; empty: there is none."""
    for line in head.split("\r\n"):
        if line.startswith("X-Wap-Authenticate: Syncml-MD5 "):
            nonce = base64.b64decode(fields(line)["nonce"])
            return f"X-Wap-Authorization: {credentials(nonce, USER, password)}\r\n"
    return ""


def call(bench, gateway, say):
    tls = ssl.create_default_context(cafile=bench.path("ca.crt"))
    return Hand(bench, gateway.tls_door, lambda method, head: registered(ID + say(head)) if method == "OPTIONS" else TAKEN, tls)


@case
def a_client_with_nothing_else_calls(bench):
    gateway = Doors(bench, CALLS, **{"pap__digest_md5": "yes"})
    hand = call(bench, gateway, proof)
    gateway.wait_event("ota.called")
    push_id = good_push(bench, gateway, content="Hello")
    gateway.wait_state(push_id, "delivered")
    check_eq([h.split(" ")[0] for h in hand.heads], ["OPTIONS", "POST"])
    shown = json.loads(gateway.ctl("--json", "terminal", "show", "+15550100").stdout)
    check_eq((shown["proof"], shown["must_prove_by"]), ("syncml-md5", "syncml-md5"))


@case
def who_fails_twice_is_sent_away(bench):
    """Challenged once more, with another nonce; and what was right for the first is not for the second."""
    gateway = Doors(bench, CALLS, **{"pap__digest_md5": "yes"})
    first = []
    for say in (lambda head: proof(head, "x"), lambda head: "", lambda head: first.append(head) or proof(first[0]) if first else first.append(head) or ""):
        hand = call(bench, gateway, say)
        check(hand.gone.wait(60), "sent away")
        check_eq(len(hand.heads), 2)
        check(proof(hand.heads[0]) != proof(hand.heads[1]) != "", hand.heads)
    check_eq(gateway.events("ota.called"), [])


@case
def never_in_the_clear(bench):
    """A call in the clear is offered no such thing, and the configuration that would let one in is refused."""
    gateway = Doors(bench, CALLS, **{"pap__digest_md5": "yes"})
    hand = Hand(bench, gateway.door, lambda method, head: registered(ID + f"X-Wap-Authorization: {credentials(b'0' * 16)}\r\n"))
    check(hand.gone.wait(60), "sent away")
    check("Syncml-MD5" not in "".join(hand.heads) and "X-Wap-Authenticate: Digest" in hand.heads[0], hand.heads)
    gateway.write("terminals.conf", CALLS.replace("= tls", "= any"))
    done = gateway.ctl("reload")
    check(done.returncode != 0 and "that call-proof needs calls-in = tls" in done.stdout + done.stderr, done.stdout + done.stderr)


@case
def push_terminal_does_it_too(bench):
    """Fetching, several items on one connection; and calling.  Never without a proved gateway."""
    gateway = Store(bench)
    ids = [good_push(bench, gateway, content=f"number {n}") for n in range(3)]
    login = ("--proof", f"{USER}:{bench.path('phone.password')}")
    url = f"https://localhost:{gateway.door('inbox-tls')}"
    done = bench.run("push-terminal", "inbox", "--json", "--gateway", url, "--ca", bench.path("ca.crt"), *login, "--proof-md5", "--follow", "--count", "3")
    check_eq(([json.loads(line)["content"] for line in done.stdout.splitlines()], done.returncode), ([f"number {n}" for n in range(3)], 0), done.stderr)
    for push_id in ids:
        gateway.wait_state(push_id, "delivered")
    gateway.check_events(1, "inbox.refused")  # asked once
    done = bench.run("push-terminal", "inbox", "--gateway", url, "--ca", bench.path("ca.crt"), *login)
    check_eq(done.returncode, 0, "Digest, which is more, is taken as well: " + done.stderr)
    done = bench.run("push-terminal", "inbox", "--gateway", url, *login, "--proof-md5")
    check(done.returncode != 0 and "goes with --proof and --ca" in done.stderr, done.stderr)
    gateway.kill()
    gateway = Doors(bench, CALLS, **{"pap__digest_md5": "yes"})
    phone = bench.start("push-terminal", "connect", "--gateway", f"https://localhost:{gateway.tls_door}", "--ca", bench.path("ca.crt"), "--terminal-id",
                        USER, *login, "--proof-md5", "--json", "--count", "1")
    gateway.wait_event("ota.called")
    push_id = good_push(bench, gateway, content="called")
    gateway.wait_state(push_id, "delivered")
    check_eq(phone.wait(), 0)
    check('"content":"called"' in phone.out(), phone.out())


main("authmd5")
