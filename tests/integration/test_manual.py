"""The manual pages and the completions of bash say what the programs' own --help says: every command and every option, and no
other.  Usage: test_manual.py BUILD_DIR."""

import os
import re
import shlex
import shutil

from harness import NotHere, case, check, check_eq, main

CONF = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "conf")
PAGES = {"ppgd": "ppgd.8", "ppgctl": "ppgctl.8", "pap-push": "pap-push.1", "push-terminal": "push-terminal.1"}
EVERYWHERE = {"--help", "--version"}


def read(*names):
    with open(os.path.join(CONF, *names), encoding="utf-8") as f:
        return f.read()


def alike(got, want, what):
    check(got == want, f"{what}: lacks {sorted(want - got)}, has {sorted(got - want)} beyond")


def help_of(bench, program, *words):
    done = bench.run(program, *words, "--help")
    check_eq((done.returncode, done.stderr), (0, ""), f"{program} {' '.join(words)} --help")
    check("(null)" not in done.stdout, done.stdout)
    return done.stdout


def options_in(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", text))


def rows_of(text):
    """{option: what its value is called, or nothing} of the lines that each explain one."""
    rows = re.findall(r"(?m)^  (?:-\w, )?(--[a-z][a-z0-9-]*)(?: (\S+(?: VALUE')?))?(?:$|  )", text)
    check(rows, f"no options in {text!r}")
    return dict(rows)


def commands_of(program, text):
    if program == "push-terminal":
        return set(re.findall(r"push-terminal ([a-z]+)", text))
    return set(re.findall(r"(?m)^  ([a-z]+(?: [a-z]+)*)(?=  | [A-Z\[])", text))


def told(bench, program):
    """{command: its options} and {option: its value} as --help has them; the command of a program without any is ""."""
    text = help_of(bench, program)
    if program == "ppgd":
        return {"": options_in(text)}, rows_of(text)
    commands, values = {}, {} if program == "pap-push" else rows_of(text)
    for name in commands_of(program, text):
        own = help_of(bench, program, *name.split())
        form = re.search(rf"push-terminal {name} .*", own)
        if program == "ppgctl":
            commands[name] = set(re.findall(r"(?m)^  (--[a-z-]+)(?: |$)", own))
        elif form and "[OPTIONS" not in form[0]:  # it takes these alone
            commands[name] = options_in(form[0]) | EVERYWHERE
        else:
            values.update({k: v for k, v in rows_of(own).items() if k not in values})
            commands[name] = set(rows_of(own))
    check(len(commands) > 5, commands)
    if program == "ppgctl":
        common = set(values) - set().union(*commands.values())
        check(EVERYWHERE < common and "--socket" in common and "--initiator" not in common, common)
        commands = {name: own | common for name, own in commands.items()}
    return commands, values


# --- the pages ---


def page_options(text):
    return options_in(re.sub(r"\bFl -(?=[a-z])", "--", text))


def page_commands(text):
    """{command: its part of the page}"""
    parts = re.split(r"(?m)^\.(?:It (?=Cm )|S[sh] .*)", text)
    found = [(re.match(r"Cm ([a-z]+(?: [a-z]+)*)", part), part) for part in parts]
    return {match[1]: part for match, part in found if match}


def page_says(bench, program):
    commands, values = told(bench, program)
    text = read("man", PAGES[program])
    want = set(values).union(*commands.values())
    alike(page_options("\n".join(re.findall(r"(?m)^\.It .*", text))), want, f"what {PAGES[program]} explains")
    alike(page_options(text), want, f"what {PAGES[program]} names")
    alike(set(page_commands(text)), set(commands) - {""}, f"commands of {PAGES[program]}")
    if program != "ppgctl":
        return
    common = set.intersection(*commands.values())
    for name, part in page_commands(text).items():
        alike(page_options(part), commands[name] - common, f"options of {name} in {PAGES[program]}")


@case
def page_of_the_gateway(bench):
    page_says(bench, "ppgd")
    alike(page_options(read("man", "ppg.conf.5")) - options_in(help_of(bench, "ppgd")), set(), "ppg.conf.5")


@case
def page_of_the_operators_tool(bench):
    page_says(bench, "ppgctl")


@case
def page_of_the_initiator(bench):
    page_says(bench, "pap-push")


@case
def page_of_the_terminal(bench):
    page_says(bench, "push-terminal")


@case
def pages_are_well_formed(bench):
    if not shutil.which("groff"):
        raise NotHere("no groff")
    for name in sorted(os.listdir(os.path.join(CONF, "man"))):
        done = bench.run(shutil.which("groff"), "-mandoc", "-Tutf8", "-ww", os.path.join(CONF, "man", name))
        check_eq((done.returncode, done.stderr), (0, ""), name)
        titles = re.findall(r"(?m)^\.Sh (.+)", read("man", name))
        wanted = ["NAME", "SYNOPSIS", "DESCRIPTION", "FILES", "EXAMPLES", "SEE ALSO"] + ["EXIT STATUS"] * (name != "ppg.conf.5")
        check_eq([title for title in wanted if title not in titles], [], f"what {name} lacks")


# --- the completions ---


def complete(bench, program, lines):
    """What bash offers for the last word of each line, in a folder with the one file `lonely`."""
    folder = bench.path("here")
    os.makedirs(folder, exist_ok=True)
    bench.write("here/lonely", "")
    script = [f"cd {shlex.quote(folder)}", f"source {shlex.quote(os.path.join(CONF, 'completions', program))}",
              f"made=$(complete -p {program}); made=${{made##*-F }}; made=${{made%% *}}"]
    for line in lines:
        words = " ".join(shlex.quote(word) for word in (program, *line))
        script.append(f"COMP_WORDS=({words}); COMP_CWORD={len(line)}; $made; printf '%s ' \"${{COMPREPLY[@]}}\"; echo")
    done = bench.run(shutil.which("bash"), "-c", "\n".join(script))
    check_eq((done.returncode, done.stderr), (0, ""), program)
    answers = [set(line.split()) for line in done.stdout.splitlines()]
    check_eq(len(answers), len(lines), "answers")
    return answers


def same(bench, program, wanted):
    """wanted: (line, what must be offered)"""
    for (line, want), got in zip(wanted, complete(bench, program, [line for line, _ in wanted])):
        alike(got, want, f"{program} {' '.join(line)}")


def completes(bench, program):
    commands, values = told(bench, program)
    wanted = [((*name.split(), "--"), own) for name, own in commands.items()]
    for option, value in sorted(values.items()):
        name = min(name for name, own in commands.items() if option in own)
        before = (*name.split(), option)
        if not value:
            if program != "ppgd":  # whose flags end the line
                wanted.append(((*before, "--"), commands[name]))
        elif value in ("FILE", "PATH") and option != "--path":
            wanted += [((*before, ""), {"lonely"}), ((*before, "lon"), {"lonely"}), ((*before, "=", "lon"), {"lonely"})]
        elif value.endswith(":FILE"):
            wanted += [((*before, "me", ":"), {"lonely"}), ((*before, "me", ":", "lon"), {"lonely"}), ((*before, "lon"), set())]
        else:
            wanted += [((*before, "lon"), set()), ((*before, "-"), set())]
    heads = {}
    for name in commands:
        words = name.split()
        for i, word in enumerate(words):
            heads.setdefault(tuple(words[:i]), set()).add(word)
    # Beside its commands a program whose first word is one offers what may stand in its place.
    first = EVERYWHERE if program in ("pap-push", "push-terminal") else set()
    wanted += [((*head, ""), words | (first if not head else set())) for head, words in heads.items()]
    same(bench, program, wanted)


@case
def completion_of_the_gateway(bench):
    completes(bench, "ppgd")
    same(bench, "ppgd", [(("-c", "lon"), {"lonely"}), (("-",), {"-c"} | told(bench, "ppgd")[0][""])])


@case
def completion_of_the_operators_tool(bench):
    completes(bench, "ppgctl")
    same(bench, "ppgctl", [(("whi",), {"whitelist"}), (("whitelist", "i"), {"import"}), (("--json", "push", "e"), {"explain"}),
                           (("--socket", "s", "push", "c"), {"cancel"}), (("--socket", "=", "s", "push", "c"), {"cancel"}),
                           (("push", "show", "1@pi", "--i"), {"--initiator"}), (("backup", ""), {"lonely"}),
                           (("whitelist", "diff", "lon"), {"lonely"}), (("whitelist", "import", "lon"), {"lonely"}),
                           (("audit", "verify", "lon"), {"lonely"}), (("push", "show", ""), set()),
                           (("key", "add", "k", "--kind", "p"), {"psk", "password"})])


@case
def completion_of_the_initiator(bench):
    completes(bench, "pap-push")
    same(bench, "pap-push", [(("sub",), {"submit"}), (("submit", "--method", "c"), {"confirmed"}),
                             (("replace", "1@pi", "--method", ""), {"all", "pending-only"})])


@case
def completion_of_the_terminal(bench):
    completes(bench, "push-terminal")
    same(bench, "push-terminal", [(("s",), {"sip", "swarm"}), (("listen", "--require", "f"), {"full"})])


main("manual")
