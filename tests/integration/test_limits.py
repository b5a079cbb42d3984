"""Settings at their ends: what a permitted configuration lets in has room in memory too.  Usage: test_limits.py
BUILD_DIR."""

from gateway import ANY_LEVEL, Gateway, good_push, mime, curl, as_news, Terminal
from harness import case, check_eq, main


@case
def a_hundred_thousand_recipients(bench):
    """The last address is nobody's, so all of them are looked at and nothing is delivered: 2002, not "out of memory"."""
    phone = Terminal(bench, association=False)
    gateway = Gateway(bench, phone.route("+15550100", more=""), whitelist=ANY_LEVEL,
                      conf={"pap.recipients-max": "100000", "pap.body-max": "64M", "pap.control-max": "16M"})
    many = [f"+1555{i:06d}" for i in range(100000)]
    answer = curl(bench, gateway.tls_url, mime(push_id="many", to=many), *as_news(bench))
    check_eq((answer.kind, answer.code), ("push-response", 2002), answer.desc)
    answer = curl(bench, gateway.tls_url, mime(push_id="more", to=many + ["+15556999999"]), *as_news(bench))
    check_eq((answer.kind, answer.code), ("push-response", 3005), answer.desc)
    good_push(bench, gateway)
    phone.wait_events(1)


main("limits")
