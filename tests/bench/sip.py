"""REGISTER requests a second at the gateway's own door (bench_register).  MESSAGE requests a second to a device that sipp plays: from the bearer (bench_sip), and through Kamailio relaying with its
transactions, asked by sipp with as many at once."""

import os
import time

from servers import wait_for_port
from harness import check, free_port, wait_until
from sipnet import SIPP_DEVICE

AT_ONCE = 256
CALLS = 10000

INITIATOR = """<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="initiator">
  <send retrans="500"><![CDATA[
MESSAGE sip:u[call_number]@127.0.0.1:{port};transport={transport} SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport
Max-Forwards: 70
From: <sip:push@127.0.0.1>;tag=[call_number]
To: <sip:u@127.0.0.1>
Call-ID: [call_id]
CSeq: 1 MESSAGE
Content-Type: text/plain
Content-Length: [len]

{content}
]]></send>
  <recv response="200"/>
</scenario>
"""

KAMAILIO = """#!KAMAILIO
debug=-1
log_stderror=yes
children=2
tcp_children=2
tcp_conn_wq_max=4194304
tcp_wq_max=104857600
listen=udp:127.0.0.1:{port}
listen=tcp:127.0.0.1:{port}
loadmodule "tm.so"
request_route {{ t_relay(); }}
"""


def bound(port):
    """Until somebody has the UDP port."""

    def ready():
        with open("/proc/net/udp", encoding="ascii") as f:
            return f":{port:04X} " in f.read()

    wait_until(ready, f"UDP port {port}")


# Left to itself sipp has small socket buffers, and forgets a call with its answer: a response that is lost then is lost for good, as a
# request that comes again is not answered again (RFC 3261 §17.2.2 wants it to be).
BUFFERS = ("-buff_size", "4000000")
DEVICE = SIPP_DEVICE.replace("</scenario>", '  <timewait milliseconds="4000"/>\n</scenario>')


def device(bench, mode):
    port = free_port()
    bench.start("/usr/bin/sipp", "-sf", bench.write("device.xml", DEVICE if mode == "u1" else SIPP_DEVICE), "-i", "127.0.0.1", "-p", str(port),
                "-t", mode, *BUFFERS, "-nostdin")
    wait_for_port(port, bench.programs[-1]) if mode == "t1" else bound(port)
    return port


def ours(bench, transport, port, seconds):
    done = bench.run(os.path.join(bench.build, "tests", "bench_sip"), transport, str(port), str(seconds), str(AT_ONCE))
    check(done.returncode == 0, done.stderr[-500:])
    return float(done.stdout)


def peer(bench, transport, mode, port, relay):
    scenario = bench.write("initiator.xml", INITIATOR.format(port=port, transport=transport, content="x" * 380))
    began = time.monotonic()
    done = bench.run("/usr/bin/sipp", f"127.0.0.1:{relay}", "-sf", scenario, "-i", "127.0.0.1", "-p", str(free_port()), "-t", mode, "-m",
                     str(CALLS), "-l", str(AT_ONCE), *BUFFERS, "-r", "100000", "-nostdin", "-timeout", "30", timeout_s=40)
    check(done.returncode == 0, f"sipp: {done.returncode} {done.stderr[-300:]}")
    return CALLS / (time.monotonic() - began)


def kamailio(bench):
    port = free_port()
    program = bench.start("/usr/sbin/kamailio", "-f", bench.write("kamailio.cfg", KAMAILIO.format(port=port)), "-DD", "-E", "-m", "1024", "-M",
                          "32", "-Y", bench.folder)
    wait_for_port(port, program)
    return port


def rates(bench, plan, transport):
    """([ours], [peer]) of as many rounds, in turns; each has a device and a relay of its own."""
    mode = {"udp": "u1", "tcp": "t1"}[transport]
    found = [], []
    for _ in range(plan.rounds):
        found[0].append(ours(bench, transport, device(bench, mode), plan.seconds))
        bench.end()
        found[1].append(peer(bench, transport, mode, device(bench, mode), kamailio(bench)))
        bench.end()
    return found


REGISTERED = 100000

REGISTRAR = """[gateway]
port-file = registrar.ports
loops = {loops}
[files]
initiators = initiators.conf
whitelist = whitelist.conf
terminals = registrar.terminals
[pap]
listen = 127.0.0.1:0
nonce-lifetime = 1h
[ota-sip]
listen-udp = 127.0.0.1:0
domains = bench.example
[store]
path = registrar.db
[log]
level = warn
[admin]
socket =
"""


def resident_kb(program):
    with open(f"/proc/{program.process.pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:"))


def registers(bench, plan, say):
    """Logins, then refreshments, of 100 000 terminals over UDP with Digest; and what each adds to the gateway's memory."""
    users = REGISTERED // 10 if plan.quick else REGISTERED
    bench.write("secret", "secret\n", 0o600)
    bench.write("initiators.conf", "[initiator a]\ncertificate = DNS:a.example\n", 0o600)
    bench.write("whitelist.conf", "allow a * *\n")
    bench.write("registrar.terminals", "".join(f"[terminal sip:u{at}@bench.example]\nregisters = any\ncall-proof = digest\n"
                                               "call-password-file = secret\n" for at in range(users)))
    program = bench.start("ppgd", "-c", bench.write("registrar.conf", REGISTRAR.format(loops=os.cpu_count())))
    ports = dict(line.split("=") for line in bench.wait_for_file(bench.path("registrar.ports"), program).split())
    before = resident_kb(program)
    done = bench.run(os.path.join(bench.build, "tests", "bench_register"), ports["sip-udp"].rpartition(":")[2], str(plan.seconds), str(users),
                     timeout_s=150)
    check(done.returncode == 0, done.stderr[-500:])
    logins, refreshments = (float(n) for n in done.stdout.split())
    say("sip_register", ours=f"{refreshments:.0f}", logins=f"{logins:.0f}", users=users)
    say("sip_registered_octets", ours=f"{(resident_kb(program) - before) * 1024 / users:.0f}", users=users)
    program.stop()
