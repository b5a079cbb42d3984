"""Acceptance statements of tests/conformance/requirements.csv that no other suite holds, each case naming the rows it
proves, through the built programs.  Usage: test_conformance.py BUILD_DIR."""

import base64
import csv
import http.server
import json
import os
import re
import socket
import ssl
import subprocess
import threading

from gateway import (ANY_LEVEL, INITIATORS, KEY, PASSWORD, WHITELIST, Ear, Gateway, Relay, Terminal, as_news, curl,
                     good_push, make_identity, mime, pap_push, push)
from harness import case, check, check_eq, free_port, main, wait_until, whole_lines
from sipnet import ALICE, OPEN, route
from sipuas import Device
from terminal import Terminal as FedTerminal
from terminal import association, inner, seal

MARK = "Mark-5d21e7-of-the-content"
FULL = {"X-Push-Protection": "full"}
SERVER = ("--server", "ppg.example.net")
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def tls_options(bench, name="phone"):
    """push-terminal options: TLS with a certificate of its own, the gateway's demanded."""
    make_identity(bench)
    cert, key = bench.certificate(bench.authority, name)
    return ("--cert", cert, "--key", key, "--ca", bench.authority[0])


def openssl_ca(bench, *args):
    """`openssl ca` as the case's authority."""
    if not os.path.exists(bench.path("ca.cnf")):
        bench.write("index.txt", "")
        bench.write("serial", "01\n")
        bench.write("ca.cnf", f"[ca]\ndefault_ca=d\n[d]\ndatabase={bench.path('index.txt')}\nserial={bench.path('serial')}\n"
                    f"new_certs_dir={bench.folder}\ndefault_md=sha256\ndefault_crl_days=2\npolicy=p\nx509_extensions=x\n"
                    "[p]\ncommonName=supplied\n[x]\nsubjectAltName=DNS:ppg.example.net\n")
    bench.tool("openssl", "ca", "-batch", "-notext", "-config", bench.path("ca.cnf"), "-cert", bench.authority[0], "-keyfile",
               bench.authority[1], *args)


def expired(bench):
    cert, key = bench.certificate(bench.authority, "expired", "DNS:ppg.example.net")
    openssl_ca(bench, "-in", bench.path("expired.csr"), "-out", cert, "-startdate", "20200120000000Z", "-enddate",
               "20200201000000Z")
    return cert, key


def revoked(bench):
    """A certificate, and the list that revokes it."""
    pair, crl = bench.certificate(bench.authority, "revoked", "DNS:ppg.example.net"), bench.path("ca.crl")
    openssl_ca(bench, "-revoke", pair[0])
    openssl_ca(bench, "-gencrl", "-out", crl)
    return pair, crl


def client_context(bench, pair):
    tls = ssl.create_default_context(cafile=bench.authority[0])
    tls.load_cert_chain(*pair)
    return tls


@case
def gateway_certificates_refused_by_name(bench):
    """PTM-12: expired, revoked, untrusted, wrong name: the terminal refuses each under a name of its own."""
    options = tls_options(bench)
    ca = bench.authority
    gone, crl = revoked(bench)
    rows = [("cert-expired", expired(bench)), ("cert-revoked", gone),
            ("cert-untrusted", bench.certificate(bench.ca("strange"), "untrusted", "DNS:ppg.example.net"))]
    phone = Terminal(bench, *options, *SERVER, "--crl", crl, association=False)
    for count, (reason, pair) in enumerate(rows, 1):
        try:
            with socket.create_connection(("127.0.0.1", phone.port), timeout=60) as s, \
                    client_context(bench, pair).wrap_socket(s, server_hostname="localhost") as inside:
                inside.sendall(b"OPTIONS /wappush HTTP/1.1\r\nHost: t\r\n\r\n")  # TLS 1.3: refused behind our last octet
                check_eq(inside.recv(100), b"", reason)
        except OSError:
            pass
        lines = wait_until(lambda n=count: len(l := re.findall(r'.*"tls.client.[a-z-]+".*(?=\n)', phone.program.err())) == n and l, reason)
        said = json.loads(lines[-1])
        check_eq((said["event"], said["reason"]), (reason.replace("cert-", "tls.client."), reason))
    check_eq(phone.program.out(), "", "what it took")
    other = bench.certificate(ca, "other", "DNS:other.example.net")
    fed = FedTerminal(bench, *options, *SERVER, "--crl", crl, tls=client_context(bench, other))
    check_eq(fed.tag, None, "a tag told to another server")
    check_eq(json.loads(fed.program.lines()[0])["reason"], "server")
    good = bench.path("gateway.crt"), bench.path("gateway.key")
    fed = FedTerminal(bench, *options, *SERVER, "--crl", crl, tls=client_context(bench, good))
    check(fed.tag, "the right one was refused")


@case
def authentication_alone_is_no_service(bench):
    """PTM-16: a terminal with a good certificate gets nothing without its registration, an initiator with one may
    nothing without a rule."""
    options = tls_options(bench)
    phone = Terminal(bench, *options, *SERVER, "--terminal-id", "4+15550100", association=False)
    initiators = INITIATORS + "[initiator guest]\ncertificate = URI:https://guest.example.com\n"
    route = phone.route("+15550100", "https", "")
    gateway = Gateway(bench, route.replace("+15550100", "+15550111"), ANY_LEVEL, initiators)
    answer = push(bench, gateway, push_id="unknown", content=MARK)
    check_eq((answer.kind, answer.code), ("push-response", 2002), answer.desc)
    check_eq(phone.wire(), b"", "spoken to without a section of its own")
    gateway.write("terminals.conf", route + "terminal-id = 4+15550999\n")  # it registers as somebody else
    check_eq(gateway.ctl("reload").returncode, 0)
    good_push(bench, gateway, content=MARK)
    phone.wait_events(1, "registered")
    gateway.wait_event("deliver.done")
    check(MARK.encode() not in phone.wire() and not phone.events(), "content for one that registered as another")
    gateway.write("terminals.conf", route + "terminal-id = 4+15550100\n")
    check_eq(gateway.ctl("reload").returncode, 0)
    good_push(bench, gateway, content=MARK)
    phone.wait_events(1)
    cert, key = bench.certificate(bench.authority, "guest", "URI:https://guest.example.com")
    answer = curl(bench, gateway.tls_url, mime(push_id="guest"), "--cert", cert, "--key", key)
    check_eq((answer.status, answer.kind, answer.code), (202, "push-response", 2001), answer.desc)


@case
def server_struck_off_the_list(bench):
    """PTM-17, SEC_CF-AUTH-007: what was accepted from a listed server is not once it is off the terminal's list."""
    phone = Terminal(bench, *tls_options(bench), *SERVER, "--server", "other.example.net", association=False)
    gateway = Gateway(bench, phone.route("+15550100", "https", ""), "allow news * * protect=full")
    good_push(bench, gateway)
    phone.wait_events(1)
    phone.kill()
    phone.options.remove("ppg.example.net")
    phone.options.remove("--server")
    phone.start()
    good_push(bench, gateway)
    dropped = phone.wait_events(1, "dropped")[0]
    check_eq((dropped["reason"], dropped["server"], dropped["server_proved"]), ("server", "localhost", True))
    gateway.wait_event("deliver.done", 2)
    check_eq(len(phone.events()), 1)


@case
def initiator_and_trust_are_disclosed(bench):
    """PTM-19: the headers name the initiator, and say "authenticated" of the URI that its account may claim, and only of
    that."""
    for uri, info in (("https://news.example.com/a", b"X-Wap-Push-Info: authenticated, trusted\r\n"),
                      ("https://bank.example/", b"X-Wap-Push-Info: trusted\r\n")):
        phone = Terminal(bench, association=False)
        gateway = Gateway(bench, phone.route("+15550100", more=""), ANY_LEVEL)
        good_push(bench, gateway, headers={"X-Wap-Initiator-URI": uri})
        phone.wait_events(1)
        wire = phone.wire()
        check(b"X-Wap-Initiator-URI: " + uri.encode() + b"\r\n" in wire and info in wire, wire)
        check_eq(b"authenticated" in wire, b"authenticated" in info)


@case
def only_the_trusted(bench):
    """PTM-20: a terminal that wants trusted content only gets it from the trusted initiator and drops the other's."""
    phone = Terminal(bench, "--trusted-only", "--require", "full")
    gateway = Gateway(bench, phone.route("+15550100"))
    answer = curl(bench, gateway.tls_url, mime(push_id="p"), "--basic", "--user", f"pass:{PASSWORD}")
    check_eq(answer.code, 1001, answer.desc)
    check_eq(phone.wait_events(1, "dropped")[0]["reason"], "untrusted")
    gateway.wait_state("p", "aborted")
    good_push(bench, gateway, content=MARK)
    got = phone.wait_events(1)
    check_eq([(e["content"], e["trusted"]) for e in got], [(MARK, True)])


@case
def accepted_as_full_stays_full(bench):
    """CPM-05: accepted as full over TLS for a terminal on TLS; nothing leaves when only a clear way is left."""
    phone = Terminal(bench, *tls_options(bench), association=False)
    route = phone.route("+15550100", "https", "")
    gateway = Gateway(bench, route, ANY_LEVEL)
    phone.kill()
    push_id = good_push(bench, gateway, headers=FULL, content=MARK)
    gateway.wait_event("target.retry")
    clear = Terminal(bench, association=False, port=phone.port)
    gateway.write("terminals.conf", route.replace("https:", "http:"))
    check_eq(gateway.ctl("reload").returncode, 0)
    target = gateway.wait_state(push_id, "undeliverable")["targets"][0]
    check_eq(target["code"], 2005)
    answer = push(bench, gateway, push_id="again", headers=FULL, content=MARK)
    check_eq((answer.kind, answer.code), ("push-response", 2005), answer.desc)
    check_eq((clear.events(), MARK.encode() in clear.wire()), ([], False))
    good_push(bench, gateway, content="in the open")
    check_eq(clear.wait_events(1)[0]["content"], "in the open")


@case
def encrypted_content_passes_untouched(bench):
    """DM-15: what the initiator encrypted by a technique of its own arrives as it was, sealed once more or not."""
    content = bytes(range(256)) * 20 + b"\r\n.\r\n--pap-boundary-7f3a--\r\n\0"
    path, kind = bench.write("content", content), 'application/x-nobodys-cipher; mode="7"'
    for sealed in (True, False):
        phone = Terminal(bench, association=sealed)
        gateway = Gateway(bench, phone.route("+15550100") if sealed else phone.route("+15550100", more=""),
                          WHITELIST if sealed else ANY_LEVEL)
        done = pap_push(bench, gateway, "--to", "+15550100", "--file", path, "--type", kind)
        check_eq(done.returncode, 0, done.stderr)
        got = phone.wait_events(1)[0]
        check_eq(got["content_type"], kind)
        check_eq(base64.b64decode(got["content_base64"]), content)


@case
def withdrawn_parts_demand_nothing(bench):
    """DM-19: no row but that one is about S/MIME or the old clause 5.5.3; and an initiator and a terminal that use S/MIME over SIP
    (RFC 3261 §23) between themselves get it as it was made."""
    with open(os.path.join(TOP, "tests", "conformance", "requirements.csv"), encoding="utf-8", newline="") as f:
        rows = [row for row in csv.DictReader(f) if row["id"] != "DM-19"]
    check(len(rows) > 100, rows)
    for row in rows:
        check("S/MIME" not in row["demand"] + row["acceptance"], row)
        check(row["document"] != "OMA DM message security" or "5.5.3" not in row["clause"], row)
    make_identity(bench)
    cert, key = bench.certificate(bench.authority, "reader")
    bench.write("plain", MARK)
    bench.tool("openssl", "cms", "-encrypt", "-binary", "-aes-256-cbc", "-in", bench.path("plain"), "-outform", "DER", "-out", bench.path("sent.p7m"), cert)
    device, kind = Device(bench), "application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m"
    gateway = Gateway(bench, route(f"sip:alice@127.0.0.1:{device.port};transport=tcp", "form = direct\n"), OPEN,
                      conf={"ota-sip.large-messages": "yes"})
    done = pap_push(bench, gateway, "--to", ALICE, "--file", bench.path("sent.p7m"), "--type", kind, "--id", "p")
    check_eq(done.returncode, 0, done.stdout + done.stderr)
    gateway.wait_state("p", "delivered")
    came = device.wait(1)[0]
    check_eq(came["Content-Type"].replace(" ", ""), kind.replace(" ", ""))
    with open(bench.path("came.p7m"), "wb") as f:
        f.write(came.body)
    check_eq(bench.tool("openssl", "cms", "-decrypt", "-inform", "DER", "-in", bench.path("came.p7m"), "-recip", cert, "-inkey", key), MARK)


def sealed_body(wire):
    """The last sealed message of a terminal's wire."""
    return wire[wire.index(b"\r\n\r\n", wire.rindex(b"application/x-push-gpl-a1")) + 4:]


@case
def sealed_for_one_terminal(bench):
    """UC-B.1-1: the subscribed terminal reads it; another that gets hold of the message does not, neither with keys of
    its own nor with keys of its own under the stolen name."""
    phone = Terminal(bench)
    gateway = Gateway(bench, phone.route("+15550100"))
    good_push(bench, gateway, content=MARK)
    check_eq(phone.wait_events(1)[0]["content"], MARK)
    message, own = sealed_body(phone.wire()), association(bench)
    with open(own, encoding="utf-8") as f:
        text = f.read().replace("hmac-sha256", "aes-ctr-hmac-sha256")
    other_key = text.replace(KEY[:8], "ffffffff")
    rows = [(other_key.replace("6173736f", "6173736e"), "no-sa"), (other_key, "mac"), (text, None)]
    for i, (text, reason) in enumerate(rows):
        thief = FedTerminal(bench, "--association", bench.write(f"association{i}", text, 0o600))
        status, event = thief.push(message)
        check_eq((status, event["event"], event.get("reason")), ("235", "dropped", reason) if reason else ("400", "push", None))
        check_eq(MARK in thief.program.out(), reason is None, "the key alone decides")


@case
def server_uri_not_on_the_list(bench):
    """UC-B.8-2: neither registration nor push from a URI that the provisioned list does not hold."""
    options = (*tls_options(bench), "--server", "https://ppg.example.net/push")
    pairs = [bench.certificate(bench.authority, f"enabler{i}", f"URI:{uri}") for i, uri in enumerate(
        ("https://ppg.example.net/push", "https://ppg.example.net/pus", "https://evil.example.net/push"))]
    for i, pair in enumerate(pairs):
        fed = FedTerminal(bench, *options, tls=client_context(bench, pair))
        check_eq(bool(fed.tag), i == 0, "registration")
        fed.tag = fed.tag or tag
        tag = fed.tag
        status, event = fed.push(b"hi", "text/plain")
        check_eq((status, event["event"], event.get("reason")), ("400", "push", None) if i == 0 else ("235", "dropped", "server"))


@case
def server_and_method_of_each_push(bench):
    """SEC_CF-AUTH-002: by certificate, by Digest, by the seal, or not at all."""
    login = "login-user = gw\nlogin-password-file = ../password\n"
    sealed = "association-file = ../association\n"
    tls = tls_options(bench)
    rows = [(tls, "https", "", "ppg.example.net", ["certificate"]), ((), "http", sealed, "127.0.0.1", ["seal"]),
            (("--login", f"gw:{bench.path('password')}"), "http", login + sealed, "127.0.0.1", ["digest", "seal"]),
            ((), "http", "", "127.0.0.1", [])]
    for options, scheme, more, server, proofs in rows:
        phone = Terminal(bench, *options, *(SERVER if scheme == "https" else ()), association=sealed in more)
        gateway = Gateway(bench, phone.route("+15550100", scheme, more), ANY_LEVEL if not more else WHITELIST)
        good_push(bench, gateway)
        got = phone.wait_events(1)[0]
        check_eq((got["server"], got["proofs"], got["tls"]), (server, proofs, scheme == "https"))


@case
def old_tls_is_not_spoken(bench):
    """CPNS-16: 1.0 and 1.1 fail at the gateway, at the terminal and towards it, and no setting brings them back."""
    os.environ["OPENSSL_CONF"] = "/dev/null"  # distributions set a least version for their own programs
    bench.closers.append(lambda: os.environ.pop("OPENSSL_CONF"))
    options = tls_options(bench)[:4]
    phone = Terminal(bench, *options, association=False)
    old = free_port()
    gateway = Gateway(bench, f"[terminal +15550100]\nroute = https://127.0.0.1:{old}\n", ANY_LEVEL)
    weak = ("-cipher", "DEFAULT@SECLEVEL=0")
    bench.start("/usr/bin/openssl", "s_server", "-accept", f"127.0.0.1:{old}", "-cert", options[1], "-key", options[3],
                       "-no_tls1_2", "-no_tls1_3", "-www", *weak)

    def shakes(port, version):
        done = bench.run("/usr/bin/openssl", "s_client", "-connect", f"127.0.0.1:{port}", version, *weak, "-servername", "localhost")
        return done.returncode == 0 and "Cipher is (NONE)" not in done.stdout

    wait_until(lambda: shakes(old, "-tls1_1"), "this client and server to agree on 1.1")
    check(shakes(old, "-tls1"), "this client and server speak 1.0")
    for port in (gateway.tls_port, phone.port):
        check_eq([shakes(port, v) for v in ("-tls1", "-tls1_1", "-tls1_2", "-tls1_3")], [False, False, True, True])
    good_push(bench, gateway, content=MARK)
    gateway.wait_event("target.retry")
    check_eq(gateway.events("ota.register", ok=True), [], "the gateway spoke 1.1 to a terminal")
    for value in ("1.0", "1.1"):
        gateway.write_conf(pap__tls_min=value)
        done = bench.run("ppgd", "--check-config", "-c", gateway.path("ppg.conf"))
        check_eq(done.returncode, 1, value)
        check("tls-min" in done.stderr, done.stderr)


@case
def records_name_all_three(bench):
    """DM-01: the record of each delivery says who authenticated, kept whole and hid it."""
    tls = tls_options(bench)
    secure, sealed, plain = Terminal(bench, *tls, association=False), Terminal(bench), Terminal(bench, association=False)
    gateway = Gateway(bench, secure.route("+15550101", "https", "") + sealed.route("+15550102") + plain.route("+15550103", more=""),
                      ANY_LEVEL)
    rows = [("+15550101", "full", "level=full auth=transport int=transport conf=transport "),
            ("+15550101", "none", "level=none auth=transport int=transport conf=transport "),
            ("+15550102", "full", "level=full auth=gpl int=gpl conf=gpl "),
            ("+15550102", "integrity", "level=integrity auth=gpl int=gpl conf="),
            ("+15550103", "none", "level=none auth=none int=none conf=none ")]
    for to, level, record in rows:
        push_id = good_push(bench, gateway, to=(to,), headers={"X-Push-Protection": level})
        said = gateway.wait_state(push_id, "delivered")["targets"][0]["protection"]
        check(said.startswith(record), f"{to} {level}: {said}")


@case
def installed_key_is_used_and_never_told(bench):
    """UC-B.9-1: a key file is taken, opens what was sealed with it, and leaves by nothing that the terminal writes."""
    state, wire = bench.path("state"), bench.path("wire")
    fed = FedTerminal(bench, "--association", association(bench), "--state", state, "--wire", wire)
    check_eq(fed.push(seal(1, inner(b"m1")))[1]["event"], "push")
    check_eq(fed.push(seal(1, inner(b"m1")))[1]["event"], "dropped")
    fed.s.close()
    fed.program.stop()
    key = bytes.fromhex(KEY)
    for path in (state, wire, fed.program.out_path, fed.program.err_path):
        with open(path, "rb") as f:
            data = f.read()
        check(key not in data and KEY.encode() not in data.lower(), f"the key is in {path}")
    check(b"6173736f63696174696f6e2d30303031" in open(state, "rb").read(), "the state names the association")


def memory_kb(program):
    with open(f"/proc/{program.process.pid}/status", encoding="ascii") as f:
        return int(re.search(r"VmRSS:\s+(\d+) kB", f.read()).group(1))


def cpu_s(program):
    with open(f"/proc/{program.process.pid}/stat", encoding="ascii") as f:
        user, system = f.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@case
def flood_at_the_terminal(bench):
    """UC-B.1-5: ten thousand forged pushes through its socket cost a terminal less than a second and no memory, once
    what it keeps for reuse is there; a replay it drops, the next good push it takes."""
    fed = FedTerminal(bench, "--association", association(bench), env={"ASAN_OPTIONS": "quarantine_size_mb=1"})
    good = seal(1, inner(b"m1"))
    check_eq(fed.push(good)[0], "400")
    forged = bytearray(seal(2, inner(b"m2")))
    forged[-1] ^= 1
    request = (b"POST /wappush HTTP/1.1\r\nHost: t\r\nContent-Type: application/x-push-gpl-a1\r\nX-Wap-CPITag: %b\r\n"
               b"Content-Length: %d\r\n\r\n" % (fed.tag.encode(), len(forged))) + bytes(forged)

    def flood(count):
        for _ in range(count // 20):
            fed.s.sendall(request * 20)
            got = b""
            while got.count(b"\r\n\r\n") < 20:
                more = fed.s.recv(65536)
                check(more, "the terminal closed")
                got += more
            check_eq(got.count(b"X-Wap-Push-Status: 235"), 20)
        fed.events += count

    flood(10000)
    before, spent = memory_kb(fed.program), cpu_s(fed.program)
    flood(10000)
    grown, spent = memory_kb(fed.program) - before, cpu_s(fed.program) - spent
    check(grown <= 128 and spent < 1, f"grew by {grown} kB, took {spent} s")
    check_eq(fed.program.out().count('"reason":"mac"'), 20000)
    check_eq(fed.push(good)[1]["reason"], "replay")
    check_eq(fed.push(seal(2, inner(b"m2")))[1]["event"], "push")


@case
def log_is_for_machines(bench):
    """SEC_CF-CHARGE: who was let in or not, numbers of associations and deliveries, one JSON object a line."""
    phone = Terminal(bench)
    gateway = Gateway(bench, phone.route("+15550100"))
    check_eq(curl(bench, gateway.url, mime(), "--digest", "--user", "pass:wrong").status, 401)
    push_id = good_push(bench, gateway)
    phone.wait_events(1)
    gateway.wait_event("deliver.done", push_id=push_id, bearer="http", code=1000)
    gateway.wait_event("pap.answered", initiator="news", push_id=push_id)
    check(gateway.wait_event("auth.refused")["reason"], "why")
    numbers = gateway.wait_event("sa.numbers", said="6173736f63696174696f6e2d30303031")
    check_eq((numbers["from"], numbers["to"], numbers["suite"]), (1, 17, "aes-ctr-hmac-sha256"))
    for line in whole_lines(gateway.said()):
        event = json.loads(line)
        check(event["event"] and event["level"] and re.match(r"\d{4}-\d\d-\d\dT", event["time"]), line)


@case
def gba_credentials_log_in(bench):
    """PTM-14: a B-TID as user name and the Ks_NAF in Base64 as password, of the published example; no other Ks_NAF."""
    with open(os.path.join(TOP, "tests", "vectors", "http_digest_ua.json"), encoding="utf-8") as f:
        example = json.load(f)["vectors"][0]
    user, password = example["username"], example["password"]
    bench.write("ks-naf", password + "\n", 0o600)
    phone = Terminal(bench, association=False)
    gateway = Gateway(bench, phone.route("+15550100", more=""), "allow gba * *",
                      f"[initiator gba]\ndigest-user = {user}\npassword-file = ../ks-naf\n",
                      {"pap.realm": example["realm"], "pap.digest-md5": "yes"})
    answer = curl(bench, gateway.url, mime(push_id="good"), "--digest", "--user", f"{user}:{password}")
    check_eq((answer.status, answer.code), (202, 1001), answer.desc)
    check(f'realm="{example["realm"]}"' in answer.head, answer.head)
    for wrong in (base64.b64encode(bytes(32)).decode(), password[:-2] + "Z=", password.lower()):
        check_eq(curl(bench, gateway.url, mime(push_id="bad"), "--digest", "--user", f"{user}:{wrong}").status, 401, wrong)
    check_eq([p["content"] for p in phone.wait_events(1)], ["Hi"])


@case
def authenticated_transport_is_not_challenged(bench):
    """DM-10: certificates on both sides: neither the initiator nor the terminal is asked for anything else."""
    make_identity(bench)
    heard = []

    class Phone(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_OPTIONS(self):
            self.answer(b"501")

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.answer(b"400")

        def answer(self, status):
            heard.append((self.command, self.headers))
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Wap-CPITag: q83vEg==\r\nX-Wap-Push-Status: " + status
                             + b"\r\n\r\n")

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Phone)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=bench.authority[0])
    tls.load_cert_chain(*bench.certificate(bench.authority, "phone"))
    tls.verify_mode = ssl.CERT_REQUIRED
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    bench.closers.append(lambda: (server.shutdown(), server.server_close()))
    gateway = Gateway(bench, f"[terminal +15550100]\nroute = https://127.0.0.1:{server.server_address[1]}\n", WHITELIST)
    answer = push(bench, gateway, push_id="a")
    check_eq((answer.code, answer.head.count("HTTP/1.1 ")), (1001, 1), "answers")
    gateway.wait_state("a", "delivered")
    check_eq([command for command, _ in heard], ["OPTIONS", "POST"])
    names = {name.lower() for _, headers in heard for name in headers} | set(answer.headers)
    check_eq(sorted(n for n in names if re.search("auth|hmac|digest", n)), [])
    answer = curl(bench, gateway.tls_url, mime(push_id="b"))  # who proves nothing is asked
    check_eq((answer.status, "www-authenticate" in answer.headers), (401, True))


@case
def nothing_readable_on_any_interface(bench):
    """SEC_CF-CONF-001: in full mode no octet of the content, of the push-id or of a recipient can be read between the
    initiator and the gateway, the gateway and either kind of terminal, and the gateway and the initiator's ear."""
    secure, sealed = Terminal(bench, *tls_options(bench), association=False), Terminal(bench)
    taps = [Relay(bench, secure.port), Relay(bench, sealed.port)]
    gateway = Gateway(bench, secure.route("+15550101", "https", "", taps[0].port) + sealed.route("+15550102", port=taps[1].port),
                      conf={"notify.ca": "../ca.crt"})
    ear = Ear(bench, *("--cert", bench.path("gateway.crt"), "--key", bench.path("gateway.key")))
    taps += [Relay(bench, gateway.tls_port), Relay(bench, ear.port)]
    told = {"ppg-notify-requested-to": ear.url.replace(str(ear.port), str(taps[3].port))}
    for to in ("+15550101", "+15550102"):
        answer = curl(bench, f"https://localhost:{taps[2].port}/pap", mime(push_id=f"{MARK}{to}", to=(to,), content=MARK,
                      attributes=told), *as_news(bench))
        check_eq(answer.code, 1001, answer.desc)
    check_eq([secure.wait_events(1)[0]["content"], sealed.wait_events(1)[0]["content"]], [MARK, MARK])
    check_eq({n["push_id"] for n in ear.wait_heard(2)}, {f"{MARK}+15550101", f"{MARK}+15550102"})
    for tap in taps:
        seen = bytes(tap.seen)
        check(len(seen) > 400, len(seen))
        for form in (MARK.encode(), base64.b64encode(MARK.encode())[:-4], b"1555010"):
            check(form not in seen, (form, seen))


@case
def modified_or_reattributed(bench):
    """SEC_CF-AUTH-003: changed on the way, or said to come from somebody else, sealed or inside TLS."""
    fed = FedTerminal(bench, "--association", association(bench), "--require", "integrity")
    good = seal(1, inner(b"m1"))
    for forged in (good.replace(b"bank.example", b"evil.example"), good.replace(b"hello", b"hellO"),
                   good.replace(b"Info: authenticated", b"Info: authenticated,trusted"), good[:-16] + bytes(16)):
        status, event = fed.push(forged)
        check_eq((status, event["event"]), ("235", "dropped"), event)
    status, event = fed.push(good, **{"X-Wap-Initiator-URI": "https://evil.example/", "X-Wap-Push-Info": "trusted"})
    check_eq((status, event["initiator_uri"], event["trusted"]), ("400", "https://bank.example/", False))
    phone = Terminal(bench, *tls_options(bench), *SERVER, association=False)
    spoilt = []

    def spoil(data):  # the last octet of what is large enough to be the push
        if b"\x17\x03\x03" in data and len(data) > 3000 and not spoilt:
            spoilt.append(len(data))
            data = data[:-1] + bytes([data[-1] ^ 1])
        return data

    relay = Relay(bench, phone.port, change=spoil)
    gateway = Gateway(bench, phone.route("+15550100", "https", "", relay.port), ANY_LEVEL)
    push_id = good_push(bench, gateway, content=MARK * 150)
    gateway.wait_state(push_id, "delivered")
    check_eq((len(spoilt), [e["content"] for e in phone.events()]), (1, [MARK * 150]))
    check(gateway.show(push_id)["targets"][0]["tries"] > 1, "the spoilt one was taken")


@case
def unsubscribed_is_stopped_twice(bench):
    """UC-B.1-4: a service, and an initiator, that the user did not subscribe: 2001 at the gateway; forced past it, the
    terminal drops them."""
    phone = Terminal(bench, association=False)
    initiators = INITIATORS + "[initiator guest]\ncertificate = URI:https://guest.example.com\n"
    gateway = Gateway(bench, phone.route("+15550100", more=""), "allow news +15550100 x-wap-application:mms.ua\n", initiators)
    cert, key = bench.certificate(bench.authority, "guest", "URI:https://guest.example.com")
    mms = mime(push_id="mms").replace(b"x-wap-application:wml.ua", b"x-wap-application:mms.ua")
    for who, body in ((as_news(bench), mime(push_id="wml")), (("--cert", cert, "--key", key), mms)):
        answer = curl(bench, gateway.tls_url, body, *who)
        check_eq((answer.status, answer.kind, answer.code), (202, "push-response", 2001), answer.desc)
    check_eq(curl(bench, gateway.tls_url, mms, *as_news(bench)).code, 1001)
    phone.wait_events(1)
    fed = FedTerminal(bench, "--association", association(bench), "--require", "integrity", "--trusted-only", "--app",
                      "x-wap-application:mms.ua")
    head = b"Content-Type: text/plain\r\nX-Wap-Push-Info: authenticated, trusted\r\nX-Push-Message-ID: %b\r\n"
    rows = [(seal(1, head % b"a" + b"\r\nhi"), "236"),  # the default application
            (seal(2, (head % b"b").replace(b", trusted", b"") + b"X-Wap-Application-Id: x-wap-application:mms.ua\r\n\r\nhi"), "235"),
            (seal(3, head % b"c" + b"X-Wap-Application-Id: x-wap-application:mms.ua\r\n\r\nhi"), "400")]
    for message, status in rows:
        got, event = fed.push(message)
        check_eq((got, event["event"]), (status, "push" if status == "400" else "dropped"), event)


def page():
    """MECHANISMS.md: {section: {first column: its tests}}."""
    with open(os.path.join(TOP, "tests", "conformance", "MECHANISMS.md"), encoding="utf-8") as f:
        sections = re.split(r"(?m)^## ", f.read())[1:]
    return {s.partition("\n")[0]: {row.split("|")[1].strip(): re.findall(r"`([^`\s]+:[^`\s]+)`", row)
                                   for row in re.findall(r"(?m)^\|.*\|$", s)[2:]} for s in sections}


def tests_of(row_id):
    with open(os.path.join(TOP, "tests", "conformance", "requirements.csv"), encoding="utf-8", newline="") as f:
        return next(row["tests"].split(";") for row in csv.DictReader(f) if row["id"] == row_id)


@case
def each_function_of_the_releases_has_its_tests(bench):
    """SEC_CF-REL-10, SEC_CF-REL-11: the feature list, five and four; what proves a function is asked for with its row."""
    wanted = {"Release 1.0": ("SEC_CF-REL-10", ["client and server over TCP", "GBA profile", "TLS profile", "PSK-TLS profile",
                                                "SEC-CERT management object"]),
              "Release 1.1": ("SEC_CF-REL-11", ["push", "SIP", "UDP", "delegated authentication"])}
    for section, (row, functions) in wanted.items():
        check_eq(list(page()[section]), functions, section)
        for function, tests in page()[section].items():
            check(tests and set(tests) <= set(tests_of(row)), f"{function}: {tests}, but {row} names {tests_of(row)}")


@case
def the_page_names_each_mechanism_and_the_build_needs_its_tests(bench):
    """PTM-03: a page of every mechanism with its tests; one that did not run, or is nowhere, fails the build."""
    mechanisms = page()["Client authentication"]
    for word in ("certificate", "shared key of TLS", "HTTP Digest", "GBA key", "AKA", "SIP Digest", "proxy", "token", "visitor", "DTLS"):
        check(any(word in name for name in mechanisms), word)
    names = sorted({name for tests in mechanisms.values() for name in tests})
    check(all(mechanisms.values()), mechanisms)
    check_py = os.path.join(TOP, "tests", "conformance", "check.py")
    os.mkdir(bench.path("ran"))
    for absent in (None, names[0], names[-1]):
        with open(os.path.join(TOP, "tests", "conformance", "requirements.csv"), encoding="utf-8", newline="") as f:
            every = {name for row in csv.DictReader(f) for name in row["tests"].split(";")} | {n for s in page().values() for t in s.values() for n in t}
        bench.write("ran/all.ran", "".join(f"{name}\n" for name in every if name != absent))
        done = subprocess.run(["python3", "-B", check_py, bench.folder], capture_output=True, text=True, timeout=60, check=False)
        check_eq((done.returncode, f"MECHANISMS.md: {absent} did not run" in done.stdout), (1 if absent else 0, absent is not None), done.stdout)


@case
def bodies_protected_end_to_end_pass_untouched(bench):
    """PTM-21: what an initiator protects for its own client - CMS, XML-Encryption - leaves the gateway as it came, over OTA-HTTP and over
    SIP; the client opens it, and the gateway never could."""
    make_identity(bench)
    bench.certificate(bench.authority, "client")
    bench.write("plain", MARK)
    bench.tool("openssl", "cms", "-encrypt", "-binary", "-aes-256-gcm", "-in", bench.path("plain"), "-outform", "DER", "-out",
               bench.path("body.p7m"), bench.path("client.crt"))
    with open(bench.path("body.p7m"), "rb") as f:
        cms = f.read()
    data = base64.b64encode(bytes(range(256))).decode()
    xml = ('<?xml version="1.0"?>\r\n<EncryptedData xmlns="http://www.w3.org/2001/04/xmlenc#" Type="http://www.w3.org/2001/04/xmlenc#Content">\n'
           '\t<EncryptionMethod  Algorithm="http://www.w3.org/2009/xmlenc11#aes256-gcm"/>\n<CipherData><CipherValue>\n'
           f"{data}\n</CipherValue ></CipherData></EncryptedData>\n\n").encode()
    phone, device = Terminal(bench, association=False), Terminal(bench, command="sip", association=False)
    gateway = Gateway(bench, phone.route("+15550100", more="") +
                      f"[terminal sip:alice@127.0.0.1]\nroute = sip:alice@127.0.0.1:{device.port};transport=tcp\n",
                      ANY_LEVEL + "allow news sip:alice@127.0.0.1 *\n", conf={"ota-sip.large-messages": "yes"})
    for n, (kind, body) in enumerate((("application/pkcs7-mime; smime-type=enveloped-data", cms), ("application/xml", xml))):
        bench.write("body", body)
        for to, at in (("+15550100", phone), ("sip:alice@127.0.0.1", device)):
            done = pap_push(bench, gateway, "--to", to, "--file", bench.path("body"), "--type", kind, "--id", f"{n}.{to}@e2e")
            check_eq(done.returncode, 0, done.stdout + done.stderr)
            gateway.wait_state(f"{n}.{to}@e2e", "delivered")
            check_eq(at.wait_events(n + 1)[n]["content_type"], kind)
            check(body in at.wire(), f"{kind} to {to}: other octets")
    for at in (phone, device):
        start = at.wire().index(cms)
        bench.write("arrived.p7m", at.wire()[start:start + len(cms)])
        opened = bench.tool("openssl", "cms", "-decrypt", "-inform", "DER", "-in", bench.path("arrived.p7m"), "-inkey", bench.path("client.key"))
        check(MARK in opened, opened)


main("conformance")
