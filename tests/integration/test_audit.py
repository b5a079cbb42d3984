"""The operator's hand on accounts and lists: ppgctl initiator, whitelist and audit against a running gateway; what is
changed, what is written to the audit log, and what happens when it cannot be.  Usage: test_audit.py BUILD_DIR."""

import concurrent.futures
import hashlib
import json
import os
import re
import signal
import stat
import subprocess

from gateway import ANY_LEVEL, Gateway, Terminal, good_push, push
from harness import case, check, check_eq, main, wait_until

LIST = """# Who may push.\r
\r
allow news +1555* *      # the paper\r
   # pass is for tests\r
allow   pass +1555* *\r
"""


def opened(bench, text=LIST, conf=None, terminals="", start_now=True, **more):
    """One loop, so that a reload settles at once."""
    phone = Terminal(bench, association=False)
    gateway = Gateway(bench, phone.route("+15550100", more="") + terminals, conf={"gateway.loops": "1", "admin.audit": "audit.log",
                                                                        **(conf or {})}, start=False, **more)
    write(gateway, text)
    return gateway.start() if start_now else gateway


def write(gateway, text):
    with open(gateway.path("whitelist.conf"), "w", encoding="utf-8", newline="") as f:
        f.write(text)


def read(gateway, name="whitelist.conf"):
    with open(gateway.path(name), encoding="utf-8", newline="") as f:
        return f.read()


def good(gateway, *args):
    done = gateway.ctl(*args)
    check_eq((done.returncode, done.stderr), (0, ""), f"{args} {done.stdout}")
    return done.stdout


def refused(gateway, words, *args):
    """Exit status 1, and these words; the list and the running rules stay."""
    before = read(gateway), read(gateway, "audit.log")
    done = gateway.ctl(*args)
    check_eq(done.returncode, 1, f"{args} {done.stdout} {done.stderr}")
    check(words in done.stderr, f"{args}: {done.stderr}")
    check_eq((read(gateway), read(gateway, "audit.log")), before, args)


def chain(lines):
    """Checked here, by another implementation: the hash of every line, and of the one before it."""
    prev = "0" * 64
    for n, line in enumerate(lines, 1):
        entry = json.loads(line)
        body, _, rest = line.rpartition(',"hash":"')
        check_eq((entry["seq"], entry["prev"], rest), (n, prev, hashlib.sha256(body.encode()).hexdigest() + '"}'), line)
        prev = entry["hash"]
    return [json.loads(line) for line in lines]


def audit(gateway):
    return chain(read(gateway, "audit.log").splitlines())


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


@case
def rules_come_and_go_in_place(bench):
    """Comments, order, spacing and line ends stay; the gateway decides by the new list at once; the file's mode stays."""
    gateway = opened(bench)
    path = gateway.path("whitelist.conf")
    os.chmod(path, 0o640)
    out = good(gateway, "whitelist", "add", "deny news +15550199 *  # asked us to stop")
    check(re.search(r"^\+ +6 +deny news \+15550199", out, re.M) and "reloaded, generation" in out, out)
    text = LIST + "deny news +15550199 *  # asked us to stop\r\n"
    check_eq(read(gateway), text)
    check_eq(stat.S_IMODE(os.stat(path).st_mode), 0o640)
    gateway.settle()
    check_eq(push(bench, gateway, to=("+15550199",)).code, 2001)
    good(gateway, "whitelist", "add", "--line", "3", "deny", "*", "+15550198", "*")
    check_eq(read(gateway), text.replace("allow news", "deny * +15550198 *\r\nallow news", 1))
    out = good(gateway, "whitelist", "remove", "deny", "*", " +15550198", "*")
    check(re.search(r"^- +3 +deny \* \+15550198 \*$", out, re.M), out)
    check_eq(read(gateway), text)
    good(gateway, "whitelist", "remove", "--line", "5")
    check_eq(read(gateway), text.replace("allow   pass +1555* *\r\n", ""))
    good_push(bench, gateway)
    check(not [n for n in os.listdir(gateway.folder) if n.startswith("whitelist.conf.")], "something was left behind")
    entries = audit(gateway)
    check_eq([e["what"] for e in entries], ["whitelist.add"] * 2 + ["whitelist.remove"] * 2)
    first = entries[0]
    check(f"(uid {os.getuid()})" in first["who"], first)
    check_eq((first["before"]["sha256"], first["after"]["sha256"]), (sha256(LIST), sha256(text)))
    check_eq(first["before"]["rules"], [])
    check_eq(first["after"]["rules"], [{"line": 6, "rule": "deny news +15550199 *  # asked us to stop"}])
    check_eq(entries[3]["before"]["rules"], [{"line": 5, "rule": "allow   pass +1555* *"}])


@case
def changes_that_cannot_be(bench):
    gateway = opened(bench)
    path = gateway.path("whitelist.conf")
    for words, *args in (
            (f"{path}:6: recipient: there is no such group", "add", "allow news $none *"),
            (f"{path}:6: {os.path.dirname(path)}/none cannot be opened", "add", "allow news @none *"),
            ("verdict: must be allow, deny, only or acl", "add", "permit news * *"),
            ("not a rule", "add", "# a comment"), ("control character", "add", "allow a * * # x\nallow * * *"),
            ("line 3 is that rule already", "add", "allow news  +1555*  *"),
            ("there is no such line", "add", "--line", "99", "deny * * *"),
            ("there is no such rule", "remove", "allow", "news", "+1555*", "x"),
            ("there is no such rule", "remove", "--line", "4"), ("there is no such rule", "remove", "--line", "99")):
        refused(gateway, words, "whitelist", *args)
    write(gateway, LIST + LIST)
    refused(gateway, "line 8 is that rule too: say which line", "whitelist", "remove", "allow", "news", "+1555*", "*")
    good(gateway, "whitelist", "remove", "--line", "8")
    bad = bench.write("bad.list", "allow news * *\n\nnonsense\n")
    refused(gateway, f"{path}:3: verdict", "whitelist", "import", bad)
    refused(gateway, f"{path}:3: verdict", "whitelist", "diff", bad)
    refused(gateway, "has already", "whitelist", "import", path)
    good_push(bench, gateway)


@case
def no_change_without_a_record(bench):
    gateway = opened(bench, conf={"admin.audit": None})
    done = gateway.ctl("whitelist", "add", "deny * * *")
    check_eq((done.returncode, read(gateway)), (1, LIST))
    check("[admin] audit names no file" in done.stderr, done.stderr)
    done = gateway.ctl("audit", "tail")
    check_eq((done.returncode, "there is no audit log" in done.stderr), (1, True), done.stderr)
    full = opened(bench)
    os.remove(full.path("audit.log"))
    os.mkdir(full.path("audit.log"))
    done = full.ctl("whitelist", "add", "deny * * *")
    check_eq((done.returncode, read(full)), (1, LIST), done.stderr)
    check("nothing was changed" in done.stderr, done.stderr)


@case
def undone_when_the_reload_fails(bench):
    """Another file is broken: the list is put back, and the audit log says both."""
    gateway = opened(bench)
    gateway.write("initiators.conf", "[initiator news]\nnonsense = 1\n")
    done = gateway.ctl("whitelist", "add", "deny * * *")
    check_eq((done.returncode, read(gateway)), (1, LIST))
    check("initiators.conf:2: nonsense: unknown key" in done.stderr, done.stderr)
    entries = audit(gateway)
    check_eq([e["what"] for e in entries], ["whitelist.add", "whitelist.add.undone"])
    check_eq((entries[1]["after"]["sha256"], entries[1]["before"]["sha256"]),
             (sha256(LIST), entries[0]["after"]["sha256"]))
    good_push(bench, gateway)


@case
def import_and_diff(bench):
    gateway = opened(bench)
    for n in range(3):
        good_push(bench, gateway, push_id=f"d{n}", to=(f"+1555010{n}",) if n == 0 else ("+15550100",))
    edited = bench.write("edited.list", LIST.replace("\r\n", "\n") + "deny news +15550100 *\nallow pass * * protect=full\n")
    out = good(gateway, "whitelist", "diff", edited)
    check_eq(out, "+    6  deny news +15550100 *\n+    7  allow pass * * protect=full\n")
    told = json.loads(good(gateway, "--json", "whitelist", "diff", edited, "--replay", "24h"))
    check_eq((told["pushes"], told["decisions"], told["otherwise_in_all"], told["removed_in_all"], told["added_in_all"]),
             (3, 3, 3, 0, 2))
    check_eq([(o["push_id"], o["now"], o["now_line"], o["then"], o["then_line"]) for o in told["otherwise"]],
             [(f"d{n}", "allow", 3, "deny rule", 6) for n in (2, 1, 0)])
    out = good(gateway, "whitelist", "diff", edited, "--replay", "1d")
    check("3 of 3 decisions about 3 pushes would be otherwise" in out and "d0" in out, out)
    same = bench.write("same.list", "allow pass +1555* *\nallow news +1555* *\n")
    check("0 of 3 decisions" in good(gateway, "whitelist", "diff", same, "--replay", "24h"), "a moved rule changes nothing")
    check_eq((read(gateway), read(gateway, "audit.log")), (LIST, ""))
    good(gateway, "whitelist", "import", edited)
    with open(edited, encoding="utf-8") as f:
        check_eq(read(gateway), f.read())
    gateway.settle()
    check_eq(push(bench, gateway, push_id="after").code, 2001)
    check_eq([e["what"] for e in audit(gateway)], ["whitelist.import"])


@case
def replay_in_pieces(bench):
    """More pushes and targets than go into one piece; demands count as decisions."""
    crowd = [f"+1555777{k:04}" for k in range(15)]
    gateway = opened(bench, ANY_LEVEL, {"delivery.retry-first": "1h", "delivery.retry-max": "1h"},
                     "".join(f"[terminal {number}]\nroute = http://127.0.0.1:9\n" for number in crowd))
    for n in range(130):
        good_push(bench, gateway, push_id=f"p{n}", to=crowd if n % 10 == 0 else ("+15550100",))
    full = bench.write("full.list", ANY_LEVEL.replace("+1555* *", "+1555* * protect=full"))
    told = json.loads(good(gateway, "--json", "whitelist", "diff", full, "--replay", "24h"))
    check_eq((told["pushes"], told["decisions"], told["otherwise_in_all"], len(told["otherwise"])),
             (130, 117 + 13 * 15, 117 + 13 * 15, 117 + 13 * 15))
    check_eq([o["push_id"] for o in told["otherwise"] if o["recipient"].find("+15550100") >= 0],
             [f"p{n}" for n in range(129, -1, -1) if n % 10])
    check_eq({(o["now"], o["then"]) for o in told["otherwise"]}, {("allow", "allow protect=full")})
    told = json.loads(good(gateway, "--json", "whitelist", "diff", full, "--replay", "0s"))
    check(told["pushes"] < 130, told["pushes"])


@case
def list_and_test(bench):
    gateway = opened(bench)
    check_eq(good(gateway, "whitelist", "list"),
             "    3  allow news +1555* *      # the paper\n    5  allow   pass +1555* *\n")
    check_eq(good(gateway, "whitelist", "list", "--initiator", "pass"), "    5  allow   pass +1555* *\n")
    check_eq(good(gateway, "whitelist", "list", "--count", "1"),
             "    3  allow news +1555* *      # the paper\nmore: --from 5\n")
    path = gateway.path("whitelist.conf")
    out = good(gateway, "whitelist", "test", "--initiator", "news", "--recipient", "tel:+1-555-0100")
    check_eq(out, f"allow, protection at least none: {path}:3 (allow rule)\n")
    good(gateway, "whitelist", "add", "deny news +15550100 * type=image/* time=08:00-20:00")
    gateway.settle()
    for more, allow, line in ((("--type", "image/png", "--at", "2030-01-31T12:00:00Z"), False, 6),
                              (("--type", "image/png", "--at", "2030-01-31T21:00:00Z"), True, 3),
                              (("--type", "text/plain", "--at", "2030-01-31T12:00:00Z"), True, 3)):
        done = gateway.ctl("--json", "whitelist", "test", "--initiator", "news", "--recipient", "+15550100", *more)
        told = json.loads(done.stdout)
        check_eq((done.returncode, told["allow"], told["line"], told["file"]), (0 if allow else 1, allow, line, path))
    for args, why in ((("--initiator", "nobody", "--recipient", "+15550100"), "there is no such initiator"),
                      (("--initiator", "news", "--recipient", "+4912"), "no rule"),
                      (("--initiator", "news", "--operation", "status", "--owner", "pass", "--push-id", "1"), "no rule")):
        done = gateway.ctl("whitelist", "test", *args)
        check_eq((done.returncode, why in done.stdout), (1, True), done.stdout)
    for args in (("--initiator", "news"), ("--initiator", "news", "--recipient", "+1", "--at", "noon"),
                 ("--initiator", "news", "--operation", "cancel"), ("--initiator", "news", "--recipient", "+1", "--asked", "x")):
        done = gateway.ctl("whitelist", "test", *args)
        check_eq((done.returncode, done.stdout), (1, ""), args)


@case
def initiators(bench):
    gateway = opened(bench)
    check_eq([i["initiator"] for i in json.loads(good(gateway, "--json", "initiator", "list"))["initiators"]], ["news", "pass"])
    check(re.search(r"^news +yes +no +no", good(gateway, "initiator", "list"), re.M), "a table")
    shown = json.loads(good(gateway, "--json", "initiator", "show", "pass"))
    check_eq((shown["digest_user"], shown["require"], shown["trusted"]), ("pass", "any", False))
    check("digest-sha256" in shown["proofs"] and "basic" in shown["proofs"], shown)
    check(not re.search(r"correct|[0-9a-f]{32}", json.dumps(shown)), "a secret is shown")
    check_eq(gateway.ctl("initiator", "show", "nobody").returncode, 1)
    for args, status in ((("news", "--san", "URI:https://news.example.com"), 0), (("pass", "--user", "pass"), 0),
                         (("news", "--san", "URI:https://other.example.com"), 1), (("pass", "--san", "URI:https://news.example.com"), 1),
                         (("news", "--uri", "https://news.example.com/x"), 0), (("news", "--uri", "https://bank.example/x"), 1),
                         (("news", "--source", "127.0.0.1"), 0), (("news",), 1)):
        done = gateway.ctl("initiator", "test", *args)
        check_eq((args, done.returncode), (args, status), done.stdout + done.stderr)


@case
def a_chain_that_was_touched(bench):
    """audit verify finds a line that was changed, taken out, put in, moved or cut off; so it does in a copy."""
    gateway = opened(bench)
    for n in range(5):
        good(gateway, "whitelist", "add", f"deny * +1555019{n} *")
    path, whole = gateway.path("audit.log"), read(gateway, "audit.log")
    lines = whole.splitlines(keepends=True)
    check("5 good lines" in good(gateway, "audit", "verify"), "untouched")
    check_eq([json.loads(x)["seq"] for x in lines], [1, 2, 3, 4, 5])
    again = lines[2].replace("+15550192", "+15550999")
    body = again.rpartition(',"hash":"')[0]
    for text, line, words in (
            ("".join(lines[:2] + [again] + lines[3:]), 3, "was changed"),
            ("".join(lines[:2] + [f'{body},"hash":"{sha256(body)}"}}\n'] + lines[3:]), 4, "does not follow"),
            ("".join(lines[:1] + lines[2:]), 2, "does not follow"), ("".join(lines[1:]), 1, "does not follow"),
            ("".join([lines[0], lines[2], lines[1]] + lines[3:]), 2, "does not follow"),
            ("".join(lines + lines[4:]), 6, "does not follow"), (whole + "\n", 6, "not a line"),
            (whole[:-1], 5, "is incomplete"), ("".join(lines[:4]), 5, "is missing"), ("", 1, "is missing")):
        with open(path, "w", encoding="utf-8", newline="") as f:
            f.write(text)
        done = gateway.ctl("audit", "verify")
        check_eq((done.returncode, done.stdout.startswith(f"line {line} ") and words in done.stdout), (1, True),
                 f"{line} {words}: {done.stdout} {done.stderr}")
        if "is missing" not in words:
            copy = bench.write("copy.log", text)
            alone = bench.run("ppgctl", "audit", "verify", copy)
            check_eq((alone.returncode, alone.stdout), (1, done.stdout))
    with open(path, "w", encoding="utf-8", newline="") as f:
        f.write(whole)
    check_eq(json.loads(good(gateway, "--json", "audit", "verify"))["good"], True)
    check_eq([e["seq"] for e in json.loads(good(gateway, "--json", "audit", "tail", "--count", "2"))["lines"]], [4, 5])
    out = good(gateway, "audit", "tail")
    check(re.search(r"^5 20\d\d-\S+Z \S+ \(uid \d+\) whitelist.add\n  \+ +\d+  deny \* \+15550194 \*$", out, re.M), out)


@case
def a_key_keeps_forgers_out(bench):
    """[admin] audit-key: a log that was written anew from some line on, with good hashes, is found; a copy is checked with
    the key."""
    gateway = opened(bench, conf={"admin.audit-key": "../audit.key"}, start_now=False)
    key = bench.write("audit.key", "00" * 31 + "ff\n", 0o600)
    gateway.start()
    for n in range(3):
        good(gateway, "whitelist", "add", f"deny * +1555019{n} *")
    check("3 good lines" in good(gateway, "audit", "verify"), "untouched")
    path, whole = gateway.path("audit.log"), read(gateway, "audit.log")
    check("3 good lines" in bench.run("ppgctl", "audit", "verify", path, "--secret-file", key).stdout, "a copy")
    check_eq(bench.run("ppgctl", "audit", "verify", path).returncode, 1, "without the key")
    forged, prev = [], "0" * 64
    for line in whole.splitlines():
        entry = line.replace("+15550191", "+15550999")
        body = re.sub(r'"prev":"[0-9a-f]{64}"', f'"prev":"{prev}"', entry.rpartition(',"hash":"')[0])
        prev = sha256(body)
        forged.append(f'{body},"hash":"{prev}"}}\n')
    for text in ("".join(forged), "".join(whole.splitlines(keepends=True)[:1] + forged[1:])):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        check_eq(bench.run("ppgctl", "audit", "verify", path, "--secret-file", key).returncode, 1, text)
        check_eq(gateway.ctl("audit", "verify").returncode, 1, text)
    check_eq(gateway.ctl("audit", "verify", "--secret-file", key).returncode, 2)


@case
def the_chain_goes_on_after_a_restart(bench):
    """Also behind half a line, which a power cut left."""
    gateway = opened(bench)
    good(gateway, "whitelist", "add", "deny * +15550191 *")
    gateway.kill()
    with open(gateway.path("audit.log"), "a", encoding="utf-8") as f:
        f.write('{"seq":2,"at":"2030-')
    gateway.start()
    good(gateway, "whitelist", "add", "deny * +15550192 *")
    check_eq(len(audit(gateway)), 2)
    gateway.check_events(1, "audit.torn")
    good(gateway, "audit", "verify")


@case
def many_hands_at_once(bench):
    """Changes that meet are made one after the other or refused, none is lost; pushes go on meanwhile."""
    gateway = opened(bench, conf={"gateway.loops": "2"})

    def add(n):
        for _ in range(200):
            done = gateway.ctl("whitelist", "add", f"deny * +15559{n:03} *")
            if done.returncode == 0:
                return True
            check("under way" in done.stderr or "meanwhile" in done.stderr, done.stderr)
        return False

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        done = [pool.submit(add, n) for n in range(12)]
        for _ in range(5):
            good_push(bench, gateway)
        check(all(d.result() for d in done), "one never got its turn")
    text = read(gateway)
    check_eq(sorted(re.findall(r"\+15559(\d{3})", text)), [f"{n:03}" for n in range(12)])
    check(text.startswith(LIST), "the rest has changed")
    check_eq(len([e for e in audit(gateway) if e["what"] == "whitelist.add"]) -
             len([e for e in audit(gateway) if e["what"] == "whitelist.add.undone"]), 12)


@case
def what_else_operators_do_is_written_down(bench):
    """Reloads, cancels, replays, keys and the end; never a secret."""
    gateway = opened(bench, conf={"delivery.retry-first": "1h", "delivery.retry-max": "1h"},
                     terminals="[terminal +15550111]\nroute = http://127.0.0.1:9\n")
    push_id = good_push(bench, gateway, to=("+15550111",))
    good(gateway, "reload")
    wait_until(lambda: gateway.ctl("push", "cancel", push_id).returncode == 0, "a calm moment")
    check_eq(gateway.ctl("push", "cancel", push_id).returncode, 1)
    good(gateway, "drain")
    wait_until(lambda: not gateway.program.running(), "the end")
    entries = audit(gateway)
    check_eq([e["what"] for e in entries], ["reload", "push.cancel", "drain"])
    check_eq((entries[1]["after"]["push_id"], entries[1]["after"]["cancelled"]), (push_id, 1))
    check(all(f"(uid {os.getuid()})" in e["who"] for e in entries), entries)
    check_eq(entries[0]["after"]["generation"], 2)


@case
def what_a_reload_changed(bench):
    """Files that were edited by hand, read by a signal and by ppgctl: who asked, which accounts, how many rules; a reload
    that is refused changes nothing and is not in it."""
    gateway = opened(bench)

    def hup(name):
        seen = len(gateway.events(name))
        gateway.program.process.send_signal(signal.SIGHUP)
        gateway.wait_event(name, seen + 1)

    accounts = read(gateway, "initiators.conf")
    gateway.write("initiators.conf", accounts + "[initiator extra]\ncertificate = DNS:extra\n")
    write(gateway, LIST + "allow extra +1555* *\nallow extra +1444* *\n")
    hup("reload.done")
    gateway.write("initiators.conf", accounts + "[initiator extra]\ncertificate = nothing\n")
    hup("reload.kept")
    gateway.write("initiators.conf", accounts.replace("[initiator news]\n", "[initiator news]\nrate = 500/s\n"))
    write(gateway, LIST)
    good(gateway, "reload")
    entries = wait_until(lambda: len(audit(gateway)) == 2 and audit(gateway), "two lines")
    check_eq([(e["what"], e["before"], e["after"]) for e in entries], [
        ("reload", None, {"generation": 2, "accounts": "+extra", "accounts_added": 1, "rules_added": 2}),
        ("reload", None, {"generation": 3, "accounts": "~news -extra", "accounts_removed": 1, "accounts_changed": 1,
                          "rules_removed": 2})])
    check_eq(entries[0]["who"], "a signal (SIGHUP)")
    check(f"(uid {os.getuid()})" in entries[1]["who"], entries[1])
    check_eq([e["accounts_named"] for e in gateway.check_events(2, "reload.done")], ["+extra", "~news -extra"])


@case
def strangers_change_nothing(bench):
    """The socket is its owner's, and it asks the system who is at the other end."""
    gateway = opened(bench)
    check_eq(stat.S_IMODE(os.stat(gateway.path("admin.sock")).st_mode), 0o600)
    if os.getuid() != 0:
        return
    os.chmod(gateway.path("admin.sock"), 0o666)
    os.chmod(gateway.folder, 0o755)
    told = subprocess.run(["curl", "-sS", "--unix-socket", "admin.sock", "-d", '{"rule": "allow * * *"}',
                           "http://x/whitelist/add"], capture_output=True, text=True, user=65534, group=65534,
                          extra_groups=[], cwd=gateway.folder, check=False)  # the way to it may be closed to others
    check("only root and the gateway's own user" in told.stdout, told.stdout + told.stderr)
    check_eq(read(gateway), LIST)


if __name__ == "__main__":
    main("audit")
