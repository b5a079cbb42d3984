"""Limits of an initiator, as it meets them: 429 before anything of its entity is looked at, 4001 once it was, when to come
again, and what is left.  Usage: test_initiator_limits.py BUILD_DIR."""

import base64
import http.client
import re
import threading
import xml.etree.ElementTree

from gateway import MULTIPART, PASSWORD, Gateway, Terminal, curl, mime
from harness import case, check, check_eq, main, wait_until

ACCOUNT = """[initiator {name}]
digest-user   = {name}
password-file = ../password
basic         = yes
basic-clear   = yes
{limits}
"""
RULES = "allow a +1555* *\nallow b +1555* *\n"


def accounts(a, b=""):
    return ACCOUNT.format(name="a", limits=a) + ACCOUNT.format(name="b", limits=b)


def start(bench, a, b="", **conf):
    phone = Terminal(bench, association=False)
    return Gateway(bench, phone.route("+15550100", more="") +
                   "".join(f"[terminal +1555010{i}]\nroute = http://127.0.0.1:{phone.port}\n" for i in range(1, 9)),
                   initiators=accounts(a, b), whitelist=RULES,
                   conf={"pap.clear-basic": "yes", "gateway.loops": "4", **conf})


class Connection:
    """A kept connection of one initiator.  post() gives (status, headers, PAP code)."""

    def __init__(self, bench, gateway, user="a"):
        self.http = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=60)
        bench.closers.append(self.http.close)
        self.http.connect()
        self.socket = self.http.sock
        self.login = "Basic " + base64.b64encode(f"{user}:{PASSWORD}".encode()).decode()

    def post(self, body, kept=True, **headers):
        headers = {k.replace("_", "-"): v for k, v in headers.items()}
        self.http.request("POST", "/pap", body, {"Authorization": self.login, "Content-Type": MULTIPART, **headers},
                          encode_chunked="Transfer-Encoding" in headers)
        answer = self.http.getresponse()
        text = answer.read()
        check(not kept or self.http.sock is self.socket, "the connection was not kept")
        code = None
        if answer.headers.get_content_type() == "application/xml":
            code = int(next(e for e in xml.etree.ElementTree.fromstring(text).iter() if e.get("code")).get("code"))
        return answer.status, answer.headers, code

    def push(self, push_id, to=("+15550100",), **more):
        return self.post(mime(push_id=push_id, to=to), **more)


@case
def a_request_over_its_rate(bench):
    """429 with Retry-After, on the same connection, whatever is in it; the other initiator does not notice."""
    gateway = start(bench, "rate = 1/min burst 3")
    one, other = Connection(bench, gateway), Connection(bench, gateway, "b")
    for left in (2, 1, 0):
        status, headers, code = one.push(f"push-{left}")
        check_eq((status, code), (202, 1001))
        check_eq(headers["RateLimit-Policy"], '"requests";q=3;w=180')
        check(re.fullmatch(f'"requests";r={left};t=1?[0-9]?[0-9]', headers["RateLimit"]), headers["RateLimit"])
    for body in (mime(push_id="late"), b"", b"no MIME, no XML"):
        status, headers, code = one.post(body)
        check_eq((status, code), (429, None))
        check(0 < int(headers["Retry-After"]) <= 60, headers["Retry-After"])
        check(headers["RateLimit"].startswith('"requests";r=0;t='), headers["RateLimit"])
    gateway.check_events(3, "limit.requests", initiator="a")
    gateway.check_events(3, "pap.answered")  # only three were looked at
    status, headers, code = other.push("other")
    check_eq((status, code, headers["RateLimit"]), (202, 1001, None))


@case
def curl_that_asks_first(bench):
    """Who sends Expect is refused before its body comes."""
    gateway = start(bench, "rate = 1/min burst 1")
    login = ("-u", f"a:{PASSWORD}")
    check_eq(curl(bench, gateway.url, mime(push_id="one"), *login).code, 1001)
    answer = curl(bench, gateway.url, mime(push_id="two"), *login, "-H", "Expect: 100-continue")
    check_eq(answer.status, 429)
    check(0 < int(answer.headers["retry-after"]) <= 60, answer.head)
    check("100 Continue" not in answer.head, answer.head)


@case
def exact_with_several_loops(bench):
    """Eight connections on four loops at once: the burst is taken, and not one more."""
    gateway = start(bench, "rate = 1/h burst 24")
    good = []

    def submit(number):
        connection = Connection(bench, gateway)
        for i in range(12):
            status, _, code = connection.push(f"push-{number}-{i}")
            check((status, code) in ((202, 1001), (429, None)), f"{status} {code}")
            if status == 202:
                good.append(code)

    threads = [threading.Thread(target=submit, args=(n,)) for n in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    check_eq(len(good), 24)


@case
def a_reload_fills_only_what_changed(bench):
    gateway = start(bench, "rate = 1/h burst 2")
    one = Connection(bench, gateway)

    def reload(text, done=0):
        gateway.write("initiators.conf", text)
        check_eq(gateway.ctl("reload").returncode, done)

    check_eq([one.push(f"push-{i}")[0] for i in range(3)], [202, 202, 429])
    reload(accounts("rate = 1/h burst 2"))
    check_eq(one.push("again")[0], 429)
    reload(accounts("rate = 1/h burst 3", "rate = soon"), done=1)
    check_eq(one.push("kept")[0], 429)
    reload(accounts("rate = 1/h burst 3"))
    wait_until(lambda: one.push("changed")[0] == 202, "the new limit")
    reload(accounts(""))
    wait_until(lambda: all(one.push(f"free-{i}")[0] == 202 for i in range(5)), "no limit")


@case
def recipients_a_second(bench):
    """Known only when the entity is: 4001 in the PAP document, 3005 for what can never be."""
    gateway = start(bench, "recipient-rate = 5/min")
    one = Connection(bench, gateway)
    to = [f"+1555010{i}" for i in range(6)]
    status, headers, code = one.push("three", to[:3])
    check_eq((status, code), (202, 1001))
    check_eq(headers["RateLimit-Policy"], '"recipients";q=5;w=60;qu="recipients"')
    status, headers, code = one.push("more", to[:3])
    check_eq((status, code), (202, 4001))
    check(0 < int(headers["Retry-After"]) <= 12, headers["Retry-After"])
    check(headers["RateLimit"].startswith('"recipients";r=2;t='), headers["RateLimit"])
    status, headers, code = one.push("never", to)
    check_eq((status, code, headers["Retry-After"]), (202, 3005, None))
    check_eq(one.push("three", to[:3])[2], 2007, "a push-id that was used comes first")
    check_eq(one.push("two", to[:2])[2], 1001, "what is refused takes nothing")
    check_eq(one.push("none", to[:1])[2], 4001)


@case
def the_queue_over_a_kill(bench):
    """What waits is counted from what is stored, so a new start knows it; a cancel makes room."""
    gateway = start(bench, "queue-limit = 5", **{"delivery.retry-first": "10min", "delivery.retry-max": "10min"})
    gateway.write("terminals.conf", "".join(f"[terminal +1555010{i}]\nroute = http://127.0.0.1:1\n" for i in range(9)))
    check_eq(gateway.ctl("reload").returncode, 0)
    to = [f"+1555010{i}" for i in range(6)]
    cancel = b"<?xml version='1.0'?><pap><cancel-message push-id='three'/></pap>"

    def push(push_id, n):
        status, headers, code = Connection(bench, gateway).push(push_id, to[:n])
        check_eq(status, 202)
        return code, headers["RateLimit"], headers["Retry-After"]

    check_eq(push("three", 3), (1001, '"queue";r=2', None))
    check_eq(push("more", 3), (4001, '"queue";r=2', "5"))
    check_eq(push("three", 3)[0], 2007)
    check_eq(push("never", 6), (3005, None, None))
    gateway.kill()
    gateway.start()
    check_eq(push("more", 3), (4001, '"queue";r=2', "5"))
    check_eq(push("two", 2), (1001, '"queue";r=0', None))
    check_eq(Connection(bench, gateway).post(cancel, Content_Type="application/xml")[::2], (202, 1000))
    check_eq(push("more", 3), (1001, '"queue";r=0', None))
    gateway.check_events(2, "limit.queue")


@case
def octets_of_a_request(bench):
    gateway = start(bench, "body-max = 2k")
    check_eq(Connection(bench, gateway).push("small")[::2], (202, 1001))
    big = mime(push_id="big", content="x" * 2048)
    check_eq(Connection(bench, gateway).post(big, kept=False)[0], 413)
    check_eq(Connection(bench, gateway).post(iter([big]), kept=False, Transfer_Encoding="chunked")[0], 413)
    check_eq(Connection(bench, gateway, "b").post(big)[::2], (202, 1001))


@case
def connections_at_once(bench):
    gateway = start(bench, "connections-max = 2")
    first, second, third = (Connection(bench, gateway) for _ in range(3))
    check_eq((first.push("one")[0], second.push("two")[0], first.push("three")[0]), (202, 202, 202))
    status, headers, _ = third.push("four", kept=False)
    check_eq((status, headers["Retry-After"]), (429, "1"))
    check(headers["RateLimit"] == '"connections";r=0', headers["RateLimit"])
    check_eq(Connection(bench, gateway, "b").push("other")[0], 202)
    first.http.close()
    wait_until(lambda: Connection(bench, gateway).push("five", kept=False)[0] in (202,), "a place")


main("initiator_limits")
