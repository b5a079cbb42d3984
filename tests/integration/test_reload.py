"""A configuration that is read again while the gateway works: it is taken or refused whole, and never ends the
gateway.  Usage: test_reload.py BUILD_DIR."""

import base64
import http.client
import json
import os
import signal

from gateway import ANY_LEVEL, INITIATORS, PASSWORD, Gateway, Terminal, good_push, push
from harness import case, check, check_eq, main, wait_until, whole_lines


def one(bench, **gateway):
    phone = Terminal(bench, association=False)
    return Gateway(bench, phone.route("+15550100", more=""), whitelist=ANY_LEVEL, **gateway), phone


@case
def an_open_tls_listener_stays(bench):
    """The listener is there until the program ends, so a configuration without it is refused and the old one kept."""
    gateway, phone = one(bench)
    gateway.write_conf(**{"pap.listen-tls": None})
    done = gateway.ctl("reload")
    check(done.returncode != 0 and "listen-tls" in done.stdout + done.stderr, f"{done.stdout} {done.stderr}")
    good_push(bench, gateway)
    phone.wait_events(1)
    gateway.check_events(1, "reload.kept")


@case
def a_log_file_that_is_moved_away(bench):
    """As logrotate does it: rename, then reload.  The new file appears, and no line is lost or written twice; so too when
    the configuration has a mistake, and when the file is another one."""
    phone = Terminal(bench, association=False)
    gateway = Gateway(bench, phone.route("+15550100", more=""), whitelist=ANY_LEVEL, start=False,
                      conf={"log.file": "ppgd.log"})
    gateway.start()

    def lines(name):
        with open(gateway.path(name), encoding="utf-8") as f:
            return [json.loads(line) for line in whole_lines(f.read())]

    def settle(name, event):
        wait_until(lambda: os.path.exists(gateway.path(name)) and [e for e in lines(name) if e["event"] == event], event)

    os.rename(gateway.path("ppgd.log"), gateway.path("ppgd.log.1"))
    gateway.program.signal(signal.SIGHUP)
    settle("ppgd.log", "reload.done")
    check("server.ready" in [e["event"] for e in lines("ppgd.log.1")], "the old file keeps what was written to it")
    good_push(bench, gateway)
    settle("ppgd.log", "target.final")
    check("target.final" not in [e["event"] for e in lines("ppgd.log.1")], "nothing more comes there")

    gateway.write("initiators.conf", "[initiator x]\nrate = no\n")
    os.rename(gateway.path("ppgd.log"), gateway.path("ppgd.log.2"))
    gateway.program.signal(signal.SIGHUP)
    settle("ppgd.log", "reload.kept")

    gateway.write("initiators.conf", INITIATORS)
    gateway.write_conf(**{"log.file": "other.log"})
    check_eq(gateway.ctl("reload").returncode, 0)
    settle("other.log", "reload.done")

    gateway.write_conf(**{"log.file": "no-such-folder/ppgd.log"})
    done = gateway.ctl("reload")
    check_eq(done.returncode, 1)
    check("[log] file: cannot be opened: No such file or directory" in done.stdout + done.stderr, done.stderr)
    settle("other.log", "reload.kept")
    check_eq((os.stat(gateway.path("other.log")).st_mode & 0o777), 0o600)


@case
def what_a_reload_changed(bench):
    """One event with counts; a mistake in a certificate is told with the line that names it."""
    phone = Terminal(bench, association=False)
    gateway = Gateway(bench, phone.route("+15550100", more=""), whitelist="allow news +1555* *\nallow pass +1555* *\n")

    def reload(**want):
        before = len(gateway.events("reload.done"))  # the last one was waited for
        check_eq(gateway.ctl("reload").returncode, 0)
        said = gateway.wait_event("reload.done", before + 1)
        counts = ("accounts_added", "accounts_removed", "accounts_changed", "rules_added", "rules_removed",
                  "tls_files_changed")
        check_eq({k: said[k] for k in counts if said[k]}, want)
        return said

    said = reload()
    check_eq((said["accounts"], said["rules"], said["terminals"], said["addresses"]), (2, 2, 1, 0))
    gateway.write("initiators.conf", INITIATORS.replace("trusted       = yes", "trusted       = no") +
                  "[initiator more]\ncertificate = DNS:more\n")
    reload(accounts_added=1, accounts_changed=1)
    gateway.write("initiators.conf", "[initiator more]\ncertificate = DNS:more\n" + INITIATORS.partition("[initiator pass]")[0])
    reload(accounts_removed=1, accounts_changed=1)
    gateway.write("out.list", "+15550101\n+15550102\n")
    gateway.write("whitelist.conf", "# who\nallow  news  +1555*  *\ndeny * @out.list *\ndeny * +1666* *\n")
    said = reload(rules_added=2, rules_removed=1)
    check_eq((said["rules"], said["addresses"]), (3, 2))
    bench.certificate(bench.authority, "gateway", "IP:127.0.0.1,DNS:localhost,DNS:ppg.example.net")
    reload(tls_files_changed=4)  # a certificate and its key, each named twice

    os.rename(bench.path("gateway.crt"), bench.path("kept.crt"))
    bench.write("gateway.crt", "not a certificate\n")
    done = gateway.ctl("reload")
    check_eq(done.returncode, 1)
    with open(gateway.path("ppg.conf"), encoding="utf-8") as f:
        lines = f.read().splitlines()
    line = lines.index("cert = ../gateway.crt", lines.index("[pap]")) + 1
    check(f"ppg.conf:{line}: cert: " in done.stdout + done.stderr, done.stdout + done.stderr)
    os.rename(bench.path("kept.crt"), bench.path("gateway.crt"))
    good_push(bench, gateway)


@case
def settings_of_open_listeners_and_bearers(bench):
    """What listeners and bearers were made with is the new configuration's from the reload on."""
    phone, other = Terminal(bench, association=False), Terminal(bench, association=False)
    gateway = Gateway(bench, phone.route("+15550100", more="") + other.route("+15550101", more=""), whitelist=ANY_LEVEL,
                      conf={"ota-http.prov-url": "https://ppg.example.net/old", "pap.body-max": "8k", "pap.control-max": "4k"})
    good_push(bench, gateway)
    phone.wait_events(1)
    check(b"X-Wap-Push-ProvURL: https://ppg.example.net/old" in phone.wire(), "the first one")
    check_eq(push(bench, gateway, push_id="big", content="x" * 9000).status, 413)
    for round in range(3):
        gateway.write_conf(**{"ota-http.prov-url": f"https://ppg.example.net/new{round}", "pap.body-max": "64k"})
        check_eq(gateway.ctl("reload").returncode, 0)
    good_push(bench, gateway, to=("+15550101",), content="x" * 9000)
    other.wait_events(1)
    check(b"X-Wap-Push-ProvURL: https://ppg.example.net/new2" in other.wire(), "the new one")
    gateway.write_conf(**{"gateway.loops": "1", "pap.nonce-lifetime": "1min"})
    done = gateway.ctl("--json", "reload")
    check_eq((done.returncode, json.loads(done.stdout)["needs_restart"]), (0, "gateway.loops, pap.nonce-lifetime"))
    check_eq(sorted(e["key"] for e in gateway.check_events(2, "reload.needs-restart")), ["gateway.loops", "pap.nonce-lifetime"])
    check("needs_restart" not in json.loads(gateway.ctl("--json", "reload").stdout), "nothing has changed since")


OTHER_PASSWORD = "battery-staple-2846"
ACCOUNT = """[initiator {name}]
digest-user   = {user}
password-file = {file}
basic         = yes
basic-clear   = yes
"""


class Kept:
    """One connection to the gateway on which requests without a body log in with Basic; `taken`: what all were let in for."""

    def __init__(self, bench, gateway, taken):
        self.gateway, self.taken = gateway, taken
        self.http = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=60)
        bench.closers.append(self.http.close)
        self.http.connect()
        self.socket = self.http.sock

    def status(self, user, password):
        login = base64.b64encode(f"{user}:{password}".encode()).decode()
        self.http.request("POST", "/pap", b"", {"Authorization": f"Basic {login}"})
        answer = self.http.getresponse()
        answer.read()
        check(self.http.sock is self.socket, "the connection was not kept")
        if answer.status == 202:
            self.taken.append(user)
        return answer.status

    def good(self, user, password):
        """Taken, though there is no message in it."""
        return self.status(user, password) == 202

    def who(self, user, password):
        """The account that the login stands for, as the log has it."""
        check(self.good(user, password), f"{user} was not let in")
        return self.gateway.wait_event("pap.answered", len(self.taken))["initiator"]


@case
def a_login_holds_for_its_connection_and_its_configuration(bench):
    """What a connection has proved is believed again only there, only octet for octet, and only until the accounts are
    read again: with another password, another number or another name."""
    two = ACCOUNT.format(name="a", user="a", file="../password"), ACCOUNT.format(name="b", user="b", file="../second")
    bench.write("second", OTHER_PASSWORD + "\n", 0o600)
    gateway, _ = one(bench, initiators="".join(two), conf={"pap.clear-basic": "yes"})
    taken = []
    kept, other = Kept(bench, gateway, taken), Kept(bench, gateway, taken)

    def reload(*accounts):
        gateway.write("initiators.conf", "".join(accounts))
        check_eq(gateway.ctl("reload").returncode, 0)

    check(kept.good("a", PASSWORD) and kept.good("a", PASSWORD), "good logins")
    check_eq(kept.status("a", PASSWORD + " "), 401, "other octets")
    check_eq(kept.status("b", PASSWORD), 401, "another account's password")
    check(kept.good("a", PASSWORD), "the good one again")
    check_eq(other.status("a", PASSWORD[:-1] + "X"), 401, "on another connection")
    check_eq(kept.who("b", OTHER_PASSWORD), "b")
    check_eq(kept.who("a", PASSWORD), "a")

    reload(two[1], two[0])
    wait_until(lambda: kept.who("a", PASSWORD) == "a" and other.who("b", OTHER_PASSWORD) == "b", "accounts change places")
    check_eq(kept.who("a", PASSWORD), "a")

    bench.write("password", OTHER_PASSWORD + "2\n", 0o600)
    reload(*two)
    wait_until(lambda: kept.status("a", PASSWORD) == 401, "the old password is refused")
    check(kept.good("a", OTHER_PASSWORD + "2"), "the new password")

    reload(two[1])
    wait_until(lambda: kept.status("a", OTHER_PASSWORD + "2") == 401, "an account that is gone")
    check(kept.good("b", OTHER_PASSWORD), "the account that stays")


main("reload")
