"""What testssl.sh finds in the TLS listener: nothing above LOW.  Usage: test_testssl.py BUILD_DIR."""

import json
import shutil
import subprocess

from gateway import Gateway, good_push, make_identity
from harness import case, check, check_eq, main

PHONE = "[terminal +15550100]\nroute = http://127.0.0.1:9\n"
GRAVE = ("MEDIUM", "HIGH", "CRITICAL", "WARN", "FATAL")
# What testssl.sh says of itself: its openssl is old; and it hangs up at once, on a busy machine before the ticket of
# TLS 1.3 came, which it then calls a connect problem (tls:resumption_keeps_the_identity resumes with one).
OF_ITSELF = (("engine_problem", None), ("sessionresumption_ticket", "check failed because of connect problem"))


def of_itself(row):
    return any(row["id"] == name and said in (None, row["finding"]) for name, said in OF_ITSELF)


@case
def no_finding_above_low(bench):
    program = shutil.which("testssl")
    check(program, "testssl.sh is not installed")
    make_identity(bench)
    bench.certificate(bench.authority, "gateway", "IP:127.0.0.1,DNS:localhost\ncrlDistributionPoints=URI:http://127.0.0.1:9/crl",
                      days=80)
    gateway = Gateway(bench, PHONE, "allow news * *\n", conf={"delivery.retry-first": "1h", "delivery.retry-max": "1h",
                                                            "pap.handshake-timeout": "30s"})
    report = bench.path("report.json")
    done = subprocess.run(
        [program, "--quiet", "--color", "0", "--warnings", "off", "--nodns", "none", "--ip", "127.0.0.1", "--add-ca",
         bench.path("ca.crt"), "--jsonfile", report, "-p", "-s", "-f", "-S",
         "-U", "-e", f"localhost:{gateway.tls_port}"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=900, check=False)
    check(done.returncode < 200, done.stdout[-2000:] + done.stderr[-2000:])
    with open(report, encoding="utf-8") as f:
        found = json.load(f)
    ids = {row["id"] for row in found}
    for needed in ("TLS1_2", "TLS1_3", "PFS", "heartbleed", "secure_renego", "ROBOT", "BEAST", "LUCKY13", "fallback_SCSV"):
        check(needed in ids, f"{needed} was not looked at: {sorted(ids)}")
    grave = [row for row in found if row["severity"] in GRAVE and not of_itself(row)]
    check_eq([(row["id"], row["severity"], row["finding"]) for row in grave], [], "findings")
    good_push(bench, gateway)


main("testssl")
