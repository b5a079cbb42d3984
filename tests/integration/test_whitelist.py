"""Who may push what to whom, as built: every condition of a rule, subscriptions of terminals, access to the pushes of
others, and lists that are refused whole.  Usage: test_whitelist.py BUILD_DIR."""

import base64
import http.client
import time

from gateway import ANY_LEVEL, PASSWORD, Gateway, Terminal, as_news, curl, good_push, mime, push
from gateway import INITIATORS as NEWS_AND_PASS
from harness import case, check, check_eq, main

LATER = {f"deliver-{word}-timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + days * 86400))
         for word, days in (("after", 9), ("before", 10))}
STATUS, CANCEL = "statusquery-message", "cancel-message"


def login(name):
    return ("--basic", "--user", f"{name}:{PASSWORD}")


def opened(bench, text=ANY_LEVEL, conf=None, **more):
    """A gateway with the terminal +15550100, which takes everything; one loop, so that a reload settles at once."""
    phone = Terminal(bench, association=False)
    return Gateway(bench, phone.route("+15550100", more=""), text, conf={"gateway.loops": "1", **(conf or {})}, **more)


def rules(gateway, text):
    gateway.write("whitelist.conf", text)
    done = gateway.ctl("reload")
    check_eq(done.returncode, 0, done.stderr)
    gateway.settle()


def refused_by(bench, gateway, line, why="deny rule", **more):
    """A push is refused with 2001, and the log names the rule by file and line."""
    gateway.refusals = getattr(gateway, "refusals", 0) + 1
    answer = push(bench, gateway, push_id=f"refused-{gateway.refusals}", **more)
    check_eq((answer.status, answer.code), (202, 2001), answer)
    check("whitelist" not in answer.body and "line" not in answer.body, "the rule is nothing that an initiator may know")
    event = gateway.wait_event("whitelist.denied", push_id=f"refused-{gateway.refusals}")
    check_eq((event["line"], event["why"]), (line, why), event)
    check_eq(event["file"], gateway.path("whitelist.conf"))


def window(begin, end):
    """hh:mm-hh:mm in UTC, from and to so many minutes from now; a window that ends with the day ends at 24:00."""
    begin, end = (time.strftime("%H:%M", time.gmtime(time.time() + minutes * 60)) for minutes in (begin, end))
    return f"{begin}-{end if end != '00:00' else '24:00'}"


@case
def conditions_over_the_wire(bench):
    gateway = opened(bench)
    text = "# the list\nallow news +1555* *\n"
    uri = "https://news.example.com/"
    for rule, hit, miss in (
            ("* type=text/*", {}, None), ("* asked=none", {}, None), ("* type=image/*", None, {}),
            ("* asked=full", None, {}), ("wml.ua", {}, None), ("x-wap-application:mms.ua", None, {}),
            (f"* uri={uri}bad*", {"X-Wap-Initiator-URI": uri + "bad/1"}, {"X-Wap-Initiator-URI": uri + "good"})):
        rules(gateway, f"{text}deny news * {rule}\n")
        if hit is not None:
            refused_by(bench, gateway, 3, headers=hit)
        if miss is not None:
            good_push(bench, gateway, headers=miss)
    rules(gateway, "allow news +1555* * max-size=10\n")
    good_push(bench, gateway, content="x" * 10)
    refused_by(bench, gateway, 0, "no rule", content="x" * 11)
    coded = {"Content-Transfer-Encoding": "base64"}  # what counts is the content, not how it travels
    good_push(bench, gateway, headers=coded, content=base64.b64encode(b"x" * 10))
    refused_by(bench, gateway, 0, "no rule", headers=coded, content=base64.b64encode(b"x" * 11))


@case
def hours_over_the_wire(bench):
    """Now is inside one window and outside the other, in UTC and by another clock."""
    gateway = opened(bench)
    inside, outside, far = window(-60, 60), window(60, 120), window(240, 360)
    for hours, good in ((inside, True), (outside, False), (inside + "Z", True), (far + "+05:00", True), (far, False),
                        (inside + "+05:00", False)):
        rules(gateway, f"allow news +1555* * time={hours}\n")
        if good:
            good_push(bench, gateway)
        else:
            refused_by(bench, gateway, 0, "no rule")


@case
def a_group_is_a_recipient(bench):
    """A rule for a group is about it and each of its members."""
    gateway = opened(bench, conf={"files.groups": "groups.conf"}, start=False)
    gateway.write("groups.conf", "[group staff]\nmember = +15550100\n")
    gateway.write("whitelist.conf", "allow news $staff *\n")
    gateway.start()
    good_push(bench, gateway)
    good_push(bench, gateway, to=("WAPPUSH=%24staff/TYPE=USER",))
    rules(gateway, "allow news * *\n\ndeny news $staff *\n")
    refused_by(bench, gateway, 3)
    gateway.write("whitelist.conf", "allow news * *\nallow news $gone *\n")
    done = gateway.ctl("reload")
    check_eq((done.returncode, done.stderr), (1, f"{gateway.path('whitelist.conf')}:2: recipient: there is no such group\n"))


@case
def only_subscribed_services(bench):
    """UC-B.1-4: a terminal that subscribed takes pushes of those services alone: the gateway says 2001 to the others, and
    the terminal itself drops what comes all the same."""
    phone = Terminal(bench, "--app", "x-wap-application:wml.ua", association=False)
    gateway = Gateway(bench, phone.route("+15550100", more=""), "allow * +1555* *\nonly news +15550100 wml.ua\n")
    good_push(bench, gateway)
    phone.wait_events(1)
    for initiator, app in (("news", b"ads.ua"), ("pass", b"wml.ua")):
        octets = mime(push_id=initiator).replace(b"wml.ua", app)
        proof = as_news(bench) if initiator == "news" else login(initiator)
        check_eq(curl(bench, gateway.tls_url, octets, *proof).code, 2001)
        event = gateway.wait_event("whitelist.denied", push_id=initiator)
        check_eq((event["line"], event["why"]), (2, "not subscribed"))
    forced = http.client.HTTPConnection("127.0.0.1", phone.port, timeout=60)
    forced.request("OPTIONS", "/wappush")
    hello = forced.getresponse()
    hello.read()
    forced.request("POST", "/wappush", b"buy", {"Content-Type": "text/plain", "X-Push-Message-ID": "<1@x>",
                                               "X-Wap-Application-Id": "x-wap-application:ads.ua",
                                               "X-Wap-CPITag": hello.getheader("X-Wap-CPITag")})
    forced.getresponse()
    forced.close()
    check_eq(phone.wait_events(1, "dropped")[0]["reason"], "application")
    check_eq(len(phone.events()), 1)


ACCOUNT = """[initiator {name}]
digest-user   = {name}
password-file = ../password
basic         = yes
"""
INITIATORS = NEWS_AND_PASS + "".join(ACCOUNT.format(name=n) for n in ("auditor", "desk", "stranger"))


def ask(bench, gateway, who, kind, push_id):
    """The answer to a status query or a cancel."""
    proof = as_news(bench) if who == "news" else login(who)
    return curl(bench, gateway.tls_url, f'<pap><{kind} push-id="{push_id}"/></pap>'.encode(), *proof,
                content_type="application/xml")


@case
def pushes_of_others(bench):
    """DM-16, DM-17: who stands in an acl may ask about, or take back, what is another's; for all others it is not there."""
    gateway = opened(bench, ANY_LEVEL + "acl /push Get=auditor\nacl /push/news/open-* Get=auditor+desk&Delete=desk\n",
                     initiators=INITIATORS)
    for push_id in ("open-1", "shut-1"):
        good_push(bench, gateway, push_id=push_id, attributes=LATER)
    for who, kind, push_id, code in (
            ("auditor", STATUS, "open-1", 1001), ("auditor", STATUS, "shut-1", 1001), ("desk", STATUS, "open-1", 1001),
            ("desk", STATUS, "shut-1", 2004), ("stranger", STATUS, "open-1", 2004), ("stranger", CANCEL, "open-1", 2004),
            ("auditor", CANCEL, "open-1", 2004), ("desk", CANCEL, "shut-1", 2004), ("desk", CANCEL, "open-1", 1000)):
        answer = ask(bench, gateway, who, kind, push_id)
        check_eq((who, kind, push_id, answer.status, answer.code), (who, kind, push_id, 202, code), answer.body)
        if code == 2004:
            none = ask(bench, gateway, who, kind, "none")
            check_eq(answer.body.replace(push_id, "none"), none.body, "it can be told that there is such a push")
    check_eq([ask(bench, gateway, "news", STATUS, i).code for i in ("open-1", "shut-1")], [1000, 1001])
    check_eq(gateway.show("open-1")["targets"][0]["note"], "cancelled by the initiator desk")
    for event, line, fields in (("acl.allowed", 4, {"initiator": "desk", "operation": "cancel", "owner": "news"}),
                                ("acl.denied", 3, {"initiator": "desk", "operation": "cancel"}),
                                ("acl.allowed", 3, {"initiator": "auditor", "push_id": "shut-1"})):
        check_eq(gateway.wait_event(event, **fields)["line"], line, f"{event} {fields}")


@case
def own_pushes_first(bench):
    """An id that two initiators use names the own push; a cancel of one leaves the other."""
    gateway = opened(bench, "allow * * *\nacl /push Get=desk&Delete=desk\n", initiators=INITIATORS)
    good_push(bench, gateway, push_id="same", attributes=LATER)
    check_eq(curl(bench, gateway.tls_url, mime(push_id="same", attributes=LATER), *login("desk")).code, 1001)
    check_eq(ask(bench, gateway, "desk", CANCEL, "same").code, 1000)
    check_eq([ask(bench, gateway, who, STATUS, "same").code for who in ("news", "desk")], [1001, 1000])
    check_eq(gateway.ctl("--json", "push", "show", "same", "--initiator", "desk").returncode, 0)


@case
def bad_lists_are_refused_whole(bench):
    gateway = opened(bench)
    path = gateway.path("whitelist.conf")
    many = "".join(f"allow news +1555{n:07} *\n" for n in range(20000))
    for octets, line, what in (
            (b"allow news * *\nallow\0 * * *\n", 2, "a NUL in it: not a text file"),
            ("\ufeffallow news * *\n".encode("utf-16"), 1, "a NUL in it: not a text file"),
            ((many + "alow news * *\n" + many).encode(), 20001, "verdict: must be allow, deny, only or acl"),
            (b"allow news " + b"+" * 2000 + b" *\n", 1, "line too long"),
            (b"acl /push Get=a\nacl /push Get=b\n", 2, "path: it has an acl already")):
        with open(path, "wb") as f:
            f.write(octets)
        done = gateway.ctl("reload")
        check_eq((done.returncode, done.stderr), (1, f"{path}:{line}: {what}\n"))
        good_push(bench, gateway)
    with open(path, "wb") as f:
        f.write(b"\xef\xbb\xbf# from a PC\r\ndeny news * *\r\n")
    check_eq(gateway.ctl("reload").returncode, 0)
    gateway.settle()
    refused_by(bench, gateway, 2)


if __name__ == "__main__":
    main("whitelist")
