"""The operator's guides, in README.md and conf/GUIDE.md, as an operator follows them: every command in it is run against a gateway with the
shipped lists, and what it prints is what the guide says, but for times, hashes, ports and who is at the keyboard.
Usage: test_guide.py BUILD_DIR."""

import os
import re
import shutil
import subprocess

from gateway import Gateway, make_identity
from harness import case, check, check_eq, main

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
VARIES = ((r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME"), (r"[0-9a-f]{64}", "HASH"), (r"\S+ \(uid \d+\)", "WHO"), (r"ppg\.conf:\d+:", "ppg.conf:LINE:"),
          (r"(?m)^(notAfter=).*", r"\1DATE"))


def section(page, start, end):
    """The code blocks between two lines of a page."""
    with open(os.path.join(ROOT, page), encoding="utf-8") as f:
        text = f.read()
    text = text[text.index(start):]
    text = text[:text.index(end, 1)]
    return [re.sub(r"(?m)^  ", "", block) if block.startswith("\n  ") else block for block in re.findall(r"```(?:sh)?(\n.*?\n) *```", text, re.DOTALL)]


def plain(text):
    for pattern, word in VARIES:
        text = re.sub(pattern, word, text)
    return [line.rstrip() for line in text.strip().split("\n")]


def steps(block):
    """(command, what it prints) of a block."""
    parts = re.split(r"(?m)^\$ ", block)
    check_eq(parts[0].strip(), "", "output of no command")
    return [tuple((part + "\n").split("\n", 1)) for part in parts[1:]]


class Operator:
    """A shell in the gateway's folder, where `ppgctl` is the one of this build and finds this gateway."""

    def __init__(self, bench, gateway):
        self.gateway = gateway
        tools = bench.path("tools")
        os.mkdir(tools)
        bench.write(os.path.join(tools, "ppgctl"),
                    f'#!/bin/sh\nexec {bench.program("ppgctl")} --socket {gateway.path("admin.sock")} "$@"\n', 0o755)
        self.env = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}

    def run(self, command):
        command = command.replace("localhost:8443", f"localhost:{self.gateway.tls_port}")
        done = subprocess.run(["sh", "-c", command], cwd=self.gateway.folder, env=self.env, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
        return done.stdout.replace(self.gateway.folder + os.sep, "")

    def follow(self, block):
        for command, said in steps(block):
            self.gateway.settle()
            check_eq(plain(self.run(command)), plain(said), command)


@case
def letting_an_initiator_in(bench):
    make_identity(bench)
    gateway = Gateway(bench, "", conf={"gateway.loops": "1", "admin.audit": "audit.log"}, start=False)
    for name in ("initiators.conf", "whitelist.conf", "terminals.conf"):
        shutil.copyfile(os.path.join(ROOT, "conf", name), gateway.path(name))
    gateway.start()
    blocks = section("README.md", "### Letting an initiator in", "\n## ")
    check(len(blocks) >= 4 and blocks[0].startswith("\n[initiator news]"), blocks)
    with open(gateway.path("initiators.conf"), "a", encoding="utf-8") as f:
        f.write(blocks[0])
    operator = Operator(bench, gateway)
    for block in blocks[1:]:
        operator.follow(block)


@case
def rolling_a_certificate(bench):
    ca = make_identity(bench)
    gateway = Gateway(bench, "", conf={"pap.cert": "gateway.crt", "pap.key": "gateway.key"}, start=False)
    bench.certificate(ca, "fresh", days=90)
    for name in ("gateway", "fresh"):
        for end in ("crt", "key"):
            shutil.copy(bench.path(f"{name}.{end}"), gateway.path(f"{name}.{end}"))
    gateway.start()
    blocks = section("conf/GUIDE.md", "* Rolling the gateway's certificate", "\n* ")
    check("cp fresh.crt" in blocks[0], blocks)
    Operator(bench, gateway).follow(blocks[0])


main("guide")
