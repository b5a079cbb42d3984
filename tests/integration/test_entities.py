"""Entities and their keys: assigned after a user's password, used with Digest, never between two; one-time keys carried
from one to the other.  CPNS security 5.x.1 to 5.x.3.  Usage: test_entities.py BUILD_DIR."""

import base64
import hashlib
import http.client
import http.server
import json
import os
import re
import ssl
import threading

from gateway import Gateway, make_identity
from gba_model import gcm, gcm_open, kdf, parameters
from harness import case, check, check_eq, free_port, main, wait_until

ALICE, BOB = "opensesame-alice", "opensesame-bob"
CONF = {"key-server.listen-entities": "127.0.0.1:0", "key-server.cert": "../gateway.crt", "key-server.key": "../gateway.key",
        "files.users": "users.conf", "keyring.path": "keys", "keyring.master": "../master"}
USERS = "[user alice]\npassword-file = ../alice.pw\n[user bob]\npassword-file = ../bob.pw\n"
MASTER = "00112233445566778899aabbccddeeff" * 2


def opened(bench):
    make_identity(bench)
    bench.write("master", MASTER + "\n", 0o600)
    bench.write("alice.pw", ALICE + "\n", 0o600)
    bench.write("bob.pw", BOB + "\n", 0o600)
    gateway = Gateway(bench, "", "", conf=CONF, start=False)
    gateway.write("users.conf", USERS)
    return gateway.start()


def sha(text):
    return hashlib.sha256(text if isinstance(text, bytes) else text.encode()).hexdigest()


class Client:
    """One who speaks Digest; as a user or an entity."""

    def __init__(self, bench, gateway, name, password):
        self.name, self.password = name, password
        self.context = ssl.create_default_context(cafile=bench.authority[0])
        with open(gateway.path("ports"), encoding="utf-8") as f:
            self.port = int(dict(line.strip().split("=") for line in f)["entities"].rpartition(":")[2])

    def send(self, method, path, body, headers):
        link = http.client.HTTPSConnection("localhost", self.port, timeout=60, context=self.context)
        link.request(method, path, body, headers)
        answer = link.getresponse()
        text = answer.read()
        link.close()
        named = {}
        for k, v in reversed(answer.getheaders()):  # of several challenges the first
            named[k.lower()] = v
        return answer.status, named, text

    def ask(self, method, path, body=b""):
        """Status, and the JSON that came; of a good answer the proof of the server is checked."""
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        status, headers, _ = self.send(method, path, body, {})
        if status != 401:
            return status, None
        offer = parameters(re.search(r"Digest (.*)", headers["www-authenticate"]).group(1))
        cnonce = os.urandom(8).hex()
        a1 = sha(f"{self.name}:{offer['realm']}:{self.password}")

        def proof(a2):
            return sha(f"{a1}:{offer['nonce']}:00000001:{cnonce}:auth:{a2}")

        says = (f'Digest username="{self.name}", realm="{offer["realm"]}", nonce="{offer["nonce"]}", uri="{path}", '
                f'algorithm=SHA-256, qop=auth, nc=00000001, cnonce="{cnonce}", response="{proof(sha(f"{method}:{path}"))}"')
        status, headers, text = self.send(method, path, body, {"Authorization": says})
        if "authentication-info" in headers:
            check_eq(parameters(headers["authentication-info"])["rspauth"], proof(sha(f":{path}")), "rspauth")
        return status, json.loads(text) if text.startswith(b"{") else None


def assigned(bench, gateway, user, password, entity):
    """The entity as a client, and its key."""
    status, got = Client(bench, gateway, user, password).ask("POST", f"/sec/v1/entities/{entity}")
    check_eq((status, got and (got["entity"], got["user"])), (201, (entity, user)))
    key = base64.b64decode(got["key"])
    check_eq(len(key), 32)
    return Client(bench, gateway, entity, got["key"]), key


def octets_of(gateway):
    """All that the gateway has written, but its ports."""
    found = gateway.said().encode()
    for name in os.listdir(gateway.folder):
        if name != "admin.sock":
            with open(gateway.path(name), "rb") as f:
                found += f.read()
    return found


@case
def a_key_after_a_password(bench):
    """Told once; a wrong password gets 401 and, soon, nobody's ear; another user's entity is not to be had."""
    gateway = opened(bench)
    phone, key = assigned(bench, gateway, "alice", ALICE, "alices-phone")
    check_eq(phone.ask("GET", "/sec/v1/entity"), (200, {"entity": "alices-phone", "user": "alice"}))
    written = octets_of(gateway)
    for form in (key, key.hex().encode(), base64.b64encode(key), ALICE.encode()):
        check(form not in written, "a secret where it does not belong")
    check_eq(Client(bench, gateway, "bob", BOB).ask("POST", "/sec/v1/entities/alices-phone")[0], 403)
    check_eq(phone.ask("GET", "/sec/v1/entity")[0], 200, "still its own")
    answers = []
    while 429 not in answers and len(answers) < 12:  # on a slow machine the first waits may be over before we ask
        answers.append(Client(bench, gateway, "alice", "wrong").ask("POST", "/sec/v1/entities/alices-phone")[0])
    check_eq((answers[:3], answers[-1]), ([401] * 3, 429), "lock-out")
    gateway.wait_event("entity.login.failed", 3)


@case
def kept_with_entity_and_user(bench):
    """On disk, under the master key; a new one takes its place; without the user they are gone."""
    gateway = opened(bench)
    old, _ = assigned(bench, gateway, "alice", ALICE, "tablet")
    phone, _ = assigned(bench, gateway, "alice", ALICE, "phone")
    bobs, _ = assigned(bench, gateway, "bob", BOB, "bobs")
    new, _ = assigned(bench, gateway, "alice", ALICE, "tablet")
    check_eq((old.ask("GET", "/sec/v1/entity")[0], new.ask("GET", "/sec/v1/entity")[0]), (401, 200))
    gateway.kill()
    gateway.conf["key-server.listen-entities"] = f"127.0.0.1:{new.port}"
    gateway.write_conf()
    gateway.start()
    check_eq(new.ask("GET", "/sec/v1/entity")[1], {"entity": "tablet", "user": "alice"})
    listed = json.loads(gateway.ctl("--json", "key", "list").stdout)
    check_eq({k["name"] for k in listed["keys"] if k["kind"] == "entity"}, {"tablet", "phone", "bobs"})
    gateway.write("users.conf", USERS[USERS.index("[user bob]"):])
    check_eq(gateway.ctl("reload").returncode, 0)
    gateway.wait_event("entity.pruned")
    gateway.settle()
    check_eq([c.ask("GET", "/sec/v1/entity")[0] for c in (new, phone, bobs)], [401, 401, 200])
    check_eq({k["name"] for k in json.loads(gateway.ctl("--json", "key", "list").stdout)["keys"]}, {"bobs"})


@case
def digest_with_a_key(bench):
    """The key of another entity, or none, is 401."""
    gateway = opened(bench)
    phone, _ = assigned(bench, gateway, "alice", ALICE, "phone")
    tablet, _ = assigned(bench, gateway, "alice", ALICE, "tablet")
    crossed = Client(bench, gateway, "phone", tablet.password)
    check_eq([c.ask("GET", "/sec/v1/entity")[0] for c in (phone, tablet, crossed)], [200, 200, 401])
    check_eq(Client(bench, gateway, "nobody", phone.password).ask("GET", "/sec/v1/entity")[0], 401)
    check_eq(Client(bench, gateway, "alice", ALICE).ask("GET", "/sec/v1/entity")[0], 401, "a user is no entity")
    check_eq(phone.send("GET", "/sec/v1/other", b"", {})[0], 404)
    check_eq(phone.send("PUT", "/sec/v1/entity", b"", {})[0], 405)
    check_eq(phone.send("POST", "/sec/v1/one-time-keys", b"x" * 5000, {})[0], 413)


@case
def whose_things_they_are(bench):
    gateway = opened(bench)
    phone, _ = assigned(bench, gateway, "alice", ALICE, "phone")
    assigned(bench, gateway, "alice", ALICE, "tablet")
    bobs, _ = assigned(bench, gateway, "bob", BOB, "bobs")
    check_eq(phone.ask("GET", "/sec/v1/users/alice/entities"), (200, {"entities": ["phone", "tablet"]}))
    check_eq(bobs.ask("GET", "/sec/v1/users/bob/entities"), (200, {"entities": ["bobs"]}))
    check_eq(bobs.ask("GET", "/sec/v1/users/alice/entities")[0], 403)
    check_eq(phone.ask("GET", "/sec/v1/users/nobody/entities")[0], 403)


def wrap(eukey, sender, receiver, key):
    nonce = os.urandom(12)
    wrapper = kdf(eukey, 0xFB, b"one-time")
    return base64.b64encode(nonce + gcm(wrapper, nonce, sender + b"\0" + receiver, key)).decode()


def unwrap(eukey, sender, receiver, text):
    octets = base64.b64decode(text)
    return gcm_open(kdf(eukey, 0xFB, b"one-time"), octets[:12], sender + b"\0" + receiver, octets[12:])


@case
def one_time_keys_are_carried_and_forgotten(bench):
    gateway = opened(bench)
    a, a_key = assigned(bench, gateway, "alice", ALICE, "a")
    b, b_key = assigned(bench, gateway, "bob", BOB, "b")
    c, c_key = assigned(bench, gateway, "bob", BOB, "c")
    once = os.urandom(16)
    sent = wrap(a_key, b"a", b"b", once)
    check_eq(a.ask("POST", "/sec/v1/one-time-keys", {"to": "b", "key": sent}), (202, {}))
    check_eq(c.ask("GET", "/sec/v1/one-time-keys"), (200, {"keys": []}), "not for others")
    status, got = b.ask("GET", "/sec/v1/one-time-keys")
    check_eq((status, [k["from"] for k in got["keys"]]), (200, ["a"]))
    check_eq(unwrap(b_key, b"a", b"b", got["keys"][0]["key"]), once, "under b's own key")
    check(unwrap(a_key, b"a", b"b", got["keys"][0]["key"]) is None, "no longer under a's")
    check_eq(b.ask("GET", "/sec/v1/one-time-keys"), (200, {"keys": []}), "no copy is kept")
    written = octets_of(gateway) + json.dumps(got).encode()
    for secret in (once, a_key, b_key, c_key):
        for form in (secret, secret.hex().encode(), base64.b64encode(secret)):
            check(form not in written, "a secret where it does not belong")
    for question, status in (({"to": "b", "key": wrap(b_key, b"a", b"b", once)}, 403), ({"to": "c", "key": sent}, 403),
                             ({"to": "nobody", "key": sent}, 404), ({"to": "a", "key": wrap(a_key, b"a", b"a", once)}, 400),
                             ({"to": "b", "key": "AAAA"}, 400), ({"to": "b"}, 400), ({"key": sent}, 404), ([], 400), (b"{", 400)):
        check_eq(a.ask("POST", "/sec/v1/one-time-keys", question)[0], status, question)
    check_eq(b.ask("GET", "/sec/v1/one-time-keys"), (200, {"keys": []}))


@case
def bad_configurations_are_told(bench):
    make_identity(bench)
    bench.write("master", MASTER + "\n", 0o600)
    bench.write("alice.pw", ALICE + "\n", 0o600)
    bench.write("bob.pw", BOB + "\n", 0o600)
    bench.write("open.pw", BOB + "\n", 0o644)
    gateway = Gateway(bench, "", "", conf=CONF, start=False)
    rows = [("", USERS), ("needs a keyring", {"keyring.path": None, "keyring.master": None}), ("needs users", {"files.users": None}),
            ("needs cert and key", {"key-server.cert": None, "key-server.key": None}), ("password-file and key", "[user x]\n"),
            ("no password of that name", "[user x]\nkey = y\n"), ("open.pw", "[user x]\npassword-file = ../open.pw\n"),
            ("at most 64", f"[user {'x' * 65}]\npassword-file = ../alice.pw\n"), ("alice", USERS + USERS)]
    for says, change in rows:
        kept = dict(gateway.conf)
        gateway.write("users.conf", change if isinstance(change, str) else USERS)
        gateway.conf.update(change if isinstance(change, dict) else {})
        gateway.write_conf()
        done = bench.run("ppgd", "-c", gateway.path("ppg.conf"), "--check-config")
        check_eq((done.returncode, says in done.stderr + done.stdout), (1 if says else 0, True), (says, done.stderr))
        gateway.conf = kept


def brokered(bench, gateway, names=("a", "b")):
    """A one-time key that the first has made and the second has got through the gateway; a file of each with it."""
    (first, first_key), (second, second_key) = (assigned(bench, gateway, user, password, name)
                                                for name, user, password in zip(names, ("alice", "bob"), (ALICE, BOB)))
    key = os.urandom(32)
    sent = wrap(first_key, names[0].encode(), names[1].encode(), key)
    check_eq(first.ask("POST", "/sec/v1/one-time-keys", {"to": names[1], "key": sent})[0], 202)
    got = second.ask("GET", "/sec/v1/one-time-keys")[1]["keys"][0]
    opened_key = unwrap(second_key, names[0].encode(), names[1].encode(), got["key"])
    check_eq(opened_key, key)
    return [bench.write(f"{name}.one-time", k.hex() + "\n", 0o600) for name, k in zip(names, (key, opened_key))], key


def listening(bench, file, name="a"):
    port_file = file + ".port"
    kit = bench.start("push-terminal", "listen", "--json", "--bind", "127.0.0.1:0", "--port-file", port_file, "--peer-key", f"{name}:{file}",
                      "--wire", file + ".wire")
    return kit, int(bench.wait_for_file(port_file, kit).rpartition(":")[2])


def call(bench, port, file, name="a"):
    return bench.run("push-terminal", "peer", "--json", "--gateway", f"https://127.0.0.1:{port}", "--peer-key", f"{name}:{file}")


@case
def two_kits_prove_themselves_with_it_once(bench):
    """CPNS-07, CPNS-12: TLS with the brokered key, one kit in each role, and mutual Digest inside; the key is gone with that, here,
    there and for whoever has kept a copy.  One that is not the key uses nothing up."""
    (mine, yours), key = brokered(bench, opened(bench))
    kit, port = listening(bench, yours)
    copy, wrong = bench.write("copy", key.hex() + "\n", 0o600), bench.write("wrong", bytes(32).hex() + "\n", 0o600)
    for file, name in ((wrong, "a"), (copy, "b")):
        done = call(bench, port, file, name)
        check_eq((done.returncode, done.stdout), (1, ""), done.stderr)
        check(os.path.exists(yours), "a stranger used it up")
        bench.write("copy", key.hex() + "\n", 0o600)
    done = call(bench, port, mine)
    check_eq((done.returncode, [json.loads(line) for line in done.stdout.splitlines()]),
             (0, [{"event": "peer", "name": "a", "tls": True, "proofs": ["psk", "digest"]}]), done.stderr)
    check_eq((os.path.exists(mine), os.path.exists(yours)), (False, False))
    wait_until(lambda: '"event":"registered"' in kit.out(), "the other kit knows it too")
    said = [json.loads(line) for line in kit.lines()]
    check_eq([(e["event"], e.get("reason"), e["tls"], e["server_proved"]) for e in said],
             [("refused", "login", True, True), ("registered", None, True, True)])  # asked for Digest, then shown it
    with open(yours + ".wire", "rb") as f:
        wire = f.read()
    check(wire[0] == 0x16 and b"OPTIONS" not in wire, "inside TLS")
    for _ in range(2):
        done = call(bench, port, bench.write("copy", key.hex() + "\n", 0o600))
        check_eq((done.returncode, done.stdout), (1, ""), "a second use")
    check_eq(len(kit.lines()), 2)
    check_eq(call(bench, port, mine).returncode, 2, "the file is gone")
    for secret in (key.hex(), base64.b64encode(key).decode()):
        check(secret not in kit.out() + kit.err() + wire.decode("latin-1"), "the key itself is said")


@case
def what_a_kit_with_a_one_time_key_does_not_do(bench):
    short, good = bench.write("short", "00" * 15 + "\n", 0o600), bench.write("good", "00" * 16 + "\n", 0o600)
    for args in (("peer", "--peer-key", f"a:{good}"), ("peer", "--gateway", "https://127.0.0.1:1"),
                 ("peer", "--gateway", "http://127.0.0.1:1", "--peer-key", f"a:{good}"),
                 ("peer", "--gateway", "https://127.0.0.1:1", "--peer-key", f"a:{short}"),
                 ("peer", "--gateway", "https://127.0.0.1:1", "--peer-key", good),
                 ("connect", "--gateway", "https://127.0.0.1:1", "--peer-key", f"a:{good}"),
                 ("listen", "--bind", "127.0.0.1:0", "--udp", "--peer-key", f"a:{good}"),
                 ("listen", "--bind", "127.0.0.1:0", "--peer-key", f"a:{good}", "--cert", "x", "--key", "y"),
                 ("listen", "--bind", "127.0.0.1:0", "--peer-key", f"a:{short}")):
        check_eq((args, bench.run("push-terminal", *args).returncode), (args, 2))
    check_eq(call(bench, free_port(), good).returncode, 1, "nobody is there")
    check(os.path.exists(good), "it was not used")


def as_entity(bench, gateway, name, user, password):
    """Options of push-terminal by which it is that entity, and the entity as a client with its key."""
    client, key = assigned(bench, gateway, user, password, name)
    file = bench.write(f"{name}.entity", base64.b64encode(key).decode() + "\n", 0o600)
    return ("--json", "--gateway", f"https://localhost:{client.port}", "--ca", bench.authority[0], "--proof", f"{name}:{file}"), client, key


@case
def a_kit_whose_key_curl_was_told(bench):
    """As the guide has it: curl logs in as the user and is told the entity's key, which push-terminal then is that entity by."""
    gateway = opened(bench)
    port = Client(bench, gateway, "", "").port
    told = bench.tool("curl", "-sS", "--cacert", bench.authority[0], "--digest", "-u", f"alice:{ALICE}", "-X", "POST", f"https://localhost:{port}/sec/v1/entities/a")
    told = json.loads(told)
    check_eq((told["entity"], told["user"]), ("a", "alice"))
    file = bench.write("a.key", told["key"] + "\n", 0o600)
    done = bench.run("push-terminal", "take", "--gateway", f"https://localhost:{port}", "--ca", bench.authority[0], "--proof", f"a:{file}", "--out", bench.folder)
    check_eq((done.returncode, done.stdout, done.stderr), (1, "", ""), "none waits")


def contents(path):
    with open(path, "rb") as f:
        return f.read()


@case
def kits_fetch_one_time_keys_by_themselves(bench):
    """Given by one, taken by the other, and both prove themselves with it; and each of the two with a client of another make."""
    gateway = opened(bench)
    a, a_client, a_key = as_entity(bench, gateway, "a", "alice", ALICE)
    b, b_client, b_key = as_entity(bench, gateway, "b", "bob", BOB)
    mine, folder = bench.path("mine"), bench.path("taken")
    os.mkdir(folder)
    done = bench.run("push-terminal", "give", *a, "--to", "b", "--out", mine)
    check_eq((done.returncode, json.loads(done.stdout)), (0, {"event": "one-time-key", "with": "b", "file": mine}), done.stderr)
    done = bench.run("push-terminal", "take", *b, "--out", folder)
    yours = os.path.join(folder, "a.one-time")
    check_eq((done.returncode, json.loads(done.stdout)), (0, {"event": "one-time-key", "with": "a", "file": yours}), done.stderr)
    for file in (mine, yours):
        check_eq((os.stat(file).st_mode & 0o777, len(contents(file))), (0o600, 65))
    key = contents(mine)
    check_eq(contents(yours), key)
    check(bytes.fromhex(key.decode()) not in octets_of(gateway) and key.strip() not in octets_of(gateway), "the gateway has kept it")
    done = bench.run("push-terminal", "take", *b, "--out", folder)
    check_eq((done.returncode, done.stdout, os.listdir(folder)), (1, "", ["a.one-time"]), "none waits")
    _, port = listening(bench, yours)
    done = call(bench, port, mine)
    check_eq((done.returncode, os.path.exists(mine), os.path.exists(yours)), (0, False, False), done.stderr)
    done = bench.run("push-terminal", "give", *a, "--to", "b", "--out", mine)
    got = b_client.ask("GET", "/sec/v1/one-time-keys")[1]["keys"][0]
    check_eq(unwrap(b_key, b"a", b"b", got["key"]).hex(), contents(mine).decode().strip())
    once = [os.urandom(n) for n in (16, 64)]
    for k in once:
        check_eq(a_client.ask("POST", "/sec/v1/one-time-keys", {"to": "b", "key": wrap(a_key, b"a", b"b", k)})[0], 202)
    check_eq(bench.run("push-terminal", "take", *b, "--out", folder).returncode, 0)
    check_eq([contents(os.path.join(folder, f"a.one-time{n}")).decode().strip() for n in ("", ".2")], [k.hex() for k in once])


@case
def what_is_no_way_to_a_one_time_key(bench):
    """A gateway that does not know us, that we do not know, or that does not prove itself; nothing is made, nothing overwritten."""
    gateway = opened(bench)
    a, client, key = as_entity(bench, gateway, "a", "alice", ALICE)
    out, there, other = bench.path("out"), bench.write("there", "mine\n", 0o600), bench.write("other", base64.b64encode(bytes(32)).decode() + "\n", 0o600)
    false = ImpostorDoor(bench)
    stranger = bench.path("stranger.crt")
    bench.tool("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-keyout", bench.path("stranger.key"), "-out", stranger)
    swap = {"unknown": ("--proof", f"nobody:{other}"), "wrong": ("--proof", f"a:{other}"), "no key": ("--proof", f"a:{there}"),
            "stranger": ("--ca", stranger), "false": ("--gateway", f"https://localhost:{false.port}"), "clear": ("--gateway", f"http://localhost:{client.port}")}
    rows = [(1, "no such entity", ("--to", "nobody", "--out", out)), (2, "exists", ("--to", "b", "--out", there)), (2, "usage", ("--out", out)),
            (2, "usage", ("--to", "b")), (2, "no entity's id", ("--to", "a b", "--out", out)),
            (1, "does not take our proof", ("--to", "b", "--out", out, *swap["unknown"])), (1, "does not take our proof", ("--to", "b", "--out", out, *swap["wrong"])),
            (2, "base64 of its key", ("--to", "b", "--out", out, *swap["no key"])), (1, "cert-untrusted", ("--to", "b", "--out", out, *swap["stranger"])),
            (1, "does not prove that it has our key", ("--to", "b", "--out", out, *swap["false"])), (2, "not https", ("--to", "b", "--out", out, *swap["clear"]))]
    for status, says, more in rows:
        done = bench.run("push-terminal", "give", *a, *more)
        check_eq((done.returncode, done.stdout, says in done.stderr, os.path.exists(out)), (status, "", True, False), (more, done.stderr))
    check_eq((contents(there), false.asked), (b"mine\n", 2))
    os.mkdir(out)
    for n, (status, says) in enumerate(((1, "does not prove that it has our key"), (1, "does not take our proof"))):
        done = bench.run("push-terminal", "take", *a, "--out", out, *(swap["wrong"] if n else swap["false"]))
        check_eq((done.returncode, says in done.stderr, os.listdir(out)), (status, True, []), done.stderr)


class ImpostorDoor:
    """A server with the right certificate that has no entity's key: it lets everybody in, and has a key to give."""

    def __init__(self, bench):
        self.asked = 0
        door = self
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(bench.path("gateway.crt"), bench.path("gateway.key"))

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.rfile.read(int(self.headers.get("Content-Length", "0")))
                door.asked += 1
                known = "Authorization" in self.headers
                body = b'{"keys":[{"from":"../x","key":"AAAA"}]}' if known else b""
                self.send_response((202 if self.command == "POST" else 200) if known else 401)
                if not known:
                    self.send_header("WWW-Authenticate", 'Digest realm="entities", nonce="n", algorithm=SHA-256, qop="auth"')
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *args):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        self.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        bench.closers.append(server.shutdown)


main("entities")
