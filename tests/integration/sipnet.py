"""What the suites of pushes over SIP share: routes, submissions, and Kamailio as the network in between."""

import socket

from gateway import pap_push
from harness import check, check_eq, free_port, wait_until

MARK = "Good morning, message"
ALICE = "sip:alice@127.0.0.1"
OPEN = "allow news sip:*@127.0.0.1 *\nallow news sip:*@ims.example.net *\n"
FULL = "allow news sip:*@127.0.0.1 * protect=full\n"

# A device that takes every MESSAGE, played by sipp.
SIPP_DEVICE = """<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="device">
  <recv request="MESSAGE"/>
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[call_number]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
"""


def route(uri, more=""):
    return f"[terminal {ALICE}]\nroute = {uri}\n{more}"


def submit(bench, gateway, push_id, *options, text=MARK):
    return pap_push(bench, gateway, "--to", ALICE, "--text", text, "--id", push_id, "--initiator-uri",
                    "https://news.example.com/today", *options)


def good(bench, gateway, push_id, *options, **more):
    done = submit(bench, gateway, push_id, *options, **more)
    check_eq(done.returncode, 0, done.stdout + done.stderr)


def ended(gateway, push_id, state):
    return gateway.wait_state(push_id, state)["targets"][0]


KAMAILIO = """#!KAMAILIO
debug=1
log_stderror=yes
fork=no
children=1
listen=udp:127.0.0.1:{port}
listen=tcp:127.0.0.1:{port}
tcp_children=1
alias="ims.example.net"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "pv.so"
loadmodule "rr.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (is_method("REGISTER")) {{ {register} save("location"); exit; }}
    if (!pv_proxy_authenticate("ims.example.net", "gate-secret", "0")) {{ proxy_challenge("ims.example.net", "0"); exit; }}
    consume_credentials();
    remove_hf("Route");
    if (!lookup("location")) {{ sl_send_reply("404", "Not Found"); exit; }}
    t_relay();
}}
"""


def kamailio(bench, register=""):
    """register: what it does before it saves a contact."""
    port = free_port()
    config = bench.write("kamailio.cfg", KAMAILIO.format(port=port, register=register.format()))
    program = bench.start("/usr/sbin/kamailio", "-f", config, "-DD", "-E", "-m", "16", "-M", "4", "-Y", bench.folder)
    wait_until(lambda: not program.running() or socket_open(port), "Kamailio")
    check(program.running(), program.err()[-3000:])
    return port


def socket_open(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0
