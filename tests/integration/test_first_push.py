"""A push from end to end through the built programs: submitted with curl and with pap-push, delivered to push-terminal,
told to pap-push listen; identities, rules, protection, and what the store keeps.  Usage: test_first_push.py BUILD_DIR."""

import hashlib
import re

from gateway import (ANY_LEVEL, KEY, PASSWORD, SAID, WHITELIST, Ear, Gateway, Terminal, as_news, curl, good_push, make_identity, mime,
                     pap_push, push)
from harness import case, check, check_eq, main, wait_until

MARK = "Mark-9f31c5-of-the-content"
PLAIN = ""  # a route without association


def one(bench, terminal=("--require", "full"), more="association-file = ../association\n", **gateway):
    """A gateway with one terminal, +15550100.  Rules demand full protection unless the terminal has no association."""
    gateway.setdefault("whitelist", WHITELIST if more else ANY_LEVEL)
    phone = Terminal(bench, *terminal, association=bool(more))
    return Gateway(bench, phone.route("+15550100", more=more), **gateway), phone


def refused(answer, code, word=""):
    check_eq((answer.status, answer.kind, answer.code), (202, "push-response", code), answer.desc)
    check(word in (answer.desc or ""), f"{word!r} is not in {answer.desc!r}")


@case
def curl_to_terminal_sealed(bench):
    gateway, phone = one(bench)
    ear = Ear(bench)
    answer = push(bench, gateway, content=MARK, attributes={"ppg-notify-requested-to": ear.url},
                  headers={"X-Wap-Initiator-URI": "https://news.example.com/"})
    check_eq((answer.status, answer.kind, answer.code, answer.push_id),
             (202, "push-response", 1001, "20240501-0001@news.example.com"))
    check('sender-address="https://ppg.example.net/pap"' in answer.body and "DTD PAP 2.0" in answer.body, answer.body)
    got = phone.wait_events(1)[0]
    wanted = {"content": MARK, "content_type": "text/vnd.wap.si", "initiator_uri": "https://news.example.com/",
              "authenticated": True, "trusted": True, "protection": "full", "tls": False, "sn": 1}
    check_eq({k: got.get(k) for k in wanted}, wanted)
    check(MARK.encode() not in phone.wire() and b"news.example.com" not in phone.wire(), "readable on the wire")
    check(b"application/x-push-gpl-a1" in phone.wire(), "not sealed")
    told = ear.wait_heard(1)
    wanted = {"push_id": "20240501-0001@news.example.com", "state": "delivered", "code": 1000}
    check_eq({k: told[0].get(k) for k in wanted}, wanted)
    check("WAPPUSH=+15550100/TYPE=PLMN@ppg.example.net" in str(told[0]), "the initiator's own spelling is not echoed")
    gateway.wait_event("notify.told")
    check_eq(gateway.show("20240501-0001@news.example.com")["targets"][0]["notification"], "told")


@case
def pap_push_to_terminal(bench):
    gateway, phone = one(bench)
    done = pap_push(bench, gateway, "--to", "+15550100", "--text", MARK, "--id", "p1", "--progress")
    check_eq((done.returncode, done.stdout.split("\n")[0]), (0, "1001 Accepted for Processing push-id=p1"), done.stderr)
    check("note stored" in done.stdout, done.stdout)
    got = phone.wait_events(1)[0]
    check_eq((got["content"], got["initiator_uri"]), (MARK, "https://news.example.com/"))
    check_eq(gateway.show("p1")["initiator"], "news")


@case
def notification_over_tls(bench):
    gateway, _ = one(bench, conf={"notify.ca": "../ca.crt"})
    cert, key = bench.certificate(bench.authority, "ear")
    ear = Ear(bench, "--cert", cert, "--key", key)
    good_push(bench, gateway, attributes={"ppg-notify-requested-to": ear.url})
    check_eq(ear.wait_heard(1)[0]["state"], "delivered")


@case
def passwords(bench):
    gateway, phone = one(bench, conf={"pap.digest-md5": "yes"})
    login, ca = ("--user", f"pass:{PASSWORD}"), bench.path("ca.crt")
    bodies = [mime(push_id=f"c{i}") for i in range(4)]
    check_eq(curl(bench, gateway.url, bodies[0], "--digest", *login).code, 1001, "Digest on clear")
    check_eq(curl(bench, gateway.tls_url, bodies[1], "--digest", *login).code, 1001, "Digest inside TLS")
    check_eq(curl(bench, gateway.tls_url, bodies[2], "--basic", *login).code, 1001, "Basic inside TLS")
    check_eq(curl(bench, gateway.url, bodies[3], "--basic", *login).status, 401, "Basic on clear")
    tool = ("--to", "+15550100", "--text", "x", "--user", "pass", "--password-file", bench.path("password"))
    done = bench.run("pap-push", "submit", "--url", gateway.url, *tool)
    check_eq(done.returncode, 0, f"pap-push Digest: {done.stderr}")
    done = bench.run("pap-push", "submit", "--url", gateway.tls_url, "--ca", ca, "--basic", *tool)
    check_eq(done.returncode, 0, f"pap-push over TLS: {done.stderr}")
    phone.wait_events(5)
    check_eq({p["initiator"] for p in (gateway.show(i) for i in ("c0", "c1", "c2"))}, {"pass"})


def challenges(answer):
    return re.findall(r"(?im)^www-authenticate: (\w+)(.*)$", answer.head)


@case
def challenges_offered(bench):
    gateway, _ = one(bench, conf={"pap.digest-md5": "yes"})
    clear = curl(bench, gateway.url, mime())
    check_eq(([c[0] for c in challenges(clear)], clear.status), (["Digest", "Digest"], 401))
    check([re.search(r"algorithm=([\w-]+)", c[1]).group(1) for c in challenges(clear)] == ["SHA-256", "MD5"], clear.head)
    inside = curl(bench, gateway.tls_url, mime())
    check_eq([c[0] for c in challenges(inside)], ["Digest", "Digest", "Basic"])


def digest_header(answer, algorithm, password):
    """Authorization by the formulas of RFC 7616 §3.4, for either algorithm."""
    def h(text):
        return (hashlib.md5 if algorithm == "MD5" else hashlib.sha256)(text.encode()).hexdigest()

    offer = next(c[1] for c in challenges(answer) if f"algorithm={algorithm}," in c[1] + ",")
    got = {k: q or t for k, q, t in re.findall(r'(\w+)=(?:"([^"]*)"|([^,\s]+))', offer)}
    ha1 = h(f"pass:{got['realm']}:{password}")
    response = h(f"{ha1}:{got['nonce']}:00000001:0a4f:auth:{h('POST:/pap')}")
    return (f'Authorization: Digest username="pass", realm="{got["realm"]}", nonce="{got["nonce"]}", uri="/pap", '
            f'algorithm={algorithm}, qop=auth, nc=00000001, cnonce="0a4f", response="{response}"'
            + (f', opaque="{got["opaque"]}"' if "opaque" in got else ""))


@case
def digest_each_algorithm(bench):
    gateway, _ = one(bench, conf={"pap.digest-md5": "yes"})
    for algorithm in ("SHA-256", "MD5"):
        header = digest_header(curl(bench, gateway.url, mime()), algorithm, PASSWORD)
        answer = curl(bench, gateway.url, mime(push_id=algorithm), "-H", header)
        check_eq((answer.status, answer.code), (202, 1001), algorithm)
        check("rspauth=" in answer.headers.get("authentication-info", ""), "no proof of the gateway's own")
        again = curl(bench, gateway.url, mime(push_id="replay"), "-H", header)
        check_eq(again.status, 401, "a nonce count used twice")
        check("stale=true" in again.head, again.head)


@case
def md5_only_where_wanted(bench):
    gateway, _ = one(bench)
    answer = curl(bench, gateway.url, mime())
    check("MD5" not in answer.head, answer.head)


@case
def wrong_password_slows_down(bench):
    gateway, _ = one(bench, conf={"gateway.loops": "2"})
    statuses, answer = [], None
    while 429 not in statuses and len(statuses) < 10:  # on a slow machine the first waits may be over before we ask
        answer = curl(bench, gateway.tls_url, mime(), "--basic", "--user", "pass:guess")
        statuses.append(answer.status)
    check_eq((statuses[:4], set(statuses[4:-1]) <= {401}, statuses[-1]), ([401] * 4, True, 429))
    check(int(answer.headers["retry-after"]) >= 1, answer.head)
    gateway.check_events(statuses.count(401), "auth.refused", reason="wrong user name or password, or Basic not allowed here")
    gateway.wait_event("auth.slowed")


@case
def certificates_refused_each_for_its_reason(bench):
    make_identity(bench)
    strange = bench.ca("strange")
    ca = bench.authority
    rows = [("unmapped", bench.certificate(ca, "unmapped", "URI:https://other.example.com"), "certificate of no initiator")]
    gateway, _ = one(bench, initiators="[initiator news]\ncertificate = URI:https://news.example.com\n"
                                       "initiator-uri = https://news.example.com/*\n")
    answer = curl(bench, gateway.tls_url, mime(), "--cert", rows[0][1][0], "--key", rows[0][1][1])
    check_eq(answer.status, 403)
    gateway.wait_event("auth.refused", reason=rows[0][2])
    check_eq(curl(bench, gateway.tls_url, mime()).status, 403)
    gateway.wait_event("auth.refused", reason="no certificate")
    names = {"untrusted": bench.certificate(strange, "untrusted", "URI:https://news.example.com"), "expired":
             expired(bench, ca)}
    for name, (cert, key) in names.items():
        done = bench.run("/usr/bin/curl", "-sS", "--max-time", "60", "--cacert", ca[0], "--cert", cert, "--key", key,
                         "--data-binary", "x", gateway.tls_url)
        check(done.returncode != 0, f"{name} was let in: {done.stdout}")
        wait_until(lambda n=name: re.search(n if n == "expired" else "untrusted|not trusted|unknown|issuer", gateway.said()),
                   f"the reason of the {name} certificate in the log: {gateway.said()[-1500:]}")
    good_push(bench, gateway)


def expired(bench, ca):
    """A leaf whose time was over in 2020."""
    cert, key = bench.path("expired.crt"), bench.path("expired.key")
    bench.tool("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=old",
               "-keyout", key, "-out", bench.path("expired.csr"))
    bench.write("index.txt", "")
    bench.write("serial", "01\n")
    conf = bench.write("ca.cnf", f"[ca]\ndefault_ca=d\n[d]\ndatabase={bench.path('index.txt')}\nserial="
                       f"{bench.path('serial')}\nnew_certs_dir={bench.folder}\ndefault_md=sha256\npolicy=p\n"
                       "x509_extensions=x\n[p]\ncommonName=supplied\n[x]\nsubjectAltName=URI:https://news.example.com\n")
    bench.tool("openssl", "ca", "-batch", "-notext", "-config", conf, "-in", bench.path("expired.csr"), "-out", cert, "-cert",
               ca[0], "-keyfile", ca[1], "-startdate", "20200101000000Z", "-enddate", "20200201000000Z")
    return cert, key


@case
def tls_terminal_needs_no_seal(bench):
    make_identity(bench)
    cert = bench.certificate(bench.authority, "phone")
    phone = Terminal(bench, "--cert", cert[0], "--key", cert[1], "--ca", bench.authority[0], "--require", "full",
                     "--server", "ppg.example.net", "--trusted-only", association=False)
    gateway = Gateway(bench, phone.route("+15550100", "https", PLAIN), "allow news * * protect=full")
    push_id = good_push(bench, gateway, content=MARK)
    got = phone.wait_events(1)[0]
    wanted = {"content": MARK, "tls": True, "server_proved": True, "server": "ppg.example.net", "protection": "none",
              "authenticated": True, "trusted": True}
    check_eq({k: got.get(k) for k in wanted}, wanted)
    why = gateway.wait_state(push_id, "delivered")["targets"][0]["protection"]
    check("transport" in why.lower() or "tls" in why.lower(), why)


@case
def tls_terminal_of_another_name(bench):
    make_identity(bench)
    cert = bench.certificate(bench.authority, "phone", "DNS:elsewhere.example")
    phone = Terminal(bench, "--cert", cert[0], "--key", cert[1], "--ca", bench.authority[0], association=False)
    route = phone.route("+15550100", "https", PLAIN)
    gateway = Gateway(bench, route)
    push_id = good_push(bench, gateway)
    gateway.wait_event("target.retry")
    check_eq((gateway.show(push_id)["targets"][0]["state"], phone.events()), ("pending", []))
    gateway.write("terminals.conf", route + "tls-name = elsewhere.example\n")
    check_eq(gateway.ctl("reload").returncode, 0)
    gateway.wait_state(push_id, "delivered")


@case
def integrity_only(bench):
    gateway, phone = one(bench, terminal=("--require", "integrity"), whitelist=ANY_LEVEL)
    good_push(bench, gateway, content=MARK, headers={"X-Push-Protection": "integrity"})
    got = phone.wait_events(1)[0]
    check_eq((got["content"], got["authenticated"]), (MARK, True))
    check(got["protection"] in ("integrity", "full"), got)
    bench.write("association", f"said = {SAID}\nkey = {KEY}\nsuites = hmac-sha256\nexpires = never\n", 0o600)
    other = Terminal(bench, "--require", "integrity")
    gateway = Gateway(bench, other.route("+15550100"), ANY_LEVEL)
    good_push(bench, gateway, content=MARK, headers={"X-Push-Protection": "integrity"})
    got = other.wait_events(1)[0]
    check_eq((got["content"], got["protection"], got["suite"]), (MARK, "integrity", "hmac-sha256"))
    check(MARK.encode() in other.wire(), "this suite does not hide")
    refused(push(bench, gateway, push_id="f", headers={"X-Push-Protection": "full"}), 2005)


@case
def protection_demanded_and_not_possible(bench):
    """Asked by the initiator, demanded by a rule, by the floor; beyond the ceiling: 2005 and nothing on the wire."""
    full = {"X-Push-Protection": "full"}
    demands = "allow news +1555* * protect=full"
    rows = [({}, None, full), ({}, demands, {}), ({"protection.floor": "full"}, None, {}),
            ({"protection.floor": "integrity"}, None, {})]
    for conf, whitelist, headers in rows:
        gateway, phone = one(bench, more=PLAIN, terminal=(), conf=conf, whitelist=whitelist or ANY_LEVEL)
        refused(push(bench, gateway, headers=headers), 2005)
        check_eq(phone.events(), [])
    gateway, phone = one(bench, conf={"protection.ceiling": "integrity"}, whitelist=demands)
    refused(push(bench, gateway), 2005)
    check_eq(gateway.query("SELECT count(*) FROM push"), [["0"]])


@case
def protection_met(bench):
    for conf, whitelist, headers in (({}, None, {"X-Push-Protection": "full"}), ({}, "allow news * * protect=full", {}),
                                     ({"protection.floor": "full"}, None, {"X-Push-Protection": "none"})):
        gateway, phone = one(bench, conf=conf, whitelist=whitelist or ANY_LEVEL)
        good_push(bench, gateway, headers=headers, content=MARK)
        check_eq(phone.wait_events(1)[0]["protection"], "full")
        check(MARK.encode() not in phone.wire(), "readable on the wire")


@case
def unprotected_push_is_flagged_by_header_alone(bench):
    gateway, phone = one(bench, more=PLAIN, terminal=())
    good_push(bench, gateway, content=MARK, headers={"X-Wap-Content-URI": "http://c.example/1", "Etag": '"x"'})
    got = phone.wait_events(1)[0]
    check_eq((got["content"], got["protection"], got["authenticated"], got["trusted"]), (MARK, "none", False, False))
    wire = phone.wire().decode()
    check(re.search(r"(?im)^X-Wap-Push-Info: authenticated, trusted\r$", wire), wire)
    check('Etag: "x"\r\n' in wire and "X-Wap-Content-URI: http://c.example/1\r\n" in wire, wire)


@case
def terminal_drops_below_its_floor(bench):
    gateway, phone = one(bench, more=PLAIN)
    push_id = good_push(bench, gateway)
    phone.wait_events(1, "dropped")
    target = gateway.wait_state(push_id, "aborted")["targets"][0]
    check_eq((target["code"], phone.events()), (5027, []))


@case
def rules_refuse(bench):
    lists = ("allow news +1555* *\nallow news +1666* x-wap-application:mms.ua\nallow news bob@example.com *\n"
             "deny * +15550199 *\ndeny * +1556* *\n")
    gateway, phone = one(bench, whitelist=lists)
    rows = [("+15550199", 2001), ("+4455", 2001), ("+16660001", 2001), ("+15550101", 2002),
            ("WAPPUSH=bob%40example.com/TYPE=USER", 2002), ("WAPPUSH=+1x/TYPE=PLMN", 2002), ("", 2002)]
    for i, (to, code) in enumerate(rows):
        answer = push(bench, gateway, push_id=f"r{i}", to=(to,))
        check_eq((to, answer.kind, answer.code, answer.push_id), (to, "push-response", code, f"r{i}"), answer.desc)
    denied = gateway.check_events(1, "whitelist.denied", push_id="r0")
    check_eq(denied[0]["line"], 4)
    check(denied[0]["file"].endswith("whitelist.conf"), denied)
    refused(push(bench, gateway, push_id="two", to=("+15550100", "+15550199")), 2001)
    check_eq((phone.events(), gateway.query("SELECT count(*) FROM push")), ([], [["0"]]))


@case
def no_rule_is_no(bench):
    gateway, _ = one(bench, whitelist="# nobody\n")
    refused(push(bench, gateway), 2001)


@case
def duplicate_id_is_per_initiator(bench):
    gateway, phone = one(bench)
    good_push(bench, gateway, push_id="same", content="first")
    refused(push(bench, gateway, push_id="same", content="second"), 2007)
    answer = curl(bench, gateway.tls_url, mime(push_id="same", content="third"), "--basic", "--user", f"pass:{PASSWORD}")
    check_eq(answer.code, 1001, "another initiator's id")
    check_eq({e["content"] for e in phone.wait_events(2)}, {"first", "third"})


@case
def foreign_uri_loses_the_flag(bench):
    gateway, phone = one(bench)
    good_push(bench, gateway, headers={"X-Wap-Initiator-URI": "https://bank.example/"})
    got = phone.wait_events(1)[0]
    check_eq((got["initiator_uri"], got["authenticated"], got["trusted"]), ("https://bank.example/", False, True))
    gateway.wait_event("initiator.foreign-uri", uri=gateway.token("https://bank.example/"))


@case
def initiator_sets_no_gateway_header(bench):
    forged = {"X-Wap-Push-Info": "authenticated, trusted", "Push-Flag": "7", "X-Wap-Push-OTA-Version": "9.9",
              "x-wap-cpitag": "zzzzzzz", "X-Wap-Terminal-Id": "4+1", "X-Push-Message-ID": "forged-id", "Authorization":
              "Basic Zm9yZ2Vk", "Cookie": "forged=1", "X-Wap-Initiator-URI": "https://bank.example/"}
    phone = Terminal(bench, association=False)
    gateway = Gateway(bench, phone.route("+15550100", more=PLAIN), ANY_LEVEL, initiators="[initiator news]\ncertificate = URI:https"
                      "://news.example.com\ninitiator-uri = https://news.example.com/*\n")
    good_push(bench, gateway, headers=forged)
    got = phone.wait_events(1)[0]
    check_eq((got["authenticated"], got["trusted"], got["message_id"] == "forged-id"), (False, False, False))
    wire = phone.wire().decode().lower()
    for word in ("x-wap-push-info", "push-flag", "version: 9.9", "zzzzzzz", "terminal-id: 4+1", "forged"):  # its tag is any base64
        check(word not in wire, f"{word} reached the terminal:\n{wire}")


@case
def many_recipients(bench):
    a, b = Terminal(bench), Terminal(bench)
    bench.write("association2", f"said = {SAID[:-1]}2\nkey = {KEY}\nsuites = aes-ctr-hmac-sha256\nexpires = never\n", 0o600)
    b.kill()
    b = Terminal(bench, "--association", bench.path("association2"), association=False)
    gateway = Gateway(bench, a.route("+15550100") + b.route("+15550101", more="association-file = ../association2\n"))
    ear = Ear(bench)
    push_id = good_push(bench, gateway, to=("+15550100", "+15550101", "+1555-0100"), content=MARK,
                        attributes={"ppg-notify-requested-to": ear.url})
    check_eq([t.wait_events(1)[0]["content"] for t in (a, b)], [MARK, MARK])
    told = ear.wait_heard(2)
    gateway.wait_event("notify.told", 2)
    check_eq((len(ear.heard()), {t["push_id"] for t in told}, {t["state"] for t in told}), (2, {push_id}, {"delivered"}))
    check_eq(len({str(t) for t in told}), 2, "each told of an address of its own")
    wait_until(lambda: gateway.query("SELECT count(*) FROM notice") == [["0"]], "the outbox to be empty")
    check_eq(gateway.query("SELECT (SELECT count(*) FROM push), (SELECT count(*) FROM target)"), [["1", "2"]])
    check_eq(gateway.query("SELECT stage, code, notified FROM target"), [["2", "1000", "2"]] * 2)


@case
def store_keeps_no_key(bench):
    gateway, phone = one(bench)
    push_id = good_push(bench, gateway, content=MARK)
    phone.wait_events(1)
    gateway.wait_state(push_id, "delivered")
    check_eq(gateway.query(f"SELECT count(*) FROM push WHERE body = CAST('{MARK}' AS BLOB)"), [["1"]])
    check_eq(gateway.query("SELECT hex(said), next FROM number"), [[SAID.upper(), "17"]])
    check_eq(gateway.stop(), 0)
    with open(gateway.path("store.db"), "rb") as f:
        data = f.read()
    dump = bench.tool("sqlite3", gateway.path("store.db"), ".dump").lower()
    for secret in (bytes.fromhex(KEY), KEY.encode(), PASSWORD.encode()):
        check(secret not in data, "a secret is in the store")
    check(KEY not in dump and PASSWORD not in dump, "a secret is in the store")


@case
def unreachable_then_back(bench):
    gateway, phone = one(bench)
    phone.kill()
    ear = Ear(bench)
    push_id = good_push(bench, gateway, attributes={"ppg-notify-requested-to": ear.url})
    gateway.wait_event("target.retry", 2)
    check_eq((gateway.show(push_id)["targets"][0]["state"], ear.heard()), ("pending", []))
    phone.start()
    phone.wait_events(1)
    check_eq(ear.wait_heard(1)[0]["state"], "delivered")


@case
def expires_when_nobody_is_there(bench):
    gateway, phone = one(bench, conf={"pap.default-lifetime": "1s"})
    phone.kill()
    ear = Ear(bench)
    push_id = good_push(bench, gateway, attributes={"ppg-notify-requested-to": ear.url})
    told = ear.wait_heard(1)[0]
    check_eq((told["push_id"], told["state"], told["code"]), (push_id, "expired", 4000))


@case
def line_feeds_alone_are_taken(bench):
    """[PAP §11]: the MIME body of the field."""
    gateway, phone = one(bench)
    answer = curl(bench, gateway.tls_url, mime(content="two\nlines").replace(b"\r\n", b"\n"), *as_news(bench))
    check_eq(answer.code, 1001, answer.desc)
    check_eq(phone.wait_events(1)[0]["content"], "two\nlines")


main("first_push")
