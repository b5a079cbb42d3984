"""A service of another kind on the security room, tests/sample/room_service.c.  Usage: test_sample.py BUILD_DIR."""

import base64
import os
import re

from harness import case, check, check_eq, main
from terminal import seal

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "sample", "room_service.c")


@case
def another_enabler_on_the_security_room(bench):
    """SEC_CF-USAB-002: at most 200 lines, of our headers only base's and security's, linked with those rooms alone."""
    with open(SOURCE, encoding="utf-8") as f:
        text = f.read()
    check(text.count("\n") <= 200, "longer than 200 lines")
    check_eq(set(re.findall(r'#include "(\w+)/', text)), {"base", "security"})
    rules = bench.write("rules", "allow lobby +1* *\ndeny * +13* *\nallow spa +12* doors protect=full\n")

    def ask(login, door, message):
        return f"{base64.b64encode(login.encode()).decode()} {door} {message}\n"

    rows = [(ask("lobby:lobby-7391", "+1204", "open until noon"), f"sealed {seal(1, b'open until noon').hex()}"),
            (ask("lobby:guess", "+1204", "open"), "refused who are you"),
            (ask("nobody:lobby-7391", "+1204", "open"), "refused who are you"),
            (ask("lobby:lobby-7391", "+1304", "open"), "refused deny rule"),
            (ask("spa:spa-2604", "+1104", "open"), "refused no rule"),
            (ask("spa:spa-2604", "+1204", "towels"), f"sealed {seal(2, b'towels').hex()}"), ("x\n", "refused not three words")]
    program = os.path.join(bench.build, "tests", "room_service")
    done = bench.run(program, rules, stdin="".join(row[0] for row in rows))
    check_eq((done.returncode, done.stderr), (0, ""))
    check_eq(done.stdout.splitlines(), [row[1] for row in rows])
    check_eq(bench.run(program, bench.write("bad", "perhaps\n")).returncode, 2)


main("sample")
