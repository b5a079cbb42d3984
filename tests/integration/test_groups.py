"""Groups of recipients with real programs: one address to the initiator, many terminals behind it; who is left out and
who is refused; what cancel, status, notification and `ppgctl push explain` say; reload."""

import json

from gateway import ANY_LEVEL, Ear, Gateway, Terminal, as_news, good_push, pap_push, push
from harness import case, check, check_eq, main, wait_until

GROUPS = "[group staff]\nmember = +15550100\nmember = +15550101\n[group push_all]\nbare = yes\nfile = all.list\n"
ALL = "# everybody\n+15550100\n+15550102\n"
STAFF = "WAPPUSH=%24staff/TYPE=USER@ppg.example.net"
LET = ANY_LEVEL + "allow news $staff *\nallow news $push_all *\n"
NOBODY = "".join(f"[terminal +1555010{n}]\nroute = http://127.0.0.1:9\n" for n in range(3))


def opened(bench, terminals, whitelist=LET, groups=GROUPS, **conf):
    conf = {"files.groups": "groups.conf", **{k.replace("__", ".").replace("_", "-"): v for k, v in conf.items()}}
    gateway = Gateway(bench, terminals, whitelist, conf=conf, start=False)
    gateway.write("groups.conf", groups)
    gateway.write("all.list", ALL)
    return gateway.start()


def waiting(bench, **more):
    """Nobody answers, and the next try is far away."""
    return opened(bench, NOBODY, delivery__retry_first="1h", delivery__retry_max="1h", **more)


def explain(gateway, push_id):
    done = gateway.ctl("--json", "push", "explain", push_id)
    check_eq(done.returncode, 0, done.stderr)
    return json.loads(done.stdout)


def status(bench, gateway, push_id, *to):
    done = bench.run("pap-push", "status", push_id, *to, "--url", gateway.tls_url, "--ca", bench.path("ca.crt"), "--json",
                     *as_news(bench))
    return [json.loads(line) for line in done.stdout.splitlines()]


@case
def a_group_reaches_each_member_once(bench):
    phones = [Terminal(bench) for _ in range(2)]
    ear = Ear(bench)
    gateway = opened(bench, "".join(p.route(f"+1555010{n}") for n, p in enumerate(phones)))
    push_id = good_push(bench, gateway, to=(STAFF,), attributes={"ppg-notify-requested-to": ear.url})
    for phone in phones:
        check_eq([e["content"] for e in phone.wait_events(1)], ["Hi"])
    told = ear.wait_heard(1)
    check_eq((told[0]["addresses"], told[0]["state"], told[0]["code"]), ([STAFF], "delivered", 1000))
    shown = wait_until(lambda: (p := explain(gateway, push_id))["targets"][0]["notification"] == "told" and p, "the telling")
    check_eq([t["address"] for t in shown["targets"]], [STAFF])
    check_eq([(m["address"], m["state"]) for m in shown["targets"][0]["members"]],
             [("+15550100", "delivered"), ("+15550101", "delivered")])
    answered = status(bench, gateway, push_id)
    check_eq([(r["state"], r["code"], r["addresses"]) for r in answered], [("delivered", 1000, [STAFF])])
    check_eq(status(bench, gateway, push_id, "+15550100")[0]["code"], 2003, "a member is nobody's recipient")
    check_eq([len(p.events()) for p in phones] + [len(ear.heard())], [1, 1, 1])
    done = gateway.ctl("push", "explain", push_id)
    check("group " + STAFF in done.stdout and "  member +15550101" in done.stdout, done.stdout)


@case
def names_of_groups(bench):
    gateway = waiting(bench)
    rows = [(STAFF, 1001), ("WAPPUSH=%24push_all/TYPE=USER", 1001), ("WAPPUSH=push_all/TYPE=USER", 1001), ("push_all", 1001),
            ("$staff", 1001), ("WAPPUSH=staff/TYPE=USER", 2001), ("WAPPUSH=%24nobody/TYPE=USER", 2002),
            ("WAPPUSH=%24Staff/TYPE=USER", 2002), ("WAPPUSH=%24/TYPE=USER", 2002), ("WAPPUSH=%2524staff/TYPE=USER", 2001)]
    for n, (address, want) in enumerate(rows):
        to = address if "=" in address else f"WAPPUSH={address.replace('$', '%24')}/TYPE=USER"
        answer = push(bench, gateway, push_id=f"n{n}", to=(to,))
        check_eq((address, answer.code), (address, want), answer.desc)
    done = pap_push(bench, gateway, "--to", "$staff", "--text", "x", "--id", "short")
    check_eq((done.returncode, len(explain(gateway, "short")["targets"][0]["members"])), (0, 2), done.stdout)


@case
def who_is_addressed_twice_gets_it_once(bench):
    gateway = waiting(bench)
    both = ("WAPPUSH=push_all/TYPE=USER", "+15550101", STAFF, "WAPPUSH=%24push_all/TYPE=USER")
    push_id = good_push(bench, gateway, to=both[:2] + both[3:])
    shown = explain(gateway, push_id)
    check_eq([(t["address"], [m["address"] for m in t.get("members", [])]) for t in shown["targets"]],
             [(both[0], ["+15550100", "+15550102"]), ("WAPPUSH=+15550101/TYPE=PLMN@ppg.example.net", [])])
    answer = push(bench, gateway, push_id="none-left", to=both)
    check_eq((answer.code, "addressed otherwise" in answer.desc), (2002, True))


@case
def the_whitelist_decides_for_the_group_and_each_member(bench):
    rows = [(ANY_LEVEL, 2001, []), (LET + "deny news $staff *\n", 2001, []), (LET + "deny news +15550100 *\n", 1001, ["+15550101"]),
            (LET + "deny news +1555* *\n", 2001, []), (LET, 1001, ["+15550100", "+15550101"])]
    gateway = waiting(bench)
    for n, (rules, code, members) in enumerate(rows):
        gateway.write("whitelist.conf", rules)
        check_eq(gateway.ctl("reload").returncode, 0)
        answer = wait_until(lambda: (a := push(bench, gateway, push_id=f"w{n}.{len(gateway.events())}", to=(STAFF,))).code == code
                            and a, f"{rules} {code}")
        if members:
            shown = explain(gateway, answer.push_id)["targets"][0]
            check_eq([m["address"] for m in shown["members"]], members)
            check_eq(shown["rule"], "whitelist.conf:3 allow")
            check_eq(shown["members"][0]["rule"], "whitelist.conf:1 allow")
    for out in (1, 2):
        gateway.wait_event("group.members.out", group="$staff", out=out, of=2)
    gateway.wait_event("whitelist.denied", line=5, why="deny rule")


@case
def a_member_without_a_way_is_left_out(bench):
    gateway = opened(bench, NOBODY.split("[terminal +15550101]")[0], delivery__retry_first="1h", delivery__retry_max="1h")
    push_id = good_push(bench, gateway, to=(STAFF,))
    check_eq([m["address"] for m in explain(gateway, push_id)["targets"][0]["members"]], ["+15550100"])
    gateway.write("groups.conf", "[group staff]\nmember = +15550109\nmember = +15550108\n[group push_all]\n")
    check_eq(gateway.ctl("reload").returncode, 0)
    answer = wait_until(lambda: (a := push(bench, gateway, push_id=f"m{len(gateway.events())}", to=(STAFF,))).code == 2002 and a,
                        "nobody left")
    check("no member of the group" in answer.desc, answer)


@case
def the_group_ends_with_its_last_member(bench):
    phone, ear = Terminal(bench), Ear(bench)
    gateway = opened(bench, phone.route("+15550100") + "[terminal +15550101]\nroute = http://127.0.0.1:9\n")
    push_id = good_push(bench, gateway, to=(STAFF,), attributes={"ppg-notify-requested-to": ear.url})
    phone.wait_events(1)
    wait_until(lambda: explain(gateway, push_id)["targets"][0]["members"][0]["state"] == "delivered", "the first member")
    check_eq((explain(gateway, push_id)["targets"][0]["state"], len(ear.heard())), ("pending", 0))
    check_eq(status(bench, gateway, push_id)[0]["state"], "pending")
    done = bench.run("pap-push", "cancel", push_id, "$staff", "--url", gateway.tls_url, "--ca", bench.path("ca.crt"),
                     *as_news(bench))
    check(done.returncode in (0, 2), done.stdout)  # 2: the other one was on the wire at that moment
    if done.returncode:
        wait_until(lambda: bench.run("pap-push", "cancel", push_id, "--url", gateway.tls_url, "--ca", bench.path("ca.crt"),
                                     *as_news(bench)).returncode == 0, "a moment without an attempt")
    told = ear.wait_heard(1)
    check_eq((len(ear.heard()), told[0]["addresses"]), (1, [STAFF]))
    members = explain(gateway, push_id)["targets"][0]["members"]
    check_eq([m["state"] for m in members], ["delivered", "cancelled"])


@case
def an_operator_cancels_a_group(bench):
    gateway = waiting(bench)
    push_id = good_push(bench, gateway, to=("WAPPUSH=push_all/TYPE=USER", "+15550101"))
    wait_until(lambda: all(m["tries"] for m in explain(gateway, push_id)["targets"][0]["members"]), "a first try")
    done = wait_until(lambda: (d := gateway.ctl("push", "cancel", push_id, "push_all")).returncode == 0 and d, "a calm moment")
    check("cancelled 1 of" in done.stdout, done.stdout)
    shown = explain(gateway, push_id)["targets"]
    check_eq([t["state"] for t in shown], ["cancelled", "pending"])
    check_eq([m["state"] for m in shown[0]["members"]], ["cancelled", "cancelled"])
    check("operator" in shown[0]["members"][0]["note"], shown)
    check_eq(gateway.ctl("push", "cancel", push_id, "$staff").returncode, 1)


@case
def restart_and_reload_keep_who_was_meant(bench):
    gateway = waiting(bench)
    push_id = good_push(bench, gateway, to=(STAFF,))
    before = [m["address"] for m in explain(gateway, push_id)["targets"][0]["members"]]
    gateway.write("groups.conf", "[group staff]\nmember = +15550102\n[group push_all]\n")
    check_eq(gateway.ctl("reload").returncode, 0)
    check_eq([m["address"] for m in explain(gateway, push_id)["targets"][0]["members"]], before)
    gateway.kill()
    gateway.start()
    check_eq([m["address"] for m in explain(gateway, push_id)["targets"][0]["members"]], before)
    later = good_push(bench, gateway, to=(STAFF,))
    check_eq([m["address"] for m in explain(gateway, later)["targets"][0]["members"]], ["+15550102"])
    gateway.write("groups.conf", "[group staff]\nmember = nonsense address\nnumber = 1\n")
    done = gateway.ctl("reload")
    check_eq(done.returncode, 1)
    check("groups.conf:2: nonsense address: not an address" in done.stderr and "groups.conf:3: number: unknown key" in
          done.stderr, done.stderr)
    good_push(bench, gateway, to=(STAFF,))
    done = bench.run("ppgd", "-c", gateway.path("ppg.conf"), "--check-config")
    check((done.returncode, "groups.conf:2:" in done.stderr) == (1, True), done.stderr)


@case
def a_crowd(bench):
    """Ten thousand members behind one address: the answer speaks of one."""
    lines = "\n".join(f"+1555{n:07}" for n in range(10000))
    gateway = Gateway(bench, "".join(f"[terminal +1555{n:07}]\nroute = http://127.0.0.1:9\n" for n in range(10000)),
                      ANY_LEVEL + "allow news $push_all *\n",
                      conf={"files.groups": "groups.conf", "delivery.retry-first": "1h", "delivery.retry-max": "1h"}, start=False)
    gateway.write("groups.conf", "[group push_all]\nfile = crowd\n")
    gateway.write("crowd", lines)
    gateway.start()
    push_id = good_push(bench, gateway, to=("WAPPUSH=%24push_all/TYPE=USER",))
    check_eq(status(bench, gateway, push_id)[0]["addresses"], ["WAPPUSH=%24push_all/TYPE=USER"])
    check_eq(len(explain(gateway, push_id)["targets"][0]["members"]), 10000)


if __name__ == "__main__":
    main("groups")
