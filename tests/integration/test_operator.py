"""What an operator does with a gateway: checks and changes its configuration, asks it, ends it, reads its log.
Usage: test_operator.py BUILD_DIR."""

import base64
import json
import os
import re
import signal
import socket
import subprocess

from gateway import (ANY_LEVEL, HERE, INITIATORS, KEY, PASSWORD, Ear, Gateway, Relay, Terminal, as_news, curl, good_push,
                     mime, pap_push, push)
from harness import case, check, check_eq, main, wait_until

PHONE = "[terminal +15550100]\nroute = http://127.0.0.1:9\n"
MARK = "Mark-77a0e2-of-the-body"


def opened(bench, **conf):
    conf = {"delivery.retry-first": "1h", "delivery.retry-max": "1h",
            **{k.replace("__", ".").replace("_", "-"): v for k, v in conf.items()}}
    return Gateway(bench, PHONE, ANY_LEVEL, conf=conf)


@case
def check_config_names_every_fault(bench):
    gateway = Gateway(bench, PHONE, start=False)
    args = ("-c", gateway.path("ppg.conf"), "--check-config")
    done = bench.run("ppgd", *args)
    check_eq((done.returncode, done.stderr), (0, ""))
    good = {name: open_text(gateway.path(name)) for name in ("ppg.conf", "initiators.conf", "whitelist.conf", "terminals.conf")}
    rows = [("ppg.conf", "[pap]\npaht = /x\n", 2, "path"), ("ppg.conf", "[pap]\nbody-max = 1\n", 2, "1k to 64M"),
            ("ppg.conf", "[nowhere]\n", 1, "nowhere"), ("ppg.conf", "[pap]\nnonsense\n", 2, ""), ("initiators.conf",
             "[initiator a]\ntrusted = perhaps\n", 2, "yes or no"), ("initiators.conf", "[initiator a]\ndigest-user = a\n"
             "password-file = missing\n", 3, "missing"), ("initiators.conf", "[initiator a]\ncertificate = DNS:a\nnetwork = 1.2.3.4/99\n", 3, "network"),
            ("whitelist.conf", "# c\nallow news\n", 2, ""), ("whitelist.conf", "allow news * * protect=some\n", 1, "protect"),
            ("terminals.conf", "[terminal +1]\nroute = ftp://x\n",
             2, ""), ("terminals.conf", "[terminal +1]\nroute = http://127.0.0.1:1\n[terminal +1]\nroute = http://a\n", 3, "")]
    for name, text, line, word in rows:
        gateway.write(name, text)
        done = bench.run("ppgd", *args)
        check_eq((text, done.returncode, done.stdout), (text, 1, ""), done.stderr)
        check(re.search(rf"(?m)^\S*{re.escape(name)}:{line}: .*{re.escape(word)}", done.stderr), (text, done.stderr))
        gateway.write(name, good[name])
    gateway.write("whitelist.conf", "allow news @absent.list *\n")
    done = bench.run("ppgd", *args)
    check((done.returncode, "absent.list" in done.stderr) == (1, True), done.stderr)
    gateway.write("whitelist.conf", good["whitelist.conf"])
    gateway.write("ppg.conf", "[pap]\nx = 1\ny = 2\nbody-max = z\n")
    check_eq(len(bench.run("ppgd", *args).stderr.splitlines()), 3, "every fault is told at once")
    check_eq(bench.run("ppgd", "-c", gateway.path("absent"), "--check-config").returncode, 1)


@case
def few_descriptors_are_no_lack_of_memory(bench):
    gateway = Gateway(bench, PHONE, start=False)
    for most in (12, 16):
        done = bench.run("/bin/sh", "-c", f"ulimit -n {most}; exec {bench.program('ppgd')} -c {gateway.path('ppg.conf')}")
        check(done.returncode != 0 and re.search(r"(?m)^ppgd: .", done.stderr) and "ppgd: out of memory" not in done.stderr, done)


@case
def what_is_no_file_does_not_hold_the_check_up(bench):
    """A FIFO in the place of a file: opening it would wait for somebody who writes."""
    gateway = Gateway(bench, PHONE, "deny * @list *\n", start=False)
    gateway.write("list", "+15550100\n")
    for path in (*map(gateway.path, ("initiators.conf", "whitelist.conf", "terminals.conf", "list")), bench.path("password"),
                 bench.path("gateway.crt")):
        os.rename(path, path + ".away")
        os.mkfifo(path, 0o600)
        done = bench.run("ppgd", "-c", gateway.path("ppg.conf"), "--check-config")
        check(done.returncode == 1 and re.search(r"not a (regular )?file", done.stderr), f"{path}: {done}")
        os.rename(path + ".away", path)
    check_eq(bench.run("ppgd", "-c", gateway.path("ppg.conf"), "--check-config").returncode, 0)


def open_text(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


@case
def open_secrets_are_refused(bench):
    gateway = Gateway(bench, PHONE, start=False)
    os.chmod(bench.path("password"), 0o644)
    done = bench.run("ppgd", "-c", gateway.path("ppg.conf"), "--check-config")
    check((done.returncode, "password" in done.stderr) == (1, True), done.stderr)
    check(PASSWORD not in done.stderr, "the password is told")


@case
def help_config_is_the_shipped_file(bench):
    done = bench.run("ppgd", "--help-config")
    check_eq(done.returncode, 0)
    check_eq(done.stdout, open_text(os.path.join(HERE, "..", "..", "conf", "ppg.conf")))


class Kept:
    """One connection of `pass` that is kept open while other things happen."""

    def __init__(self, bench, gateway):
        self.s = socket.create_connection(("127.0.0.1", gateway.port), timeout=60)
        bench.closers.append(self.s.close)

    def push(self, push_id):
        body = mime(push_id=push_id)
        login = base64.b64encode(f"pass:{PASSWORD}".encode()).decode()
        self.s.sendall(f'POST /pap HTTP/1.1\r\nHost: a\r\nAuthorization: Basic {login}\r\nContent-Length: {len(body)}\r\n'
                       'Content-Type: multipart/related; type="application/xml"; boundary="pap-boundary-7f3a"\r\n\r\n'.encode()
                       + body)
        got = b""
        while b"</pap>" not in got:
            more = self.s.recv(65536)
            check(more, f"the connection was dropped behind {got!r}")
            got += more
        return int(re.search(rb'response-result code="(\d+)"', got).group(1))


CLEAR = INITIATORS + "basic-clear = yes\n"


@case
def reload_takes_changes_and_drops_nobody(bench):
    gateway = Gateway(bench, PHONE, "allow pass * *\n", CLEAR, {"pap.clear-basic": "yes", "delivery.retry-first": "1h",
                      "delivery.retry-max": "1h"})
    kept = Kept(bench, gateway)
    check_eq(kept.push("before"), 1001)
    gateway.write("whitelist.conf", "deny pass * *\n")
    check_eq(kept.push("not yet"), 1001)
    done = gateway.ctl("reload")
    check_eq((done.returncode, done.stdout.split()), (0, ["generation", "2"]), done.stderr)
    check_eq(kept.push("denied"), 2001)
    gateway.write("whitelist.conf", "allow pass * *\n")
    gateway.program.signal(signal.SIGHUP)
    gateway.wait_event("reload.done", 2)
    wait_until(lambda: kept.push(f"again{len(gateway.events('pap.answered'))}") == 1001, "the list to be in force")
    gateway.write("initiators.conf", CLEAR.replace("digest-user   = pass", "digest-user   = other"))
    check_eq(gateway.ctl("reload").returncode, 0)
    check_eq(curl(bench, gateway.url, mime(), "--basic", "--user", f"pass:{PASSWORD}").status, 401)
    check_eq(curl(bench, gateway.url, mime(push_id="o"), "--basic", "--user", f"other:{PASSWORD}").code, 1001)


@case
def broken_reload_keeps_the_old_state_whole(bench):
    gateway = opened(bench)
    good_push(bench, gateway)
    gateway.write("whitelist.conf", "# nobody\n")  # good by itself, but must not be taken without the rest
    gateway.write("initiators.conf", INITIATORS + "\nnonsense = 1\n")
    line = INITIATORS.count("\n") + 2
    done = gateway.ctl("reload")
    check_eq((done.returncode, done.stdout), (1, ""))
    check(re.search(rf"initiators\.conf:{line}: .*nonsense", done.stderr), done.stderr)
    good_push(bench, gateway)
    gateway.program.signal(signal.SIGHUP)
    gateway.wait_event("reload.kept", 2)
    wait_until(lambda: any(f"initiators.conf:{line}:" in e["what"] for e in gateway.events("config.error")), f"line {line}")
    good_push(bench, gateway)
    gateway.write("initiators.conf", INITIATORS)
    check_eq(gateway.ctl("reload").returncode, 0)
    check_eq(push(bench, gateway, push_id="late").code, 2001)


def shown_certificate(bench, gateway):
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.tls_port}", "-CAfile",
                           bench.path("ca.crt")], input="", capture_output=True, text=True, timeout=60, check=False)
    return re.search(r"subject=(?:/)?CN ?= ?(\w+)", done.stdout).group(1)


@case
def certificate_is_replaced(bench):
    gateway = opened(bench)
    old = subprocess.Popen(["openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{gateway.tls_port}", "-CAfile",
                            bench.path("ca.crt")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    bench.closers.append(old.kill)
    wait_until(lambda: json.loads(gateway.ctl("--json", "status").stdout)["connections"] == 1, "the connection to be up")
    cert, key = bench.certificate(bench.authority, "renewed")
    os.rename(cert, bench.path("gateway.crt"))
    os.rename(key, bench.path("gateway.key"))
    check_eq(shown_certificate(bench, gateway), "gateway")
    check_eq(gateway.ctl("reload").returncode, 0)
    wait_until(lambda: shown_certificate(bench, gateway) == "renewed", "the new certificate")
    said, _ = old.communicate(b"GET /pap HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", timeout=60)
    check(said.startswith(b"HTTP/1.1 405 "), said)
    good_push(bench, gateway)


@case
def term_lets_what_is_under_way_end(bench):
    """A submission whose body is not all there, and a terminal that has not answered yet."""
    phone = Terminal(bench)
    relay = Relay(bench, phone.port, b"POST")
    gateway = Gateway(bench, phone.route("+15550100", port=relay.port), ANY_LEVEL, CLEAR, {"pap.clear-basic": "yes"})
    relay.hold()
    good_push(bench, gateway)
    check(relay.held.wait(60), "the terminal did not answer")
    body = mime(push_id="half")
    s = socket.create_connection(("127.0.0.1", gateway.port), timeout=60)
    bench.closers.append(s.close)
    login = base64.b64encode(f"pass:{PASSWORD}".encode()).decode()
    s.sendall(f'POST /pap HTTP/1.1\r\nHost: a\r\nAuthorization: Basic {login}\r\nContent-Length: {len(body)}\r\nContent-Type: '
              'multipart/related; type="application/xml"; boundary="pap-boundary-7f3a"\r\n\r\n'.encode() + body[:-20])
    wait_until(lambda: json.loads(gateway.ctl("--json", "status").stdout)["connections"] >= 1, "the connection to be seen")
    gateway.program.signal(signal.SIGTERM)
    gateway.wait_event("server.drain")
    check(gateway.program.running(), "it did not wait")
    s.sendall(body[-20:])
    got = b""
    while data := s.recv(65536):
        got += data
    check(got.startswith(b"HTTP/1.1 202") and b'code="1001"' in got, got)
    relay.let_go()
    check_eq(gateway.program.wait(60), 0)
    check_eq(gateway.query("SELECT stage FROM target ORDER BY id")[0], ["2"])
    gateway.start()
    check_eq({e["content"] for e in phone.wait_events(2)}, {"Hi"})
    gateway.wait_state("half", "delivered")


@case
def drain_refuses_new_work(bench):
    phone = Terminal(bench)
    relay = Relay(bench, phone.port, b"POST")
    gateway = Gateway(bench, phone.route("+15550100", port=relay.port), ANY_LEVEL, CLEAR, {"pap.clear-basic": "yes"})
    relay.hold()
    kept = Kept(bench, gateway)
    check_eq(kept.push("held"), 1001)
    check(relay.held.wait(60), "the terminal did not answer")
    check_eq(gateway.ctl("drain").returncode, 0)
    gateway.wait_event("server.drain")
    relay.let_go()
    check_eq(gateway.program.wait(60), 0)
    gateway.start()
    gateway.wait_state("held", "delivered")


@case
def status_and_push_show(bench):
    phone, ear = Terminal(bench), Ear(bench)
    gateway = Gateway(bench, phone.route("+15550100"))
    done = pap_push(bench, gateway, "--to", "+15550100", "--text", MARK, "--id", "a b&c=\u00e9", "--notify", ear.url,
                    "--priority", "high", "--source-reference", "desk")
    check_eq(done.returncode, 0, done.stderr)
    ear.wait_heard(1)
    gateway.wait_event("notify.told")
    shown = gateway.wait_state("a b&c=\u00e9", "delivered")
    wanted = {"initiator": "news", "source_reference": "desk", "content_octets": len(MARK), "priority": "high",
              "authenticated": True, "trusted": True, "notify_url": ear.url}
    check_eq({k: shown.get(k) for k in wanted}, wanted)
    target = shown["targets"][0]
    check_eq((target["state"], target["code"], target["tries"], target["bearer"], target["demanded"]),
             ("delivered", 1000, 1, "http", "full"))
    check(re.search("level=full .*int=gpl conf=gpl", target["protection"]), target)
    done = gateway.ctl("push", "show", "a b&c=\u00e9", "--initiator", "news")
    check((done.returncode, "delivered" in done.stdout, MARK in done.stdout) == (0, True, False), done.stdout)
    check_eq(gateway.ctl("push", "show", "a b&c=\u00e9", "--initiator", "pass").returncode, 1)
    check_eq(gateway.ctl("push", "show", "unknown").returncode, 1)
    status = wait_until(lambda: (s := json.loads(gateway.ctl("--json", "status").stdout)) and not s["notices"] and not s["targets"]["live"]
                        and s, "nothing left to do")
    check_eq((status["loops"], status["generation"], status["draining"], status["targets"], status["notices"]),
             (2, 1, False, {"live": 0, "waiting": 0, "leased": 0}, 0))
    check_eq((status["events"]["pap.answered"], status["events"]["notify.told"]), (1, 1))
    check_eq(os.stat(gateway.path("admin.sock")).st_mode & 0o777, 0o600)


@case
def one_gateway_a_store(bench):
    gateway = opened(bench)
    other = Gateway(bench, PHONE, ANY_LEVEL, conf={"store.path": gateway.path("store.db")}, start=False)
    done = bench.run("ppgd", "-c", other.path("ppg.conf"), timeout_s=60)
    check_eq((done.returncode, done.stdout), (1, ""))
    check(re.search(r"(?m)^ppgd: .*store\.db.*", done.stderr), done.stderr)
    good_push(bench, gateway)


def thread_names(gateway):
    tasks = f"/proc/{gateway.program.process.pid}/task"
    try:
        return sorted(open_text(f"{tasks}/{tid}/comm").strip() for tid in os.listdir(tasks))
    except OSError:  # one has ended meanwhile
        return []


@case
def threads_say_what_they_are(bench):
    gateway = opened(bench, gateway__loops="2", log__file="log")
    expected = ["log", "loop", "ppgd", "store", "store sync"]
    wait_until(lambda: thread_names(gateway) == expected, "each thread has its name")


@case
def damaged_store_is_refused_with_advice(bench):
    gateway = opened(bench)
    for i in range(5):
        good_push(bench, gateway, content="x" * 10000)
    check_eq(gateway.stop(), 0)
    whole = open_octets(gateway.path("store.db"))
    newer = bench.path("newer.db")
    bench.write("newer.db", whole)
    bench.tool("sqlite3", newer, "PRAGMA user_version = 99")
    rows = {"nothing of ours": b"hello " * 2000, "header": b"\0" * 100 + whole[100:], "pages": whole[:4096] + b"\xa5" * 8192 +
            whole[12288:], "cut": whole[:len(whole) // 2], "newer": open_octets(newer)}
    for name, octets in rows.items():
        bench.write(gateway.path("store.db"), octets, 0o600)
        done = bench.run("ppgd", "-c", gateway.path("ppg.conf"), timeout_s=60)
        check_eq((name, done.returncode), (name, 1), done.stderr)
        told = re.search(r"(?m)^ppgd: (.*)", done.stderr)
        check(told and "store.db" in told.group(1) and len(told.group(1)) > 30, (name, done.stderr))
        check_eq(open_octets(gateway.path("store.db")), octets, f"{name}: the file was touched")
    bench.write(gateway.path("store.db"), whole, 0o600)
    gateway.start()
    check_eq(len(gateway.query("SELECT id FROM push")), 5)


def open_octets(path):
    with open(path, "rb") as f:
        return f.read()


@case
def backup_is_brought_back(bench):
    """Taken while the gateway runs; the store is lost, the copy takes its place, and what was in it is delivered."""
    phone = Terminal(bench)
    gateway = Gateway(bench, phone.route("+15550100", port=9), ANY_LEVEL, conf={"admin.audit": "audit.log"})
    before = [good_push(bench, gateway) for _ in range(3)]
    done = subprocess.run([bench.program("ppgctl"), "--socket", gateway.path("admin.sock"), "backup", "copy.db"],
                          cwd=bench.folder, capture_output=True, text=True, timeout=60, check=False)
    check_eq((done.returncode, done.stdout.split()[:2]), (0, ["file", bench.path("copy.db")]), done.stderr)
    check_eq(os.stat(bench.path("copy.db")).st_mode & 0o777, 0o600)
    gateway.wait_event("audit.added", what="backup")
    for path, word in ((bench.path("copy.db"), "already"), (bench.path("none", "copy.db"), "cannot write")):
        done = gateway.ctl("backup", path)
        check_eq((done.returncode, done.stdout, word in done.stderr), (1, "", True), done.stderr)
    good_push(bench, gateway, push_id="after")
    gateway.kill()
    for end in ("", "-wal"):
        if os.path.exists(gateway.path("store.db" + end)):
            os.remove(gateway.path("store.db" + end))
    os.rename(bench.path("copy.db"), gateway.path("store.db"))
    gateway.write("terminals.conf", phone.route("+15550100"))
    gateway.start()
    for push_id in before:
        gateway.wait_state(push_id, "delivered")
    check_eq((len(phone.events()), gateway.ctl("push", "show", "after").returncode), (3, 1))


@case
def log_is_json_and_keeps_secrets(bench):
    """Everything that makes it speak: pushes, refusals, wrong passwords, faults, a reload; then not one secret in it."""
    phone, ear = Terminal(bench), Ear(bench)
    gateway = Gateway(bench, phone.route("+15550100"), conf={"log.file": "log"})
    good_push(bench, gateway, content=MARK, attributes={"ppg-notify-requested-to": ear.url})
    push(bench, gateway, push_id="deny", to=("+999",), content=MARK)
    push(bench, gateway, push_id='line\u2028"break', content=MARK)
    for login in (f"pass:{PASSWORD}", "pass:Guess-5521", "nobody:Guess-5521"):
        curl(bench, gateway.tls_url, mime(push_id="basic", content=MARK), "--basic", "--user", login)
        curl(bench, gateway.url, mime(push_id="digest", content=MARK), "--digest", "--user", login)
    curl(bench, gateway.tls_url, b"<pap>" + MARK.encode(), *as_news(bench))
    check_eq(gateway.ctl("reload").returncode, 0)
    phone.wait_events(1)
    ear.wait_heard(1)
    check_eq(gateway.stop(), 0)
    lines = open_text(gateway.path("log")).split("\n")[:-1]
    names = {json.loads(line)["event"] for line in lines}
    check({"server.ready", "auth.refused", "whitelist.denied", "pap.answered", "deliver.done", "reload.done",
           "server.end"} <= names, names)
    check_eq(os.stat(gateway.path("log")).st_mode & 0o777, 0o600)
    text = "\n".join(lines) + gateway.said()
    ha1 = bench.tool("openssl", "dgst", "-sha256", stdin=f"pass:ppg:{PASSWORD}").split()[-1]
    for secret in (PASSWORD, "Guess-5521", KEY, KEY[:16], MARK, ha1, base64.b64encode(f"pass:{PASSWORD}".encode()).decode()):
        check(secret.lower() not in text.lower(), f"{secret} is in the log")
    check("+15550100" not in text, "a whole terminal address is in the log")


@case
def secrets_stay_out_of_core_files(bench):
    gateway = opened(bench)
    limits = open_text(f"/proc/{gateway.program.process.pid}/status")
    check("Name:\tppgd" in limits, limits[:50])
    gateway.program.signal(signal.SIGABRT)
    check_eq(gateway.program.wait(), -signal.SIGABRT)
    check(not [n for n in os.listdir(gateway.folder) + os.listdir(".") if n.startswith("core")], "a core file")
    gateway.start()


@case
def files_are_private(bench):
    gateway = opened(bench)
    good_push(bench, gateway)
    for name in ("store.db", "store.db-wal"):
        check_eq((name, os.stat(gateway.path(name)).st_mode & 0o077), (name, 0))


@case
def port_in_use_is_told(bench):
    gateway = opened(bench)
    blocker = socket.create_server(("127.0.0.1", 0))
    bench.closers.append(blocker.close)
    port = blocker.getsockname()[1]
    other = Gateway(bench, PHONE, conf={"pap.listen": f"127.0.0.1:{port}"}, start=False)
    done = bench.run("ppgd", "-c", other.path("ppg.conf"), timeout_s=60)
    check((done.returncode, str(port) in done.stderr) == (1, True), done.stderr)
    good_push(bench, gateway)


@case
def a_door_is_shared_with_no_other_gateway(bench):
    """Loops of one gateway share an address; a second gateway, with a store of its own, is not let in beside them."""
    gateway = opened(bench, ota_sip__listen_udp="127.0.0.1:0")
    with open(gateway.path("ports"), encoding="utf-8") as f:
        sip = dict(line.split("=") for line in f.read().split())["sip-udp"]
    other = Gateway(bench, PHONE, start=False)
    free = dict(other.conf)
    for key, at in (("pap.listen", f"127.0.0.1:{gateway.port}"), ("pap.listen-tls", f"127.0.0.1:{gateway.tls_port}"),
                    ("ota-sip.listen-udp", sip)):
        other.conf = {**free, key: at}
        other.write_conf()
        done = bench.run("ppgd", "-c", other.path("ppg.conf"), timeout_s=60)
        check_eq((key, done.returncode, "in use" in done.stderr), (key, 1, True), done.stderr)
    good_push(bench, gateway)
    check_eq(gateway.stop(), 0)
    gateway.start()


main("operator")
