"""A terminal is served by a function of another network: its home gives a key to both, over a link with certificates both ways,
and with it the terminal goes there, once (SEC_CF 1.1, use case B.6).  Two gateways, curl, openssl s_client and push-terminal.
Usage: test_visit.py BUILD_DIR."""

import base64
import datetime
import json
import subprocess

from gateway import ANY_LEVEL, Gateway, good_push, make_identity
from harness import case, check, check_eq, main, wait_until

HOME, VISITED = "home.example", "push.visited.example"
MARK = "a push of the visited network"


def ports(gateway):
    with open(gateway.path("ports"), encoding="utf-8") as f:
        return {k: int(v.rpartition(":")[2]) for k, v in (line.strip().split("=") for line in f)}


class Pair:
    """The gateway that is visited, and the home of +15550100."""

    def __init__(self, bench, identity="yes", home_certificate="home", rate="30", homes=f"[home {HOME}]\ncertificate = DNS:{HOME}\n",
                 **more):
        make_identity(bench)
        self.bench = bench
        for name, alt in (("home", "DNS:" + HOME), ("visited", "IP:127.0.0.1,DNS:localhost"), ("stranger", "DNS:stranger.example"),
                          ("phone", "URI:https://phone.example.com")):
            bench.certificate(bench.authority, name, alt)
        keys = {"key-server.ca": "../ca.crt", "files.visits": "visits.conf"}
        self.visited = Gateway(bench, "[terminal +15550100]\ncalls-in = tls\ncall-proof = psk\n"
                               f"call-subscriber = visit:{HOME}:+15550100\n", ANY_LEVEL, start=False, conf={
                                   **keys, "key-server.name": VISITED, "key-server.cert": "../visited.crt",
                                   "key-server.key": "../visited.key", "key-server.listen-peer": "127.0.0.1:0",
                                   "ota-http.listen-psk": "127.0.0.1:0", **more})
        self.visited.write("visits.conf", homes)
        self.visited.start()
        self.peer, self.door = ports(self.visited)["peer"], ports(self.visited)["ota-psk"]
        self.home = Gateway(bench, "[terminal +15550100]\ncalls-in = tls\ncall-proof = certificate\n"
                            "call-certificate = URI:https://phone.example.com\n", ANY_LEVEL, start=False, conf={
                                **keys, "key-server.name": HOME, "key-server.cert": f"../{home_certificate}.crt",
                                "key-server.key": f"../{home_certificate}.key", "verify.listen-tls": "127.0.0.1:0", "verify.rate": rate})
        self.home.write("visits.conf", f"[visited {VISITED}]\nurl = https://localhost:{self.peer}\n"
                        f"host = localhost:{self.door}\nidentity = {identity}\nlifetime = 5min\n")
        self.home.start()

    def post(self, port, path, text, certificate):
        """With curl: status and JSON; 0: TLS refused."""
        path_of, out = self.bench.path, self.bench.path("answer")
        cert = ("--cert", path_of(certificate + ".crt"), "--key", path_of(certificate + ".key")) if certificate else ()
        done = subprocess.run(["curl", "-sS", "--http1.1", "--max-time", "60", "--cacert", path_of("ca.crt"), *cert, "-H",
                               "Content-Type: application/json", "--data-binary", text, "-o", out, "-w", "%{http_code}",
                               f"https://localhost:{port}{path}"], capture_output=True, text=True, timeout=90, check=False)
        if done.returncode:
            return 0, None
        with open(out, encoding="utf-8") as f:
            answer = f.read()
        return int(done.stdout), json.loads(answer) if answer.startswith("{") else None

    def visit(self, enabler=VISITED, certificate="phone", text=None):
        question = json.dumps({"enabler": enabler}) if text is None else text
        return self.post(ports(self.home)["verify"], "/sec/v1/visit", question, certificate)

    def granted(self):
        status, answer = self.visit()
        check_eq(status, 200)
        return answer["psk_identity"], base64.b64decode(answer["psk"])

    def openssl(self, identity, key):
        """Does a handshake come about?"""
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.door}", "-tls1_3", "-psk_identity", identity,
                               "-psk", key.hex(), "-brief"], input="", capture_output=True, text=True, timeout=60, check=False)
        return "CONNECTION ESTABLISHED" in done.stderr


@case
def the_home_issues_a_key_to_both(bench):
    """UC-B.6-1: to a terminal that proved itself, for a function that it trusts."""
    pair = Pair(bench)
    status, answer = pair.visit()
    check_eq((status, sorted(answer), answer["host"]), (200, ["expires", "host", "psk", "psk_identity"], f"localhost:{pair.door}"))
    key = base64.b64decode(answer["psk"], validate=True)
    ends = datetime.datetime.strptime(answer["expires"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)
    check_eq((len(key), 0 < (ends - datetime.datetime.now(datetime.timezone.utc)).total_seconds() <= 300), (32, True))
    again = pair.visit()[1]
    check(again["psk"] != answer["psk"] and again["psk_identity"] != answer["psk_identity"], "a key for two visits")
    pair.visited.check_events(2, "visit.expected", home=HOME, user=True)
    pair.home.check_events(2, "visit.granted")
    rows = (({"enabler": "push.stranger.example"}, "phone", 403), ({"enabler": "PUSH.visited.example"}, "phone", 403),
            ({"enabler": 7}, "phone", 400), ({}, "phone", 400), ({"enabler": VISITED}, None, 401),
            ({"enabler": VISITED}, "stranger", 401))
    for question, certificate, want in rows:
        check_eq((question, pair.visit(text=json.dumps(question), certificate=certificate)[0]), (question, want))
    check_eq(pair.visit(text="{")[0], 400)
    pair.visited.check_events(2, "visit.expected")
    for secret in (key.hex(), answer["psk"]):
        check(secret not in pair.home.said() + pair.visited.said(), "the key is in a log")


@case
def a_visitor_is_served_and_once(bench):
    """SEC_CF-AUTH-002c, UC-B.6-2: with its key the terminal is somebody there; a second one is nobody, and so is a wrong key."""
    pair = Pair(bench)
    identity, key = pair.granted()
    bench.write("visit.psk", key.hex() + "\n", 0o600)
    phone = bench.start("push-terminal", "connect", "--json", "--gateway", f"https://localhost:{pair.door}", "--psk",
                        f"{identity}:{bench.path('visit.psk')}")
    pair.visited.wait_event("ota.called")
    push_id = good_push(bench, pair.visited, content=MARK, headers={"X-Push-Protection": "full"})
    pair.visited.wait_state(push_id, "delivered")
    wait_until(lambda: MARK in phone.out(), "the push")
    check(not pair.openssl(identity, key), "a second client")
    identity, key = pair.granted()
    check(not pair.openssl(identity, bytes(32)), "a wrong key")
    check(not pair.openssl("visit;" + "0" * 32, key), "another's name")
    check(pair.openssl(identity, key), "the right one")
    check(not pair.openssl(identity, key), "the same again")


@case
def push_terminal_asks_its_home_by_itself(bench):
    """One command: the key from home, the line to where the home says, and another key when the line is lost."""
    pair = Pair(bench)
    home = ("--home", f"https://localhost:{ports(pair.home)['verify']}", "--home-ca", bench.path("ca.crt"), "--home-cert",
            bench.path("phone.crt"), "--home-key", bench.path("phone.key"))
    phone = bench.start("push-terminal", "connect", "--json", "--visit", VISITED, *home)
    for n in (1, 2):
        pair.visited.wait_event("ota.called", count=n)
        pair.home.wait_event("visit.granted", count=n)
        push_id = good_push(bench, pair.visited, content=f"{MARK} {n}", push_id=f"{n}@news.example.com", headers={"X-Push-Protection": "full"})
        pair.visited.wait_state(push_id, "delivered")
        wait_until(lambda: f"{MARK} {n}" in phone.out(), "the push")
        check_eq(pair.visited.ctl("terminal", "disconnect", "+15550100").returncode, 0)
    said = [json.loads(line) for line in phone.lines()]
    check_eq([(e["server_proved"], e["tls"]) for e in said if e["event"] == "push"], [(True, True)] * 2)
    for name, words in (("push.stranger.example", "the home gives us no key for there"), ("", "usage")):
        done = bench.run("push-terminal", "connect", "--json", *(("--visit", name) if name else ("--visit", VISITED, "--ca", "x")), *home)
        check_eq(done.returncode, 1 if name else 2, done.stderr)
        check(words in done.stderr, done.stderr)
    pair.home.kill()
    done = bench.run("push-terminal", "connect", "--json", "--timeout", "8", "--visit", VISITED, *home)
    check_eq(done.returncode, 1, done.stderr)
    check('"event":"visit.unanswered"' in done.stderr and '"event":"visit.again"' in done.stderr, done.stderr)


@case
def a_place_that_is_not_there_is_asked_for_again(bench):
    """Nobody listens where the home says, or it has no address: another key after a while, as long as it takes."""
    pair = Pair(bench)
    for host in ("localhost:1", "no..where:4037"):
        pair.home.write("visits.conf", f"[visited {VISITED}]\nurl = https://localhost:{pair.peer}\nhost = {host}\n")
        check_eq(pair.home.ctl("reload").returncode, 0)
        pair.home.settle()
        phone = bench.start("push-terminal", "connect", "--json", "--visit", VISITED, "--home",
                            f"https://localhost:{ports(pair.home)['verify']}", "--home-ca", bench.path("ca.crt"), "--home-cert",
                            bench.path("phone.crt"), "--home-key", bench.path("phone.key"))
        wait_until(lambda: phone.err().count('"event":"visit.granted"') >= 2, f"another key for {host}: {phone.err()}")


@case
def the_user_is_told_or_not(bench):
    """UC-B.6-2, the home's policy: without a name the key is as good, and nobody is served in somebody's place."""
    pair = Pair(bench, identity="no")
    identity, key = pair.granted()
    pair.visited.check_events(1, "visit.expected", home=HOME, user=False)
    check(pair.openssl(identity, key), "the key")
    identity, key = pair.granted()
    bench.write("visit.psk", key.hex() + "\n", 0o600)
    bench.start("push-terminal", "connect", "--json", "--terminal-id", "4+15550100", "--gateway", f"https://localhost:{pair.door}",
                "--psk", f"{identity}:{bench.path('visit.psk')}")
    pair.visited.wait_event("ota.call.refused")
    check_eq(pair.visited.events("ota.called"), [])


@case
def a_terminal_asks_for_so_many(bench):
    """So no terminal fills the place that others' keys need over there."""
    pair = Pair(bench, rate="1")
    check_eq([pair.visit()[0] for _ in range(2)], [200, 429])
    pair.visited.check_events(1, "visit.expected")


@case
def a_home_has_its_share_of_the_table(bench):
    """One that brings key after key is told so in time, its terminals with it; keys of another home find their place."""
    pair = Pair(bench, homes=f"[home {HOME}]\ncertificate = DNS:{HOME}\nshare = 2\n"
                "[home other.example]\ncertificate = DNS:stranger.example\n", **{"key-server.visitors-max": 3})
    check_eq([pair.visit()[0] for _ in range(3)], [200, 200, 503])
    pair.visited.check_events(1, "visit.share.spent", home=HOME)
    pair.home.check_events(1, "visit.peer.refused", status=429)
    ends = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def bring(certificate, name):
        return pair.post(pair.peer, "/sec/v1/peer-key", json.dumps({
            "enabler": VISITED, "psk_identity": name, "psk": base64.b64encode(bytes(32)).decode(), "expires": ends}), certificate)[0]

    check_eq([bring(*row) for row in (("home", "visit;x"), ("stranger", "visit;y"), ("stranger", "visit;z"), ("home", "visit;y"))],
             [429, 204, 429, 409])
    pair.visited.check_events(3, "visit.share.spent")
    counted = json.loads(pair.visited.ctl("status", "--json").stdout)["events"]
    check_eq((counted["visit.share.spent"], counted["visit.expected"]), (3, 3))


@case
def no_key_without_certificates_both_ways(bench):
    """UC-B.6-3: nobody, somebody of our authority who is no home, a home that speaks for another function, twice the same key."""
    pair = Pair(bench)
    ends = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    good = {"enabler": VISITED, "psk_identity": "visit;0123456789", "psk": base64.b64encode(bytes(32)).decode(), "expires": ends}
    rows = ((None, {}, 0), ("stranger", {}, 403), ("home", {"enabler": "other.example"}, 403), ("home", {"psk": "AAAA"}, 400),
            ("home", {"expires": "2020-01-01T00:00:00Z"}, 400), ("home", {"expires": "2099-01-01T00:00:00Z"}, 400),
            ("home", {"psk_identity": "phone"}, 400), ("home", {"psk_identity": 1}, 400), ("home", {}, 204), ("home", {}, 409))
    for certificate, change, want in rows:
        status = pair.post(pair.peer, "/sec/v1/peer-key", json.dumps({**good, **change}), certificate)[0]
        check_eq((certificate, change, status), (certificate, change, want))
    check_eq(pair.post(pair.peer, "/sec/v1/peer-key", "[]", "home")[0], 400)
    check_eq(pair.post(pair.peer, "/other", "{}", "home")[0], 404)
    pair.visited.check_events(1, "visit.expected")
    pair.visited.check_events(1, "visit.stranger")
    wrong = Pair(bench, home_certificate="stranger")
    check_eq(wrong.visit()[0], 403, "a home that the other side does not know")
    wrong.home.check_events(1, "visit.peer.refused")
    wrong.visited.kill()
    check_eq(wrong.visit()[0], 503, "nobody is there")
    wrong.home.write("visits.conf", f"[visited {VISITED}]\nurl = http://localhost:1\nhost = a:1\n")
    checked = bench.run("ppgd", "--check-config", "--config", wrong.home.path("ppg.conf"))
    check(checked.returncode != 0 and "visits.conf:2: url: https://HOST:PORT" in checked.stderr + checked.stdout, checked.stderr)


main("visit")
