"""Every measurement, one line each; see README.md.  Usage: run.py BUILD_DIR [--quick] [NAME...]"""

import os
import re
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True

from servers import (  # noqa: E402
    ANYBODY, TERMINAL_MARK, USER, Gateway, Kannel, Nginx, document, entity, idle_connections, number, request, submit,
)
import crowd  # noqa: E402
from harness import Bench, Failure, check, wait_until  # noqa: E402
import sip  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
CONNECTIONS = 64
TERMINALS = 64
QUEUED = 1000000
RECIPIENTS = 10000
ADDRESSES = 1000000
MICRO = ("bench_authenticate", "bench_pap_parse", "bench_wbxml", "bench_http1", "bench_gpl_seal", "bench_association", "bench_kit", "bench_whitelist", "bench_store")


class Plan:
    """How long and how often."""

    def __init__(self, quick):
        self.quick = quick
        self.rounds = 2 if quick else 3
        self.seconds = 2 if quick else 4
        self.deadline = time.monotonic() + (150 if quick else 600)


def say(name, **values):
    print(f"bench {name} " + " ".join(f"{key}={value}" for key, value in values.items()), flush=True)


def compare(name, ours, peer):
    a, b = statistics.median(ours), statistics.median(peer)
    say(name, ours=f"{a:.0f}", peer=f"{b:.0f}", ratio=f"{a / b:.2f}")


# --- submissions ---


class Wrk:
    """Submissions a second as wrk counts them; every run has push-ids of its own."""

    def __init__(self, bench, plan):
        self.bench, self.plan, self.runs = bench, plan, 0
        self.request = bench.write("wrk.request", request(entity([number(0)])))
        self.answers = 0

    def rate(self, port, tls=False):
        self.runs += 1
        return self.run(self.request, self.runs, port, tls)

    def run(self, request, number, port, tls=False, wrap=0, seconds=0):
        """The requests of the file; `wrap` numbers for each of wrk's threads, 0: no end of them."""
        url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/pap"
        out = self.bench.tool(
            "wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds or self.plan.seconds}s", "-s",
            os.path.join(HERE, "submit.lua"), url, "--", request, f"{number:02x}", str(wrap),
        )
        check("Non-2xx" not in out and "Socket errors" not in out, out)
        self.answers = int(re.search(r"(\d+) requests in", out).group(1))
        return float(re.search(r"Requests/sec: +([\d.]+)", out).group(1))


def check_stored(gateway, answers):
    """What was answered must be on disk, and nothing but that."""
    gateway.program.stop()
    with sqlite3.connect(gateway.db) as db:
        rows = db.execute("SELECT count(*) FROM push").fetchone()[0]
    check(answers <= rows <= answers + 1000, f"{answers} answers, {rows} pushes in the store")


def submissions(bench, plan, name, peer, tls=False, ports=(9,)):
    """Ours and the peer in turns.  Returns our median."""
    wrk = Wrk(bench, plan)
    gateway = Gateway(bench, name, ports, bench.cert)
    ours, theirs, answers = [], [], 0
    for _ in range(plan.rounds):
        ours.append(wrk.rate(gateway.tls_port if tls else gateway.port, tls))
        answers += wrk.answers
        theirs.append(wrk.rate(peer.tls_port if tls else peer.port, tls))
    compare(name, ours, theirs)
    check_stored(gateway, answers)
    gateway.stop()
    peer.stop()
    return statistics.median(ours)


def submit_http(bench, plan):
    bench.rate = submissions(bench, plan, "submit_http", Nginx(bench, bench.cert))


def submit_tls(bench, plan):
    submissions(bench, plan, "submit_tls", Nginx(bench, bench.cert), tls=True)


def cpu_s(program):
    """Processor time of all of its threads so far."""
    with open(f"/proc/{program.process.pid}/stat", encoding="ascii") as f:
        user, system = f.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def submit_admission(bench, plan):
    """What authentication and authorisation together cost a submission: with a password and a list of 100 000 addresses
    among a hundred rules, against an initiator that its address alone proves and one rule for everything."""
    bench.write("many.list", "".join(f"+1556{n:07d}\n" for n in range(100000)))
    rules = "deny * @many.list *\n" + "".join(f"deny other{n} +1555* *\n" for n in range(100))
    on = Gateway(bench, "admission_on", [9], bench.cert, whitelist=f"{rules}allow {USER} +1555* *\n")
    off = Gateway(bench, "admission_off", [9], bench.cert, initiators=ANYBODY, whitelist="allow * * *\n")
    wrk = Wrk(bench, plan)
    bare = bench.write("wrk.bare", request(entity([number(0)]), authorization=False))
    rates, costs = {on: [], off: []}, {on: [], off: []}
    for _ in range(plan.rounds):
        for gateway, asked in ((on, wrk.request), (off, bare)):
            before = cpu_s(gateway.program)
            wrk.runs += 1
            rates[gateway].append(wrk.run(asked, wrk.runs, gateway.port))
            costs[gateway].append((cpu_s(gateway.program) - before) * 1e6 / wrk.answers)
    compare("submit_admission", rates[on], rates[off])
    ours, peer = (statistics.median(costs[gateway]) for gateway in (on, off))
    say("submit_admission_us", ours=f"{ours:.1f}", peer=f"{peer:.1f}", ratio=f"{peer / ours:.2f}")
    on.stop()
    off.stop()


def submit_kannel(bench, plan):
    submissions(bench, plan, "submit_kannel", Kannel(bench))


# --- what may be asked about a push ---


def operations(bench, plan):
    """Status queries and cancellations of pushes that wait, beside their submissions."""
    wrk = Wrk(bench, plan)
    query = bench.write("wrk.status", request(document("statusquery-message")))
    cancel = bench.write("wrk.cancel", request(document("cancel-message")))
    gateway = Gateway(bench, "operations", [9], bench.cert)
    rates, asked = {"submit": [], "status": [], "cancel": []}, 0
    for _ in range(plan.rounds):
        rates["submit"].append(wrk.rate(gateway.port))
        each = int(wrk.answers * 0.4)  # of each of two threads, which do not get on equally
        rates["status"].append(wrk.run(query, wrk.runs, gateway.port, wrap=each))
        rates["cancel"].append(wrk.run(cancel, wrk.runs, gateway.port, wrap=each, seconds=1))
        asked += min(wrk.answers, 2 * each)
    for name in ("status", "cancel"):
        compare(name, rates[name], rates["submit"])
    gateway.program.stop()
    with sqlite3.connect(gateway.db) as db:
        cancelled = db.execute("SELECT count(*) FROM target WHERE stage = 7").fetchone()[0]
    check(cancelled > asked * 0.7, f"{asked} cancellations, {cancelled} cancelled targets in the store")
    gateway.stop()


def recipients(bench, plan):
    """One submission with ten thousand addresses."""
    gateway = Gateway(bench, "recipients", [9] * RECIPIENTS, bench.cert)
    body = entity([number(at) for at in range(RECIPIENTS)])
    times = []
    for run in range(plan.rounds):
        began = time.monotonic()
        submit(gateway.port, body, f"{run:016x}")
        times.append((time.monotonic() - began) * 1000)
    say("recipients_10000_ms", ours=f"{statistics.median(times):.0f}")
    gateway.stop()


def retention(bench, plan):
    """Pushes that are delivered and soon forgotten: the file stops growing, and that costs the submissions little."""
    load = Load(bench, TERMINALS)
    rates, sizes = {}, []
    for keep in ("24h", "1s"):
        gateway = Gateway(bench, f"keep-{keep}", load.ports, bench.cert, keep=keep)
        rates[keep] = []
        for _ in range(3 * plan.rounds):
            rates[keep].append(load.run(gateway.port, 2, rate=5000, outstanding=2000)["delivered_rate"])
            if keep == "1s":
                sizes.append(os.path.getsize(gateway.db) // 1024)
        gateway.stop()
    compare("retention", rates["1s"], rates["24h"])
    say("retention_kb", first=sizes[1], last=sizes[-1], after_each_10000=",".join(map(str, sizes)))
    check(sizes[-1] <= 1.2 * max(sizes[1:len(sizes) // 2]), f"the file goes on growing: {sizes}")
    load.stop()


# --- with bench_load ---


class Load:
    """bench_load: handsets and submissions in one process."""

    def __init__(self, bench, terminals, extra="", later=False):
        address = number(TERMINAL_MARK if terminals else 0)
        path = bench.write(f"load.{terminals}", request(entity([address], later, extra)))
        self.process = subprocess.Popen(
            [os.path.join(bench.build, "tests/bench_load"), path, str(terminals)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True,
        )
        bench.closers.append(self.stop)
        self.ports = [int(word) for word in self.process.stdout.readline().split()[1:]]

    def run(self, port, seconds, rate=0, outstanding=0):
        print(port, seconds, int(rate), CONNECTIONS, outstanding, file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        got = {key: float(value) for key, value in (word.split("=") for word in line.split())}
        check(got and got["faults"] == 0 and got["accepted"] > 0, f"bench_load: {line}")
        check(not self.ports or got["accepted"] == got["delivered"], f"bench_load: {line}")
        return got

    def stop(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()


def latency(bench, plan):
    load = Load(bench, 0, later=True)
    gateway = Gateway(bench, "latency", [9], bench.cert)
    rate = getattr(bench, "rate", None) or load.run(gateway.port, plan.seconds)["rate"]
    got = load.run(gateway.port, plan.seconds, rate / 2)
    say("submit_p50_us", ours=f"{got['p50_us']:.0f}", rate=f"{got['rate']:.0f}")
    say("submit_p99_us", ours=f"{got['p99_us']:.0f}", rate=f"{got['rate']:.0f}")
    load.stop()
    gateway.stop()


FULL = "X-Push-Protection: full\r\n"


def deliver_full(bench, plan):
    load = Load(bench, TERMINALS, FULL)
    gateway = Gateway(bench, "deliver", load.ports, bench.cert)
    load.run(gateway.port, 0.5, outstanding=2000)  # opens the connections
    rates = [load.run(gateway.port, plan.seconds, outstanding=2000)["delivered_rate"] for _ in range(plan.rounds)]
    rate = statistics.median(rates)
    got = load.run(gateway.port, plan.seconds, rate / 2)
    say("deliver_full", ours=f"{rate:.0f}")
    say("deliver_p50_us", ours=f"{got['delivered_p50_us']:.0f}", rate=f"{got['delivered_rate']:.0f}")
    say("deliver_p99_us", ours=f"{got['delivered_p99_us']:.0f}", rate=f"{got['delivered_rate']:.0f}")
    load.stop()
    gateway.stop()


def allocations(bench, plan):
    counter = bench.path("allocations")
    env = {"LD_PRELOAD": os.path.join(bench.build, "tests/liballoc_count.so"), "ALLOC_COUNT_FILE": counter}

    def count():
        with open(counter, "rb") as f:
            return int.from_bytes(f.read(8), sys.byteorder)

    def each(load, gateway):
        load.run(gateway.port, 0.5, outstanding=500 if load.ports else 0)
        before = count()
        got = load.run(gateway.port, 1.5, outstanding=500 if load.ports else 0)
        return (count() - before) / got["accepted"]

    later, now = Load(bench, 0, FULL, later=True), Load(bench, TERMINALS, FULL)
    gateway = Gateway(bench, "allocations", now.ports, bench.cert, env)
    submitted = each(later, gateway)
    both = each(now, gateway)
    say("allocs_submit", ours=f"{submitted:.1f}")
    say("allocs_deliver", ours=f"{both - submitted:.1f}")
    later.stop()
    now.stop()
    gateway.stop()


# --- memory ---


def memory(bench, plan):
    gateway = Gateway(bench, "memory", [9] * RECIPIENTS, bench.cert)
    rest = gateway.resident_kb()
    say("rss_rest_kb", ours=rest)
    clear = idle_connections(gateway.port, 1000, False)
    with_clear = gateway.resident_kb()
    say("rss_idle_1000_kb", ours=with_clear, each=f"{(with_clear - rest) / 1000:.1f}")
    tls = idle_connections(gateway.tls_port, 1000, True)
    with_tls = gateway.resident_kb()
    say("rss_idle_tls_1000_kb", ours=with_tls, each=f"{(with_tls - with_clear) / 1000:.1f}")
    for s in clear + tls:
        s.close()
    body = entity([number(at) for at in range(RECIPIENTS)])
    for at in range(QUEUED // RECIPIENTS):
        submit(gateway.port, body, f"{at:016x}")
    say("rss_queued_kb", ours=gateway.resident_kb(), queued=QUEUED)
    gateway.stop(forget=False)
    ms = gateway.start() * 1000
    say("restart_ms", ours=f"{ms:.0f}", queued=QUEUED)
    time.sleep(1)
    say("rss_restarted_kb", ours=gateway.resident_kb(), queued=QUEUED)
    gateway.stop()


# --- a reload ---


class Probe:
    """Requests that cost a loop next to nothing, on kept connections to all loops, one after the other: the longest wait
    for an answer is about the longest that a loop was busy with something else, or the machine with somebody else."""

    def __init__(self, bench, port):
        self.sockets = [socket.create_connection(("127.0.0.1", port), timeout=30) for _ in range(16)]
        for s in self.sockets:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            bench.closers.append(s.close)

    def longest_ms(self, seconds):
        longest, at, end = 0.0, 0, time.perf_counter() + seconds
        while (began := time.perf_counter()) < end:
            s = self.sockets[at % len(self.sockets)]
            s.sendall(b"GET /probe HTTP/1.1\r\nHost: localhost\r\n\r\n")
            check(s.recv(4096).startswith(b"HTTP/1.1 404"), "the probe was not answered")
            longest = max(longest, time.perf_counter() - began)
            at += 1
        return longest * 1000


class Reloads:
    """Of a gateway whose whitelist names a million addresses.  `threads` are those it had before the first reload: its
    loops, the store's and the log's, but not the workers."""

    def __init__(self, gateway):
        self.gateway, self.count = gateway, 0
        self.tasks = f"/proc/{gateway.program.process.pid}/task"
        self.threads = os.listdir(self.tasks)

    def start(self):
        self.count += 1
        self.gateway.program.signal(signal.SIGHUP)

    def finish(self):
        """Until it is taken and, which nothing tells, the old configuration is freed."""
        wait_until(lambda: self.gateway.program.err().count("event=reload.done") >= self.count, "a reload", 60)
        time.sleep(0.5)

    def cpu_ms(self):
        """Of each thread, so far."""
        spent = {}
        for thread in self.threads:
            with open(f"{self.tasks}/{thread}/schedstat", encoding="ascii") as f:
                spent[thread] = int(f.read().split()[0]) / 1e6
        return spent


def reload(bench, plan):
    bench.write("million.list", "".join(f"+1666{at:07d}\n" for at in range(ADDRESSES)))
    gateway = Gateway(bench, "reload", [9], bench.cert)
    bench.write("whitelist.conf", "allow bench +1555* *\ndeny * @million.list *\n")
    reloads, cpu, stalls, idle, times = Reloads(gateway), [], [], [], []
    reloads.start()
    reloads.finish()  # from here on a million are thrown away, too
    for _ in range(plan.rounds * 2):
        before, began = reloads.cpu_ms(), time.monotonic()
        reloads.start()
        reloads.finish()
        times.append(time.monotonic() - began - 0.5)
        cpu.append(max(spent - before[thread] for thread, spent in reloads.cpu_ms().items()))
    probe = Probe(bench, gateway.port)
    for _ in range(plan.rounds * 2):
        reloads.start()
        stalls.append(probe.longest_ms(2))
        reloads.finish()
        idle.append(probe.longest_ms(2))
    say("reload_ms", ours=f"{statistics.median(times) * 1000:.0f}", addresses=ADDRESSES)
    say("reload_loop_ms", ours=f"{statistics.median(cpu):.1f}", worst=f"{max(cpu):.1f}", addresses=ADDRESSES)
    say("reload_stall_ms", ours=f"{statistics.median(stalls):.1f}", idle=f"{statistics.median(idle):.1f}",
        addresses=ADDRESSES)
    gateway.stop()


# --- SIP ---


def sip_udp(bench, plan):
    compare("sip_udp", *sip.rates(bench, plan, "udp"))


def sip_tcp(bench, plan):
    compare("sip_tcp", *sip.rates(bench, plan, "tcp"))


def sip_register(bench, plan):
    sip.registers(bench, plan, say)


# --- the small ones ---


def micro(bench, plan):
    for program in MICRO:
        if plan.quick and program == "bench_store":
            continue
        out = bench.run(os.path.join(bench.build, "tests", program), env={"TMPDIR": bench.folder}, timeout_s=120)
        check(out.returncode == 0, f"{program}: {out.stderr[-500:]}")
        print(out.stdout, end="", flush=True)


def terminals(bench, plan):
    crowd.terminals(bench, plan, say)


def terminals_certificate(bench, plan):
    crowd.terminals_certificate(bench, plan, say)


def terminals_full(bench, plan):
    crowd.terminals_full(bench, plan, say)


def terminals_silent(bench, plan):
    crowd.terminals_silent(bench, plan, say)


ALL = (
    submit_http, submit_tls, submit_admission, submit_kannel, operations, recipients, latency, deliver_full, retention,
    allocations, memory, reload, terminals, terminals_certificate, terminals_full, terminals_silent, sip_udp, sip_tcp,
    sip_register, micro,
)


def give_up(number, frame):
    raise SystemExit(f"ended by signal {number}" if number != signal.SIGALRM else "out of time")


def measure(bench, function, plan):
    """One that cannot be had is named and does not stop the others."""
    try:
        function(bench, plan)
        return True
    except (Failure, OSError) as why:
        say(function.__name__, skipped=f"{str(why).strip()[:300]!r}")
        return False
    finally:
        bench.end()


class BenchRun(Bench):
    """A harness bench whose programs end after each measurement, the files only at the end."""

    def end(self):
        for closer in reversed(self.closers):
            closer()
        for program in reversed(self.programs):
            program.stop(5)
        self.closers, self.programs = [], []


def main():
    arguments = [word for word in sys.argv[1:] if word != "--quick"]
    plan = Plan("--quick" in sys.argv)
    names = arguments[1:]
    chosen = [function for function in ALL if not names or function.__name__ in names]
    if not arguments or not chosen:
        sys.exit(__doc__)
    for number_ in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number_, give_up)
    signal.alarm(int(plan.deadline - time.monotonic()))
    bench = BenchRun(os.path.abspath(arguments[0]), "bench")
    try:
        bench.cert = bench.certificate(bench.ca(), "server")
        good = [measure(bench, function, plan) for function in chosen]
    finally:
        bench.close()
    sys.exit(0 if all(good) else 1)


main()
