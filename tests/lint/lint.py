"""Static checks of the tree: `lint.py [TREE]` prints `file:line: rule: what` per finding and ends with 1 if any.

Not the compiler's work: it only asks gcc whether each header stands alone, and clang-format whether each file is
formatted.  tests/lint/selftest.py proves that every rule can fire.
"""

import ast
import concurrent.futures
import csv
import fnmatch
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
from include_table import ANY, ROOMS, SYSTEM

FUNCTION_WARN, FUNCTION_MAX, FILE_MAX = 40, 60, 1000
SKIP = {".git", "build", "scratch", "__pycache__"}
BANNED = ("strcpy", "stpcpy", "strcat", "sprintf", "vsprintf", "strtok", "atoi", "atol", "atoll", "alloca", "gets")
COPIES = ("memcpy", "memmove")
SLEEPS = ("sleep", "usleep", "nanosleep", "clock_nanosleep", "uv_sleep", "thrd_sleep")
# Spelled in two pieces, so that this file does not break its own rule.
WORDS = (("/wo" "rk/", "a path of one machine"), ("DEVEL" "OPERS", "a word about how the work is organised"))
PATIENCE_S = 20  # no test may give up sooner: the machine may be busy with others
SUITES = {"unit": "unit/{0}/test_{1}.c", "fault": "fault/test_{1}.c", "replay": "replay/test_{1}.c"}


class Tree:
    """The files below one folder, read once, and what was found wrong with them."""

    def __init__(self, top):
        self.top = top
        self.found = []
        self.long_functions = 0
        self.text = {}
        for at, folders, names in os.walk(top):
            folders[:] = sorted(f for f in folders if f not in SKIP)
            for name in sorted(name for name in names if name not in SKIP):  # a linked work tree has a file .git
                path = os.path.join(at, name)
                if os.path.isfile(path):
                    with open(path, "rb") as f:
                        self.text[os.path.relpath(path, top)] = f.read().decode("utf-8", "surrogateescape")

    def say(self, path, line, rule, what):
        self.found.append((path, line, rule, what))

    def sources(self, *ends):
        return [p for p in self.text if p.endswith(ends) and not p.startswith("tests/fuzz/corpus/")]


def blank_out(text):
    """The same text with comments and string contents as spaces, so that lines and columns stay."""

    def spaces(match):
        return re.sub(r"[^\n]", " ", match.group(0))

    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', spaces, text, flags=re.S)


def room_of(path):
    folder = os.path.dirname(path)
    while folder and folder not in ROOMS:
        folder = os.path.dirname(folder)
    return folder


def granted(table, header, name):
    """Does a row of `table` let the file `name` include `header`?  Folders end in "/" and mean that level only."""
    for row, files in table.items():
        if row == header or (row.endswith("/") and header.startswith(row) and "/" not in header[len(row):]):
            if files == ANY or any(fnmatch.fnmatchcase(name, f) for f in files):
                return True
    return False


def includes(text):
    for number, line in enumerate(text.split("\n"), 1):
        match = re.match(r'\s*#\s*include\s*(<([^>]+)>|"([^"]+)")', line)
        if match:
            yield number, match.group(2), match.group(3)


def check_includes(tree):
    for path in tree.sources(".c", ".h"):
        room, name = room_of(path), os.path.basename(path)
        if not room:
            continue
        for line, theirs, ours in includes(tree.text[path]):
            if ours and not granted(ROOMS[room]["ours"], ours, name):
                tree.say(path, line, "include", f"{room} may not see {ours}")
            if theirs and theirs not in SYSTEM and not granted(ROOMS[room]["theirs"], theirs, name):
                tree.say(path, line, "include", f"<{theirs}> has no place in {name} of {room}")


def check_own_header_first(tree):
    for path in tree.sources(".c"):
        own = path[:-1] + "h"
        first = next(includes(tree.text[path]), None)
        if own in tree.text and first and first[2] != own:
            tree.say(path, first[0], "own-header", f'the first include must be "{own}"')


def check_calls(tree):
    for path in tree.sources(".c", ".h"):
        banned = BANNED + (() if path.startswith(("base/", "tests/unit/base/")) else COPIES)
        banned += SLEEPS if path.startswith("tests/") else ()
        call = re.compile(r"(?<![\w.>])(" + "|".join(banned) + r")\s*\(")
        for line, text in enumerate(blank_out(tree.text[path]).split("\n"), 1):
            for match in call.finditer(text):
                tree.say(path, line, "call", f"{match.group(1)} is not used here")


def functions(text):
    """(first line of the signature, line of the closing brace) for each function; bodies open in column 1."""
    lines = blank_out(text).split("\n")
    opened = None
    for i, line in enumerate(lines):
        if line == "{":
            opened = i
            while opened and lines[opened - 1].strip() and lines[opened - 1].rstrip()[-1] not in ";}":
                if lines[opened - 1].lstrip().startswith("#"):
                    break
                opened -= 1
        elif line.startswith("}") and opened is not None:
            yield opened + 1, i + 1
            opened = None


def check_sizes(tree):
    for path in tree.sources(".c", ".h", ".py", ".sh"):
        count = tree.text[path].count("\n")
        if count > FILE_MAX:
            tree.say(path, count, "file-length", f"{count} lines, at most {FILE_MAX}")
    for path in tree.sources(".c", ".h"):
        for start, end in functions(tree.text[path]):
            n = end - start + 1
            tree.long_functions += FUNCTION_WARN < n <= FUNCTION_MAX
            if n > FUNCTION_MAX:
                tree.say(path, start, "function-length", f"{n} lines, at most {FUNCTION_MAX}")


def check_heads(tree):
    for path in tree.sources(".c", ".h", ".py", ".sh"):
        text = re.sub(r"\A#![^\n]*\n", "", tree.text[path])
        if not text.startswith("/*" if path.endswith((".c", ".h")) else ("#", '"""')):
            tree.say(path, 1, "head", "the file does not open with a comment on what it is for")


def check_words(tree):
    for path, text in tree.text.items():
        for word, what in WORDS:
            if word in text:
                tree.say(path, text[: text.index(word)].count("\n") + 1, "word", f"{what}: {word}")
    for path in tree.sources(".c", ".h"):
        match = re.search(r"\b(TO" r"DO|FIX" r"ME)\b", tree.text[path])
        if match:
            tree.say(path, tree.text[path][: match.start()].count("\n") + 1, "word", "unfinished: " + match.group(1))


def check_whole(tree):
    """What a merge left in a file, and Python that is none."""
    for path, text in tree.text.items():
        match = re.search(r"^(<{7} |>{7} )", text, re.M)
        if match:
            tree.say(path, text[: match.start()].count("\n") + 1, "whole", "a merge was not ended")
        elif path.endswith(".py"):
            try:
                compile(text, path, "exec", dont_inherit=True)
            except SyntaxError as why:
                tree.say(path, why.lineno or 1, "whole", str(why.msg))


def called(node):
    """Of a call: the name behind the last dot, "" when there is none."""
    f = node.func if isinstance(node, ast.Call) else None
    return f.attr if isinstance(f, ast.Attribute) else f.id if isinstance(f, ast.Name) else ""


def limits(call):
    """The seconds after which a call gives up, as far as they stand there as numbers."""
    places = {"wait_until": 2, "settimeout": 0, "join": 0, "sleep": 0}
    found = [k.value for k in call.keywords if k.arg in ("timeout", "timeout_s")]
    found += call.args[places.get(called(call), 99):][:1]
    return [n.value for n in found if isinstance(n, ast.Constant) and isinstance(n.value, (int, float))]


def chances(text):
    """(line, what) for each thing in a test that holds most of the time: on another machine, or with other random octets, it
    does not."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.NotIn) and isinstance(getattr(node.left, "value", None), (str, bytes)):
            word = node.left.value.decode("latin-1") if isinstance(node.left.value, bytes) else str(node.left.value)
            if re.fullmatch(r"(?=.*[0-9])[0-9a-f]{1,7}", word):
                yield node.lineno, f"{word} may stand in any hash, key, time or number: look for it with what is around it"
        if called(node) in ("split", "splitlines") and called(getattr(node.func, "value", None)) in ("out", "err", "said"):
            yield node.lineno, "the last line may be half written: lines(), or whole_lines()"
        if called(node) and any(1 <= n < PATIENCE_S for n in limits(node)):
            yield node.lineno, f"gives up in less than {PATIENCE_S} s, or waits for no event"


def check_chance(tree):
    for path in tree.sources(".py"):
        if path.startswith("tests/integration/"):
            try:
                for line, what in chances(tree.text[path]):
                    tree.say(path, line, "chance", what)
            except SyntaxError:
                pass  # told as such


def test_exists(tree, name):
    """Is there a source file for the test `SUITE.ROOM.FILE:CASE`, and does it hold the case's name?"""
    match = re.fullmatch(r"(unit|fault|replay)\.(\w+)\.(\w+):(\w[\w-]*)", name)
    if match:
        text = tree.text.get("tests/" + SUITES[match[1]].format(match[2], match[3]))
        return text is not None and f'"{match[4]}"' in text
    match = re.fullmatch(r"fuzz\.(\w+):corpus", name)
    if match:
        return f"tests/fuzz/fuzz_{match[1]}.c" in tree.text
    match = re.fullmatch(r"integration\.(\w+):(\w[\w-]*)", name)
    if match:
        texts = (tree.text.get(f"tests/integration/test_{match[1]}.{end}", "") for end in ("sh", "py"))
        return any(re.search(rf"(?<![\w-]){re.escape(match[2])}(?![\w-])", text) for text in texts)
    return False


def check_conformance(tree):
    path = "tests/conformance/requirements.csv"
    if path not in tree.text:
        tree.say(path, 1, "conformance", "missing")
        return 0, 0
    rows, proven, seen, told = csv.DictReader(tree.text[path].splitlines()), 0, set(), {}
    for row in rows:
        names = [n for n in (row.get("tests") or "").split(";") if n]
        proven += bool(names)
        if not row.get("id") or row["id"] in seen or None in row or row.get("tests") is None:
            tree.say(path, rows.line_num, "conformance", f"row {row.get('id')} is repeated or lacks columns")
        seen.add(row.get("id"))
        told[row.get("id")] = (rows.line_num, row.get("acceptance") or "", names)
        for name in names:
            if not test_exists(tree, name):
                tree.say(path, rows.line_num, "conformance", f"{row['id']} names {name}, which no source holds")
    check_page(tree)
    check_trace(tree, told)
    return proven, len(seen)


def check_page(tree):
    """The page of mechanisms names tests in code quotes, and each is there."""
    path = "tests/conformance/MECHANISMS.md"
    if path not in tree.text:
        tree.say(path, 1, "conformance", "missing")
        return
    for number, line in enumerate(tree.text[path].split("\n"), 1):
        for name in re.findall(r"`([^`\s]+:[^`\s]+)`", line):
            if not test_exists(tree, name):
                tree.say(path, number, "conformance", f"names {name}, which no source holds")


def check_trace(tree, told):
    """A requirement that is said to be filled by others is so on the page, with the same ones; each of them is proven, and
    it names all that proves them.  told: {id: (line, acceptance, tests)}."""
    page = tree.text.get("tests/conformance/MECHANISMS.md", "").partition("\n## Trace\n")[2].partition("\n## ")[0]
    table = {row[0]: row[1].split() for row in re.findall(r"(?m)^\| (\S+) \| (.+?) \|$", page) if row[0] in told}
    for one, (line, acceptance, tests) in told.items():
        wanted = re.findall(r"[A-Z][\w.]*-[\w.-]*\w", acceptance) if acceptance.startswith("Trace matrix points to ") else []
        others = table.get(one, [])
        missing = [o for o in others if not told.get(o, (0, "", []))[2]]
        unnamed = [t for o in others if o in told for t in told[o][2] if t not in tests]
        for bad, what in ((sorted(others) != sorted(wanted), f"points to {others} on the page, not to {wanted}"),
                          (missing, f"points to {missing}, which nothing proves"), (unnamed, f"does not name {unnamed}")):
            if bad:
                tree.say("tests/conformance/requirements.csv", line, "trace", f"{one} {what}")


def run(args, top):
    return subprocess.run(args, cwd=top, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def syntax_flags():
    libraries = ["libuv", "gnutls", "libxml-2.0", "sqlite3", "jansson"]
    found = subprocess.run(["pkg-config", "--cflags", *libraries], capture_output=True, text=True, check=False)
    warnings = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wstrict-prototypes", "-Werror"]
    return ["-std=c11", "-D_GNU_SOURCE", "-I.", *warnings, *found.stdout.split()]


def check_lone_headers(tree, pool):
    flags = syntax_flags()

    def alone(path):
        # Through an including unit: a header given as the main file would warn about static functions unused.
        unit = f'#include "{path}"\n#include "{path}"\ntypedef int a_unit_needs_a_declaration;\n'
        args = ["gcc", "-fsyntax-only", *flags, "-x", "c", "-"]
        return path, subprocess.run(args, cwd=tree.top, input=unit, capture_output=True, text=True, check=False)

    for path, done in pool.map(alone, tree.sources(".h")):
        if done.returncode:
            error = re.search(r"^(\S+?):(\d+):\d+: (?:fatal )?error: (.*)$", done.stderr, re.M)
            where, line, what = error.groups() if error else (path, "1", "does not compile alone")
            tree.say(path, int(line) if where == path else 1, "lone-header", f"{where}:{line}: {what}")


def check_format(tree, pool):
    tool = "clang-format-14" if run(["sh", "-c", "command -v clang-format-14"], ".").returncode == 0 else "clang-format"
    files = tree.sources(".c", ".h")
    groups = [files[i : i + 8] for i in range(0, len(files), 8)]
    for done in pool.map(lambda g: run([tool, "--dry-run", "-Werror", *g], tree.top), groups):
        told = set()
        for path, line in re.findall(r"^(\S+?):(\d+):\d+: error: ", done.stdout, re.M):
            if path not in told:
                tree.say(path, int(line), "format", "not as clang-format writes it")
            told.add(path)
        if done.returncode and not told:
            tree.say(".clang-format", 1, "format", done.stdout.strip().split("\n")[0] or "clang-format failed")


def lint(top):
    tree = Tree(top)
    for check in (check_includes, check_own_header_first, check_calls, check_sizes, check_heads, check_words,
                  check_whole, check_chance):
        check(tree)
    proven, rows = check_conformance(tree)
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
        check_lone_headers(tree, pool)
        check_format(tree, pool)
    return tree, proven, rows


def main():
    top = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else ".")
    tree, proven, rows = lint(top)
    for path, line, rule, what in sorted(tree.found):
        print(f"{path}:{line}: {rule}: {what}")
    print(f"lint: {len(tree.text)} files, {tree.long_functions} functions of {FUNCTION_WARN + 1} to {FUNCTION_MAX} lines, "
          f"{proven} of {rows} requirements name a test, {len(tree.found)} findings")
    return 1 if tree.found else 0


if __name__ == "__main__":
    sys.exit(main())
