"""conf/quickstart.sh as a newcomer runs it: it builds into build/quickstart, shows a push from end to end and leaves
nothing behind.  Usage: test_quickstart.py BUILD_DIR, which it has no need of."""

import json
import os
import subprocess

from harness import case, check, check_eq, main

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def leftovers():
    scratch = os.path.join(TOP, "scratch")
    return sorted(os.listdir(scratch)) if os.path.isdir(scratch) else []


@case
def it_delivers_and_tidies_up(bench):
    before = leftovers()
    done = subprocess.run(["sh", os.path.join(TOP, "conf", "quickstart.sh")], stdin=subprocess.DEVNULL, cwd=bench.folder,
                          capture_output=True, text=True, errors="replace", timeout=1100, check=False)
    check_eq(done.returncode, 0, f"exit status; it said {done.stdout[-2000:]}{done.stderr[-3000:]}")
    check(done.stdout.splitlines()[-1].startswith("delivered"), done.stdout[-2000:])
    check("stands in them 0 times: ciphertext" in done.stdout, done.stdout)
    pushes = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"event":"push"')]
    check_eq([(p["key"], p["gateway"], p["associated"], p["protection"]) for p in pushes],
             [("gba-push", "ppg.demo.example", first, "full") for first in (True, False)], "pushes")
    check("association=brought gpi=" in done.stdout and "association=bootstrapped" in done.stdout, done.stdout)
    check_eq(leftovers(), before, "scratch folders")


@case
def it_knows_its_usage(bench):
    done = subprocess.run(["sh", os.path.join(TOP, "conf", "quickstart.sh"), "--nonsense"], cwd=bench.folder,
                          capture_output=True, text=True, timeout=60, check=False)
    check_eq((done.returncode, done.stdout), (2, ""))
    check("usage:" in done.stderr, done.stderr)


main("quickstart")
