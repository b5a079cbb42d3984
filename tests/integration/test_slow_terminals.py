"""Terminals that take connections and say nothing must not cost others their pushes.  Usage: test_slow_terminals.py
BUILD_DIR."""

import socket
import threading

from gateway import ANY_LEVEL, Gateway, Terminal, good_push
from harness import case, check_eq, main


def silent(bench):
    """A port that accepts and never answers."""
    server = socket.create_server(("127.0.0.1", 0), backlog=64)
    kept = []

    def serve():
        while True:
            try:
                kept.append(server.accept()[0])
            except OSError:
                return

    threading.Thread(target=serve, daemon=True).start()
    bench.closers.append(server.close)
    return server.getsockname()[1]


@case
def no_connection_free_is_no_try(bench):
    """All connections are with silent terminals: a push to another waits for one, its attempts are not used up."""
    port = silent(bench)
    phone = Terminal(bench, association=False)
    routes = "".join(f"[terminal +1555020{i}]\nroute = http://127.0.0.1:{port}\n" for i in range(4))
    gateway = Gateway(bench, phone.route("+15550100", more="") + routes, whitelist=ANY_LEVEL,
                      conf={"gateway.loops": "1", "ota-http.connections-max": "2", "ota-http.response-timeout": "2s",
                            "delivery.tries-max": "2"})
    for i in range(4):
        good_push(bench, gateway, to=(f"+1555020{i}",))
    push_id = good_push(bench, gateway)
    phone.wait_events(1)
    target = gateway.wait_state(push_id, "delivered")["targets"][0]
    check_eq(target["tries"], 1)


main("slow_terminals")
