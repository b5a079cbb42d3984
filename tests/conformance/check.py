"""After the tests: `check.py BUILD_DIR` fails when requirements.csv or MECHANISMS.md names a test case that did not run and pass.

Test programs leave "NAME:CASE" for each case that passed in BUILD_DIR/ran/NAME.ran.  Prints the named cases that are
missing there, and how many requirements are proven.  Which names exist in the sources is tests/lint's to check.
"""

import csv
import glob
import os
import re
import sys


def passed(build):
    cases = set()
    for path in glob.glob(os.path.join(build, "ran", "*.ran")):
        with open(path, encoding="utf-8") as f:
            cases.update(line.strip() for line in f)
    return cases


def main():
    if len(sys.argv) != 2 or not os.path.isdir(os.path.join(sys.argv[1], "ran")):
        print("usage: check.py BUILD_DIR (one in which the tests have run)", file=sys.stderr)
        return 2
    ran = passed(sys.argv[1])
    missing = proven = rows = 0
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "MECHANISMS.md"), encoding="utf-8") as f:
        for name in re.findall(r"`([^`\s]+:[^`\s]+)`", f.read()):
            if name not in ran:
                print(f"MECHANISMS.md: {name} did not run, or did not pass")
                missing += 1
    path = os.path.join(here, "requirements.csv")
    with open(path, encoding="utf-8", newline="") as f:
        for row in csv.DictReader(f):
            names = [n for n in row["tests"].split(";") if n]
            absent = [n for n in names if n not in ran]
            for name in absent:
                print(f"{row['id']}: {name} did not run, or did not pass")
            missing += len(absent)
            proven += bool(names) and not absent
            rows += 1
    print(f"conformance: {proven} of {rows} requirements proven by tests that ran, {missing} named tests missing")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
