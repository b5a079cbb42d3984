"""What an initiator asks about its pushes with pap-push - replace, cancel, status, capabilities - against gateways
written here; the exit status of each answer, as lines and as JSON.  With a ppgd behind it: test_control.py.
"""

import json
import os
import xml.etree.ElementTree

from harness import case, check, check_eq, main
from peers import ACCEPTED, Gateway, control_of, parts_of, yes

A, B = "WAPPUSH=+1555/TYPE=PLMN", "WAPPUSH=a%40b.example/TYPE=USER"


def asked(gateway, number=-1):
    """The one child of the pap document that was posted."""
    request = gateway.requests[number]
    check_eq(request["headers"]["Content-Type"], "application/xml")
    return xml.etree.ElementTree.fromstring(request["body"])[0]


def addresses(element):
    return [a.get("address-value") for a in element.findall("address")]


def saying(bench, body, content_type="application/xml"):
    return Gateway(bench, lambda request: (202, [("Content-Type", content_type)], body))


def response(kind, results, push_id="i@pi"):
    return f'<pap><{kind} push-id="{push_id}">{results}</{kind}></pap>'


def result(code, to=(), state=None, more=""):
    name = "statusquery-result" if state else "cancel-result"
    state = f'message-state="{state}"' if state else ""
    inside = "".join(f'<address address-value="{a}"/>' for a in to)
    return f'<{name} code="{code}" {state} {more}>{inside}</{name}>'


@case
def cancel_all_and_some(bench):
    gateway = saying(bench, response("cancel-response", result(1000, [A])))
    done = bench.run("pap-push", "cancel", "i@pi", "--url", gateway.url)
    check_eq((done.returncode, done.stdout, done.stderr), (0, f"1000 OK push-id=i@pi address={A}\n", ""))
    check_eq((asked(gateway).tag, asked(gateway).get("push-id"), addresses(asked(gateway))), ("cancel-message", "i@pi", []))
    check_eq(bench.run("pap-push", "cancel", "i@pi", "+1555", "a@b.example", "--url", gateway.url).returncode, 0)
    check_eq(addresses(asked(gateway)), [A, B])


@case
def mixed_results_count_as_the_highest_class(bench):
    rows = [((1000, 1000), 0), ((1000, 2008), 2), ((2008, 1000), 2), ((2003, 3000), 3), ((3000, 1000, 2008), 3), ((4000,), 4),
            ((1000, 5026), 5)]
    for codes, want in rows:
        gateway = saying(bench, response("cancel-response", "".join(result(c, [A, B]) for c in codes)))
        done = bench.run("pap-push", "cancel", "i@pi", "--url", gateway.url)
        check_eq((done.returncode, len(done.stdout.splitlines())), (want, 2 * len(codes)), f"{codes}: {done.stdout}")
        done = bench.run("pap-push", "cancel", "i@pi", "--url", gateway.url, "--json")
        told = [json.loads(line) for line in done.stdout.splitlines()]
        check_eq((done.returncode, [t["code"] for t in told], told[0]["addresses"]), (want, list(codes), [A, B]))


@case
def status_says_state_time_and_address(bench):
    more = 'event-time="2030-01-31T12:00:00Z" desc="the terminal took it"'
    body = response("statusquery-response", result(1000, [A], "delivered", more) + result(1001, [B], "pending"))
    gateway = saying(bench, body)
    done = bench.run("pap-push", "status", "--url", gateway.url, "--", "i@pi")
    check_eq((done.returncode, done.stdout.splitlines()),
             (0, [f"delivered 1000 OK push-id=i@pi address={A} event-time=2030-01-31T12:00:00Z: the terminal took it",
                  f"pending 1001 Accepted for Processing push-id=i@pi address={B}"]))
    check_eq(asked(gateway).tag, "statusquery-message")
    told = [json.loads(line) for line in bench.run("pap-push", "status", "i@pi", "--json", "--url", gateway.url).stdout.splitlines()]
    check_eq(told[0], {"addresses": [A], "code": 1000, "description": "the terminal took it", "event_time":
                       "2030-01-31T12:00:00Z", "push_id": "i@pi", "state": "delivered", "text": "OK"})
    check_eq((told[1]["state"], told[1]["code"]), ("pending", 1001))


@case
def status_of_nothing_known(bench):
    for code, want in ((2004, 2), (3001, 3), (2000, 2)):
        gateway = saying(bench, response("statusquery-response", result(code, [], "unknown")))
        done = bench.run("pap-push", "status", "i@pi", "--url", gateway.url)
        check_eq((done.returncode, done.stdout.startswith(f"unknown {code} "), "push-id=i@pi" in done.stdout),
                 (want, True, True), done.stdout)
    gateway = saying(bench, '<pap><badmessage-response code="3002" desc="no such version"/></pap>')
    for command in ("cancel", "status"):
        done = bench.run("pap-push", command, "i@pi", "--url", gateway.url)
        check_eq((done.returncode, done.stdout), (3, "3002 Version Not Supported: no such version\n"))


@case
def ten_thousand_addresses_come_and_go(bench):
    lines = [f"+1555{i:07}" for i in range(10000)]
    path = bench.write("to", "# recipients\n\n" + "\r\n".join(lines) + "\n  # end\n")
    values = [f"WAPPUSH={n}/TYPE=PLMN" for n in lines]
    gateway = saying(bench, response("statusquery-response", result(1001, values, "pending")))
    done = bench.run("pap-push", "status", "i@pi", "--to-file", path, "--url", gateway.url)
    check_eq((done.returncode, len(done.stdout.splitlines())), (0, 10000), done.stderr)
    check_eq(addresses(asked(gateway)), values)
    gateway = Gateway(bench, yes)
    done = bench.run("pap-push", "submit", "--to", "+1", "--to-file", path, "--text", "x", "--url", gateway.url)
    check_eq(done.returncode, 0, done.stderr)
    check_eq(addresses(control_of(gateway.requests[0])[0]), ["WAPPUSH=+1/TYPE=PLMN", *values])


@case
def replace_is_a_submission_that_names_another(bench):
    gateway = Gateway(bench, yes)
    rdf = bench.write("rdf", "<rdf/>")
    done = bench.run("pap-push", "replace", "old@pi", "--url", gateway.url, "--id", "new@pi", "--to", "+1555", "--to",
                     "$staff", "--text", "hi", "--method", "pending-only", "--delivery-method", "confirmed", "--progress",
                     "--capabilities", rdf)
    check_eq((done.returncode, done.stdout, done.stderr), (0, "1001 Accepted for Processing push-id=new@pi\n", ""))
    push = control_of(gateway.requests[0])[0]
    check_eq(push.attrib, {"push-id": "new@pi", "replace-push-id": "old@pi", "replace-method": "pending-only",
                           "progress-notes-requested": "true"})
    check_eq((addresses(push), push.find("quality-of-service").attrib),
             ([A, "WAPPUSH=%24staff/TYPE=USER"], {"delivery-method": "confirmed"}))
    check_eq(parts_of(gateway.requests[0])[2][1], b"<rdf/>")
    done = bench.run("pap-push", "replace", "old@pi", "--url", gateway.url, "--to", "+1555", "--text", "hi", "--method", "all")
    check_eq((done.returncode, control_of(gateway.requests[1])[0].get("replace-method")), (0, None), "all is the default")
    for code, want in (("2004", 2), ("3011", 3)):
        gateway = Gateway(bench, lambda r, c=code: yes(r, c, "no"))
        done = bench.run("pap-push", "replace", "old@pi", "--url", gateway.url, "--to", "+1555", "--text", "hi")
        check_eq(done.returncode, want, done.stdout)


CCQ = '<pap><ccq-response code="{code}" {query}><address address-value="WAPPUSH=+1555/TYPE=PLMN"/></ccq-response></pap>'
RDF = '<rdf:RDF xmlns:rdf="r">\u00fc</rdf:RDF>'


def parts(control, second, headers="Content-Type: application/rdf+xml"):
    return ("preamble\r\n--b0\r\nContent-Type: application/xml\r\n\r\n" + control + "\r\n--b0\r\n" + headers + "\r\n\r\n" +
            second + "\r\n--b0--\r\n")


@case
def capabilities_are_split_from_the_answer(bench):
    multipart = 'multipart/related; type="application/xml"; boundary="b0"'
    gateway = saying(bench, parts(CCQ.format(code=1000, query=""), RDF), multipart)
    done = bench.run("pap-push", "capabilities", "+1555", "--app", "x-wap-application:mms.ua", "--url", gateway.url)
    check_eq((done.returncode, done.stdout), (0, f"1000 OK address={A}\n{RDF}\n"), done.stderr)
    ccq = asked(gateway)
    check_eq((ccq.tag, ccq.get("app-id"), addresses(ccq)), ("ccq-message", "x-wap-application:mms.ua", [A]))
    out = bench.path("out.rdf")
    done = bench.run("pap-push", "capabilities", "+1555", "--out", out, "--url", gateway.url)
    check_eq((done.returncode, done.stdout), (0, f"1000 OK address={A}\n"))
    with open(out, encoding="utf-8") as f:
        check_eq(f.read(), RDF)
    told = json.loads(bench.run("pap-push", "capabilities", "+1555", "--json", "--url", gateway.url).stdout)
    check_eq((told["code"], told["capabilities"], told["addresses"]), (1000, RDF, [A]))
    told = json.loads(bench.run("pap-push", "capabilities", "+1555", "--json", "--out", out, "--url", gateway.url).stdout)
    check_eq((told["file"], "capabilities" in told), (out, False))
    gateway = saying(bench, parts(CCQ.format(code=1000, query='query-id="q"'), "PHJkZi8+\r\n",
                                  "Content-Type: application/rdf+xml\r\nContent-Transfer-Encoding: base64"), multipart)
    done = bench.run("pap-push", "capabilities", "+1555", "--id", "q", "--url", gateway.url)
    check_eq(done.stdout, f"1000 OK address={A}\n<rdf/>\n")


@case
def capabilities_that_are_not_known(bench):
    out = bench.path("none.rdf")
    for code, want in ((3008, 3), (2002, 2), (3001, 3)):
        gateway = saying(bench, CCQ.format(code=code, query=""))
        done = bench.run("pap-push", "capabilities", "+1555", "--out", out, "--url", gateway.url)
        check_eq((done.returncode, done.stdout.startswith(f"{code} "), os.path.exists(out)), (want, True, False), done.stderr)


@case
def answers_that_make_no_sense(bench):
    other = response("cancel-response", result(1000, [A]), "other")
    multipart = "multipart/related; boundary=b0"
    rows = [("cancel", "", "application/xml"), ("cancel", "<pap", "application/xml"), ("cancel", other, "application/xml"),
            ("cancel", response("statusquery-response", result(1001, [A], "pending")), "application/xml"),
            ("status", response("cancel-response", result(1000, [A])), "application/xml"),
            ("status", ACCEPTED.format(id="i@pi", code=1001, desc=""), "application/xml"),
            ("status", response("statusquery-response", ""), "application/xml"),
            ("capabilities", CCQ.format(code=1000, query='query-id="another"'), "application/xml"),
            ("capabilities", parts(CCQ.format(code=1000, query=""), RDF), "multipart/related"),
            ("capabilities", parts("<pap/>", RDF), multipart), ("capabilities", "nothing", multipart),
            ("capabilities", parts(CCQ.format(code=1000, query=""), "=", "Content-Transfer-Encoding: base64"), multipart),
            ("capabilities", parts(CCQ.format(code=1000, query=""), "x", "Content-Transfer-Encoding: uuencode"), multipart)]
    for command, body, content_type in rows:
        gateway = saying(bench, body, content_type)
        done = bench.run("pap-push", command, "i@pi", "--url", gateway.url)
        check_eq((done.returncode, done.stdout), (76, ""), f"{command} {body}: {done.stderr}")
        check(done.stderr.startswith("pap-push: "), done.stderr)
        told = json.loads(bench.run("pap-push", command, "i@pi", "--url", gateway.url, "--json").stdout)
        check_eq(told["exit"], 76)


@case
def usage(bench):
    url = ("--url", "http://127.0.0.1:1/")
    content = ("--to", "+1", "--text", "x")
    empty = bench.write("empty", "# nobody\n")
    long = bench.write("long", "x" * 2000 + "\n")
    rows = [("cancel",), ("cancel", "i"), ("cancel", *url), ("cancel", "", *url), ("cancel", "i", "", *url), ("cancel", "i",
            *url, "--to-file", bench.path("absent")), ("status", *url), ("status", "i", *url, "--pap-version", "9"),
            ("status", "i", *url, "--to", "+1"), ("status", "i", *url, "--to-file", long), ("replace", *url, *content),
            ("replace", "a", "b", *url, *content), ("replace", "a", *url, *content, "--method", "some"), ("replace", "a", *url,
            *content, "--delivery-method", "all"), ("replace", "a", *url, "--text", "x"), ("submit", "word", *url, *content),
            ("submit", *url, "--to-file", empty, "--text", "x"), ("capabilities", *url), ("capabilities", "+1", "+2", *url),
            ("capabilities", "+1"), ("cancel", "i", *url, "--json=1"), ("status", "i", *url, "--text", "x")]
    for args in rows:
        done = bench.run("pap-push", *args)
        check_eq((done.returncode, done.stdout), (64, ""), f"{args}: {done.stderr}")
        check(done.stderr.startswith("pap-push: "), f"{args}: {done.stderr}")
    gateway = saying(bench, parts(CCQ.format(code=1000, query=""), RDF), "multipart/related; boundary=b0")
    check_eq(bench.run("pap-push", "capabilities", "+1", "--out", "/absent/x", "--url", gateway.url).returncode, 64)
    check_eq(bench.run("pap-push", "status", "i", *url).returncode, 69)


@case
def help_of_each_command(bench):
    words = {"submit": "--to-file", "replace": "OLD-ID", "cancel": "[ADDRESS...]", "status": "[ADDRESS...]",
             "capabilities": "--out", "listen": "--count"}
    listed = bench.run("pap-push", "--help").stdout
    check("highest of their classes" in " ".join(listed.split()), listed)
    for command, word in words.items():
        done = bench.run("pap-push", command, "--help")
        check_eq((done.returncode, done.stderr), (0, ""))
        check(word in done.stdout and f"  {command} " in listed, done.stdout)
        check_eq(bench.run("pap-push", command, "--version").returncode, 0)


if __name__ == "__main__":
    main("pap_push")
