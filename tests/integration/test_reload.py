"""A configuration that is read again while the gateway works: it is taken or refused whole, and never ends the
gateway.  Usage: test_reload.py BUILD_DIR."""

import base64
import http.client

from gateway import ANY_LEVEL, PASSWORD, Gateway, Terminal, good_push
from harness import case, check, check_eq, main, wait_until


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
    check_eq(len(gateway.events("reload.kept")), 1)


OTHER_PASSWORD = "battery-staple-2846"
ACCOUNT = """[initiator {name}]
digest-user   = {user}
password-file = {file}
basic         = yes
basic-clear   = yes
"""


class Kept:
    """One connection to the gateway on which requests without a body log in with Basic."""

    def __init__(self, bench, gateway):
        self.gateway = gateway
        self.http = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=20)
        bench.closers.append(self.http.close)
        self.http.connect()
        self.socket = self.http.sock

    def status(self, user, password):
        login = base64.b64encode(f"{user}:{password}".encode()).decode()
        self.http.request("POST", "/pap", b"", {"Authorization": f"Basic {login}"})
        answer = self.http.getresponse()
        answer.read()
        check(self.http.sock is self.socket, "the connection was not kept")
        return answer.status

    def good(self, user, password):
        """Taken, though there is no message in it."""
        return self.status(user, password) == 202

    def who(self, user, password):
        """The account that the login stands for, as the log has it."""
        before = len(self.gateway.events("pap.answered"))
        check(self.good(user, password), f"{user} was not let in")
        self.gateway.wait_event("pap.answered", before + 1)
        return self.gateway.events("pap.answered")[before]["initiator"]


@case
def a_login_holds_for_its_connection_and_its_configuration(bench):
    """What a connection has proved is believed again only there, only octet for octet, and only until the accounts are
    read again: with another password, another number or another name."""
    two = ACCOUNT.format(name="a", user="a", file="../password"), ACCOUNT.format(name="b", user="b", file="../second")
    bench.write("second", OTHER_PASSWORD + "\n", 0o600)
    gateway, _ = one(bench, initiators="".join(two), conf={"pap.clear-basic": "yes"})
    kept, other = Kept(bench, gateway), Kept(bench, gateway)

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
