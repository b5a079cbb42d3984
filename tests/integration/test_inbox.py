"""Terminals that fetch (pull): curl, and a push-terminal, at the inbox door of a gateway."""

import base64
import json
import os
import re
import socket
import subprocess

from gateway import Answer, Ear, Gateway, Terminal, as_news, good_push, make_identity, pap_push, push
from gba_model import Module, Ue
from harness import case, check, check_eq, main, wait_until
from xmlmaker import SIGN, WRAP, Maker

PROOF = "call-proof = certificate\ncall-certificate = URI:https://phone.example.com\n"
PHONE = f"[terminal +15550100]\ninbox = yes\n{PROOF}"
OTHER = PHONE.replace("0100", "0101").replace("phone.example", "other.example")
LOGIN = "[terminal +15550102]\ninbox = yes\ncall-proof = basic\ncall-password-file = ../phone.password\n"
RULES = "allow news +1555* *\nallow inbox * *\n"


class Store(Gateway):
    """A gateway with an inbox door; two terminals with certificates, one with a password."""

    def __init__(self, bench, terminals=PHONE + OTHER + LOGIN, rules=RULES, start=True, **conf):
        make_identity(bench)
        for name in ("phone", "other"):
            bench.certificate(bench.authority, name, f"URI:https://{name}.example.com")
        bench.write("phone.password", "open-sesame\n", 0o600)
        super().__init__(bench, terminals, rules, start=start, conf={
            "inbox.listen-tls": "127.0.0.1:0", **{k.replace("__", ".").replace("_", "-"): v for k, v in conf.items()}})

    def start(self):
        super().start()
        with open(self.path("ports"), encoding="utf-8") as f:
            ports = dict(line.strip().split("=") for line in f)
        self.door = int(ports["inbox-tls"].rpartition(":")[2])
        self.psk_door = int(ports.get("inbox-psk", ":0").rpartition(":")[2])
        self.door_url = f"https://localhost:{self.door}"
        return self


def as_name(bench, name="phone"):
    return "--cert", bench.path(f"{name}.crt"), "--key", bench.path(f"{name}.key")


def curl_args(bench, number):
    head, got = (bench.path(f"inbox{number}.{end}") for end in ("head", "got"))
    return head, got, ["curl", "-sS", "--http1.1", "--max-time", "60", "--cacert", bench.path("ca.crt"), "-D", head, "-o", got]


class Got(Answer):
    """What curl heard, with the content as octets."""

    def __init__(self, head, got):
        with open(head, encoding="latin-1", newline="") as f:
            super().__init__(f.read(), "")
        self.octets = b""
        if os.path.exists(got):
            with open(got, "rb") as f:
                self.octets = f.read()

    def items(self):
        check_eq(self.status, 200, self.head)
        return json.loads(self.octets)["items"]


def ask(bench, gateway, path="/inbox", *options, who="phone"):
    """One request with curl; who: whose certificate, None: nobody's."""
    bench.asked = getattr(bench, "asked", 0) + 1
    head, got, args = curl_args(bench, bench.asked)
    bench.tool(*args, *(as_name(bench, who) if who else ()), *options, gateway.door_url + path)
    return Got(head, got)


def wait_items(bench, gateway, count=1, **more):
    return wait_until(lambda: len(i := ask(bench, gateway, **more).items()) >= count and i, f"{count} items")


@case
def listed_fetched_and_acknowledged(bench):
    gateway = Store(bench)
    ear = Ear(bench)
    push_id = good_push(bench, gateway, content="Good morning", attributes={"ppg-notify-requested-to": ear.url})
    item = wait_items(bench, gateway)[0]
    check_eq((item["octets"], item["priority"]), (12, "high"))
    got = ask(bench, gateway, f"/inbox/{item['id']}")
    check_eq((got.status, got.octets), (200, b"Good morning"), got.head)
    check_eq((got.headers["x-push-message-id"], got.headers["content-type"]), (item["id"], "text/vnd.wap.si"))
    check_eq(got.headers["x-wap-push-info"], "authenticated, trusted")
    check_eq(gateway.show(push_id)["targets"][0]["state"], "pending", "fetched is not yet acknowledged")
    check_eq(ask(bench, gateway, f"/inbox/{item['id']}", "-X", "DELETE").status, 204)
    shown = json.loads(gateway.ctl("--json", "terminal", "show", "+15550100").stdout)
    check_eq((shown["may_fetch"], shown["must_prove_by"]), (True, "certificate"))
    target = gateway.show(push_id)["targets"][0]
    check_eq((target["state"], target["code"], target["bearer"]), ("delivered", 1000, "inbox"))
    check("conf=transport" in target["protection"], target["protection"])
    for method in ("GET", "DELETE"):
        check_eq(ask(bench, gateway, f"/inbox/{item['id']}", "-X", method).status, 404, method)
    check_eq(ask(bench, gateway).items(), [])
    heard = ear.wait_heard(1)
    check_eq((len(heard), heard[0]["state"], heard[0]["code"]), (1, "delivered", 1000))


@case
def another_terminals_items_are_not_there(bench):
    gateway = Store(bench)
    good_push(bench, gateway)
    item = wait_items(bench, gateway)[0]["id"]
    name, _, number = item.partition("-")
    answers = set()
    for guess in (item, f"{name}-{int(number, 16) + 1:x}", f"{name}-0", f"{name}-", f"{'0' * 16}-{number}", item.upper(), number,
                  f"{name}-0{number}", "..%2f" + item, "x" * 900):
        for method in ("GET", "DELETE"):
            got = ask(bench, gateway, f"/inbox/{guess}", "-X", method, who="other")
            check_eq((got.status, got.octets), (404, b""), guess)
            answers.add("\n".join(line for line in got.head.splitlines() if not line.startswith("Date")))
    check_eq(len(answers), 1, "the same answer for another's and for nobody's")
    check_eq(ask(bench, gateway, who="other").items(), [])
    check_eq(ask(bench, gateway, f"/inbox?after={item}", who="other").items(), [])
    check_eq(ask(bench, gateway, f"/inbox/{item}").status, 200, "still there for its owner")


@case
def who_does_not_prove_itself_gets_nothing(bench):
    gateway = Store(bench)
    good_push(bench, gateway)
    wait_items(bench, gateway)
    stranger = bench.ca("stranger")
    bench.certificate(stranger, "thief", "URI:https://phone.example.com")
    bench.certificate(bench.authority, "nobody", "URI:https://nobody.example.com")
    got = ask(bench, gateway, who=None)
    check_eq(got.status, 401)
    check("WWW-Authenticate: Digest" in got.head and "WWW-Authenticate: Basic" in got.head, got.head)
    check_eq(ask(bench, gateway, who="nobody").status, 401)
    check_eq(ask(bench, gateway, "/inbox", "-u", "4+15550102:open-simsim", who=None).status, 401)
    check_eq(ask(bench, gateway, "/inbox", "-u", "4+15550100:open-sesame", who=None).status, 401, "one with a certificate")
    for options in (("-u", "4+15550102:open-sesame"), ("--digest", "-u", "4+15550102:open-sesame")):
        check_eq(ask(bench, gateway, "/inbox", *options, who=None).items(), [])
    refused = subprocess.run([*curl_args(bench, 0)[2], *as_name(bench, "thief"), gateway.door_url + "/inbox"],
                             capture_output=True, check=False)
    check_eq(refused.returncode in (35, 55, 56), True, f"a certificate of a stranger: {refused.stderr}")
    clear = subprocess.run([*curl_args(bench, 0)[2], f"http://localhost:{gateway.door}/inbox"], capture_output=True, check=False)
    check(clear.returncode != 0, "a request in the clear was answered")


@case
def what_is_no_request_is_refused(bench):
    gateway = Store(bench)
    for path, options, want in (("/", (), 404), ("/inbox/", (), 404), ("/inboxes", (), 404), ("/inbox?wait=x", (), 400),
                                ("/inbox?wait=1&wait=1", (), 400), ("/inbox?max=99999999999", (), 400), ("/inbox?a=b", (), 400),
                                ("/inbox?after=7", (), 400), ("/inbox?", (), 400), ("/inbox/a?wait=1", (), 400),
                                ("/inbox", ("-X", "DELETE"), 405), ("/inbox", ("-d", "x"), 405),
                                ("/inbox", ("-d", "x" * 9000), 413)):
        check_eq(ask(bench, gateway, path, *options).status, want, path)


PSK = "[terminal +15550103]\ninbox = yes\ncall-proof = psk\ncall-psk-identity = phone-3\ncall-psk-file = ../phone.psk\n"
KEY_3 = "00112233445566778899aabbccddeeff"


def s_client(bench, gateway, key, path="/inbox", identity="phone-3", *options):
    """A GET inside TLS 1.3 with a shared key, by openssl; its exit status and what came back."""
    asked = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    done = subprocess.run(["openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{gateway.psk_door}", "-tls1_3",
                           "-psk", key, "-psk_identity", identity, "-ciphersuites", "TLS_AES_128_GCM_SHA256", *options],
                          input=asked.encode(), capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout.decode("latin-1")


@case
def certificate_or_key_right_or_wrong(bench):
    bench.write("phone.psk", KEY_3 + "\n", 0o600)
    gateway = Store(bench, PHONE + PSK, inbox__listen_psk="127.0.0.1:0")
    good_push(bench, gateway)
    good_push(bench, gateway, to=("+15550103",))
    item = wait_items(bench, gateway)[0]["id"]
    stranger = bench.ca("stranger")
    bench.certificate(stranger, "thief", "URI:https://phone.example.com")
    for path in ("/inbox", f"/inbox/{item}"):
        check_eq(ask(bench, gateway, path).status, 200, path)
        refused = subprocess.run([*curl_args(bench, 0)[2], *as_name(bench, "thief"), gateway.door_url + path],
                                 capture_output=True, check=False)
        check(refused.returncode in (35, 55, 56), f"a certificate of a stranger: {refused.stderr}")
    wait_until(lambda: '"id"' in s_client(bench, gateway, KEY_3)[1], "the item of the terminal with a key")
    mine = json.loads(s_client(bench, gateway, KEY_3)[1].partition("\r\n\r\n")[2])["items"][0]["id"]
    check("200 OK" in s_client(bench, gateway, KEY_3, f"/inbox/{mine}")[1], "the item itself")
    check("404" in s_client(bench, gateway, KEY_3, f"/inbox/{item}")[1], "another's item")
    for path in ("/inbox", f"/inbox/{mine}"):
        for key, identity in ((KEY_3[::-1], "phone-3"), (KEY_3, "phone-4")):
            status, said = s_client(bench, gateway, key, path, identity)
            check(status != 0 and "HTTP/" not in said, f"{identity} with a wrong key: {status} {said}")


@case
def a_bootstrapped_key_is_proof(bench):
    make_identity(bench)
    impi = "234150999999999@ims.mnc015.mcc234.3gppnetwork.org"
    module, other = Module(impi), Module("other@operator.example")
    bench.write("subscribers.conf", module.section() + other.section(), 0o600)
    gateway = Store(bench, PSK[:PSK.index("call-psk")] + f"call-subscriber = {impi}\n", inbox__listen_psk="127.0.0.1:0",
                    key_server__listen_ub="127.0.0.1:0", key_server__cert="../gateway.crt", key_server__key="../gateway.key",
                    files__subscribers="../subscribers.conf", key_server__name="ppg.example.net")
    ub = int(re.search(r"ub=127.0.0.1:(\d+)", bench.wait_for_file(gateway.path("ports"))).group(1))
    good_push(bench, gateway, to=("+15550103",))
    for m, want in ((module, "200 OK"), (other, "401 ")):
        ue = Ue(m, ub, bench.authority[0]).bootstrap()
        key = ue.ks_naf("ppg.example.net", bytes.fromhex("0100000007")).hex()
        status, said = s_client(bench, gateway, key, "/inbox?wait=20", "3GPP-bootstrapping;" + ue.btid, "-servername", "ppg.example.net")
        check(f"HTTP/1.1 {want}" in said and ('"id"' in said) == (m is module), f"{status} {said}")
    status, said = s_client(bench, gateway, key[::-1], "/inbox", "3GPP-bootstrapping;" + ue.btid, "-servername", "ppg.example.net")
    check(status != 0 and "HTTP/" not in said, "a wrong key")


@case
def a_false_gateway_gets_and_gives_nothing(bench):
    bench.write("phone.psk", KEY_3 + "\n", 0o600)
    bench.write("wrong.psk", KEY_3[::-1] + "\n", 0o600)
    gateway = Store(bench, PHONE + PSK, inbox__listen_psk="127.0.0.1:0")
    ids = [good_push(bench, gateway), good_push(bench, gateway, to=("+15550103",))]
    wait_items(bench, gateway)
    bench.ca("stranger")
    fetch = ("push-terminal", "inbox", "--json", "--count", "1", "--timeout", "20", "--gateway")
    for options in ((gateway.door_url, "--ca", bench.path("stranger.crt"), *as_name(bench)),
                    (f"https://127.0.0.2:{gateway.door}", "--ca", bench.path("ca.crt"), *as_name(bench)),
                    (f"https://localhost:{gateway.psk_door}", "--psk", f"phone-3:{bench.path('wrong.psk')}")):
        done = bench.run(*fetch, *options)
        check(done.returncode != 0 and "push" not in done.stdout, f"{options}: {done.stdout} {done.stderr}")
    item = wait_items(bench, gateway)[0]["id"]
    done = bench.run(*fetch, gateway.door_url, "--ca", bench.path("stranger.crt"), *as_name(bench), "--item", item)
    check(done.returncode != 0 and "push" not in done.stdout, f"one item: {done.stdout} {done.stderr}")
    check_eq([gateway.show(i)["targets"][0]["state"] for i in ids], ["pending"] * 2)
    for options, push_id in (((gateway.door_url, "--ca", bench.path("ca.crt"), *as_name(bench)), ids[0]),
                             ((f"https://localhost:{gateway.psk_door}", "--psk", f"phone-3:{bench.path('phone.psk')}"), ids[1])):
        done = bench.run(*fetch, *options)
        check_eq(done.returncode, 0, done.stderr)
        check_eq(json.loads(done.stdout.splitlines()[0])["content"], "Hi")
        gateway.wait_state(push_id, "delivered")


@case
def black_before_white(bench):
    gateway = Store(bench)
    good_push(bench, gateway)
    good_push(bench, gateway, to=("+15550101",))
    item, other = (wait_items(bench, gateway, who=who)[0]["id"] for who in ("phone", "other"))
    resources = [("GET", "/inbox"), ("GET", f"/inbox/{item}"), ("DELETE", f"/inbox/{item}"), ("GET", f"/inbox/{other}"),
                 ("GET", "/inbox/nothing"), ("GET", "/elsewhere")]
    gateway.write("blocked.list", "+15550100\n")
    for rules in (RULES + "deny inbox @blocked.list *\n", RULES + "deny * +15550100 *\n", RULES.replace("allow inbox * *\n", ""),
                  "deny inbox +1555* *\n" + RULES):
        gateway.write("whitelist.conf", rules)
        check_eq(gateway.ctl("reload").returncode, 0)
        gateway.settle()
        wait_until(lambda: ask(bench, gateway).status == 403, "the new list on every loop")
        for method, path in resources:
            check_eq(ask(bench, gateway, path, "-X", method).status, 403, f"{method} {path}")
    gateway.wait_event("inbox.denied")
    gateway.write("whitelist.conf", RULES + "deny inbox @blocked.list *\n")
    check_eq(gateway.ctl("reload").returncode, 0)
    wait_until(lambda: ask(bench, gateway, who="other").status == 200, "the other, who is not on it")
    check_eq(ask(bench, gateway, f"/inbox/{other}", who="other").status, 200)
    gateway.write("whitelist.conf", RULES)
    check_eq(gateway.ctl("reload").returncode, 0)
    wait_until(lambda: ask(bench, gateway).status == 200, "the list without it")
    check_eq(ask(bench, gateway, f"/inbox/{item}").status, 200)


@case
def the_terminal_and_policy_choose_the_protection(bench):
    sealed = PHONE + "association-file = ../association\n"
    gateway = Store(bench, sealed + OTHER, **{"protection.message": "always"})
    plain, full = good_push(bench, gateway, content="In the open"), good_push(bench, gateway, content="Between us",
                                                                             headers={"X-Push-Protection": "full"})
    first, second = (i["id"] for i in wait_items(bench, gateway, 2))
    got = ask(bench, gateway, f"/inbox/{first}")
    check_eq((got.status, got.octets), (200, b"In the open"))
    for item, options, secret in ((first, ("-H", "X-Push-Protection: full"), b"open"), (second, (), b"Between"),
                                  (second, ("-H", "X-Push-Protection: none"), b"Between")):
        got = ask(bench, gateway, f"/inbox/{item}", *options)
        check_eq((got.status, got.headers["content-type"]), (200, "application/x-push-gpl-a1"), got.head)
        check(secret not in got.octets, "content in the clear inside a seal")
        check_eq(got.headers["accept-ranges"], "none")
    check_eq(ask(bench, gateway, f"/inbox/{first}", "-H", "X-Push-Protection: much").status, 400)
    done = bench.run("push-terminal", "inbox", "--json", "--gateway", gateway.door_url, "--ca", bench.path("ca.crt"),
                     *as_name(bench), "--association", bench.path("association"), "--protection", "full")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    check_eq([(e["content"], e["protection"]) for e in events], [("In the open", "full"), ("Between us", "full")], done.stderr)
    for push_id in (plain, full):
        gateway.wait_state(push_id, "delivered")
    floor = Store(bench, sealed + OTHER, **{"protection.message": "always", "protection.floor": "full"})
    good_push(bench, floor, content="The least")
    got = ask(bench, floor, f"/inbox/{wait_items(bench, floor)[0]['id']}", "-H", "X-Push-Protection: none")
    check_eq((got.status, got.headers["content-type"]), (200, "application/x-push-gpl-a1"))
    ceiling = Store(bench, sealed + OTHER, **{"protection.message": "always", "protection.ceiling": "integrity"})
    check_eq(push(bench, ceiling, headers={"X-Push-Protection": "full"}).code, 2005)
    good_push(bench, ceiling)
    got = ask(bench, ceiling, f"/inbox/{wait_items(bench, ceiling)[0]['id']}", "-H", "X-Push-Protection: full")
    check_eq(got.status, 403)
    check(got.octets.startswith(b"2005 "), got.octets)


MODULE = "k = 465b5ce8b199b49faa5f0a2ee238a6bc\nopc = cd63cb71954a9f4e48a5994e37a02baf\n"
IMPI = "234150999999999@ims.example"


@case
def an_association_comes_along_with_what_is_fetched(bench):
    gateway = Store(bench, PHONE + OTHER, start=False, **{
        "protection.message": "always", "files.subscribers": "subscribers.conf", "key-server.name": "ppg.example.net"})
    gateway.write("subscribers.conf", f"[subscriber {IMPI}]\nidentity = +15550100\n{MODULE}")
    bench.write("module", f"impi = {IMPI}\n{MODULE}gateway = ppg.example.net\n", 0o600)
    gateway.start()
    options = ("--json", "--gateway", gateway.door_url, "--ca", bench.path("ca.crt"), *as_name(bench), "--require", "full",
               "--module", bench.path("module"), "--state", bench.path("state"))
    for content in ("Before anybody knew us", "And again"):
        push_id = good_push(bench, gateway, content=content, headers={"X-Push-Protection": "full"})
        wait_items(bench, gateway)
        done = bench.run("push-terminal", "inbox", *options)
        check_eq([(e["content"], e["protection"]) for e in map(json.loads, done.stdout.splitlines())], [(content, "full")],
                 done.stdout + done.stderr)
        gateway.wait_state(push_id, "delivered")


@case
def large_content_in_parts(bench):
    gateway = Store(bench, pap__body_max="4M")
    content = bytes(ord("a") + n % 26 for n in range(700001))
    push_id = good_push(bench, gateway, content=content)
    path = "/inbox/" + wait_items(bench, gateway)[0]["id"]
    whole = ask(bench, gateway, path)
    check(whole.octets == content, "the whole content")
    etag = whole.headers["etag"]
    for spec, first, last in (("0-9", 0, 9), ("700000-", 700000, 700000), ("-5", 699996, 700000), ("5-999999999", 5, 700000)):
        got = ask(bench, gateway, path, "-r", spec)
        check_eq((got.status, got.headers["content-range"]), (206, f"bytes {first}-{last}/700001"), spec)
        check(got.octets == content[first:last + 1], spec)
    got = ask(bench, gateway, path, "-r", "700001-")
    check_eq((got.status, got.headers["content-range"], got.octets), (416, "bytes */700001", b""))
    for header in ("Range: bytes=0-1,5-6", "Range: items=0-1", "Range: bytes=9-1", f"Range: bytes=0-{'9' * 30}"):
        check(ask(bench, gateway, path, "-H", header).octets == content, header)
    check_eq(ask(bench, gateway, path, "-r", "0-9", "-H", f"If-Range: {etag}").status, 206)
    check_eq(ask(bench, gateway, path, "-r", "0-9", "-H", 'If-Range: "another"').status, 200)
    done = bench.run("push-terminal", "inbox", "--json", "--gateway", gateway.door_url, "--ca", bench.path("ca.crt"),
                     *as_name(bench), "--max-size", "1000000")
    check_eq(done.returncode, 0, done.stderr)
    check(json.loads(done.stdout)["content"].encode() == content, "what push-terminal put together")
    gateway.wait_state(push_id, "delivered")


def poll(bench, gateway, wait, who="phone"):
    """A long poll under way: the process, and where its answer goes."""
    bench.asked = getattr(bench, "asked", 0) + 1
    head, got, args = curl_args(bench, bench.asked)
    return subprocess.Popen([*args, *as_name(bench, who), f"{gateway.door_url}/inbox?wait={wait}"]), head, got


@case
def waits_until_something_comes(bench):
    gateway = Store(bench, inbox__waits_per_terminal="2", inbox__waits_max="3", inbox__wait_max="30s")
    check_eq(ask(bench, gateway, "/inbox?wait=1").items(), [], "nothing came in time")
    polls = []
    for who in ("phone", "phone", "other"):
        polls.append(poll(bench, gateway, 3600, who))
        gateway.wait_event("inbox.wait", 1 + len(polls))
    check_eq(ask(bench, gateway, "/inbox?wait=3600").status, 429, "no more than two of one terminal")
    check_eq(ask(bench, gateway, "/inbox?wait=3600", "-u", "4+15550102:open-sesame", who=None).status, 503, "or three of all")
    good_push(bench, gateway)
    for process, head, got in polls[:2]:
        check_eq(process.wait(60), 0)
        check_eq(len(Got(head, got).items()), 1)
    check(polls[2][0].poll() is None, "another terminal's push is no news for this one")
    late = poll(bench, gateway, 3600)
    check_eq(late[0].wait(60), 0)
    check_eq(len(Got(*late[1:]).items()), 1, "what is there already is no reason to wait")
    polls[2][0].kill()
    polls[2][0].wait()


@case
def a_reload_asks_anew_who_may_wait(bench):
    gateway = Store(bench)
    process, head, got = poll(bench, gateway, 3600)
    gateway.wait_event("inbox.wait")
    gateway.write("whitelist.conf", RULES + "deny inbox +15550100 *\n")
    check_eq(gateway.ctl("reload").returncode, 0)
    check_eq(process.wait(60), 0)
    check_eq(Got(head, got).items(), [])
    good_push(bench, gateway)
    check_eq(ask(bench, gateway, "/inbox?wait=3600").status, 403)


@case
def a_drain_ends_all_waits(bench):
    gateway = Store(bench)
    polls = [poll(bench, gateway, 3600), poll(bench, gateway, 3600, "other")]
    gateway.wait_event("inbox.wait", 2)
    check_eq(gateway.stop(), 0)
    for process, head, got in polls:
        process.wait(60)
        check_eq(Got(head, got).items(), [])


@case
def killed_between_fetch_and_acknowledgement(bench):
    gateway = Store(bench)
    ear = Ear(bench)
    push_id = good_push(bench, gateway, attributes={"ppg-notify-requested-to": ear.url})
    item = wait_items(bench, gateway)[0]["id"]
    check_eq(ask(bench, gateway, f"/inbox/{item}").status, 200)
    gateway.kill()
    gateway.start()
    check_eq([i["id"] for i in wait_items(bench, gateway)], [item], "the same item, with the same name")
    check_eq(ask(bench, gateway, f"/inbox/{item}", "-X", "DELETE").status, 204)
    gateway.kill()
    gateway.start()
    check_eq(ask(bench, gateway).items(), [])
    check_eq(ask(bench, gateway, f"/inbox/{item}").status, 404)
    check_eq(gateway.show(push_id)["targets"][0]["state"], "delivered")
    check_eq([h["state"] for h in ear.wait_heard(1)][0], "delivered")


@case
def what_is_taken_back_is_not_there(bench):
    gateway = Store(bench)
    taken_back, old = good_push(bench, gateway), good_push(bench, gateway)
    item = wait_items(bench, gateway, 2)[0]["id"]
    done = bench.run("pap-push", "cancel", "--url", gateway.tls_url, "--ca", bench.path("ca.crt"), *as_news(bench), taken_back)
    check_eq(done.returncode, 0, done.stdout + done.stderr)
    check_eq(len(ask(bench, gateway).items()), 1)
    check_eq(ask(bench, gateway, f"/inbox/{item}").status, 404)
    check_eq(gateway.show(taken_back)["targets"][0]["state"], "cancelled")
    check_eq(gateway.show(old)["targets"][0]["state"], "pending")


@case
def a_peer_store_without_certificate_is_for_policy(bench):
    peer = LOGIN + "peer-store = yes\n"
    strict = Store(bench, PHONE + "peer-store = yes\n" + peer)
    login = ("-u", "4+15550102:open-sesame")
    check_eq(ask(bench, strict, "/inbox", *login, who=None).status, 403)
    check_eq(strict.wait_event("inbox.refused", status=403)["why"], "another gateway's store without certificate")
    check_eq(ask(bench, strict).status, 200, "the peer with a certificate")
    check_eq(strict.events("inbox.peer"), [])
    lenient = Store(bench, PHONE + peer, inbox__peer_certificate="no")
    check_eq(ask(bench, lenient, "/inbox", *login, who=None).status, 200)
    check_eq(lenient.wait_event("inbox.peer")["proof"], "basic", "and it is logged")


@case
def content_too_large_to_push_is_told_where_it_is(bench):
    terminal = Terminal(bench, "--max-size", "2000", association=False)
    both = terminal.route("+15550100", more=f"inbox = yes\n{PROOF}")
    gateway = Store(bench, both + OTHER, inbox__url="https://localhost:4038", inbox__listen_tls="127.0.0.1:0")
    small, large = good_push(bench, gateway, content="small"), good_push(bench, gateway, content="L" * 5000)
    gateway.wait_state(small, "delivered")
    told = terminal.wait_events(2)[1]
    check("message/external-body" in told["content_type"], told)
    url = re.search(r'URL="([^"]+)"', told["content_type"]).group(1)
    check(url.startswith("https://localhost:4038/inbox/"), url)
    check_eq(gateway.show(large)["targets"][0]["state"], "pending", "told is not yet delivered")
    path = url.removeprefix("https://localhost:4038")
    check_eq(ask(bench, gateway, path, who="other").status, 404, "another terminal with the same URL")
    check_eq(ask(bench, gateway, path, who=None).status, 401)
    clear = subprocess.run([*curl_args(bench, 0)[2], f"http://localhost:{gateway.door}{path}"], capture_output=True, check=False)
    check(clear.returncode != 0, "a URL in the clear was answered")
    check_eq(ask(bench, gateway, path).octets, b"L" * 5000)
    after = good_push(bench, gateway, content="another small one")
    gateway.wait_state(after, "delivered")
    check_eq(ask(bench, gateway, path, "-X", "DELETE").status, 204)
    gateway.wait_state(large, "delivered")
    check_eq(len(terminal.events()), 3)


@case
def a_terminal_that_is_away_can_fetch_instead(bench):
    section = f"[terminal +15550100]\ncalls-in = tls\ninbox = yes\n{PROOF}"
    gateway = Store(bench, section + OTHER, ota_http__listen_tls="127.0.0.1:0")
    push_id = good_push(bench, gateway)
    item = wait_items(bench, gateway)[0]["id"]
    check_eq(ask(bench, gateway, f"/inbox/{item}", "-X", "DELETE").status, 204)
    gateway.wait_state(push_id, "delivered")


@case
def push_terminal_follows_its_inbox(bench):
    gateway = Store(bench)
    state = bench.path("state")
    options = ("--json", "--gateway", gateway.door_url, "--ca", bench.path("ca.crt"), "--state", state)
    program = bench.start("push-terminal", "inbox", *options, *as_name(bench), "--follow")
    ids = [good_push(bench, gateway, content=f"number {n}") for n in range(5)]
    for push_id in ids:
        gateway.wait_state(push_id, "delivered")
    said = [json.loads(line) for line in program.lines()]
    check_eq([e["content"] for e in said], [f"number {n}" for n in range(5)], "each once, in order")
    check(all(e["tls"] and e["server_proved"] and e["authenticated"] and e["trusted"] for e in said), said[0])
    program.stop()
    kept = good_push(bench, gateway, content="kept")
    wait_items(bench, gateway)
    for want in (["push"], ["duplicate"]):
        done = bench.run("push-terminal", "inbox", *options, *as_name(bench), *(("--keep",) if want == ["push"] else ()))
        check_eq(([json.loads(line)["event"] for line in done.stdout.splitlines()], done.returncode), (want, 0), done.stderr)
    gateway.wait_state(kept, "delivered")
    for proof, want in (("phone.password", 0), ("password", 2)):
        login = good_push(bench, gateway, to=("+15550102",))
        done = bench.run("push-terminal", "inbox", *options, "--count", "1", "--proof", f"4+15550102:{bench.path(proof)}",
                         "--timeout", "20", "--follow")
        check_eq(done.returncode, want, done.stdout + done.stderr)
        if want == 0:
            gateway.wait_state(login, "delivered")


def follower(bench, *options, proof="digest"):
    """A gateway that tells where large content lies, and a listening push-terminal that logs in there to fetch it."""
    gateway = Store(bench, f"[terminal +15550100]\ninbox = yes\ncall-proof = {proof}\ncall-password-file = ../phone.password\n", inbox__indirect_above="1000")
    terminal = Terminal(bench, "--items", gateway.door_url, "--ca", bench.path("ca.crt"), "--proof", f"4+15550100:{bench.path('phone.password')}",
                        "--terminal-id", "4+15550100", *options, association=False)
    gateway.write("terminals.conf", terminal.route("+15550100", more=f"inbox = yes\ncall-proof = {proof}\ncall-password-file = ../phone.password\n"))
    gateway.write_conf(inbox__url=gateway.door_url)
    check_eq(gateway.ctl("reload").returncode, 0)
    gateway.settle()
    return gateway, terminal


@case
def what_a_push_names_is_fetched(bench):
    """Indirect content: the push says where it lies, the terminal fetches it over TLS with its login, and has it then; small content
    before, between and behind is pushed as ever."""
    for proof in ("digest", "basic"):
        gateway, terminal = follower(bench, "--count", "5", "--max-size", "1000000", proof=proof)
        contents = ["small 0", "L" * 5000, "small 1", "M" * 300000, "small 2"]
        terminal_takes = [good_push(bench, gateway, content=c) for c in contents]
        for push_id in terminal_takes:
            gateway.wait_state(push_id, "delivered")
        check_eq(terminal.program.wait(), 0, terminal.program.err())
        pushes = terminal.events()
        notices = [e for e in pushes if "message/external-body" in e["content_type"]]
        check_eq((len(pushes), len(notices)), (7, 2), "two that say where, five that are it")
        got = {e["content"]: e for e in pushes if e not in notices}
        check_eq(sorted(got), sorted(contents))
        check_eq({c[:1]: got[c]["tls"] for c in contents}, {"s": False, "L": True, "M": True})
        check(got[contents[1]]["server_proved"] and got[contents[1]]["proofs"] == ["certificate"], got[contents[1]])


@case
def nothing_but_its_own_inbox_is_followed(bench):
    """A push may name any place: the terminal shows it and goes nowhere."""
    gateway, terminal = follower(bench)
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.setblocking(False)
        port, own = trap.getsockname()[1], gateway.door_url
        urls = [f"https://localhost:{port}/inbox/a-1", f"http://localhost:{gateway.door}/inbox/a-1", f"{own}/inbox/", f"{own}/inbox/a-1?wait=9",
                f"{own}/inbox/../a-1", f"{own}/other/a-1", f"{own}/inbox/{'a' * 600}", f"https://localhost:{port}/{own}/inbox/a-1",
                f"https://phone@localhost:{gateway.door}/inbox/a-1", "https:", ""]
        for url in urls:
            good_push(bench, gateway, name="bare", content="x", headers={"Content-Type": f'message/external-body; access-type=URL; URL="{url}"'})
        good_push(bench, gateway, name="bare", content="x", headers={"Content-Type": f'message/external-body; access-type=ftp; URL="{own}/inbox/a-1"'})
        terminal.wait_events(len(urls) + 1)
        gone = good_push(bench, gateway, name="bare", content="x", headers={"Content-Type": f'message/external-body; access-type=URL; URL="{own}/inbox/a-1"'})
        gateway.wait_state(gone, "delivered")
        wait_until(lambda: "follow.fail" in terminal.program.err(), "an item that is not there")
        check_eq(terminal.program.err().count("follow.fail"), 1, terminal.program.err())
        try:
            check(not trap.accept(), "it went where it was told")
        except BlockingIOError:
            pass
    check(terminal.program.running(), terminal.program.err())


def sia(port):
    """A session initiation with one contact point, 127.0.0.1."""
    return b"\x01\0\0\x08\xc4\x0b" + port.to_bytes(2, "big") + b"\x7f\0\0\x01\x01\0\0\0"


@case
def a_fetched_item_that_asks_to_connect_is_verified(bench):
    """SEC_CF B.7 for content that was fetched: the home function is asked by the token that came with the item; without one to ask, or
    with a no, nothing is acted on, and the item stays."""
    gateway = Store(bench, PHONE + OTHER, verify__listen_tls="127.0.0.1:0")
    ports = bench.wait_for_file(gateway.path("ports"))
    home = "https://localhost:" + re.search(r"verify=.*:(\d+)", ports).group(1)
    options = ("--json", "--gateway", gateway.door_url, "--ca", bench.path("ca.crt"), *as_name(bench))
    asks = ("--home", home, "--home-ca", bench.path("ca.crt"))
    with socket.create_server(("127.0.0.1", 0)) as contact:
        contact.settimeout(60)
        push_id = good_push(bench, gateway, name="bare", content=sia(contact.getsockname()[1]), headers={"Content-Type": "application/vnd.wap.sia"})
        wait_items(bench, gateway)
        for more, want in (((), "verify-nobody"), ((*asks, "--home-cert", bench.path("other.crt"), "--home-key", bench.path("other.key"), "--keep"), "verify-invalid")):
            done = bench.run("push-terminal", "inbox", *options, *more)
            events = [json.loads(line) for line in done.stdout.splitlines()]
            check_eq((events[-1]["event"], events[-1]["reason"], done.returncode), ("dropped", want, 0), done.stderr)
            check_eq(gateway.show(push_id)["targets"][0]["state"], "pending")
        program = bench.start("push-terminal", "inbox", *options, *asks, "--home-cert", bench.path("phone.crt"), "--home-key", bench.path("phone.key"), "--follow")
        contact.accept()[0].close()
        gateway.wait_state(push_id, "delivered")
        check_eq([json.loads(line)["event"] for line in program.lines()], ["verify", "connect"])
        check_eq([e["valid"] for e in gateway.check_events(2, "verify.asked")], [False, True])
        last = good_push(bench, gateway, name="bare", content=sia(contact.getsockname()[1]), headers={"Content-Type": "application/vnd.wap.sia"})
        gateway.wait_state(last, "delivered")
        program.stop()
        good_push(bench, gateway, name="bare", content=sia(contact.getsockname()[1]), headers={"Content-Type": "application/vnd.wap.sia"})
        wait_items(bench, gateway)
        done = bench.run("push-terminal", "inbox", *options, *asks, "--home-cert", bench.path("phone.crt"), "--home-key", bench.path("phone.key"), "--count", "1")
        check_eq(([json.loads(line)["event"] for line in done.stdout.splitlines()], done.returncode), (["verify", "connect"], 0), done.stderr)


@case
def pushed_and_fetched_content_pass_the_same_tests(bench):
    callers = PHONE.replace("inbox = yes", "inbox = yes\ncalls-in = tls")
    gateway = Store(bench, callers, ota_http__listen_tls="127.0.0.1:0")
    with open(gateway.path("ports"), encoding="utf-8") as f:
        call = "https://localhost:" + re.search(r"ota-tls=.*:(\d+)", f.read()).group(1)
    stranger = bench.ca("stranger")
    bench.certificate(stranger, "thief", "URI:https://phone.example.com")
    bench.certificate(bench.authority, "nobody", "URI:https://nobody.example.com")
    ids = [good_push(bench, gateway, content=f"number {n}") for n in range(2)]
    wait_items(bench, gateway, 2)
    ways = (("inbox", gateway.door_url), ("connect", call))
    for who, ca in (("thief", "ca"), ("nobody", "ca"), ("phone", "stranger")):
        for way, where in ways:
            done = bench.run("push-terminal", way, "--json", "--gateway", where, "--ca", bench.path(f"{ca}.crt"),
                             *as_name(bench, who), "--timeout", "1", "--count", "1")
            check(done.returncode != 0 and '"event":"push"' not in done.stdout, f"{way} {who} {ca}: {done.stdout}")
    check_eq({gateway.show(i)["targets"][0]["state"] for i in ids}, {"pending"})
    for (way, where), push_id in zip(ways, ids):
        done = bench.run("push-terminal", way, "--json", "--gateway", where, "--ca", bench.path("ca.crt"), *as_name(bench),
                         "--timeout", "20", "--count", "1")
        got = [e for e in map(json.loads, done.stdout.splitlines()) if e["event"] == "push"]
        check_eq([(e["tls"], e["server_proved"], e["authenticated"], e["proofs"]) for e in got],
                 [(True, True, True, ["certificate"])], f"{way}: {done.stderr}")
        gateway.wait_state(push_id, "delivered")


OBJECTS = "object-name = ppg\nobject-key-file = ../xml.keys\n"
OBJECT, OCTETS = "application/xenc+xml", "application/octet-stream"


def submit_object(bench, gateway, octets, to="+15550100", kind=OBJECT):
    path = bench.path("object")
    with open(path, "wb") as f:
        f.write(octets)
    done = pap_push(bench, gateway, "--to", to, "--file", path, "--type", kind)
    check_eq(done.returncode, 0, done.stdout + done.stderr)
    who = "phone" if to == "+15550100" else "other"
    return wait_items(bench, gateway, who=who)[-1]["id"]


def decrypted(bench, gateway, item, *options, who="phone"):
    return ask(bench, gateway, f"/inbox/{item}", "-H", "X-Push-Object: decrypted", *options, who=who)


@case
def an_encrypted_object_stays_so_or_is_opened_for_its_owner(bench):
    """DM-14.  Encrypted by another's tool; it lies in the store as it came, over a restart, and goes out octet for octet; the
    terminal whose keys are here may have what is in it instead, inside TLS and as `full`."""
    maker, secret = Maker(bench), b"4019 2445 0277 5567\r\n\0" + bytes(range(256)) * 40
    gateway = Store(bench, PHONE + OBJECTS)
    made = maker.object(secret)
    item = submit_object(bench, gateway, made)
    gateway.kill()
    gateway.start()
    for more in ((), ("-H", "X-Push-Object: encrypted")):
        got = ask(bench, gateway, f"/inbox/{item}", *more)
        check_eq((got.status, got.octets, got.headers["content-type"], "x-push-object" in got.headers), (200, made, OBJECT, False), got.head)
    stored = got.headers["etag"]
    got = decrypted(bench, gateway, item)
    check_eq((got.status, got.octets), (200, secret), got.head)
    check_eq((got.headers["x-push-object"], got.headers["content-type"], got.headers["cache-control"]), ("decrypted", "application/octet-stream", "no-store"))
    check(got.headers["etag"] != stored, "two forms, two tags")
    got = decrypted(bench, gateway, item, "-H", "Range: bytes=5-8")
    check_eq((got.status, got.octets, got.headers["content-range"]), (206, b"2445", f"bytes 5-8/{len(secret)}"))
    for name in os.listdir(gateway.folder):
        if os.path.isfile(gateway.path(name)):
            with open(gateway.path(name), "rb") as f:
                check(b"4019 2445" not in f.read(), f"{name} has what is in the object")
    check("4019 2445" not in gateway.said(), "nor has the log")
    check_eq(ask(bench, gateway, f"/inbox/{item}").octets, made, "it is still there as it was")
    phone = ("push-terminal", "inbox", "--json", "--gateway", gateway.door_url, "--ca", bench.path("ca.crt"), *as_name(bench), "--require", "full")
    done = bench.run(*phone, "--decrypted")
    check_eq((done.returncode, base64.b64decode(json.loads(done.stdout)["content_base64"])), (0, secret), done.stderr)
    check_eq(ask(bench, gateway).items(), [])


@case
def an_opened_object_has_the_type_that_it_says(bench):
    """DM-14, XMLENC 3.1.  MimeType, under the signature, where it is a media type; anything else is octets.  Whoever changes it behind
    the signature opens nothing."""
    maker = Maker(bench)
    gateway = Store(bench, PHONE + OBJECTS)
    for said, want in (("text/plain", "text/plain"), ("text/plain;charset=utf-8", "text/plain;charset=utf-8"),
                       ("application/vnd.syncml.dm+xml", "application/vnd.syncml.dm+xml"), ("", OCTETS), ("text", OCTETS),
                       ("text/plain&#13;&#10;X-Push-Object: encrypted", OCTETS), ("text/plain&#10;", OCTETS), ("text/caf\u00e9", OCTETS),
                       ("text/" + "x" * 300, OCTETS)):
        item = submit_object(bench, gateway, maker.object(b"4019", mime_type=said))
        got = decrypted(bench, gateway, item)
        check_eq((got.status, got.octets, got.headers["content-type"], got.headers["x-push-object"]), (200, b"4019", want, "decrypted"), said)
        check_eq(ask(bench, gateway, f"/inbox/{item}").headers["content-type"], OBJECT, said)
    made = maker.object(b"4019", mime_type="text/plain")
    item = submit_object(bench, gateway, made.replace(b"text/plain", b"text/html "))
    check_eq(decrypted(bench, gateway, item).status, 403)


@case
def nobody_elses_object_is_opened(bench):
    """DM-14.  Without keys, with others, of what is changed, not signed or not encrypted: one answer, and the object as it came."""
    maker = Maker(bench)
    bench.write("others.keys", (WRAP + SIGN).hex() + "\n", 0o600)
    gateway = Store(bench, PHONE + OBJECTS + OTHER)
    good = maker.object(b"4019 2445 0277 5567")
    refused = set()

    def refuse(octets, to="+15550100", who="phone", kind=OBJECT):
        item = submit_object(bench, gateway, octets, to, kind)
        got = decrypted(bench, gateway, item, who=who)
        refused.add((got.status, got.octets))
        check_eq(ask(bench, gateway, f"/inbox/{item}", who=who).octets, octets)
        check_eq(ask(bench, gateway, f"/inbox/{item}", "-X", "DELETE", who=who).status, 204)

    refuse(good, "+15550101", "other")
    gateway.write("terminals.conf", PHONE + OBJECTS + OTHER + OBJECTS.replace("xml.keys", "others.keys"))
    check_eq(gateway.ctl("reload").returncode, 0)
    refuse(good, "+15550101", "other")
    at = good.index(b"<CipherValue>", good.index(b"</KeyInfo>")) + 20
    bent = good[:at] + (b"A" if good[at:at + 1] != b"A" else b"B") + good[at + 1:]
    for octets in (bent, good[:-2], maker.encrypt(b"4019").encode(), maker.object(b"4019", key="wrap"), good.replace(b">ppg<", b">gpp<"),
                   b"<order/>", b"no XML at all"):
        refuse(octets)
    refuse(b"Good morning", kind="text/plain")
    check_eq(refused, {(403, b"not an object that keys of yours open here\n")})
    item = submit_object(bench, gateway, good)
    check_eq(decrypted(bench, gateway, item).octets, b"4019 2445 0277 5567", "it is not the place")
    for wrong in (("X-Push-Object: plain",), ("X-Push-Object: decrypted", "X-Push-Object: encrypted")):
        check_eq(ask(bench, gateway, f"/inbox/{item}", *(o for h in wrong for o in ("-H", h))).status, 400, wrong)
    check_eq(decrypted(bench, gateway, item, who="other").status, 404)
    gateway.write_conf(protection__ceiling="integrity")
    check_eq(gateway.ctl("reload").returncode, 0)
    got = decrypted(bench, gateway, item)
    check_eq((got.status, got.octets[:4]), (403, b"2005"), "full, or not at all")


if __name__ == "__main__":
    main("inbox")
