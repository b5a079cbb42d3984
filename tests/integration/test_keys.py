"""The keyring with real programs: ppgctl key and sa, what is in force afterwards, another master key, damage; and that no
secret shows in a log, the store, the keyring or a core.  Usage: test_keys.py BUILD_DIR."""

import base64
import hashlib
import hmac
import json
import os
import re

from gateway import INITIATORS, KEY, PASSWORD, SAID, WHITELIST, Gateway, Terminal, good_push, mime, push
from harness import case, check, check_eq, main, wait_until

MASTER, MASTER2 = "8f" * 16 + "1d3a" * 8, "c4" * 16 + "77e2" * 8
NEW_KEY = "f0e1d2c3b4a5968778695a4b3c2d1e0f00112233445566778899aabbccddeeff"
PSK = "5b3c9e7aa1f04c6d8e2b7f90a4d1c38e5b3c9e7aa1f04c6d8e2b7f90a4d1c38e"
KEYRING = {"keyring.path": "keyring", "keyring.master": "master"}


def derived(use, name, key=KEY):
    """KDF(key, FC=F9, use, name) of TS 33.220 annex B, computed here."""
    s = b"\xf9"
    for p in (use.encode(), name.encode()):
        s += p + len(p).to_bytes(2, "big")
    return hmac.new(bytes.fromhex(key), s, hashlib.sha256).digest()


def begin(bench, terminals="", conf=None, initiators=INITIATORS):
    """A gateway with a master key and no key yet."""
    gateway = Gateway(bench, terminals, initiators=initiators, conf={**KEYRING, **(conf or {})}, start=False)
    gateway.write("master", MASTER + "\n")
    return gateway.start()


def key(gateway, *args):
    done = gateway.ctl("--json", "key", *args)
    check_eq((done.returncode, done.stderr), (0, ""), done.stdout)
    return json.loads(done.stdout)


def keys(gateway):
    return {(k["name"], k["version"]): k for k in key(gateway, "list")["keys"]}


def reload(gateway):
    done = gateway.ctl("reload")
    check_eq((done.returncode, done.stderr), (0, ""))


def with_phone(bench, **more):
    """A gateway whose terminal's association is the key `phone`, imported from the file that the terminal has."""
    phone, gateway = Terminal(bench), begin(bench, **more)
    answer = key(gateway, "import", "phone", "--file", bench.path("association"))
    check_eq((answer["said"], answer["kind"], answer["in_force"]), (SAID, "association", True))
    gateway.write("terminals.conf", phone.route("+15550100", more="association = phone\n"))
    reload(gateway)
    return phone, gateway


def sas(gateway, *args):
    done = gateway.ctl("--json", "sa", *(args or ("list",)))
    check_eq((done.returncode, done.stderr), (0, ""), done.stdout)
    return json.loads(done.stdout)["associations"]


@case
def an_imported_association_protects(bench):
    phone, gateway = with_phone(bench)
    good_push(bench, gateway)
    check_eq(phone.wait_events(1)[0]["protection"], "full", phone.events())
    row = keys(gateway)["phone", 1]
    check_eq((row["kind"], row["said"], row["suites"], row["state"]),
             ("association", SAID, "aes-ctr-hmac-sha256, hmac-sha256", "good"))
    check(re.fullmatch("[0-9a-f]{16}", row["fingerprint"]) and row["fingerprint"] not in KEY, row)
    check_eq([(a["terminal"], a["key"], a["said"], a["state"]) for a in sas(gateway)], [("+15550100", "phone", SAID, "good")])
    for name in ("+15550100", "phone", SAID):
        check_eq(len(sas(gateway, "show", name)), 1)
    done = gateway.ctl("sa", "show", "+15550199")
    check_eq((done.returncode, done.stderr), (1, "ppgctl: no association of that terminal, key or SAID\n"))
    gateway.check_events(1, "key.imported", key=gateway.token("phone"), kind="association")
    check(os.stat(gateway.path("keyring")).st_mode & 0o777 == 0o600, "mode of the keyring")


@case
def rotation_with_a_grace(bench):
    """Sealed under the new key from the answer on; a terminal that has both takes what was sealed under either."""
    phone, gateway = with_phone(bench)
    good_push(bench, gateway)
    phone.wait_events(1)
    bench.write("secret", NEW_KEY + "\n", 0o600)
    answer = key(gateway, "rotate", "phone", "--secret-file", bench.path("secret"), "--grace", "7d")
    check(answer["version"] == 2 and answer["said"] != SAID and answer["in_force"], answer)
    old, new = keys(gateway)["phone", 1], keys(gateway)["phone", 2]
    check_eq((old["state"], new["state"], new["suites"]), ("grace", "good", old["suites"]))
    check(old["fingerprint"] != new["fingerprint"] and old["expires"] and "expires" not in new, (old, new))
    bench.write("association2", f"said = {answer['said']}\nkey = {NEW_KEY}\nsuites = {new['suites']}\nexpires = never\n", 0o600)
    phone.kill()
    phone.options += ["--association", bench.path("association2")]
    phone.start()
    good_push(bench, gateway)
    phone.wait_events(2)
    check_eq([e["said"] for e in gateway.check_events(2, "sa.numbers")], [SAID, answer["said"]])
    check_eq(phone.events("dropped"), [])
    check_eq([a["version"] for a in sas(gateway)], [2])


@case
def a_revoked_association_seals_nothing(bench):
    phone, gateway = with_phone(bench)
    good_push(bench, gateway)
    phone.wait_events(1)
    done = gateway.ctl("sa", "revoke", "+15550100")
    check_eq((done.returncode, done.stderr), (0, ""))
    check_eq(keys(gateway)["phone", 1]["state"], "expired")
    check_eq(sas(gateway)[0]["state"], "expired")
    check_eq(push(bench, gateway, push_id="after@news.example.com").code, 2005)
    check_eq(len(phone.events()), 1)
    gateway.check_events(1, "sa.revoked", key=gateway.token("phone"))
    done = gateway.ctl("sa", "revoke", "nobody")
    check_eq(done.returncode, 1, done.stdout)


@case
def changes_are_in_the_audit_log(bench):
    """Who did what to which key, before and after, and never a secret; a log that cannot be written prevents the change."""
    phone, gateway = with_phone(bench, conf={"admin.audit": "audit.log"})
    bench.write("secret", NEW_KEY + "\n", 0o600)
    key(gateway, "rotate", "phone", "--secret-file", bench.path("secret"), "--grace", "7d")
    check_eq(gateway.ctl("sa", "revoke", "phone").returncode, 0)
    key(gateway, "remove", "phone")
    with open(gateway.path("audit.log"), "rb") as f:
        text = f.read()
    rows = [r for r in map(json.loads, text.splitlines()) if r["what"] != "reload"]
    check_eq([(r["what"], r.get("before") and r["before"]["version"], r.get("after") and r["after"]["version"]) for r in rows],
             [("key.imported", None, 1), ("key.rotated", 1, 2), ("sa.revoked", 2, 2), ("key.removed", 2, None)])
    check(all(r["who"] for r in rows), rows)
    check_eq(shown(text), [])
    check_eq(gateway.ctl("audit", "verify").returncode, 0)


@case
def an_association_in_a_file_is_not_revoked_here(bench):
    phone = Terminal(bench)
    gateway = begin(bench, phone.route("+15550100"))
    done = gateway.ctl("sa", "revoke", "+15550100")
    check(done.returncode == 1 and "in a file" in done.stderr, done.stderr)
    check_eq([(a["said"], a.get("key")) for a in sas(gateway)], [(SAID, None)])


@case
def a_removed_key_that_is_still_named(bench):
    """The key is gone from the disk; the configuration that names it is refused with file and line, and the old one stays."""
    phone, gateway = with_phone(bench)
    answer = key(gateway, "remove", "phone")
    check(answer["in_force"] is False and "terminals.conf:3" in answer["errors"][0], answer)
    check_eq(keys(gateway), {})
    good_push(bench, gateway)
    phone.wait_events(1)
    gateway.write("terminals.conf", phone.route("+15550100", more=""))
    reload(gateway)
    check_eq(push(bench, gateway, push_id="none@news.example.com").code, 2005)


@case
def one_name_for_tls_digest_and_sealing(bench):
    """UC-B.9-2: the key `phone` is a PSK identity, a Digest user and the name of an association, each use with a key of its
    own derived from it."""
    who = INITIATORS + "[initiator self]\nkey = phone\nask-protection = yes\n"
    phone, gateway = Terminal(bench), begin(bench, conf={"pap.listen-psk": "127.0.0.1:0"})
    key(gateway, "import", "phone", "--file", bench.path("association"))
    gateway.write("terminals.conf", phone.route("+15550100", more="association = phone\n"))
    gateway.write("initiators.conf", who)
    gateway.write("whitelist.conf", WHITELIST + "allow self +1555* * protect=full\n")
    reload(gateway)
    with open(gateway.path("ports"), encoding="utf-8") as f:
        psk_port = re.search(r"pap-psk=127.0.0.1:(\d+)", f.read()).group(1)
    bench.write("psk", derived("psk-tls", "phone").hex() + "\n", 0o600)
    bench.write("raw", KEY + "\n", 0o600)
    bench.write("digest", base64.b64encode(derived("digest", "phone")).decode() + "\n", 0o600)
    submit = ["submit", "--to", "+15550100", "--text", "hello"]
    by_psk = [*submit, "--url", f"https://localhost:{psk_port}/pap", "--psk-identity", "phone", "--psk-file"]
    check_eq(bench.run("pap-push", *by_psk, bench.path("psk")).returncode, 0)
    check(bench.run("pap-push", *by_psk, bench.path("raw")).returncode >= 64, "the association's own key is none of TLS")
    by_digest = [*submit, "--url", gateway.tls_url, "--ca", bench.path("ca.crt"), "--user", "phone", "--password-file"]
    check_eq(bench.run("pap-push", *by_digest, bench.path("digest")).returncode, 0)
    check(bench.run("pap-push", *by_digest, bench.path("raw")).returncode >= 64, "nor a password")
    check_eq({e["protection"] for e in phone.wait_events(2)}, {"full"})
    check_eq(sas(gateway, "show", "phone")[0]["terminal"], "+15550100")


@case
def a_key_that_is_gone_lets_nobody_in(bench):
    """A psk and a password of the keyring; removed, the next connection is refused."""
    who = INITIATORS + "[initiator p]\nkey = p1\n[initiator w]\nkey = w1\n"
    phone, gateway = Terminal(bench), begin(bench, conf={"pap.listen-psk": "127.0.0.1:0"})
    bench.write("psk", PSK + "\n", 0o600)
    key(gateway, "add", "p1", "--kind", "psk", "--secret-file", bench.path("psk"))
    key(gateway, "add", "w1", "--kind", "password", "--secret-file", bench.path("password"))
    gateway.write("initiators.conf", who)
    gateway.write("terminals.conf", phone.route("+15550100"))
    gateway.write("whitelist.conf", WHITELIST + "allow p +1555* *\nallow w +1555* *\n")
    reload(gateway)
    with open(gateway.path("ports"), encoding="utf-8") as f:
        psk_port = re.search(r"pap-psk=127.0.0.1:(\d+)", f.read()).group(1)
    by_psk = ["submit", "--to", "+15550100", "--text", "x", "--url", f"https://localhost:{psk_port}/pap", "--psk-identity",
              "p1", "--psk-file", bench.path("psk")]
    by_password = ["submit", "--to", "+15550100", "--text", "x", "--url", gateway.tls_url, "--ca", bench.path("ca.crt"),
                   "--user", "w1", "--password-file", bench.path("password")]
    for args in (by_psk, by_password):
        check_eq(bench.run("pap-push", *args).returncode, 0)
    check_eq(gateway.wait_event("key.lookup", key=gateway.token("p1"), found=True)["door"], "initiators")
    check_eq(gateway.events("key.lookup", found=False), [])
    gateway.write("initiators.conf", INITIATORS)
    key(gateway, "remove", "p1")
    check(key(gateway, "remove", "w1")["in_force"], "in force")
    gateway.settle()
    for args in (by_psk, by_password):
        check(bench.run("pap-push", *args).returncode >= 64, args)
    check_eq(gateway.wait_event("key.lookup", key=gateway.token("p1"), found=False)["door"], "initiators")


@case
def nothing_is_used_that_was_not_agreed_on(bench):
    """SEC_CF-KEM-001: of every key that protects or proves something it is on record how and when it came to be, before its
    first use; without that there is no such key.  Each use has a key of its own derived from it."""
    other = bench.write("other", f"said = {'77' * 16}\nkey = {NEW_KEY}\nsuites = aes-gcm\nexpires = never\n", 0o600)
    phone, filed = Terminal(bench), Terminal(bench, "--association", other, association=False)
    gateway = begin(bench, conf={"pap.listen-psk": "127.0.0.1:0", "admin.audit": "audit.log"})
    gateway.write("terminals.conf", phone.route("+15550100", more="association = phone\n"))
    gateway.write("initiators.conf", INITIATORS + "[initiator p]\nkey = p1\n")
    done = gateway.ctl("reload")
    check(done.returncode == 1 and "no association of that name" in done.stderr and "no key of that name" in done.stderr, done.stderr)
    key(gateway, "import", "phone", "--file", bench.path("association"))
    bench.write("psk", PSK + "\n", 0o600)
    key(gateway, "add", "p1", "--kind", "psk", "--secret-file", bench.path("psk"))
    gateway.write("terminals.conf", phone.route("+15550100", more="association = phone\n") + filed.route("+15550101", more=f"association-file = {other}\n"))
    gateway.write("whitelist.conf", WHITELIST + "allow p +1555* *\n")
    reload(gateway)
    good_push(bench, gateway)
    phone.wait_events(1)
    with open(gateway.path("ports"), encoding="utf-8") as f:
        psk_port = re.search(r"pap-psk=127.0.0.1:(\d+)", f.read()).group(1)
    done = bench.run("pap-push", "submit", "--to", "+15550101", "--text", "x", "--url", f"https://localhost:{psk_port}/pap",
                     "--psk-identity", "p1", "--psk-file", bench.path("psk"))
    check_eq(done.returncode, 0, done.stderr)
    filed.wait_events(1)
    gateway.wait_event("key.lookup", key=gateway.token("p1"))
    gateway.wait_event("sa.numbers", said=SAID)
    p1 = gateway.token("p1")
    order = [(e["event"], e.get("key") or e.get("said")) for e in gateway.events()]
    for made, used in ((("key.imported", gateway.token("phone")), ("sa.numbers", SAID)), (("key.added", p1), ("key.lookup", p1))):
        check(order.index(made) < order.index(used), (made, used))
    rows = {a["terminal"]: a for a in sas(gateway)}
    check_eq({t: a["agreed"] for t, a in rows.items()}, {"+15550100": "keyring", "+15550101": "file"})
    check_eq(rows["+15550100"]["made"], keys(gateway)["phone", 1]["created"])
    check(all(a["made"] < a.get("expires", "9") for a in rows.values()), rows)
    with open(gateway.path("audit.log"), "rb") as f:
        told = [(r["what"], r["after"]["name"]) for r in map(json.loads, f.read().splitlines()) if r["what"] != "reload"]
    check_eq(told, [("key.imported", "phone"), ("key.added", "p1")])
    uses = {derived(use, name) for use in ("psk-tls", "digest") for name in ("phone", "tablet")} | {bytes.fromhex(KEY)}
    check_eq(len(uses), 5, "keys of their own")


@case
def the_audit_log_says_which_key(bench):
    _, gateway = with_phone(bench, conf={"admin.audit": "audit.log"})
    key(gateway, "remove", "phone")
    told = gateway.ctl("audit", "tail").stdout
    for what, sign in (("key.imported", "+"), ("key.removed", "-")):
        check(re.search(rf"(?m) {what}\n  \{sign} name phone, kind association, version 1, .*fingerprint [0-9a-f]{{16}}", told), told)
    check(re.search(r"(?m) reload\n  \+ generation \d", told), told)


@case
def another_master_key(bench):
    phone, gateway = with_phone(bench)
    before = keys(gateway)["phone", 1]
    gateway.write("master2", MASTER2 + "\n")
    gateway.write_conf(**{"keyring.master": "master2"})
    done = gateway.ctl("reload")
    check(done.returncode == 1 and "another master key" in done.stderr, done.stderr)
    gateway.write_conf(**{"keyring.master-previous": "master"})
    check_eq(bench.run("ppgd", "-c", gateway.path("ppg.conf"), "--check-config").returncode, 0)
    check_eq(gateway.events("keyring.rewrapped"), [])
    reload(gateway)
    gateway.check_events(1, "keyring.rewrapped")
    gateway.write_conf(**{"keyring.master-previous": None})
    os.remove(gateway.path("master"))
    reload(gateway)
    check_eq(keys(gateway)["phone", 1]["created"], before["created"])
    good_push(bench, gateway)
    phone.wait_events(1)
    gateway.check_events(1, "keyring.rewrapped")


@case
def a_master_key_that_is_gone_is_no_empty_keyring(bench):
    """Each file of a key that cannot be read is a mistake where it is named, at a check, a start and a reload; what is in
    force stays."""
    phone, gateway = with_phone(bench)
    gateway.write("audit.key", MASTER2 + "\n")
    good = {**gateway.conf, "admin.audit": "audit.log", "admin.audit-key": "audit.key"}
    for key, value, mode, words in (("keyring.master-previous", "gone", 0o600, "gone: No such file"), ("keyring.master", "gone",
                                    0o600, "gone: No such file"), ("keyring.master", None, 0o600, "needs master"),
                                    ("admin.audit-key", "audit.key", 0o644, "audit.key: is open to others"),
                                    ("admin.audit-key", "gone", 0o600, "gone: No such file")):
        os.chmod(gateway.path("audit.key"), mode)
        gateway.conf = dict(good)
        gateway.write_conf(**{key: value})
        with open(gateway.path("ppg.conf"), encoding="utf-8") as f:
            line = next((i for i, text in enumerate(f, 1) if text.startswith(key.split(".")[1] + " =")), 0)
        checked = bench.run("ppgd", "-c", gateway.path("ppg.conf"), "--check-config")
        name = key.split(".")[1] if line else "path"
        for done in (checked, gateway.ctl("reload")):
            check(done.returncode == 1 and words in done.stderr and f": {name}: " in done.stderr and
                  f"ppg.conf:{line}:" in done.stderr or not line and "ppg.conf:0:" not in done.stderr, f"{key}: {done}")
        check_eq(list(keys(gateway)), [("phone", 1)])
    good_push(bench, gateway)
    phone.wait_events(1)


@case
def a_master_key_from_the_service_manager(bench):
    gateway = Gateway(bench, "", conf={**KEYRING, "keyring.master": "credential:ppg-master"}, start=False)
    bench.write("credentials-ppg-master", MASTER)
    os.mkdir(bench.path("credentials"))
    bench.write("credentials/ppg-master", MASTER, 0o400)
    check_ = ["-c", gateway.path("ppg.conf"), "--check-config"]
    check_eq(bench.run("ppgd", *check_, env={"CREDENTIALS_DIRECTORY": bench.path("credentials")}).returncode, 0)
    done = bench.run("ppgd", *check_)
    check(done.returncode == 1 and "CREDENTIALS_DIRECTORY" in done.stderr, done.stderr)


@case
def a_damaged_keyring_is_refused_and_left(bench):
    phone, gateway = with_phone(bench)
    with open(gateway.path("keyring"), "rb") as f:
        good = f.read()
    for bad in (good[:-1], b"", good[:100] + bytes([good[100] ^ 1]) + good[101:], good + b"x"):
        bench.write(gateway.path("keyring"), bad, 0o600)
        done = gateway.ctl("reload")
        check(done.returncode == 1 and gateway.path("keyring") in done.stderr, done.stderr)
        done = gateway.ctl("key", "remove", "phone")
        check(done.returncode == 1 and "damaged" in done.stderr, done.stderr)
        with open(gateway.path("keyring"), "rb") as f:
            check_eq(f.read(), bad)
    good_push(bench, gateway)
    phone.wait_events(1)
    bench.write(gateway.path("keyring"), good, 0o644)
    done = gateway.ctl("reload")
    check(done.returncode == 1 and "open to others" in done.stderr, done.stderr)
    bench.write(gateway.path("keyring"), good, 0o600)
    reload(gateway)


@case
def refusals(bench):
    gateway = begin(bench)
    short, good, two = (bench.write(n, t, 0o600) for n, t in (("short", "0011\n"), ("good", PSK), ("two", "a\nb\n")))
    old = bench.write("old", f"said = {'77' * 16}\nkey = {NEW_KEY}\nsuites = aes-gcm\nexpires = 2020-01-31T00:00:00Z\n", 0o600)
    key(gateway, "add", "a", "--kind", "psk", "--secret-file", good)
    for args, status, word in (
            (("add", "a", "--kind", "password", "--secret-file", good), 1, "used already"),
            (("add", "b", "--kind", "psk", "--secret-file", short), 1, "not what this kind"),
            (("add", "b", "--kind", "thing", "--secret-file", good), 1, "kinds are"),
            (("add", "b c", "--kind", "psk", "--secret-file", good), 1, "not what this kind"),
            (("add", "b", "--kind", "psk", "--secret-file", good, "--suites", "aes-gcm"), 1, "only associations"),
            (("add", "b", "--kind", "association", "--secret-file", good, "--suites", "rot13"), 1, "suite"),
            (("add", "b", "--kind", "psk", "--secret-file", two), 2, "one line"),
            (("add", "b", "--kind", "psk", "--secret-file", bench.path("none")), 2, "none"),
            (("add", "b", "--kind", "psk", "--secret-file", good, "--expires", "soon"), 2, "soon"),
            (("add", "b", "--kind", "psk", "--secret-file", good, "--expires", "2020-01-31T00:00:00Z"), 1, "expired already"),
            (("add", "b", "--kind", "psk", "--secret-file", good, "--expires", "+0s"), 1, "expired already"),
            (("rotate", "a", "--secret-file", good, "--grace", "1d", "--expires", "2020-01-31T00:00:00Z"), 1, "expired already"),
            (("import", "b", "--file", old), 1, "has expired already"),
            (("add", "b", "--kind", "psk"), 2, "--secret-file or --package is needed"),
            (("add", "--kind", "psk", "--secret-file", good), 2, "name"),
            (("list", "x"), 2, "too many"),
            (("list", "--kind", "psk"), 2, "does not go"),
            (("rotate", "nobody", "--secret-file", good, "--grace", "1d"), 1, "no key of that name"),
            (("rotate", "a", "--secret-file", good), 2, "--grace is needed"),
            (("remove", "nobody"), 1, "no key of that name"),
            (("import", "b", "--file", good), 1, "association:")):
        done = gateway.ctl("key", *args)
        check(done.returncode == status and word in done.stderr and PSK not in done.stderr, f"{args}: {done}")
    check_eq(list(keys(gateway)), [("a", 1)])
    bare = Gateway(bench, "", conf={"store.path": "store2.db"})
    done = bare.ctl("key", "add", "a", "--kind", "psk", "--secret-file", good)
    check(done.returncode == 1 and "keyring.path" in done.stderr, done.stderr)


@case
def two_ways_to_say_one_thing(bench):
    phone, gateway = with_phone(bench)
    for more, word in (("association = nobody\n", "no association of that name"),
                       ("association = phone\nassociation-file = ../association\n", "two ways"),
                       ("association-file = ../association\nassociation = phone\n", "two ways"),
                       ("login-key = nobody\n", "no password"), ("login-user = a\nlogin-key = phone\n", "leave them out")):
        gateway.write("terminals.conf", phone.route("+15550100", more=more))
        done = gateway.ctl("reload")
        check(done.returncode == 1 and "terminals.conf:" in done.stderr and word in done.stderr, f"{more}: {done.stderr}")
    for more, word in (("key = nobody\n", "no key of that name"), ("key = phone\nkey = phone\n", "already"),
                       ("digest-user = x\npassword-file = ../password\nkey = phone\n", "already")):
        gateway.write("initiators.conf", INITIATORS + "[initiator more]\n" + more)
        done = gateway.ctl("reload")
        check(done.returncode == 1 and "initiators.conf:" in done.stderr and word in done.stderr, f"{more}: {done.stderr}")


# --- first keys of a terminal ---


def activate(bench, package, code, *more):
    return bench.run("push-terminal", "activate", "--package", package, "--code", code, *more)


@case
def a_terminal_gets_its_first_key(bench):
    """The operator makes a client with a key of its own; the package and its code reach the terminal on two ways; that is all
    there is to set up.  The key itself shows nowhere on the way."""
    gateway = begin(bench)
    answer = key(gateway, "add", "phone", "--kind", "association", "--package", bench.path("phone.package"))
    check(answer["in_force"] and re.fullmatch("([0-9A-Z]{4}-){5}[0-9A-Z]{4}", answer["code"]), answer)
    check("package" not in answer, "it is in its file alone")
    done = activate(bench, bench.path("phone.package"), answer["code"].lower().replace("-", ""), "--out", bench.path("own"))
    check_eq((done.returncode, done.stdout), (0, bench.path("own") + "\n"), done.stderr)
    check_eq(os.stat(bench.path("own")).st_mode & 0o777, 0o600)
    with open(bench.path("own"), encoding="ascii") as f:
        own = dict(line.strip().split(" = ") for line in f)
    check_eq(own["said"], answer["said"])
    secret = bytes.fromhex(own["key"])
    with open(bench.path("phone.package"), "rb") as f:
        package = f.read()
    for where, data in (("package", package), ("answer", json.dumps(answer).encode()), ("log", gateway.said().encode()),
                        ("list", gateway.ctl("--json", "key", "list").stdout.encode())):
        check(not any(form in data for form in spellings(secret)), where)
    phone = Terminal(bench, "--association", bench.path("own"), association=False)
    gateway.write("terminals.conf", phone.route("+15550100", more="association = phone\n"))
    reload(gateway)
    good_push(bench, gateway)
    check_eq(phone.wait_events(1)[0]["protection"], "full")
    again = key(gateway, "rotate", "phone", "--grace", "1d", "--package", bench.path("two.package"))
    check(again["said"] != answer["said"] and again["code"] != answer["code"], again)
    check_eq(activate(bench, bench.path("two.package"), again["code"], "--out", bench.path("own2")).returncode, 0)
    phone.kill()
    phone.options += ["--association", bench.path("own2")]
    phone.start()
    good_push(bench, gateway)
    phone.wait_events(2)
    check_eq(phone.events("dropped"), [])


@case
def packages_that_are_refused(bench):
    """Another code, any change, a file that is there: nothing is written."""
    gateway = begin(bench)
    answer = key(gateway, "add", "phone", "--kind", "association", "--package", bench.path("p"))
    with open(bench.path("p"), "rb") as f:
        good = f.read()
    wrong = ("0" if answer["code"][0] != "0" else "1") + answer["code"][1:]
    for number, (package, code, word) in enumerate((
            (good, wrong, "another code"), (good, "1234", "not a code"), (good[:-1], answer["code"], "changed"),
            (good[:60] + bytes([good[60] ^ 1]) + good[61:], answer["code"], "changed"), (b"", answer["code"], "no activation"),
            (b"PPGACTV\2" + good[8:], answer["code"], "not offered"), (good * 9, answer["code"], "past a ceiling"))):
        done = activate(bench, bench.write(f"p{number}", package), code, "--out", bench.path("own"))
        check(done.returncode == 2 and word in done.stderr, f"{word}: {done}")
        check(not os.path.exists(bench.path("own")), word)
    bench.write("own", "mine")
    done = activate(bench, bench.path("p"), answer["code"], "--out", bench.path("own"))
    check(done.returncode == 2 and "there already" in done.stderr, done)
    for args in (("add", "b", "--kind", "association"), ("add", "b", "--kind", "psk", "--secret-file", "x", "--package", "y"),
                 ("list", "--package", "x")):
        check_eq(gateway.ctl("key", *args).returncode, 2, args)
    done = gateway.ctl("key", "add", "b", "--kind", "psk", "--package", bench.path("q"))
    check(done.returncode == 1 and "for associations" in done.stderr, done)
    check(not os.path.exists(bench.path("q")), "a file without a package is left")
    for args in (("add", "b", "--kind", "association", "--package"), ("rotate", "phone", "--grace", "1d", "--package")):
        done = gateway.ctl("key", *args, bench.path("p"))
        check(done.returncode == 2 and "a file of that name" in done.stderr, done)
        done = gateway.ctl("key", *args, bench.path("no", "such", "folder"))
        check(done.returncode == 2 and "cannot be written" in done.stderr, done)
    with open(bench.path("p"), "rb") as f:
        check(f.read() == good, "another key's package was written over")
    check_eq(list(keys(gateway)), [("phone", 1)])


# --- what must not show anywhere ---

def spellings(secret):
    """How octets may stand in a file: as they are, in hexadecimal, in base64 at each of its three phases."""
    found = [secret, secret.hex().encode(), secret.hex().upper().encode()]
    for skip in range(3):
        body = base64.b64encode(b"\0" * skip + secret)
        found.append(body[4 if skip else 0:len(body) // 4 * 4 - 4])
    return [s for s in found if len(s) >= 12]


def planted():
    hexes = {"association": KEY, "rotated": NEW_KEY, "psk": PSK, "master": MASTER}
    return {**{n: bytes.fromhex(h) for n, h in hexes.items()}, "password": PASSWORD.encode()}


def shown(data):
    return sorted(n for n, s in planted().items() if any(form in data for form in spellings(s)))


def core_of(bench, gateway, name):
    bench.tool("gcore", "-o", bench.path(name), str(gateway.program.process.pid), timeout_s=120)
    with open(bench.path(f"{name}.{gateway.program.process.pid}"), "rb") as f:
        return f.read()


def dumpable(gateway):
    """What a core would have of memory that was written to: regions that are not kept out of dumps (VmFlags dd)."""
    pid, found = gateway.program.process.pid, []
    with open(f"/proc/{pid}/smaps", encoding="ascii", errors="replace") as f:
        regions = re.findall(r"^([0-9a-f]+)-([0-9a-f]+) rw.p .*\n((?:[A-Z]\w*:.*\n)+)", f.read(), re.M)
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for start, end, more in regions:
            flags = re.search(r"^VmFlags:(.*)$", more, re.M).group(1).split()
            resident = int(re.search(r"^Rss: +(\d+)", more, re.M).group(1))
            if "dd" not in flags and resident and int(end, 16) - int(start, 16) < 1 << 30:
                mem.seek(int(start, 16))
                try:
                    found.append(mem.read(int(end, 16) - int(start, 16)))
                except OSError:  # it was given back meanwhile
                    pass
    return b"\n".join(found)


@case
def no_secret_shows(bench):
    """Secrets of every kind through submissions, failures, reloads and a rotation: neither the log, the store, the keyring nor
    a core that root makes of the running gateway has one of them.  That the search can find one: in the files they came
    from, and in the core there is when core dumps are allowed, the content being pushed."""
    who = INITIATORS + "[initiator p]\nkey = p1\n[initiator w]\nkey = w1\nbasic = yes\n"
    phone, gateway = with_phone(bench, conf={"pap.listen-psk": "127.0.0.1:0", "delivery.retry-first": "10ms"})
    for name, text in (("psk", PSK), ("secret", NEW_KEY)):
        bench.write(name, text + "\n", 0o600)
    key(gateway, "add", "p1", "--kind", "psk", "--secret-file", bench.path("psk"))
    key(gateway, "add", "w1", "--kind", "password", "--secret-file", bench.path("password"))
    gateway.write("initiators.conf", who)
    gateway.write("terminals.conf", phone.route("+15550100", more="association = phone\nlogin-key = w1\n"))
    reload(gateway)
    good_push(bench, gateway)
    phone.wait_events(1)
    key(gateway, "rotate", "phone", "--secret-file", bench.path("secret"), "--grace", "1d")
    by_password = ["submit", "--to", "+15550100", "--text", "x", "--url", gateway.tls_url, "--ca", bench.path("ca.crt")]
    bench.run("pap-push", *by_password, "--user", "w1", "--password-file", bench.path("psk"))
    bench.run("pap-push", *by_password, "--user", "w1", "--password-file", bench.path("password"))
    gateway.ctl("key", "import", "phone", "--file", bench.path("association"))
    gateway.ctl("key", "add", "p1", "--kind", "psk", "--secret-file", bench.path("psk"))
    gateway.ctl("key", "list")
    good_push(bench, gateway)  # the terminal does not know the new key: drops, tried again
    wait_until(lambda: phone.events("dropped"), "a push that is dropped")
    reload(gateway)
    core = core_of(bench, gateway, "core")
    places = {"log": gateway.said().encode(), "core": core}
    for name in ("store.db", "store.db-wal", "keyring"):
        if os.path.exists(gateway.path(name)):
            with open(gateway.path(name), "rb") as f:
                places[name] = f.read()
    check_eq({where: shown(data) for where, data in places.items()}, {where: [] for where in places})
    with open(bench.path("association"), "rb") as f:
        check_eq(shown(f.read()), ["association"])
    check(b"PPGKEYS" not in core, "no heap in a core")
    check(len(core) > 2000, "a core")


@case
def a_core_that_is_asked_for_leaves_the_keyring_out(bench):
    """core-dumps = yes: what is worked with is in it, the master key and the keyring's own keys are not."""
    phone, gateway = with_phone(bench, conf={"gateway.core-dumps": "yes"})
    good_push(bench, gateway)
    phone.wait_events(1)
    memory = dumpable(gateway)
    check(b"+15550100" in memory, "the heap")
    check(all(form not in memory for form in spellings(bytes.fromhex(MASTER))), "the master key shows")


main("keys")
