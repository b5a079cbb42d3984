"""Proves that every rule of lint.py can fire: each row is a small bad tree and the findings it must give, no more
and no less.  The good tree, which every row starts from, must give none.
"""

import os
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True
import lint

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
HEAD = "/* What this file is for. */\n"
CSV = "id,clause,document,demand,acceptance,module,priority,tests\n"

GOOD = {
    "base/a.h": HEAD + "#ifndef BASE_A_H\n#define BASE_A_H\n\nint a(void);\n\n#endif\n",
    "base/a.c": HEAD + '#include "base/a.h"\n\n#include <string.h>\n\nint a(void)\n{\n    return 1;\n}\n',
    "tests/unit/pap/test_time.c": HEAD + 'const char *name(void)\n{\n    return "rows";\n}\n',
    "tests/fuzz/fuzz_gpl.c": HEAD,
    "tests/integration/test_first_push.sh": "#!/bin/sh\n# What this file is for.\npass kill9\n",
    "tests/conformance/requirements.csv": CSV + "A-1,,,,,,1,unit.pap.time:rows;fuzz.gpl:corpus\n"
    "A-2,,,,,,1,integration.first_push:kill9\nA-3,,,,,,1,\n",
    "tests/conformance/MECHANISMS.md": "| TLS | `unit.pap.time:rows` `integration.first_push:kill9` |\n",
}


def c(*lines):
    return HEAD + "".join(line + "\n" for line in lines)


def python(*lines):
    return "# What this file is for.\n" + "".join(line + "\n" for line in lines)


def function(n):
    return c("int f(void)", "{", *["    f();"] * (n - 4), "    return 1;", "}")


def include(what):
    return c(f"#include {what}")


def calls(what):
    return c("int f(char *p, char *q)", "{", f"    {what};", "    return *p + *q;", "}")


# What is changed against GOOD (None: removed), and each finding as "path:line rule".
ROWS = [
    ({"base/b.c": include('"base/net/tls.h"')}, ["base/b.c:2 include"]),
    ({"base/b.c": include("<uv.h>")}, ["base/b.c:2 include"]),
    ({"base/b.c": include("<nosuch.h>")}, ["base/b.c:2 include"]),
    ({"base/net/stream.c": include("<gnutls/gnutls.h>")}, ["base/net/stream.c:2 include"]),
    ({"base/net/tls.c": include("<gnutls/gnutls.h>")}, []),
    ({"base/net/tls.c": include("<http_parser.h>")}, ["base/net/tls.c:2 include"]),
    ({"base/net/http1.c": include('"pap/parse.h"')}, ["base/net/http1.c:2 include"]),
    ({"pap/print.c": include("<libxml/parser.h>")}, ["pap/print.c:2 include"]),
    ({"pap/parse.c": include("<libxml/parser.h>")}, []),
    ({"pap/parse.c": include('"security/rules/trust.h"')}, ["pap/parse.c:2 include"]),
    ({"security/gpl.h": include("<gnutls/gnutls.h>")}, ["security/gpl.h:2 include"]),
    ({"security/gpl.c": include("<gnutls/gnutls.h>")}, []),
    ({"security/rules/trust.c": include('"base/net/tls.h"')}, ["security/rules/trust.c:2 include"]),
    ({"security/credentials.c": include('"pap/time.h"')}, ["security/credentials.c:2 include"]),
    ({"ota/http.c": include('"ppg/push.h"')}, ["ota/http.c:2 include"]),
    ({"ota/terminal/kit.c": include('"ota/registry.h"')}, ["ota/terminal/kit.c:2 include"]),
    ({"ota/terminal/kit.c": include('"base/net/tls.h"')}, ["ota/terminal/kit.c:2 include"]),
    ({"ppg/store/schema.c": include("<sqlite3.h>")}, ["ppg/store/schema.c:2 include"]),
    ({"ppg/store/store.c": include('"ppg/stage.h"')}, ["ppg/store/store.c:2 include"]),
    ({"ppg/stage.c": include("<ini.h>")}, ["ppg/stage.c:2 include"]),
    ({"ppg/config/ini.c": include("<ini.h>")}, []),
    ({"ppg/config.c": include("<jansson.h>")}, ["ppg/config.c:2 include"]),
    ({"ppg/cmd/ppgctl.c": include("<jansson.h>")}, []),
    ({"ppg/cmd/ppgd.c": include("<jansson.h>")}, ["ppg/cmd/ppgd.c:2 include"]),
    ({"base/a.c": c("#include <string.h>", '#include "base/a.h"')}, ["base/a.c:2 own-header"]),
    ({"base/b.h": c("struct s {", "    size_t n;", "};")}, ["base/b.h:3 lone-header"]),
    ({"base/b.h": c('#include "base/nosuch.h"')}, ["base/b.h:2 lone-header"]),
    ({"base/b.c": calls("strcpy(p, q)")}, ["base/b.c:4 call"]),
    ({"base/b.c": calls("strcat(p, q)")}, ["base/b.c:4 call"]),
    ({"base/b.c": calls("sprintf(p, q)")}, ["base/b.c:4 call"]),
    ({"base/b.c": calls("strtok(p, q)")}, ["base/b.c:4 call"]),
    ({"base/b.c": calls("p[0] = atoi(q)")}, ["base/b.c:4 call"]),
    ({"base/b.c": calls("p = alloca(4)")}, ["base/b.c:4 call"]),
    ({"base/b.c": calls("gets(p)")}, ["base/b.c:4 call"]),
    ({"base/b.c": calls("snprintf(p, 1, q)")}, []),
    ({"base/b.c": calls('snprintf(p, 1, "strcpy(") /* atoi(q) */')}, []),
    ({"base/b.c": calls("memcpy(p, q, 1)")}, []),
    ({"pap/b.c": calls("memcpy(p, q, 1)")}, ["pap/b.c:4 call"]),
    ({"tests/unit/pap/b.c": calls("memmove(p, q, 1)")}, ["tests/unit/pap/b.c:4 call"]),
    ({"tests/unit/pap/b.c": calls("usleep(1)")}, ["tests/unit/pap/b.c:4 call"]),
    ({"tests/bench/b.c": calls("sleep(1)")}, ["tests/bench/b.c:4 call"]),
    ({"pap/b.c": function(60)}, []),
    ({"pap/b.c": function(61)}, ["pap/b.c:2 function-length"]),
    ({"tests/unit/pap/b.c": function(61)}, ["tests/unit/pap/b.c:2 function-length"]),
    ({"pap/b.c": HEAD + "int i;\n" * 999}, []),
    ({"pap/b.c": HEAD + "int i;\n" * 1000}, ["pap/b.c:1001 file-length"]),
    ({"tests/b.py": "# b\n" * 1001}, ["tests/b.py:1001 file-length"]),
    ({"pap/b.c": "int i;\n"}, ["pap/b.c:1 head"]),
    ({"tests/b.sh": "#!/bin/sh\ntrue\n"}, ["tests/b.sh:1 head"]),
    ({"pap/b.c": HEAD + "int  i;\n"}, ["pap/b.c:2 format"]),
    ({"README.md": "one\nsee /wo" "rk/main\n"}, ["README.md:2 word"]),
    ({"README.md": "one\nDEVEL" "OPERS.md\n"}, ["README.md:2 word"]),
    ({"pap/b.c": HEAD + "/* TO" "DO */\n"}, ["pap/b.c:2 word"]),
    ({"README.md": "one\n<<<<<" "<< HEAD\n"}, ["README.md:2 whole"]),
    ({"README.md": "one\n=======\n"}, []),
    ({"tests/b.py": '"""What this file is for."""\nx = (\n'}, ["tests/b.py:2 whole"]),
    ({"tests/integration/b.py": python('check("1001" not in said, "x")')}, ["tests/integration/b.py:2 chance"]),
    ({"tests/integration/b.py": python('check(b"c0ffee" not in said, "x")')}, ["tests/integration/b.py:2 chance"]),
    ({"tests/integration/b.py": python("check('code=\"1001\"' not in said and \"1001\" in said, 'x')")}, []),
    ({"tests/integration/b.py": python("said = program.out().splitlines()")}, ["tests/integration/b.py:2 chance"]),
    ({"tests/integration/b.py": python('said = gateway.said().split("\\n")')}, ["tests/integration/b.py:2 chance"]),
    ({"tests/integration/b.py": python("said = program.lines() + text.splitlines()")}, []),
    ({"tests/integration/b.py": python('wait_until(ready, "it", 5)')}, ["tests/integration/b.py:2 chance"]),
    ({"tests/integration/b.py": python("s = socket.create_connection(at, timeout=10)")}, ["tests/integration/b.py:2 chance"]),
    ({"tests/integration/b.py": python("bench.run(program, timeout_s=2)")}, ["tests/integration/b.py:2 chance"]),
    ({"tests/integration/b.py": python("s.settimeout(3)")}, ["tests/integration/b.py:2 chance"]),
    ({"tests/integration/b.py": python("time.sleep(1)")}, ["tests/integration/b.py:2 chance"]),
    ({"tests/integration/b.py": python('wait_until(ready, "it", 20)', "s.settimeout(0.1)", "s.settimeout(60)", "device.wait(1)")}, []),
    ({"tests/bench/b.py": python("time.sleep(1)")}, []),
    ({"tests/conformance/requirements.csv": None}, ["tests/conformance/requirements.csv:1 conformance"]),
    ({"tests/conformance/MECHANISMS.md": None}, ["tests/conformance/MECHANISMS.md:1 conformance"]),
    ({"tests/conformance/MECHANISMS.md": "one\n`unit.pap.time:rows` `unit.pap.time:nosuch`\n"}, ["tests/conformance/MECHANISMS.md:2 conformance"]),
    ({"tests/conformance/MECHANISMS.md": "`check.py` and `unit.pap.time` are no tests\n"}, []),
]
CSV_PATH = "tests/conformance/requirements.csv"
ROWS += [
    ({CSV_PATH: CSV + f"A-1,,,,,,1,{name}\n"}, [f"{CSV_PATH}:2 conformance"])
    for name in (
        "unit.pap.time:nosuch",
        "unit.pap.nosuch:rows",
        "unit.pap.time",
        "fuzz.nosuch:corpus",
        "fuzz.gpl:rows",
        "integration.first_push:kill",
        "integration.nosuch:kill9",
        "bench.pap.time:rows",
        "unit.pap.time:rows, fuzz.gpl:corpus",
    )
]
ROWS += [
    ({CSV_PATH: CSV + "A-1,,,,,,1,\nA-1,,,,,,1,\n"}, [f"{CSV_PATH}:3 conformance"]),
    ({CSV_PATH: CSV + "A-1,,,,,,1\n"}, [f"{CSV_PATH}:2 conformance"]),
]
# A-1 is filled by B-1 and B-2; the page, the tests of each, and what of it is wrong.
TRACED = 'A-1,,,,"Trace matrix points to B-1, B-2",,1,{}\nB-1,,,,,,1,unit.pap.time:rows\nB-2,,,,,,1,{}\n'
TRACE = "one\n\n## Trace\n\n| clause | rows |\n|---|---|\n| A-1 | {} |\n\n## More\n"
BOTH = "unit.pap.time:rows;fuzz.gpl:corpus"
ROWS += [
    ({CSV_PATH: CSV + TRACED.format(mine, others), "tests/conformance/MECHANISMS.md": TRACE.format(page)},
     [f"{CSV_PATH}:2 trace"] * wrong)
    for mine, others, page, wrong in (
        (BOTH, "fuzz.gpl:corpus", "B-1 B-2", 0),
        (BOTH, "fuzz.gpl:corpus", "B-2 B-1", 0),
        (BOTH, "fuzz.gpl:corpus", "B-1", 1),
        (BOTH, "fuzz.gpl:corpus", "B-1 B-2 A-1", 1),
        (BOTH, "", "B-1 B-2", 1),
        ("unit.pap.time:rows", "fuzz.gpl:corpus", "B-1 B-2", 1),
        ("", "", "B-1 B-9", 3),
        (BOTH, "fuzz.gpl:corpus", "", 1),
    )
]
ROWS += [({CSV_PATH: CSV + "A-1,,,,,,1,\n", "tests/conformance/MECHANISMS.md": TRACE.format("A-1")}, [f"{CSV_PATH}:2 trace"] * 2)]


def findings(changes):
    with tempfile.TemporaryDirectory() as top:
        shutil.copy(os.path.join(TOP, ".clang-format"), top)
        for path, text in {**GOOD, **changes}.items():
            if text is not None:
                os.makedirs(os.path.join(top, os.path.dirname(path)), exist_ok=True)
                with open(os.path.join(top, path), "w", encoding="utf-8") as f:
                    f.write(text)
        return sorted(f"{path}:{line} {rule}" for path, line, rule, _ in lint.lint(top)[0].found)


def main():
    failed = 0
    for changes, want in [({}, []), *ROWS]:
        got = findings(changes)
        if got != sorted(want):
            failed += 1
            print(f"{changes}\n    found {got}\n    wanted {want}")
    print(f"{len(ROWS) + 1 - failed} rows passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
