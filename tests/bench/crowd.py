"""Terminals that call in, by the thousand: what one costs at rest, how fast they come and are pushed to, a storm of all of them,
and what those that never answer cost the others.  The terminals are push-terminal swarm's, which shares the cores with the
gateway."""

import http.client
import json
import os
import re
import resource
import statistics
import time

from servers import KEY, Gateway, entity, headers, ID_MARK
from harness import check, wait_until

FIRST = 1555000000
SPARE = 1500  # descriptors for everything else


def address(at):
    return f"+{FIRST + at}"


class CallGateway(Gateway):
    """A gateway with doors for `count` terminals, each with an association when sealed."""

    def __init__(self, bench, name, count, cert, ca, sealed=False, extra=""):
        self.count, self.ca, self.sealed, self.extra = count, ca, sealed, extra
        super().__init__(bench, name, [], cert)

    def write(self, ports, cert):
        conf = super().write(ports, cert)
        sections = []
        for at in range(self.count):
            more = ""
            if self.sealed:
                self.bench.write(f"{self.name}.{at}.sa", f"said = {at + 1:032x}\nkey = {KEY}\nsuites = aes-ctr-hmac-sha256\nexpires = never\n",
                                 0o600)
                more = f"association-file = {self.name}.{at}.sa\n"
            sections.append(f"[terminal {address(at)}]\ncalls-in = any\ncall-proof = none\n{more}")
        self.bench.write(f"{self.name}.terminals", "".join(sections))
        with open(conf, "a", encoding="utf-8") as f:
            f.write(f"""[ota-http]
listen = 127.0.0.1:0
listen-tls = 127.0.0.1:0
cert = {cert[0]}
key = {cert[1]}
calls-max = 20000
calls-per-address = 20000
{self.extra}[delivery]
in-memory-max = 100000
retry-first = 1h
retry-max = 1h
""")
        return conf

    def start(self):
        seconds = super().start()
        with open(self.port_file, encoding="ascii") as f:
            text = f.read()
        self.door, self.tls_door = (int(re.search(rf"^{name}=.*:(\d+)$", text, re.M).group(1)) for name in ("ota", "ota-tls"))
        return seconds

    def keep_doors(self):
        """The next start listens where this one did."""
        with open(self.conf, encoding="utf-8") as f:
            text = f.read()
        head, _, tail = text.partition("[ota-http]")
        tail = tail.replace("listen = 127.0.0.1:0", f"listen = 127.0.0.1:{self.door}").replace(
            "listen-tls = 127.0.0.1:0", f"listen-tls = 127.0.0.1:{self.tls_door}")
        head = head.replace("listen = 127.0.0.1:0", f"listen = 127.0.0.1:{self.port}")
        self.bench.write(self.conf, f"{head}[ota-http]{tail}")


class Swarm:
    """push-terminal swarm, a process for each core (each has one thread), and what they say, added up."""

    def __init__(self, bench, gateway, count, *options, tls=True):
        door = f"https://127.0.0.1:{gateway.tls_door}" if tls else f"http://127.0.0.1:{gateway.door}"
        parts = min(len(os.sched_getaffinity(0)), 4)
        ends = [count * part // parts for part in range(parts + 1)]
        self.programs = [
            bench.start("push-terminal", "swarm", "--gateway", door, "--terminals", str(to - at), "--first", str(FIRST + at),
                        "--report", "50", *(("--ca", gateway.ca) if tls else ()), *options)
            for at, to in zip(ends, ends[1:])]
        self.count = count

    def last(self):
        """The sums of the last lines they wrote; no more is read, as the cores are not this program's."""
        lines = [self.last_of(program) for program in self.programs]
        return {key: sum(line[key] for line in lines) for key in ("registered", "pushes")}

    def last_of(self, program):
        check(program.running(), f"the swarm ended: {program.err()[-500:]}")
        with open(program.out_path, "rb") as f:
            f.seek(max(0, os.path.getsize(program.out_path) - 1000))
            lines = [line for line in f.read().split(b"\n")[:-1] if line.startswith(b"{")]
        return json.loads(lines[-1]) if lines else {"registered": 0, "pushes": 0}

    def wait(self, key, want, timeout_s=120):
        return wait_until(lambda: (last := self.last())[key] >= want and last, f"{want} {key}: {self.last()}", timeout_s)

    def cpu_s(self):
        return sum(cpu_s(program) for program in self.programs)

    def stop(self):
        for program in self.programs:
            program.stop()


class Initiator:
    """Submissions over one kept connection."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.number, self.bodies = 0, {}

    def submit(self, count, extra="", first=0, name="s"):
        self.number += 1
        if (count, first) not in self.bodies:
            self.bodies[count, first] = entity([address(first + at) for at in range(count)], later=False, extra=extra)
        body = self.bodies[count, first].replace(ID_MARK, f"{name}{self.number:015x}")
        self.connection.request("POST", "/pap", body, headers(body))
        answer = self.connection.getresponse()
        text = answer.read().decode()
        check(answer.status in (200, 202) and "1001" in text, f"{answer.status} {text[:300]}")


def cpu_s(program):
    """Seconds of processor time of a running program, all its threads."""
    with open(f"/proc/{program.process.pid}/stat", encoding="ascii") as f:
        words = f.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


class Busy:
    """What a gateway's own processor time comes to, whoever else uses the machine."""

    def __init__(self, gateway):
        self.gateway, self.before = gateway, cpu_s(gateway.program)

    def each_us(self, count):
        return f"{(cpu_s(self.gateway.program) - self.before) / count * 1e6:.0f}"


def room():
    """How many connections one process of each side may have."""
    return min(15000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE)


def deliver(swarm, gateway, extra, seconds):
    """Pushes a second to terminals on the line: submissions of a thousand addresses each, one after the other."""
    initiator, busy = Initiator(gateway.port), Busy(gateway)
    each = min(1000, swarm.count)
    sent, began, before = 0, time.monotonic(), swarm.last()["pushes"]
    while time.monotonic() - began < seconds:
        initiator.submit(each, extra, first=sent % swarm.count)
        sent += each
        wait_until(lambda: swarm.last()["pushes"] >= before + sent - 10 * each, "deliveries", 60)
    swarm.wait("pushes", before + sent)
    return {"ours": f"{sent / (time.monotonic() - began):.0f}", "terminals": swarm.count, "cpu_us_each": busy.each_us(sent)}


def terminals(bench, plan, say):
    count = room()
    gateway = CallGateway(bench, "crowd", count, bench.cert, bench.path("ca.crt"))
    rest, busy = gateway.resident_kb(), Busy(gateway)
    began = time.monotonic()
    swarm = Swarm(bench, gateway, count, "--at-once", "64")
    swarm.wait("registered", count)
    took = time.monotonic() - began
    say("terminals_tls_per_s", ours=f"{count / took:.0f}", terminals=count, cert="ecdsa-p256", cpu_us_each=busy.each_us(count),
        swarm_cpu_us_each=f"{swarm.cpu_s() / count * 1e6:.0f}")
    time.sleep(1)
    say("terminal_idle_tls_kb", ours=f"{(gateway.resident_kb() - rest) / count:.1f}", terminals=count, resident=gateway.resident_kb())
    say("terminals_deliver", **deliver(swarm, gateway, "", plan.seconds))
    storm(bench, gateway, swarm, say)
    swarm.stop()
    gateway.stop()


def storm(bench, gateway, swarm, say):
    """The gateway dies and comes back; all terminals call at once while an initiator submits."""
    gateway.keep_doors()
    gateway.program.process.kill()
    gateway.program.wait()
    wait_until(lambda: swarm.last()["registered"] == 0, "the loss of all", 60)
    began = time.monotonic()
    gateway.start()
    initiator, slowest, sent = Initiator(gateway.port), 0, 0
    while swarm.last()["registered"] < swarm.count and time.monotonic() - began < 120:
        asked = time.monotonic()
        initiator.submit(1, name="w")  # refused: the measurement fails
        slowest, sent = max(slowest, time.monotonic() - asked), sent + 1
    took = time.monotonic() - began
    check(swarm.last()["registered"] >= swarm.count, f"not all came back: {swarm.last()}")
    say("terminals_storm_s", ours=f"{took:.1f}", terminals=swarm.count, per_s=f"{swarm.count / took:.0f}", submissions=sent,
        slowest_ms=f"{slowest * 1000:.0f}")


def rsa_certificate(bench, bits):
    """Signed by the bench's authority, for 127.0.0.1."""
    name = bench.path(f"rsa{bits}")
    extensions = bench.write("rsa.ext", "subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\n")
    bench.tool("openssl", "req", "-newkey", f"rsa:{bits}", "-nodes", "-subj", "/CN=rsa", "-keyout", f"{name}.key", "-out", f"{name}.csr")
    bench.tool("openssl", "x509", "-req", "-in", f"{name}.csr", "-CA", bench.path("ca.crt"), "-CAkey", bench.path("ca.key"), "-days", "2",
               "-extfile", extensions, "-out", f"{name}.crt")
    return f"{name}.crt", f"{name}.key"


def terminals_certificate(bench, plan, say):
    """What the kind of the gateway's certificate makes of an arrival, in its own processor time."""
    count, costs = 1500, {}
    for kind, cert in (("ecdsa_p256", bench.cert), ("rsa_3072", rsa_certificate(bench, 3072))) * plan.rounds:
        gateway = CallGateway(bench, f"{kind}.{len(costs.get(kind, []))}", count, cert, bench.path("ca.crt"))
        busy = Busy(gateway)
        swarm = Swarm(bench, gateway, count, "--at-once", "64")
        swarm.wait("registered", count)
        costs.setdefault(kind, []).append(float(busy.each_us(count)))
        swarm.stop()
        gateway.stop()
    ours, rsa = (statistics.median(costs[kind]) for kind in ("ecdsa_p256", "rsa_3072"))
    say("terminals_certificate_cpu_us", ecdsa_p256=f"{ours:.0f}", rsa_3072=f"{rsa:.0f}", ratio=f"{rsa / ours:.1f}")


def terminals_full(bench, plan, say):
    count = min(room(), 5000)
    gateway = CallGateway(bench, "full", count, bench.cert, bench.path("ca.crt"), sealed=True)
    swarm = Swarm(bench, gateway, count, tls=False)
    swarm.wait("registered", count)
    say("terminals_deliver_full", **deliver(swarm, gateway, "X-Push-Protection: full\r\n", plan.seconds))
    swarm.stop()
    gateway.stop()


def terminals_silent(bench, plan, say):
    """A thousand terminals get a push each; then as many of which one in ten never answers."""
    count, times = 1000, {0: [], 10: []}
    for silent in (0, 10) * plan.rounds:
        gateway = CallGateway(bench, f"silent{silent}.{len(times[silent])}", count, bench.cert, bench.path("ca.crt"), extra="response-timeout = 5s\n")
        swarm = Swarm(bench, gateway, count, *(("--silent", str(silent)) if silent else ()), tls=False)
        swarm.wait("registered", count)
        initiator, began = Initiator(gateway.port), time.monotonic()
        rounds, want = 5, 0
        for _ in range(rounds):
            initiator.submit(count)
        want = rounds * (count - (count // silent if silent else 0)) + (count // silent if silent else 0)
        swarm.wait("pushes", want)
        times[silent].append((time.monotonic() - began) * 1000)
        swarm.stop()
        gateway.stop()
    ours, without = statistics.median(times[10]), statistics.median(times[0])
    say("terminals_silent_ms", ours=f"{ours:.0f}", without=f"{without:.0f}", ratio=f"{ours / without:.2f}")
