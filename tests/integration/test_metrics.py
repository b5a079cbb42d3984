"""Metrics as a collector takes them: read by the parser of another implementation, right in number, and silent about who.
Usage: test_metrics.py BUILD_DIR."""

import json
import os
import subprocess

from gateway import ANY_LEVEL, Ear, Gateway, Terminal, good_push, push
from harness import case, check, check_eq, main, wait_until

SYSTEM_PYTHON = "/usr/bin/python3"  # the one that Debian's packages are for
PARSE = """
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
print(json.dumps([[f.type, f.unit, s.name, s.labels, s.value] for f in parse(sys.stdin.read()) for s in f.samples]))
"""


def opened(bench, terminals, **more):
    gateway = Gateway(bench, terminals, ANY_LEVEL, conf={"admin.listen-metrics": "127.0.0.1:0", **more})
    with open(gateway.path("ports"), encoding="utf-8") as f:
        ports = dict(line.strip().split("=") for line in f)
    gateway.metrics_url = f"http://{ports['metrics']}/metrics"
    return gateway


def read(text):
    """{name or (name, label's value): value}; the parser refuses what is no OpenMetrics."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run([SYSTEM_PYTHON, "-B", "-c", PARSE], input=text, capture_output=True, text=True, timeout=60,
                          check=False, env=env)
    check_eq(done.returncode, 0, done.stderr)
    return {(name, *labels.values()) if labels else name: value for _kind, _unit, name, labels, value in json.loads(done.stdout)}


def scrape(bench, gateway, *options):
    return bench.tool("curl", "-sS", "--max-time", "60", *(options or (gateway.metrics_url,)))


@case
def a_collector_counts_pushes(bench):
    terminal = Terminal(bench)
    ear = Ear(bench)
    gateway = opened(bench, terminal.route("+15550100") + "[terminal +15550101]\nroute = http://127.0.0.1:9\n",
                     **{"delivery.retry-first": "1h", "delivery.retry-max": "1h"})
    before = read(scrape(bench, gateway))
    check_eq((before["ppg_targets_waiting"] + before["ppg_targets_held"], before[("ppg_targets_total", "delivered")]), (0, 0))
    names = [good_push(bench, gateway, attributes={"ppg-notify-requested-to": ear.url}) for _ in range(3)]
    terminal.wait_events(3)
    ear.wait_heard(3)
    names.append(good_push(bench, gateway, to=("+15550101",)))
    check_eq(push(bench, gateway, push_id=names[0]).code, 2007)
    gateway.wait_event("target.retry")
    now = read(wait_until(lambda: (t := scrape(bench, gateway)) and "\nppg_notifications_owed 0\n" in t and t, "all told"))
    check_eq(now["ppg_targets_waiting"] + now["ppg_targets_held"], 1)
    for name, label, count in (("ppg_answers_total", "1001", 4), ("ppg_answers_total", "2007", 1), ("ppg_targets_total", "delivered", 3),
                               ("ppg_targets_total", "expired", 0), ("ppg_delivery_seconds_bucket", "+Inf", 3),
                               ("ppg_events_total", "pap.answered", 5)):
        check_eq((name, label, now[(name, label)]), (name, label, count))
    check(0 <= now["ppg_delivery_seconds_sum"] < 300 and now["ppg_delivery_seconds_count"] == 3, now)
    check(now["process_resident_memory_bytes"] > 1 << 20 and now["process_cpu_seconds_total"] > 0 and now["ppg_loops"] >= 1, now)
    check(now["process_start_time_seconds"] > 1.7e9 and now["ppg_store_bytes"] > 4096 and now["ppg_draining"] == 0, now)
    status = json.loads(gateway.ctl("--json", "status").stdout)
    check_eq((now["ppg_configuration_generation"], now[("ppg_build_info", status["version"])]), (status["generation"], 1))


@case
def it_says_how_many_and_never_who(bench):
    gateway = opened(bench, "[terminal +15550100]\nroute = http://127.0.0.1:9\n")
    name = good_push(bench, gateway)
    gateway.wait_event("pap.answered")
    text = scrape(bench, gateway)
    read(text)
    for word in ("5550100", "news", name, "127.0.0.1", gateway.folder):
        check(word not in text, (word, text))
    asked = read(scrape(bench, gateway, "--unix-socket", gateway.path("admin.sock"), "http://x/metrics"))
    check_eq(asked["ppg_targets_waiting"] + asked["ppg_targets_held"], 1, "the same on the operator's socket")
    said = scrape(bench, gateway, "-o", bench.path("said"), "-w", "%{http_code} %{content_type}", gateway.metrics_url)
    check_eq(said, "200 application/openmetrics-text; version=1.0.0; charset=utf-8")
    for path, options, want in (("/status", (), "404"), ("/reload", ("-X", "POST"), "404"), ("/metrics", ("-d", "x"), "413")):
        said = scrape(bench, gateway, "-o", bench.path("said"), "-w", "%{http_code}", *options,
                      gateway.metrics_url.replace("/metrics", path))
        check_eq((path, said), (path, want))


@case
def there_is_no_door_unless_one_is_set(bench):
    gateway = Gateway(bench, "[terminal +15550100]\nroute = http://127.0.0.1:9\n", ANY_LEVEL)
    with open(gateway.path("ports"), encoding="utf-8") as f:
        check("metrics=" not in f.read(), "a door that nobody asked for")


main("metrics")
