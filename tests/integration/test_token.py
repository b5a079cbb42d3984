"""Bearer tokens, made by another implementation, over the wire; authentication proxies; several mechanisms for one
initiator.  Usage: test_token.py BUILD_DIR."""

import base64
import http.client
import json
import os
import re
import ssl
import subprocess
import time

from gateway import Gateway, as_news, curl, make_identity, mime
from harness import case, check, check_eq, main

PHONE = "[terminal +15550100]\nroute = http://127.0.0.1:9\n"
QUIET = {"delivery.retry-first": "1h", "delivery.retry-max": "1h"}
ISSUER = "https://login.example"
RULES = "allow * +1555* *\n"
SYSTEM_PYTHON = "/usr/bin/python3"  # the one that Debian's packages are for

QUERY = ('<?xml version="1.0"?><!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP 2.0//EN" '
         '"http://www.wapforum.org/DTD/pap_2.0.dtd"><pap><statusquery-message push-id="{}"/></pap>')
CANCEL = QUERY.replace("statusquery-message", "cancel-message")
CCQ = ('<?xml version="1.0"?><!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP 2.0//EN" '
       '"http://www.wapforum.org/DTD/pap_2.0.dtd"><pap><ccq-message query-id="q">'
       '<address address-value="WAPPUSH=+15550100/TYPE=PLMN@ppg.example.net"/></ccq-message></pap>')

INITIATORS = f"""[token-issuer {ISSUER}]
audience  = https://ppg.example.net/pap
audience  = ppg
jwks-file = jwks.json
[initiator bank]
token = {ISSUER} bank
token = {ISSUER} bank-two
[initiator pass]
digest-user   = pass
password-file = ../password
basic         = yes
"""


def tokens(bench, *wanted):
    """One for each (alg, kid, claims, headers)."""
    lines = "\n".join(json.dumps({"alg": w[0], "kid": w[1], "claims": w[2], "headers": w[3] if len(w) > 3 else {}})
                      for w in wanted)
    maker = os.path.join(os.path.dirname(os.path.abspath(__file__)), "token_maker.py")
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run([SYSTEM_PYTHON, "-B", maker, bench.folder], input=lines, capture_output=True, text=True,
                          timeout=60, check=False, env=env)
    check_eq(done.returncode, 0, done.stderr)
    return done.stdout.split()


def claims(**changes):
    now = int(time.time())
    good = {"iss": ISSUER, "sub": "bank", "aud": "https://ppg.example.net/pap", "iat": now, "nbf": now, "exp": now + 600,
            "scope": "push.submit push.status"}
    return {k: v for k, v in {**good, **changes}.items() if v is not None}


def jwks(bench, *kids):
    keys = []
    for kid in kids:
        with open(bench.path(kid + ".jwk"), encoding="utf-8") as f:
            keys.append(json.load(f))
    return json.dumps({"keys": keys})


def opened(bench, keys, initiators=INITIATORS, **conf):
    make_identity(bench)
    gateway = Gateway(bench, PHONE, RULES, initiators, {**QUIET, **conf}, start=False)
    gateway.write("jwks.json", keys)
    return gateway.start()


def bearer(token):
    return ("-H", f"Authorization: Bearer {token}")


def ask(bench, gateway, document, *options):
    return curl(bench, gateway.tls_url, document.encode(), *options, content_type="application/xml")


@case
def each_algorithm(bench):
    made = tokens(bench, *[(alg, alg.lower(), claims()) for alg in ("RS256", "ES256", "EdDSA", "HS256")],
                  ("ES256", "es256", claims(aud=["x", "ppg"], sub="bank-two"), {"typ": "at+jwt"}))
    gateway = opened(bench, jwks(bench, "rs256", "es256", "eddsa", "hs256"))
    for i, token in enumerate(made):
        answer = curl(bench, gateway.tls_url, mime(push_id=f"t{i}"), *bearer(token))
        check_eq((answer.status, answer.code), (202, 1001), answer.head)
        check_eq(gateway.show(f"t{i}")["initiator"], "bank")
    done = gateway.ctl("push", "explain", "t0")
    check("bearer token from 127.0.0.1 over TLS" in done.stdout, done.stdout)


@case
def forged_and_old(bench):
    now = int(time.time())
    rows = [
        (("ES256", "es256", claims(exp=now - 100)), "expired"),
        (("ES256", "es256", claims(nbf=now + 3600)), "not valid yet"),
        (("ES256", "es256", claims(aud="https://other.example")), None),
        (("ES256", "es256", claims(aud=None)), None),
        (("ES256", "es256", claims(iss="https://evil.example")), None),
        (("ES256", "es256", claims(exp=None)), None),
        (("ES256", "stranger", claims(), {"kid": "es256"}), None),  # another's key under our name
        (("ES256", "stranger", claims()), None),
        (("PS256", "ps256", claims()), None),  # the key is not for that
        (("HS256", "shared", claims(), {"kid": "es256"}), None),
        (("ES256", "es256", claims(), {"crit": ["exp"]}), None),
    ]
    made = tokens(bench, *[row[0] for row in rows], ("ES256", "es256", claims()))
    gateway = opened(bench, jwks(bench, "es256"))
    header, payload, signature = made[-1].split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    more = [f"{none}.{payload}.", f"{none}.{payload}.{signature}", f"{header}.{payload}.", f"{header}.{payload}",
            f"{header}.{payload}.{signature[:-4]}", f"{header}.{payload}.{signature}=", "x", "x" * 4000]
    for i, (token, fault) in enumerate([(t, row[1]) for t, row in zip(made, rows)] + [(t, None) for t in more]):
        if i % 3 == 0:
            restarted(gateway)  # guesses slow their source; three are free
        answer = curl(bench, gateway.tls_url, mime(), *bearer(token))
        check_eq(answer.status, 401, (token, answer.head))
        check(f'WWW-Authenticate: Bearer realm="ppg", error="invalid_token", error_description="{fault or "not accepted"}"'
              in answer.head, answer.head)
    restarted(gateway)
    check_eq(curl(bench, gateway.tls_url, mime(), *bearer("x" * 4200)).status, 431)
    check_eq(curl(bench, gateway.tls_url, mime(), *bearer(made[-1])).status, 202)


def restarted(gateway):
    gateway.stop()
    gateway.start()


@case
def no_token_no_error(bench):
    """RFC 6750 §3.1: who brought nothing is told what there is, and no error; without TLS there are no tokens (§5.3)."""
    (token,) = tokens(bench, ("ES256", "es256", claims()))
    gateway = opened(bench, jwks(bench, "es256"))
    answer = curl(bench, gateway.tls_url, mime())
    check_eq(answer.status, 401)
    check(re.search(r'WWW-Authenticate: Bearer realm="ppg"\r\n', answer.head) and "error" not in answer.head, answer.head)
    check("WWW-Authenticate: Digest" in answer.head, answer.head)
    answer = curl(bench, gateway.url, mime(), *bearer(token))
    check_eq(answer.status, 401)
    check("Bearer" not in answer.head, answer.head)
    gateway.wait_event("auth.refused", reason="token without TLS")
    two = curl(bench, gateway.tls_url, mime(), *bearer(token), *bearer(token))
    check_eq(two.status, 401)
    gateway.wait_event("auth.refused", reason="Authorization stands twice")


@case
def guesses_slow_their_source(bench):
    (good,) = tokens(bench, ("ES256", "es256", claims()))
    gateway = opened(bench, jwks(bench, "es256"))
    statuses = [curl(bench, gateway.tls_url, mime(), *bearer(good[:-6] + "AAAAAA")).status for _ in range(4)]
    check_eq(statuses, [401] * 4)
    answer = curl(bench, gateway.tls_url, mime(), *bearer(good))
    check(answer.status in (429, 202), answer.head)  # 202 when this machine took more than a second
    gateway.wait_event("auth.refused", reason="no key of its issuer made this signature")


@case
def scopes(bench):
    """Each operation with each scope; push.admin is for no operation of PAP."""
    made = dict(zip(("submit", "status", "admin", "none"), tokens(
        bench, *[("EdDSA", "ed", claims(scope=s)) for s in ("push.submit", "push.status", "push.admin x", None)])))
    gateway = opened(bench, jwks(bench, "ed"))
    check_eq(curl(bench, gateway.tls_url, mime(push_id="p"), *bearer(made["submit"])).status, 202)
    replace = {"attributes": {"replace-push-id": "p"}}
    operations = {
        "submit": ("push.submit", lambda o: curl(bench, gateway.tls_url, mime(push_id="p2"), *o)),
        "replace": ("push.submit", lambda o: curl(bench, gateway.tls_url, mime(push_id="p3", **replace), *o)),
        "cancel": ("push.submit", lambda o: ask(bench, gateway, CANCEL.format("p"), *o)),
        "status": ("push.status", lambda o: ask(bench, gateway, QUERY.format("p"), *o)),
        "capabilities": ("push.status", lambda o: ask(bench, gateway, CCQ, *o)),
    }
    for name, (scope, operation) in operations.items():
        for kind, token in made.items():
            answer = operation(bearer(token))
            if scope == f"push.{kind}":
                check_eq(answer.status, 202, (name, kind, answer.head))
                continue
            check_eq(answer.status, 403, (name, kind, answer.head))
            check(f'WWW-Authenticate: Bearer realm="ppg", error="insufficient_scope", scope="{scope}"' in answer.head,
                  answer.head)
    gateway.check_events(5 * 3, "auth.scope")
    pass_all = ("--digest", "--user", "pass:correct-horse-7391")  # scopes bind tokens only
    check_eq(ask(bench, gateway, QUERY.format("p"), *pass_all).status, 202)


@case
def keys_rotate_by_reload(bench):
    old, new = tokens(bench, ("RS256", "old", claims()), ("ES256", "new", claims()))
    gateway = opened(bench, jwks(bench, "old"))
    check_eq(curl(bench, gateway.tls_url, mime(push_id="a"), *bearer(old)).status, 202)
    check_eq(curl(bench, gateway.tls_url, mime(push_id="b"), *bearer(new)).status, 401)
    gateway.write("jwks.json", jwks(bench, "old", "new"))
    check_eq(gateway.ctl("reload").returncode, 0)
    check_eq(curl(bench, gateway.tls_url, mime(push_id="c"), *bearer(old)).status, 202)
    check_eq(curl(bench, gateway.tls_url, mime(push_id="d"), *bearer(new)).status, 202)
    gateway.write("jwks.json", jwks(bench, "new"))
    check_eq(gateway.ctl("reload").returncode, 0)
    check_eq([e["delegates_changed"] for e in gateway.check_events(2, "reload.done")], [1, 1])
    check_eq(curl(bench, gateway.tls_url, mime(push_id="e"), *bearer(old)).status, 401)
    check_eq(curl(bench, gateway.tls_url, mime(push_id="f"), *bearer(new)).status, 202)
    gateway.write("jwks.json", "{}")  # a broken file changes nothing
    done = gateway.ctl("reload")
    check(done.returncode != 0 and "initiators.conf:4: jwks-file: no JWK Set" in done.stdout + done.stderr,
          done.stdout + done.stderr)
    check_eq(curl(bench, gateway.tls_url, mime(push_id="g"), *bearer(new)).status, 202)


@case
def one_connection_many_requests(bench):
    """A token that was good is remembered with its connection, until it ends; another on the same one is judged anew."""
    (good,) = tokens(bench, ("RS256", "rs", claims()))
    keep = INITIATORS.replace("jwks-file", "clock-skew = 0\njwks-file")
    gateway = opened(bench, jwks(bench, "rs"), keep)

    link = http.client.HTTPSConnection("localhost", gateway.tls_port, timeout=60,
                                       context=ssl.create_default_context(cafile=bench.path("ca.crt")))

    def status(token, n):
        link.request("POST", "/pap", mime(push_id=f"m{n}"), {
            "Authorization": "Bearer " + token, "Content-Type":
            'multipart/related; type="application/xml"; boundary="pap-boundary-7f3a"'})
        answer = link.getresponse()
        answer.read()
        return answer.status

    check_eq([status(good, n) for n in range(5)], [202] * 5)
    check_eq(status(good[:-6] + "AAAAAA", 5), 401)
    check_eq(status(good, 6), 202)
    end = int(time.time()) + 10
    (short,) = tokens(bench, ("RS256", "rs", claims(exp=end, nbf=end - 60)))
    n, last = 7, None
    while (last := status(short, n)) == 202 and time.time() < end + 60:
        n += 1
    check(last == 401 and int(time.time()) >= end and n > 7, (last, n, time.time() - end))
    gateway.wait_event("auth.refused", reason="expired")
    check_eq(status(good, n + 1), 202)


@case
def pap_push_with_a_token(bench):
    good, bad = tokens(bench, ("EdDSA", "ed", claims()), ("EdDSA", "other", claims(), {"kid": "ed"}))
    gateway = opened(bench, jwks(bench, "ed"))
    common = ("submit", "--ca", bench.path("ca.crt"), "--to", "+15550100", "--text", "hi")
    file = bench.write("token", good + "\n", 0o600)
    done = bench.run("pap-push", *common, "--url", gateway.tls_url, "--token-file", file)
    check_eq(done.returncode, 0, done.stderr)
    done = bench.run("pap-push", *common, "--url", gateway.url, "--token-file", file)
    check(done.returncode == 64 and "https" in done.stderr + done.stdout, done.stderr)
    done = bench.run("pap-push", *common, "--url", gateway.tls_url, "--token-file", file, "--user", "x",
                     "--password-file", file)
    check_eq(done.returncode, 64, done.stderr)
    bench.write("token", bad + "\n", 0o600)
    done = bench.run("pap-push", *common, "--url", gateway.tls_url, "--token-file", file)
    check_eq(done.returncode, 77, done.stderr)
    bench.write("token", "\n", 0o600)
    done = bench.run("pap-push", *common, "--url", gateway.tls_url, "--token-file", file)
    check_eq(done.returncode, 64, done.stderr)


@case
def shared_keys_are_kept_secret_and_long(bench):
    tokens(bench, ("HS256", "hs", claims()))
    gateway = opened(bench, jwks(bench, "hs"))
    for text, mode, fault in ((jwks(bench, "hs"), 0o644, "jwks-file: "),
                              ('{"keys":[{"kty":"oct","k":"MDEyMzQ1Njc4OWFiY2Rl"}]}', 0o600, "128 bits")):
        bench.write(gateway.path("jwks.json"), text, mode)
        done = bench.run("ppgd", "--check-config", "-c", gateway.path("ppg.conf"))
        check(done.returncode == 1 and fault in done.stdout + done.stderr, done.stdout + done.stderr)


# --- authentication proxies, and several mechanisms ---

PROXIED = """[auth-proxy ap]
certificate = DNS:ap.example
network     = 127.0.0.1
[initiator alice]
asserted-identity = sip:alice@example.com
asserted-identity = tel:+15550111
[initiator both]
certificate   = URI:https://news.example.com
digest-user   = both
password-file = ../password
require       = all
"""


def proxied(bench):
    make_identity(bench)
    bench.certificate(bench.authority, "ap", "DNS:ap.example")
    bench.certificate(bench.authority, "other", "DNS:other.example")
    return Gateway(bench, PHONE, RULES, PROXIED, QUIET)


def as_(bench, name):
    return ("--cert", bench.path(name + ".crt"), "--key", bench.path(name + ".key"))


def asserts(value):
    return ("-H", f"X-3GPP-Asserted-Identity: {value}")


@case
def proxy_is_believed(bench):
    gateway = proxied(bench)
    rows = [('"sip:alice@example.com"', 202), ('"tel:+15550111", "sip:alice@example.com"', 202), ('"sip:eve@example.com"', 403),
            ("sip:alice@example.com", 403), ('"sip:alice@example.com', 403)]
    for i, (value, status) in enumerate(rows):
        check_eq(curl(bench, gateway.tls_url, mime(push_id=f"p{i}"), *as_(bench, "ap"), *asserts(value)).status, status, value)
    check_eq(gateway.show("p0")["initiator"], "alice")
    said = gateway.ctl("push", "explain", "p0").stdout
    check('proxy that asserts "sip:alice@example.com" from 127.0.0.1 over TLS' in said, said)
    check_eq(curl(bench, gateway.tls_url, mime(), *as_(bench, "ap")).status, 403)
    intended = ("-H", 'X-3GPP-Intended-Identity: "sip:eve@example.com"')
    check_eq(curl(bench, gateway.tls_url, mime(), *as_(bench, "ap"), *asserts(rows[0][0]), *intended).status, 403)
    gateway.wait_event("auth.refused", reason="intended identity is not among the asserted ones")


@case
def assertion_of_anybody_else_is_ignored(bench):
    """Not over clear HTTP, not without a certificate, not with another, and not from elsewhere with the right one."""
    gateway = proxied(bench)
    forged = asserts('"sip:alice@example.com"')
    check_eq(curl(bench, gateway.url, mime(), *forged).status, 401)
    check_eq(curl(bench, gateway.tls_url, mime(), *forged).status, 401)
    check_eq(curl(bench, gateway.tls_url, mime(), *as_(bench, "other"), *forged).status, 403)
    gateway.wait_event("auth.asserted.ignored", count=3)
    gateway.write("initiators.conf", PROXIED.replace("127.0.0.1", "192.0.2.1"))
    check_eq(gateway.ctl("reload").returncode, 0)
    check_eq(curl(bench, gateway.tls_url, mime(), *as_(bench, "ap"), *forged).status, 403)
    gateway.wait_event("auth.asserted.ignored", count=4)


@case
def require_all_needs_all(bench):
    """The initiator without proxy: certificate and password, each alone is too little."""
    gateway = proxied(bench)
    password = ("--digest", "--user", "both:correct-horse-7391")
    check_eq(curl(bench, gateway.tls_url, mime(), *as_news(bench)).status, 401)
    check_eq(curl(bench, gateway.tls_url, mime(), *password).status, 403)
    check_eq(curl(bench, gateway.tls_url, mime(), *as_(bench, "other"), *password).status, 403)
    check_eq(curl(bench, gateway.tls_url, mime(push_id="b"), *as_news(bench), *password).status, 202)
    check_eq(gateway.show("b")["initiator"], "both")


@case
def network_proves_only_where_written(bench):
    make_identity(bench)
    alone = "[initiator lan]\nnetwork = 127.0.0.0/8\nnetwork-alone = yes\n"
    gateway = Gateway(bench, PHONE, RULES, alone, QUIET)
    check_eq(curl(bench, gateway.url, mime(push_id="n")).status, 202)
    said = gateway.ctl("push", "explain", "n").stdout
    check("network alone from 127.0.0.1" in said, said)
    for text in (alone.replace("127.0.0.0/8", "192.0.2.0/24"),
                 alone.replace("network-alone = yes", "certificate = DNS:x")):
        gateway.write("initiators.conf", text)
        check_eq(gateway.ctl("reload").returncode, 0)
        check_eq(curl(bench, gateway.url, mime()).status, 403)
    gateway.write("initiators.conf", alone.replace("network-alone = yes\n", ""))
    done = gateway.ctl("reload")
    check(done.returncode != 0 and "no way to authenticate" in done.stdout + done.stderr, done.stdout + done.stderr)


main("token")
