"""Pushes in the clear that carry x-syncml-hmac: the gateway against push-terminal and against a terminal written here, and
push-terminal fed by hand; the arithmetic is python's hashlib.  DM message security 5.3, 5.4.  Usage: test_ota_mac.py
BUILD_DIR."""

import base64
import http.server
import os
import threading

import terminal as by_hand
from callers import DIGEST, ID, NONE, TAKEN, Caller, Doors, Hand, registered
from gateway import ANY_LEVEL, PASSWORD, Gateway, Terminal, good_push, push
from harness import case, check, check_eq, main
from macs import b64, fields, header, new_nonce, nonce_of, of_md5, of_sha256

KEY = bytes(range(32))
WITH_KEY = "mac-user = ppg\nmac-key-file = ../mac.key\n"
WITH_PASSWORD = "mac-user = ppg\nmac-password-file = ../mac.password\n"
INTEGRITY = {"X-Push-Protection": "integrity"}


def key_file(bench):
    return bench.write("mac.key", KEY.hex() + "\n", 0o600)


def password_file(bench):
    return bench.write("mac.password", PASSWORD + "\n", 0o600)


class Handset:
    """An HTTP server that answers OPTIONS and takes pushes with a good mac.  tells: the nonce comes with the answer to
    OPTIONS; refuse(n): what the n-th push gets instead of a judgement, None: nothing."""

    def __init__(self, bench, tells=False, refuse=lambda n: None):
        handset = self
        self.nonce, self.pushes, self.good, self.links = new_nonce(), [], [], set()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, status, *lines):
                self.send_response(status)
                for name, value in (("X-Wap-Push-OTA-Version", "1.0"), ("Content-Length", "0"), *lines):
                    self.send_header(name, value)
                self.end_headers()

            def do_OPTIONS(self):
                handset.links.add(self.client_address)
                more = [("x-syncml-nonce", b64(handset.nonce))] if tells else []
                self.answer(204, ("X-Wap-Push-Status", "501"), ("X-Wap-CPITag", "q83vEg=="), *more)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                value = self.headers.get("x-syncml-hmac")
                handset.pushes.append((value, body, self.client_address))
                instead = refuse(len(handset.pushes))
                if instead:
                    self.answer(401, ("WWW-Authenticate", instead))
                elif value and handset.judge(fields(value), body):
                    handset.good.append(body)
                    handset.nonce = new_nonce()
                    self.answer(204, ("X-Wap-Push-Status", "400"), ("x-syncml-nonce", b64(handset.nonce)))
                else:
                    self.answer(401, ("WWW-Authenticate", f'Syncml-MAC realm="push", nonce="{b64(handset.nonce)}"'))

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        bench.closers += [self.server.shutdown, self.server.server_close]
        self.port = self.server.server_address[1]

    def judge(self, mac, body):
        if mac["username"] != "ppg":
            return False
        want = (of_sha256(KEY, self.nonce, body) if mac["algorithm"] == "SHA-256" else
                of_md5("ppg", PASSWORD, self.nonce, body))
        return mac["mac"] == b64(want)

    def section(self, more):
        return f"[terminal +15550100]\nroute = http://127.0.0.1:{self.port}\n{more}"


def opened(bench, terminals, **conf):
    key_file(bench)
    password_file(bench)
    return Gateway(bench, terminals, ANY_LEVEL, conf={"delivery.retry-first": "50ms", **conf})


@case
def clear_pushes_carry_it(bench):
    """DM-05.  Of both algorithms, nonce after nonce, to a terminal that checks it by itself."""
    for more, algorithm, tells in ((WITH_KEY, "SHA-256", False), (WITH_PASSWORD, "MD5", True)):
        handset = Handset(bench, tells)
        gateway = opened(bench, handset.section(more))
        ids = [good_push(bench, gateway, content=f"number {n}", headers=INTEGRITY) for n in range(4)]
        for push_id in ids:
            gateway.wait_state(push_id, "delivered")
        check_eq(len(handset.good), 4, algorithm)
        check_eq(len(handset.pushes), 4 if tells else 5, "one challenge, where the nonce was not told before")
        check_eq({fields(value)["algorithm"] for value, _, _ in handset.pushes}, {algorithm})
        check(b"X-Wap-Push-Info: authenticated" in handset.good[0], "what counts is inside what the mac covers")
        said = gateway.ctl("push", "explain", ids[0]).stdout
        check("auth=hmac int=hmac conf=none" in said, said)


@case
def nothing_is_hidden_by_it(bench):
    """Never counts as confidentiality; and a seal stands before it."""
    handset = Handset(bench)
    gateway = opened(bench, handset.section(WITH_KEY))
    answer = push(bench, gateway, push_id="full", headers={"X-Push-Protection": "full"})
    check_eq((answer.code, handset.pushes), (2005, []))
    sealing = Terminal(bench, "--require", "integrity")
    other = opened(bench, sealing.route("+15550100", more="association-file = ../association\n" + WITH_KEY))
    push_id = good_push(bench, other, headers=INTEGRITY)
    event = sealing.wait_events(1)[0]
    check_eq((event["protection"], event["suite"] != "", b"x-syncml-hmac" in sealing.wire()), ("full", True, False))
    other.wait_state(push_id, "delivered")


@case
def push_terminal_takes_it(bench):
    for n, (option, file, more) in enumerate((("--mac", key_file(bench), WITH_KEY), ("--mac-md5", password_file(bench), WITH_PASSWORD))):
        phone = Terminal(bench, option, f"ppg:{file}", "--require", "integrity", association=False)
        gateway = opened(bench, phone.route("+15550100", more=more))
        for k in range(3):
            gateway.wait_state(good_push(bench, gateway, content=f"{n}.{k}", headers=INTEGRITY), "delivered")
        event = phone.wait_events(3)[2]
        check_eq((event["protection"], event["proofs"], event["trusted"]), ("integrity", ["hmac"], True))
        check_eq(phone.wire().count(b"x-syncml-hmac: algorithm="), 3, "no push went out twice: OPTIONS told the first nonce")


@case
def a_terminal_that_calls_takes_it_too(bench):
    """On its own line: the first nonce comes with its registration, so that no push goes out twice."""
    for option, file, more in (("--mac", key_file(bench), WITH_KEY), ("--mac-md5", password_file(bench), WITH_PASSWORD)):
        gateway = Doors(bench, DIGEST + more)
        phone = Caller(bench, gateway, "--terminal-id", "4+15550100", "--proof", f"4+15550100:{bench.path('phone.password')}",
                       option, f"ppg:{file}", "--require", "integrity", tls=False)
        gateway.wait_event("ota.called")
        ids = [good_push(bench, gateway, push_id=f"{n}@called", content=f"number {n}", headers=INTEGRITY) for n in range(3)]
        for push_id in ids:
            gateway.wait_state(push_id, "delivered")
        event = phone.wait_events(3)[2]
        check_eq((event["protection"], event["proofs"], event["trusted"]), ("integrity", ["hmac"], True))
        check_eq(phone.events("refused"), [])
        check("auth=hmac int=hmac conf=none" in gateway.ctl("push", "explain", ids[0]).stdout, "how")
        gateway.kill()


@case
def a_caller_may_want_one_before_it_says_who_it_is(bench):
    """The gateway shows it over nothing, once; what the terminal then tells is good for the push, and wrong keys end the call."""
    key_file(bench)
    gateway = Doors(bench, NONE + WITH_KEY)
    for key, lets_in in ((KEY, True), (bytes(32), False)):
        nonces, seen = [new_nonce(), new_nonce(), new_nonce()], []

        def answer(method, head, key=key, nonces=nonces, seen=seen):
            value = next((line[15:] for line in head.split("\r\n") if line.startswith("x-syncml-hmac: ")), None)
            seen.append((method, value))
            if method == "POST":
                return TAKEN
            if value and fields(value)["mac"] == b64(of_sha256(key, nonces[0], b"")):
                return registered(ID + f"x-syncml-nonce: {b64(nonces[1])}\r\n")
            return (f'HTTP/1.1 401 Unauthorized\r\n{ID}WWW-Authenticate: Syncml-MAC realm="push", nonce="{b64(nonces[0])}"\r\n'
                    "Content-Length: 0\r\n\r\n").encode()

        hand = Hand(bench, gateway.door, answer)
        if lets_in:
            gateway.wait_event("ota.called")
            gateway.wait_state(good_push(bench, gateway, push_id="first@called", headers=INTEGRITY), "delivered")
            check_eq([method for method, _ in seen], ["OPTIONS", "OPTIONS", "POST"])
            check_eq([bool(value) for _, value in seen], [False, True, True])
        else:
            gateway.wait_event("ota.call.refused", why="our login is refused")
            check(hand.gone.wait(60), "it hangs up")
            check_eq(len(seen), 2)


@case
def wrong_keys_end_the_session(bench):
    """The terminal asks again, once; then the gateway hangs up and the push is over."""
    phone = Terminal(bench, "--mac", f"ppg:{bench.write('other.key', bytes(32).hex(), 0o600)}", "--require", "integrity",
                     association=False)
    gateway = opened(bench, phone.route("+15550100", more=WITH_KEY))
    push_id = good_push(bench, gateway, headers=INTEGRITY)
    gateway.wait_state(push_id, "undeliverable")
    gateway.wait_event("ota.closed")
    check_eq((phone.events(), phone.wire().count(b"POST /wappush")), ([], 2))


@case
def another_type_than_asked_for_ends_it(bench):
    """A terminal that wants what the gateway was not given for it; and one that never has enough."""
    for challenge, sent in (("Digest realm=\"push\", nonce=\"abc\", qop=\"auth\"", 1), ("Syncml-MAC realm=\"push\", nonce=\"QUFBQQ==\"", 2)):
        handset = Handset(bench, tells=True, refuse=lambda n: challenge)
        gateway = opened(bench, handset.section(WITH_KEY))
        push_id = good_push(bench, gateway, headers=INTEGRITY)
        gateway.wait_state(push_id, "undeliverable")
        gateway.wait_event("ota.closed")
        check_eq(len(handset.pushes), sent, challenge)
    handset = Handset(bench, refuse=lambda n: 'Syncml-MAC realm="push", nonce="QUFBQQ=="')
    gateway = opened(bench, handset.section(""))  # and no key for it
    push_id = good_push(bench, gateway)
    gateway.wait_state(push_id, "undeliverable")
    check_eq([value for value, _, _ in handset.pushes], [None])


def message(body=b"hello", flags=b"authenticated, trusted"):
    return (b"HTTP/1.1 200 OK\r\nX-Push-Message-ID: m-" + body + b"\r\nContent-Type: text/plain\r\nX-Wap-Push-Info: " + flags +
            b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


class ByHand(by_hand.Terminal):
    """push-terminal with a key, fed over a plain socket."""

    nonce = None

    def __init__(self, bench, *options):
        super().__init__(bench, "--mac", f"ppg:{key_file(bench)}", *options)

    def request(self, method, headers, body=b""):
        status, answer = super().request(method, headers, body)
        nonce = answer.get("x-syncml-nonce")
        self.nonce = base64.b64decode(nonce) if nonce else nonce_of([answer.get("www-authenticate", "")]) or self.nonce
        return status, answer

    def post(self, entity, value=None, content_type="application/http"):
        """(HTTP status, push status), event"""
        headers = {"Content-Type": content_type, "X-Wap-CPITag": self.tag}
        status, answer = self.request(b"POST", {**headers, **({"x-syncml-hmac": value} if value else {})}, entity)
        return (status, answer.get("x-wap-push-status")), self.event()

    def mac(self, entity, user="ppg", key=KEY):
        return header(user, self.nonce, entity, key=key)


@case
def kit_rejects_one_without(bench):
    """DM-05: no mac, another's, one over another entity, one used before, two, malformed ones: asked again, and dropped."""
    phone = ByHand(bench, "--require", "integrity")
    entity = message()
    answer, event = phone.post(entity)
    check_eq((answer, event["event"], event["reason"]), ((401, None), "refused", "hmac"))
    changed = entity.replace(b"hello", b"hullo")
    good = phone.mac(entity)
    for value, sent in ((phone.mac(entity, key=bytes(32)), entity), (phone.mac(entity, user="other"), entity), (good, changed),
                        (good, entity.replace(b", trusted", b"")), (good + ", mac=AAAA", entity),
                        (good.rpartition(",")[0], entity), (good.replace("SHA-256", "SHA-1"), entity), ("", entity)):
        answer, event = phone.post(sent, value)
        check_eq((answer, event["event"], event["reason"]), ((401, None), "refused", "hmac"), value)
    answer, event = phone.post(entity, good)
    check_eq((answer, event["event"], event["protection"]), ((204, "400"), "push", "integrity"))
    check_eq((event["authenticated"], event["trusted"], event["proofs"]), (True, True, ["hmac"]))
    answer, event = phone.post(entity, good)
    check_eq((answer, event["reason"]), ((401, None), "hmac"), "the same again")
    answer, event = phone.post(message(b"next"), phone.mac(message(b"next")))
    check_eq((answer, event["event"]), ((204, "400"), "push"))


@case
def kit_believes_no_more_than_it_covers(bench):
    """The direct form has its headers outside; without a mac the flags are hearsay; full is more than a mac gives."""
    phone = ByHand(bench, "--require", "integrity")
    answer, event = phone.post(b"hello", phone.mac(b"hello"), "text/plain")
    check_eq((answer, event["reason"]), ((204, "235"), "protection-below-floor"))
    free = ByHand(bench)
    answer, event = free.post(message())
    check_eq((answer, event["event"], event["trusted"], event["protection"]), ((204, "400"), "push", False, "none"))
    full = ByHand(bench, "--require", "full")
    for value in (None, full.mac(message())):
        answer, event = full.post(message(), value)
        check_eq((answer, event["event"], event["reason"]), ((204, "235"), "dropped", "protection-below-floor"), value)


@case
def strangers_spoil_no_nonce(bench):
    """A nonce that is told and not used stays, however often somebody without the key asks."""
    phone = ByHand(bench, "--require", "integrity")
    nonce = phone.nonce
    for _ in range(5):
        phone.post(message(os.urandom(4).hex().encode()))
        phone.post(message(), header("ppg", b"x", message(), key=bytes(32)))
    check_eq(phone.nonce, nonce)
    answer, _ = phone.post(message(), phone.mac(message()))
    check_eq(answer, (204, "400"))


main("ota_mac")
