"""x-syncml-hmac at the door of the initiators: a client of its own, hashlib for the arithmetic, curl for a single
message.  DM message security 5.4.  Usage: test_mac.py BUILD_DIR."""

import base64
import http.client
import json

from gateway import MULTIPART, PASSWORD, Gateway, curl, make_identity, mime, push
from harness import case, check, check_eq, main, wait_until
from macs import header, nonce_of

PHONE = "[terminal +15550100]\nroute = http://127.0.0.1:9\n"
CONF = {"delivery.retry-first": "1h", "delivery.retry-max": "1h", "pap.digest-md5": "yes"}
KEY = bytes(range(32))
MAC_ALONE = "[initiator mac]\ndigest-user = mac\nmac-key-file = ../mac.key\n"
INITIATORS = f"""[initiator old]
digest-user   = old
password-file = ../password
mac-md5       = yes
{MAC_ALONE}[initiator news]
certificate   = URI:https://news.example.com
digest-user   = news
mac-key-file  = ../mac.key
"""
ALLOW = "allow old * *\nallow mac * *\nallow news * *\n"
BODY = mime()


def opened(bench, initiators=INITIATORS, **conf):
    make_identity(bench)
    bench.write("mac.key", KEY.hex() + "\n", 0o600)
    return Gateway(bench, PHONE, ALLOW, initiators, {**CONF, **conf})


class Client:
    """One connection.  `more`: header fields beside the mac's; chunked: the body goes out in pieces."""

    def __init__(self, gateway, user, password=None, key=None, source="127.0.0.1"):
        self.link = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=60, source_address=(source, 0))
        self.user, self.password, self.key, self.nonce = user, password, key, None

    def value(self, body):
        return header(self.user, self.nonce or b"", body, self.password, self.key)

    def post(self, body, fields, chunked=False):
        """The answer; learns the nonce that came with it."""
        self.link.request("POST", "/pap", iter([body[:100], body[100:]]) if chunked else body,
                          {"Content-Type": MULTIPART, **fields}, encode_chunked=chunked)
        answer = self.link.getresponse()
        answer.text = answer.read()
        challenges = [v for k, v in answer.getheaders() if k.lower() == "www-authenticate"]
        answer.schemes = [v.split()[0] for v in challenges]
        following = answer.getheader("x-syncml-nonce")
        self.nonce = base64.b64decode(following) if following else nonce_of(challenges) or self.nonce
        return answer

    def bare(self):
        return self.post(mime(push_id="bare"), {})

    def push(self, push_id, signed=None, chunked=False, **more):
        body = mime(push_id=push_id)
        return self.post(body, {"x-syncml-hmac": self.value(signed or body), **more}, chunked)

    def over(self):
        """The gateway has closed the connection."""
        return self.link.sock is None or self.link.sock.recv(1) == b""


def old(gateway):
    return Client(gateway, "old", password=PASSWORD)


def new(gateway):
    return Client(gateway, "mac", key=KEY)


@case
def challenged_once_then_nonce_by_nonce(bench):
    gateway = opened(bench)
    for make, how in ((old, "x-syncml-hmac MD5 as old"), (new, "x-syncml-hmac SHA-256 as mac")):
        client = make(gateway)
        answer = client.bare()
        check_eq(answer.status, 401)
        check("Syncml-MAC" in answer.schemes and "Digest" in answer.schemes, answer.schemes)
        used = set()
        for n in range(5):
            used.add(client.nonce)
            answer = client.push(f"{client.user}.{n}", chunked=n == 3)
            check_eq(answer.status, 202, (client.user, n))
        check_eq(len(used), 5, "nonces")
        check(f'{how} from 127.0.0.1 without TLS' in gateway.ctl("push", "explain", f"{client.user}.4").stdout, how)
        stored, client = client.nonce, make(gateway)
        client.nonce = stored  # the first request of another connection, unasked
        check_eq(client.push(f"{client.user}.next").status, 202)
    check_eq(gateway.query("SELECT count(*) FROM push")[0][0], "12")
    check_eq(gateway.events("auth.refused", outcome="stale"), [])


@case
def curl_sends_one(bench):
    """Its nonce comes from a success, as a client that runs once has it."""
    gateway = opened(bench)
    client = new(gateway)
    client.bare()
    client.push("first")
    body = mime(push_id="by-curl")
    answer = curl(bench, gateway.url, body, "-H", "x-syncml-hmac: " + header("mac", client.nonce, body, key=KEY))
    check_eq((answer.status, answer.code), (202, 1001))
    check(len(base64.b64decode(answer.headers["x-syncml-nonce"])) == 16, answer.headers)


@case
def not_wanted_where_the_transport_proves(bench):
    """DM-09: what TLS proved is not asked for again; the same initiator without TLS shows a mac."""
    gateway = opened(bench)
    answer = push(bench, gateway, push_id="tls")
    check_eq((answer.status, answer.code), (202, 1001))
    check("x-syncml-nonce" not in answer.headers and "www-authenticate" not in answer.headers, answer.headers)
    check("TLS certificate URI:https://news.example.com from" in gateway.ctl("push", "explain", "tls").stdout, "how")
    client = Client(gateway, "news", key=KEY)
    client.bare()
    check_eq(client.push("clear").status, 202)


@case
def replayed_messages_are_refused(bench):
    gateway = opened(bench)
    client = new(gateway)
    client.bare()
    client.push("first")
    body = mime(push_id="captured")
    captured = client.value(body)
    check_eq(client.push("captured").status, 202)
    for thief in (client, new(gateway)):
        answer = thief.post(body, {"x-syncml-hmac": captured})
        check_eq((answer.status, answer.schemes), (401, ["Syncml-MAC"]))
        check_eq(answer.getheader("x-syncml-nonce"), None)
    check_eq(len(gateway.query("SELECT push_id FROM push")), 2)
    gateway.wait_event("auth.refused", reason="nonce of the mac was used, or is too old")
    check_eq(client.push("again").status, 202, "one challenge mends a stale nonce")


@case
def second_failure_ends_the_session(bench):
    gateway = opened(bench)
    for spoil in ("body", "password", "user"):
        client = old(gateway)
        client.bare()
        if spoil == "password":
            client.password = "wrong"
        if spoil == "user":
            client.user = "nobody"
        signed = mime(push_id="other") if spoil == "body" else None
        answer = client.push("bad", signed)
        check_eq((answer.status, answer.schemes), (401, ["Syncml-MAC"]), spoil)
        answer = client.push("bad", signed)
        check_eq((answer.status, answer.schemes, client.over()), (403, [], True), spoil)
        gateway.wait_event("auth.refused", reason="mac wrong, or of an unknown user or nonce", count=2)
        gateway.stop()
        gateway.start()  # a guesser is slowed: see guessers_are_slowed
    check_eq(gateway.query("SELECT push_id FROM push"), [])


@case
def only_a_mac_answers_a_challenge_for_one(bench):
    gateway = opened(bench)
    client = old(gateway)
    check_eq((client.push("none").status, client.nonce is not None), (401, True))  # made with no nonce at all
    answer = client.post(BODY, {"Authorization": "Basic " + base64.b64encode(f"old:{PASSWORD}".encode()).decode()})
    check_eq((answer.status, client.over()), (403, True), "Basic is another type")
    client = old(gateway)
    client.push("none")
    check_eq((client.bare().status, client.over()), (403, True))
    gateway.stop()
    gateway.start()  # a guesser is slowed
    client = old(gateway)
    client.push("none")
    check_eq(client.push("good").status, 202)
    alone = opened(bench, MAC_ALONE)
    client = new(alone)
    answer = client.bare()
    check_eq((answer.status, answer.schemes), (401, ["Syncml-MAC"]))
    check_eq((client.bare().status, client.over()), (403, True))


@case
def malformed_headers_are_refused(bench):
    gateway = opened(bench)
    for change in (lambda v: v + ", " + v.split(", ")[-1],                  # a parameter twice
                   lambda v: ", ".join(v.split(", ")[:2]),                  # no mac
                   lambda v: v.split(", ")[2],                              # no user
                   lambda v: v.replace("SHA-256", "SHA-1")):                # no such algorithm
        client = new(gateway)
        client.bare()
        answer = client.post(BODY, {"x-syncml-hmac": change(client.value(BODY))})
        check_eq(answer.status, 401)
        gateway.wait_event("auth.refused", outcome="challenge")
        gateway.stop()
        gateway.start()
    client = new(gateway)
    client.bare()
    answer = client.post(BODY, {"x-syncml-hmac": client.value(BODY), "Authorization": "Basic b2xkOng="})
    check_eq(answer.status, 401, "two kinds at once")
    client = new(gateway)
    client.bare()
    client.link.putrequest("POST", "/pap")
    for name, value in (("Content-Type", MULTIPART), ("Content-Length", str(len(BODY)))) + (("x-syncml-hmac", client.value(BODY)),) * 2:
        client.link.putheader(name, value)
    client.link.endheaders(BODY)
    check_eq(client.link.getresponse().status, 401, "the header twice")
    check_eq(gateway.query("SELECT push_id FROM push"), [])


@case
def guessers_are_slowed(bench):
    gateway = opened(bench)
    said = []
    while 429 not in said and len(said) < 40:
        client = Client(gateway, "mac", key=bytes(32))
        said += [client.bare().status, client.push("guess").status]
    check_eq((said[:8], said[-1]), ([401] * 8, 429))
    gateway.wait_event("auth.slowed")


@case
def guessers_at_one_user_are_slowed_wherever_they_are(bench):
    """By name, too: each guess comes from another address, and so does the next one that is not listened to.  Nobody else waits."""
    gateway = opened(bench)
    said = []
    for host in range(2, 60):
        client = Client(gateway, "mac", key=bytes(32), source=f"127.0.0.{host}")
        check_eq(client.bare().status, 401, "who has not failed is asked")
        said.append(client.push("guess").status)
        if said[-1] == 429:
            break
    check_eq((said[:4], said[-1]), ([401] * 4, 429))
    gateway.wait_event("auth.slowed", peer=f"127.0.0.{host}")
    other = Client(gateway, "old", password=PASSWORD, source="127.0.0.100")
    other.bare()
    check_eq(other.push("other").status, 202)

    def right():
        client = Client(gateway, "mac", key=KEY, source="127.0.0.101")
        return client.bare().status == 401 and client.push("right").status == 202

    wait_until(right, "the wait is over", 120)
    once_more = Client(gateway, "mac", key=bytes(32), source="127.0.0.102")
    once_more.bare()
    check_eq(once_more.push("guess").status, 401, "a good mac starts its user anew")


def by_pap_push(bench, gateway, *options, url=None):
    return bench.run("pap-push", "submit", "--url", url or gateway.url, "--to", "+15550100", "--text", "x", "--json", *options)


@case
def pap_push_proves_itself_by_a_mac(bench):
    """Both algorithms; what does not fit ends with the exit status for a login, what is not asked for is not shown."""
    gateway = opened(bench)
    key, password = bench.path("mac.key"), bench.path("password")
    bench.write("other.key", bytes(32).hex() + "\n", 0o600)
    bench.write("short.key", "00112233\n", 0o600)
    for options, how in ((("--mac", f"mac:{key}"), "x-syncml-hmac SHA-256 as mac"), (("--mac-md5", f"old:{password}"), "x-syncml-hmac MD5 as old")):
        done = by_pap_push(bench, gateway, "--id", how[-3:] + "@pap-push", *options)
        check_eq((done.returncode, json.loads(done.stdout)["code"]), (0, 1001), done.stderr)
        check(f"{how} from 127.0.0.1 without TLS" in gateway.ctl("push", "explain", how[-3:] + "@pap-push").stdout, how)
    done = bench.run("pap-push", "status", "old@pap-push", "--url", gateway.url, "--mac-md5", f"old:{password}", "--json")
    check_eq(done.returncode, 0, done.stderr)
    done = by_pap_push(bench, gateway, "--cert", bench.path("news.crt"), "--key", bench.path("news.key"), "--ca", bench.path("ca.crt"),
                       "--id", "tls@pap-push", "--mac", f"news:{key}", url=gateway.tls_url)
    check_eq(done.returncode, 0, done.stderr)
    check("x-syncml-hmac" not in gateway.ctl("push", "explain", "tls@pap-push").stdout, "shown to who knew already")
    refused = ((("--mac", f"mac:{bench.path('other.key')}"), 77), (("--mac", f"nobody:{key}"), 77), (("--mac-md5", f"old:{key}"), 77),
               (("--mac", f"mac:{bench.path('short.key')}"), 64), (("--mac", f"mac:{bench.path('none')}"), 64), (("--mac", key), 64),
               (("--mac", f"mac:{key}", "--mac-md5", f"old:{password}"), 64),
               (("--mac", f"mac:{key}", "--user", "mac", "--password-file", password), 64))
    for options, status in refused:
        done = by_pap_push(bench, gateway, *options)
        check_eq((options, done.returncode), (options, status), done.stdout)
        gateway.stop()
        gateway.start()  # a guesser is slowed
    alone = Gateway(bench, PHONE, ALLOW, "[initiator old]\ndigest-user = old\npassword-file = ../password\n", CONF)
    done = by_pap_push(bench, alone, "--mac", f"old:{key}")
    check_eq(done.returncode, 77, done.stdout)
    check("asks for no mac" in done.stdout + done.stderr, done.stdout + done.stderr)


@case
def hexadecimal_is_a_knob(bench):
    for knob, want in (("no", 401), ("yes", 202)):
        gateway = opened(bench, **{"pap.mac-hex": knob})
        client = old(gateway)
        client.bare()
        body = mime(push_id="hex")
        plain = client.value(body)
        mac = base64.b64decode(plain.split("mac=")[1])
        value = plain.split("mac=")[0] + "mac=" + base64.b64encode(mac.hex().encode()).decode()
        check_eq(client.post(body, {"x-syncml-hmac": value}).status, want, knob)


@case
def off_unless_configured(bench):
    """Nobody is offered it, and the header means nothing."""
    gateway = opened(bench, "[initiator old]\ndigest-user = old\npassword-file = ../password\n"
                            "[initiator news]\ncertificate = URI:https://news.example.com\n")
    client = old(gateway)
    check("Syncml-MAC" not in client.bare().schemes, "offered")
    client = old(gateway)
    client.nonce = bytes(16)
    check_eq(client.push("x").status, 401)
    check_eq(push(bench, gateway, "-H", 'x-syncml-hmac: username="old", mac=AAAA', push_id="tls").status, 202)


main("mac")
