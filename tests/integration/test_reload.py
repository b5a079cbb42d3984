"""A configuration that is read again while the gateway works: it is taken or refused whole, and never ends the
gateway.  Usage: test_reload.py BUILD_DIR."""

from gateway import ANY_LEVEL, Gateway, Terminal, good_push
from harness import case, check, check_eq, main


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


main("reload")
