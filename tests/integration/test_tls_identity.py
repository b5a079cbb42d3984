"""Who an initiator is by its TLS session: certificates and what is wrong with them, shared keys; openssl s_client,
gnutls-cli, curl and pap-push as clients.  Usage: test_tls_identity.py BUILD_DIR."""

import datetime
import os
import re
import shutil
import subprocess

from gateway import INITIATORS, Gateway, Terminal, as_news, curl, good_push, make_identity, mime
from harness import case, check, check_eq, main, wait_until

PHONE = "[terminal +15550100]\nroute = http://127.0.0.1:9\n"
KEY = "8f1c0a9de2b7443c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4"
OTHER_KEY = "00" * 15 + "11" * 17
IDENTITY = "x-ppg:mms"
LONG_IDENTITY = "3GPP-bootstrapping;" + "a" * 110 + "@bsf.example.net"


def opened(bench, initiators=INITIATORS, whitelist="allow * * *\n", **conf):
    conf = {"delivery.retry-first": "1h", "delivery.retry-max": "1h",
            **{k.replace("__", ".").replace("_", "-"): v for k, v in conf.items()}}
    return Gateway(bench, PHONE, whitelist, initiators, conf=conf)


def request(body, host="localhost"):
    """A submission as octets, for clients that are told what to say."""
    head = (f"POST /pap HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {len(body)}\r\nContent-Type: "
            'multipart/related; type="application/xml"; boundary="pap-boundary-7f3a"\r\n\r\n')
    return head + body.decode()


def s_client(bench, port, *options, stdin=""):
    """openssl s_client to its end: its exit status and all it said."""
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-quiet", "-no_ign_eof", "-ign_eof",
         "-CAfile", bench.path("ca.crt"), *options],
        input=stdin, capture_output=True, text=True, errors="replace", timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


# --- certificates ---


def leaf(bench, name, alt, start=-2, end=2, ca=None):
    """A certificate with dates in days from now, and its key."""
    key, csr, cert = (bench.path(f"{name}.{e}") for e in ("key", "csr", "crt"))
    ca = ca or bench.authority
    bench.tool("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
               "-keyout", key, "-out", csr)
    folder = bench.path(f"{name}.ca")
    os.makedirs(folder, exist_ok=True)
    for file in ("index.txt", "index.txt.attr"):
        bench.write(os.path.join(folder, file), "")
    conf = bench.write(f"{name}.cnf", f"[ca]\ndefault_ca = d\n[d]\ndatabase = {folder}/index.txt\nnew_certs_dir = {folder}\n"
                       "rand_serial = yes\ndefault_md = sha256\npolicy = p\nx509_extensions = e\n[p]\ncommonName = supplied\n"
                       f"[e]\nsubjectAltName = {alt}\nbasicConstraints = CA:FALSE\n")

    def day(n):
        return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=n)).strftime("%Y%m%d%H%M%SZ")

    bench.tool("openssl", "ca", "-batch", "-config", conf, "-in", csr, "-cert", ca[0], "-keyfile", ca[1], "-out", cert,
               "-startdate", day(start), "-enddate", day(end), "-notext")
    return cert, key


def crl(bench, name, revoked=(), hours=24):
    """A revocation list of the bench's authority; next update that many hours ahead (or behind)."""
    folder = bench.path(f"{name}.crl.ca")
    os.makedirs(folder, exist_ok=True)
    conf = bench.write(f"{name}.crl.cnf", f"[ca]\ndefault_ca = d\n[d]\ndatabase = {folder}/index.txt\ndefault_md = sha256\n"
                       "default_crl_days = 1\n")
    for file in ("index.txt", "index.txt.attr"):
        bench.write(os.path.join(folder, file), "")
    ca = ("-config", conf, "-cert", bench.authority[0], "-keyfile", bench.authority[1])
    for cert in revoked:
        bench.tool("openssl", "ca", *ca, "-revoke", cert)
    now = datetime.datetime.now(datetime.timezone.utc)
    at = [(now + datetime.timedelta(hours=h)).strftime("%Y%m%d%H%M%SZ") for h in (min(hours, 0) - 24, hours)]
    path = bench.path(f"{name}.crl")
    bench.tool("openssl", "ca", *ca, "-gencrl", "-crl_lastupdate", at[0], "-crl_nextupdate", at[1], "-out", path)
    return path


def shown(bench, gateway, pair, version="-tls1_3", push_id="shown"):
    """What came of a submission with that certificate: status of curl, HTTP status or None."""
    _, said = s_client(bench, gateway.tls_port, version, "-cert", pair[0], "-key", pair[1],
                       stdin=request(mime(push_id=push_id)))
    answered = re.search(r"HTTP/1.1 (\d+)", said)
    return int(answered.group(1)) if answered else None, said


@case
def five_faults_five_events(bench):
    """PTM-13, UC-B.5: expired, not yet valid, untrusted, revoked and wrong name, each refused under an event of its own."""
    make_identity(bench)
    name = "URI:https://news.example.com"
    gone = leaf(bench, "gone", name)
    gateway = opened(bench, pap__crl=crl(bench, "list", [gone[0]]))
    rows = [("tls.client.expired", leaf(bench, "late", name, -3, -1)),
            ("tls.client.not-yet-valid", leaf(bench, "early", name, 1, 3)),
            ("tls.client.untrusted", leaf(bench, "strange", name, ca=bench.ca("stranger"))),
            ("tls.client.revoked", gone)]
    count = 0
    for event, pair in rows:
        for version in ("-tls1_2", "-tls1_3"):
            status, said = shown(bench, gateway, pair, version)
            check_eq(status, None, said[-500:])
            check("alert" in said, said[-500:])
        gateway.check_events(2, event)
        count += 2
        check_eq(len([e for e in gateway.events() if e["event"].startswith("tls.client.")]), count, "other events")
    status, _ = shown(bench, gateway, leaf(bench, "other", "URI:https://other.example.com"))
    check_eq(status, 403)
    gateway.wait_event("tls.client.wrong-name")
    status, said = shown(bench, gateway, (bench.path("news.crt"), bench.path("news.key")))
    check_eq(status, 202, said[-500:])


@case
def servers_faults_have_events_of_their_own(bench):
    """PTM-12, the other way: a terminal whose certificate is expired, not yet valid, untrusted or another's is sent nothing,
    each under an event of its own; revoked ones are in the suite of OCSP."""
    make_identity(bench)
    rows = [("tls.server.expired", leaf(bench, "late", "IP:127.0.0.1", -3, -1)),
            ("tls.server.not-yet-valid", leaf(bench, "early", "IP:127.0.0.1", 1, 3)),
            ("tls.server.untrusted", leaf(bench, "strange", "IP:127.0.0.1", ca=bench.ca("stranger"))),
            ("tls.server.wrong-name", leaf(bench, "other", "DNS:elsewhere.example"))]
    phones = [Terminal(bench, "--cert", pair[0], "--key", pair[1], association=False) for _, pair in rows]
    routes = "".join(phone.route(f"+1555010{i}", "https", more="") for i, phone in enumerate(phones))
    gateway = Gateway(bench, routes, "allow news * *\n")
    for i, (event, _) in enumerate(rows):
        good_push(bench, gateway, to=(f"+1555010{i}",))
        gateway.wait_event(event)
        check_eq({e["event"] for e in gateway.events() if e["event"].startswith("tls.server.")}, {row[0] for row in rows[:i + 1]})
    check_eq([phone.events() for phone in phones], [[]] * len(phones))


@case
def every_kind_of_name(bench):
    """PTM-13: URI, DNS and e-mail names lead to their accounts; a name of no account is refused."""
    make_identity(bench)
    initiators = "".join(f"[initiator {who}]\ncertificate = {name}\n" for who, name in (
        ("uri", "URI:https://uri.example/push"), ("dns", "DNS:push.dns.example"), ("mail", "EMAIL:push@mail.example")))
    gateway = opened(bench, initiators)
    rows = [("uri", "URI:https://uri.example/push", 202), ("dns", "DNS:push.dns.example", 202), ("mail", "email:push@mail.example", 202),
            ("capitals", "DNS:PUSH.dns.EXAMPLE", 202), ("path", "URI:https://uri.example/PUSH", 403), ("wild", "DNS:*.dns.example", 403),
            ("below", "DNS:a.push.dns.example", 403), ("kind", "DNS:uri.example", 403), ("box", "email:PUSH@mail.example", 403)]
    for name, alt, want in rows:
        status, said = shown(bench, gateway, leaf(bench, name, alt), push_id=name)
        check_eq(status, want, (name, said[-300:]))


@case
def issuer_is_pinned(bench):
    """Of two authorities that are trusted only the pinned one may sign for the account."""
    make_identity(bench)
    second = bench.ca("second")
    with open(bench.authority[0], encoding="ascii") as one, open(second[0], encoding="ascii") as two:
        both = bench.write("both.crt", one.read() + two.read())
    pin = bench.tool("openssl", "x509", "-in", bench.authority[0], "-noout", "-fingerprint", "-sha256").strip().partition("=")[2]
    initiators = f"[initiator news]\ncertificate = URI:https://news.example.com\ncertificate-issuer = {pin}\n"
    gateway = opened(bench, initiators, pap__ca=both)
    check_eq(shown(bench, gateway, (bench.path("news.crt"), bench.path("news.key")), push_id="one")[0], 202)
    check_eq(shown(bench, gateway, leaf(bench, "twin", "URI:https://news.example.com", ca=second))[0], 403)
    gateway.wait_event("tls.client.wrong-issuer")


@case
def revoked_by_a_reload(bench):
    """A list that names the certificate is taken by a reload, and one that does not any more, too."""
    make_identity(bench)
    pair = leaf(bench, "mortal", "URI:https://news.example.com")
    path = crl(bench, "list")
    gateway = opened(bench, pap__crl=path)
    for revoked, want in (((), 202), ([pair[0]], None), ((), 202)):
        shutil.copy(crl(bench, f"other{len(revoked)}", revoked), path)
        check_eq(gateway.ctl("reload").returncode, 0)
        status, said = shown(bench, gateway, pair, push_id=f"r{want}{len(gateway.events('reload.done'))}")
        check_eq(status, want, said[-300:])
    gateway.check_events(1, "tls.client.revoked")
    check_eq([e["tls_files_changed"] >= 1 for e in gateway.check_events(3, "reload.done")], [True] * 3)


@case
def old_revocation_list(bench):
    """An expired list refuses everybody unless the operator said otherwise; its end is warned of."""
    make_identity(bench)
    gone = leaf(bench, "gone", "URI:https://news.example.com")
    news = (bench.path("news.crt"), bench.path("news.key"))
    gateway = opened(bench, pap__crl=crl(bench, "list", [gone[0]], hours=-1))
    gateway.wait_event("tls.crl.expired", section="pap", level="error")
    check_eq(shown(bench, gateway, news)[0], None)
    gateway.wait_event("tls.client.crl-expired")
    gateway.write_conf(pap__crl_expired="accept")
    check_eq(gateway.ctl("reload").returncode, 0)
    check_eq(shown(bench, gateway, news, push_id="old list")[0], 202)
    check_eq(shown(bench, gateway, gone)[0], None)
    gateway.wait_event("tls.client.revoked")
    crl(bench, "list", [gone[0]], hours=48)
    gateway.write_conf(pap__crl_expired="refuse")
    check_eq(gateway.ctl("reload").returncode, 0)
    gateway.wait_event("tls.crl.expiring", section="pap", level="warn")
    check_eq(shown(bench, gateway, news, push_id="new list")[0], 202)


# --- shared keys ---


def keyed(bench, **conf):
    bench.write("mms.psk", KEY + "\n", 0o600)
    bench.write("old.psk", OTHER_KEY + "\n", 0o600)
    initiators = INITIATORS + (f"[initiator mms]\npsk-identity = {IDENTITY}\npsk-file = ../mms.psk\n"
                               f"[initiator old]\npsk-identity = {LONG_IDENTITY}\npsk-file = ../old.psk\npsk-tls = 1.2\n")
    gateway = opened(bench, initiators, pap__listen_psk="127.0.0.1:0", **conf)
    ports = bench.wait_for_file(gateway.path("ports"))
    gateway.psk_port = int(re.search(r"pap-psk=127.0.0.1:(\d+)", ports).group(1))
    return gateway


def psk(bench, gateway, identity, key, *options, push_id="psk"):
    _, said = s_client(bench, gateway.psk_port, "-psk", key, "-psk_identity", identity, *options,
                       stdin=request(mime(push_id=push_id)))
    answered = re.search(r"HTTP/1.1 (\d+)", said)
    alert = re.search(r"alert ([a-z ]+)", said)
    return (int(answered.group(1)) if answered else None), (alert.group(1).strip() if alert else None), said


@case
def shared_keys_by_openssl(bench):
    """TLS 1.3 external PSK and TLS 1.2 DHE_PSK and ECDHE_PSK; the identity is the account."""
    gateway = keyed(bench)
    rows = [("1.3", IDENTITY, KEY, ("-tls1_3",)), ("dhe", LONG_IDENTITY, OTHER_KEY, ("-tls1_2", "-cipher", "DHE-PSK-AES128-GCM-SHA256")),
            ("dhe256", LONG_IDENTITY, OTHER_KEY, ("-tls1_2", "-cipher", "DHE-PSK-AES256-GCM-SHA384")),
            ("ecdhe", LONG_IDENTITY, OTHER_KEY, ("-tls1_2", "-cipher", "ECDHE-PSK-CHACHA20-POLY1305"))]
    for name, identity, key, options in rows:
        status, _, said = psk(bench, gateway, identity, key, *options, push_id=name)
        check_eq(status, 202, (name, said[-600:]))
        explained = gateway.ctl("push", "explain", name).stdout
        check(f"TLS shared key {identity} from 127.0.0.1 over TLS" in explained, explained)
    for cipher in ("PSK-AES128-GCM-SHA256", "RSA-PSK-AES128-GCM-SHA256", "DHE-PSK-AES128-CBC-SHA256", "PSK-NULL-SHA256"):
        status, alert, said = psk(bench, gateway, LONG_IDENTITY, OTHER_KEY, "-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0")
        check_eq((status, alert), (None, "handshake failure"), (cipher, said[-500:]))


@case
def stranger_fails_as_a_wrong_key_does(bench):
    """RFC 4279 §2: an identity nobody has cannot be told from a wrong key; a key is good for its own version alone."""
    gateway = keyed(bench)
    for options in (("-tls1_3",), ("-tls1_2", "-cipher", "DHE-PSK-AES128-GCM-SHA256")):
        good, key = (IDENTITY, KEY) if options[0] == "-tls1_3" else (LONG_IDENTITY, OTHER_KEY)
        other_version = (LONG_IDENTITY, OTHER_KEY) if good == IDENTITY else (IDENTITY, KEY)
        wrong = key[:-2] + "00"
        for identity, secret in ((good, wrong), ("x-ppg:nobody", key), (good[:-1], key), (good.upper(), key), other_version):
            status, alert, said = psk(bench, gateway, identity, secret, *options)
            check_eq((status, alert), (None, "decrypt error"), (options, identity, said[-500:]))
        gateway.wait_event("tls.client.psk", 5, listener="pap-psk")
    gateway.check_events(10, "tls.client.psk")
    _, said = s_client(bench, gateway.psk_port, "-tls1_3", stdin=request(mime()))
    check("HTTP/1.1" not in said and "alert" in said, said[-500:])


@case
def shared_keys_by_gnutls(bench):
    """TLS 1.3 alone: with DHE_PSK and ECDHE_PSK of TLS 1.2 gnutls-cli 3.7.9 ends with SIGSEGV, gnutls-serv at the other
    end too.  GnuTLS itself as a client of TLS 1.2 is in unit.base.tls_psk."""
    gateway = keyed(bench)
    for name, secret, want in (("good", KEY, True), ("wrong", OTHER_KEY, False)):
        done = subprocess.run(
            ["gnutls-cli", "--pskusername", IDENTITY, "--pskkey", secret, "--priority",
             "NORMAL:-VERS-ALL:+VERS-TLS1.3:+DHE-PSK:+ECDHE-PSK", "--port", str(gateway.psk_port), "--no-ca-verification",
             "127.0.0.1"], input=request(mime(push_id=name)), capture_output=True, text=True, errors="replace", timeout=60,
            check=False)
        check_eq("HTTP/1.1 202" in done.stdout, want, (name, done.stdout[-600:], done.stderr[-300:]))


@case
def pap_push_with_a_shared_key(bench):
    gateway = keyed(bench)
    url = f"https://localhost:{gateway.psk_port}/pap"
    submit = ("submit", "--url", url, "--to", "+15550100", "--app", "x-wap-application:wml.ua", "--text", "hi")
    done = bench.run("pap-push", *submit, "--psk-identity", IDENTITY, "--psk-file", bench.path("mms.psk"))
    check_eq(done.returncode, 0, done.stdout + done.stderr)
    done = bench.run("pap-push", *submit, "--psk-identity", IDENTITY, "--psk-file", bench.path("old.psk"))
    check(done.returncode != 0 and "tls alert" in done.stderr, done.stderr)
    done = bench.run("pap-push", *submit, "--psk-identity", IDENTITY)
    check("go together" in done.stderr, done.stderr)
    done = bench.run("pap-push", *submit, "--psk-identity", IDENTITY, "--psk-file", bench.path("ca.crt"))
    check("no key in hexadecimal" in done.stderr, done.stderr)


@case
def shared_key_is_rolled_by_reload(bench):
    """The old key is refused, the new one taken; a session under the old one that is open goes on, if the account does."""
    gateway = keyed(bench)
    check_eq(psk(bench, gateway, IDENTITY, KEY, "-tls1_3", push_id="a")[0], 202)
    bench.write("mms.psk", OTHER_KEY, 0o600)
    check_eq(gateway.ctl("reload").returncode, 0)
    check_eq(psk(bench, gateway, IDENTITY, KEY, "-tls1_3")[:2], (None, "decrypt error"))
    check_eq(psk(bench, gateway, IDENTITY, OTHER_KEY, "-tls1_3", push_id="b")[0], 202)
    bench.write("mms.psk", OTHER_KEY, 0o644)
    check(gateway.ctl("reload").returncode != 0, "a key file others may read")
    gateway.wait_event("reload.kept")
    check_eq(psk(bench, gateway, IDENTITY, OTHER_KEY, "-tls1_3", push_id="c")[0], 202)


main("tls_identity")
