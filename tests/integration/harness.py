"""What the integration tests stand on: cases, scratch folders, programs, ports and certificates.

A test file defines functions marked with @case that take one argument, a Bench, and ends with `main("what")`.  Run as
`python3 tests/integration/test_what.py BUILD_DIR [CASE...]`; BUILD_DIR holds the programs.  One line a case; the exit
status is 1 when one failed.  Cases that passed are listed in $TEST_RAN_DIR/integration.what.ran for the conformance
lint.  A case fails by an exception; `check(condition, what)` raises one.
"""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

sys.dont_write_bytecode = True
CASES = []
TIMEOUT_S = 120  # of one program, unless the case says otherwise
PATIENCE_S = 60  # of a wait for something that happens at once: what ends it is a fault, never a machine that is busy


class Failure(Exception):
    """A check that did not hold."""


class NotHere(Exception):
    """What this machine lacks, as many a container does: said, for what the case shows is not shown there."""


def case(function):
    CASES.append(function)
    return function


def check(condition, what):
    if not condition:
        raise Failure(str(what))


def check_eq(got, want, what="value"):
    if got != want:
        raise Failure(f"{what}: got {got!r}, want {want!r}")


def wait_until(ready, what, timeout_s=PATIENCE_S):
    """Polls until ready() answers something true, which is returned."""
    end = time.monotonic() + timeout_s
    while True:
        got = ready()
        if got:
            return got
        check(time.monotonic() < end, f"waited {timeout_s} s for {what}")
        time.sleep(0.02)


def whole_lines(text):
    """Without what its writer has not ended yet, and may have written half of."""
    return text[:text.rfind("\n") + 1].splitlines()


ENDED = []  # sockets that nobody listens on any more


def hang_up(listener):
    """Ends a socket that another thread accepts on.  It stays open: if its number were free, the next socket would have it,
    and that thread, on its way into accept(), would take what came for another."""
    listener.shutdown(socket.SHUT_RDWR)
    ENDED.append(listener)


class Program:
    """A program in the background; its output goes to files of the scratch folder."""

    def __init__(self, bench, args, env=None, stdin=None):
        self.name = os.path.basename(args[0])
        self.out_path = bench.path(f"{self.name}.{len(bench.programs)}.out")
        self.err_path = bench.path(f"{self.name}.{len(bench.programs)}.err")
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.process = subprocess.Popen(
                args, stdin=stdin or subprocess.DEVNULL, stdout=out, stderr=err, env={**os.environ, **(env or {})}
            )

    def out(self):
        with open(self.out_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def err(self):
        with open(self.err_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def running(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout_s=TIMEOUT_S):
        """The exit status; a program that goes on past the time limit is a failure."""
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} did not end in {timeout_s} s; it said: {self.err()[-2000:]}") from None

    def lines(self):
        """Its whole lines of standard output, also while it runs."""
        return whole_lines(self.out())

    def stop(self, timeout_s=PATIENCE_S):
        if self.running():
            self.signal(signal.SIGTERM)
            try:
                self.process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode


class Bench:
    """What one case works with; everything it started or made is gone afterwards."""

    def __init__(self, build, name):
        self.build = build
        self.folder = tempfile.mkdtemp(prefix=f"ppg-{name[:20]}-")
        self.programs = []
        self.checks = []  # called behind a case that held; may fail it
        self.closers = []  # called in reverse order at the end

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, text, mode=0o644):
        path = self.path(name)
        data = text if isinstance(text, bytes) else text.encode()
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as f:
            f.write(data)
        os.chmod(path, mode)
        return path

    def program(self, name):
        return name if os.sep in name else os.path.join(self.build, name)

    def run(self, name, *args, stdin="", env=None, timeout_s=TIMEOUT_S):
        """Runs a program of the build to its end: returncode, stdout, stderr as text."""
        try:
            return subprocess.run(
                [self.program(name), *args], input=stdin, capture_output=True, text=True, errors="replace",
                timeout=timeout_s, env={**os.environ, **(env or {})}, check=False,
            )
        except subprocess.TimeoutExpired:
            raise Failure(f"{name} {' '.join(args)[:200]} did not end in {timeout_s} s") from None

    def tool(self, *args, stdin=None, timeout_s=TIMEOUT_S):
        """Runs a program of the system (curl, openssl), which must succeed; its output as text."""
        done = subprocess.run(args, input=stdin, capture_output=True, text=True, timeout=timeout_s, check=False)
        check(done.returncode == 0, f"{' '.join(args)[:200]}: {done.returncode}: {done.stderr[-500:]}")
        return done.stdout

    def start(self, name, *args, env=None, stdin=None):
        program = Program(self, [self.program(name), *args], env, stdin)
        self.programs.append(program)
        return program

    def wait_for_file(self, path, program=None):
        """The text of a file another program makes."""

        def ready():
            check(program is None or program.running() or os.path.exists(path), program and program.err()[-2000:])
            return os.path.exists(path)

        wait_until(ready, path)
        with open(path, encoding="utf-8") as f:
            return f.read()

    def close(self):
        for closer in reversed(self.closers):
            closer()
        for program in reversed(self.programs):
            program.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    # Certificates: ECDSA, made with openssl.  A pair is the paths (certificate, key).

    def ca(self, name="ca"):
        cert, key = self.path(f"{name}.crt"), self.path(f"{name}.key")
        self.tool(
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", f"/CN={name}", "-addext", "basicConstraints=critical,CA:TRUE", "-addext",
            "keyUsage=critical,keyCertSign,cRLSign", "-keyout", key, "-out", cert,
        )
        return cert, key

    def certificate(self, ca, name, alt="IP:127.0.0.1,DNS:localhost", days=2):
        """A leaf signed by `ca`; `alt` is a subjectAltName in openssl's words (URI:https://..., DNS:..., IP:...)."""
        cert, key, request = (self.path(f"{name}.{end}") for end in ("crt", "key", "csr"))
        self.tool(
            "openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
            "-keyout", key, "-out", request,
        )
        extensions = self.write(f"{name}.ext", f"subjectAltName={alt}\nbasicConstraints=CA:FALSE\n")
        self.tool(
            "openssl", "x509", "-req", "-in", request, "-CA", ca[0], "-CAkey", ca[1], "-days", str(days), "-extfile",
            extensions, "-out", cert,
        )
        return cert, key


def needs_ipv6():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
            s.bind(("::1", 0))
    except OSError as e:
        raise NotHere(f"no IPv6: {e}") from e


def own_ports():
    """What the kernel gives to no client: who gets the port of a server that is down for a moment is taken for it."""
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as f:
            low, high = map(int, f.read().split())
    except OSError:
        low, high = 32768, 60999
    return max(range(12000, min(low, 65536)), range(high + 1, 65536), key=len)


OWN_PORTS = own_ports()
HELD = []  # a name of each port that this test was given, so that no test beside it is given the same


def both_free():
    """A listener and a socket of datagrams with one port, which was free for either and is nobody else's while this test runs."""
    while True:
        port = random.choice(OWN_PORTS)
        name, tcp, udp = (socket.socket(*kind) for kind in ((socket.AF_UNIX, socket.SOCK_STREAM), (socket.AF_INET, socket.SOCK_STREAM),
                                                            (socket.AF_INET, socket.SOCK_DGRAM)))
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            name.bind(f"\0push-test-port-{port}")
            tcp.bind(("127.0.0.1", port))
            tcp.listen()
            udp.bind(("127.0.0.1", port))
            HELD.append(name)
            return tcp, udp
        except OSError:  # somebody has one of them
            for each in (name, tcp, udp):
                each.close()


def free_port():
    """A port for connections or datagrams that stays this test's, also while its program is down."""
    tcp, udp = both_free()
    with tcp, udp:
        return udp.getsockname()[1]


def run_case(build, function):
    bench = Bench(build, function.__name__)
    try:
        function(bench)
        for last in bench.checks:
            last()
        return None
    except NotHere as lack:
        print(f"not tried here: {lack}", flush=True)
        return None
    except Failure as failure:
        at = traceback.extract_tb(failure.__traceback__)
        lines = [str(frame.lineno) for frame in at if frame.filename != __file__]
        return f"line {','.join(lines)}: {failure}"
    except Exception:  # a case that breaks fails, the others go on
        return traceback.format_exc()
    finally:
        bench.close()


def main(what):
    check_eq(f"test_{what}.py", os.path.basename(sys.argv[0]), "the suite's name and its file's")  # the lint goes by it
    if len(sys.argv) < 2 or not os.path.isdir(sys.argv[1]):
        print(f"usage: test_{what}.py BUILD_DIR [CASE...]", file=sys.stderr)
        sys.exit(2)
    names, passed, failed = sys.argv[2:], [], 0
    for function in CASES:
        if names and function.__name__ not in names:
            continue
        started = time.monotonic()
        why = run_case(os.path.abspath(sys.argv[1]), function)
        if why:
            failed += 1
            print(f"FAIL {function.__name__}: {why}", flush=True)
        else:
            passed.append(function.__name__)
            print(f"ok   {function.__name__} ({time.monotonic() - started:.1f} s)", flush=True)
    ran = os.environ.get("TEST_RAN_DIR")
    if ran:
        with open(os.path.join(ran, f"integration.{what}.ran"), "w", encoding="utf-8") as f:
            f.writelines(f"integration.{what}:{name}\n" for name in passed)
    print(f"{len(passed)} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)
