"""The order of acceptance, at terminals that now and then say no, with more for each than memory takes.  An initiator waits for
each answer before the next submission; at each terminal its pushes arrive for good in that order.  Usage: test_order.py
BUILD_DIR."""

import base64
import http.client
import http.server
import random
import threading

from gateway import ANY_LEVEL, INITIATORS, MULTIPART, PASSWORD, Gateway, mime
from harness import case, check, check_eq, main, wait_until

CLEAR = INITIATORS + "basic-clear = yes\n"


class Moody:
    """A terminal that has the content of each push, in order, but for those to which it said 503; one in `of` it does."""

    def __init__(self, bench, seed, of):
        self.took, self.refused = [], 0
        phone, chance = self, random.Random(seed)

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_OPTIONS(self):
                self.send_response(204)
                self.send_header("X-Wap-Push-Status", "501")
                self.send_header("X-Wap-CPITag", "q83vEg==")
                self.end_headers()

            def do_POST(self):
                content = self.rfile.read(int(self.headers["Content-Length"])).decode().rpartition("\r\n")[2]
                no = chance.randrange(of) == 0
                phone.refused += no
                if not no:
                    phone.took.append(content)
                self.send_response(503 if no else 200)
                if not no:
                    self.send_header("X-Wap-Push-Status", "400")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        bench.closers.append(self.close)
        self.port = self.server.server_address[1]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Submitter(threading.Thread):
    """Numbers for one recipient, over one connection."""

    def __init__(self, gateway, to, count):
        super().__init__(daemon=True)
        self.connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=60)
        self.to, self.count, self.trouble = to, count, None
        self.head = {"Content-Type": MULTIPART, "Authorization": "Basic " + base64.b64encode(f"pass:{PASSWORD}".encode()).decode()}

    def run(self):
        try:
            for n in range(self.count):
                self.connection.request("POST", "/pap", mime(push_id=f"{self.to}-{n}", to=(self.to,), content=f"{n}"), self.head)
                answer = self.connection.getresponse()
                text = answer.read().decode()
                check(answer.status == 202 and 'code="1001"' in text, text)
        except Exception as trouble:
            self.trouble = trouble


def in_order(bench, phones, each, **conf):
    terminals = {f"+1555010{n}": Moody(bench, n, 12) for n in range(phones)}
    routes = "".join(f"[terminal {to}]\nroute = http://127.0.0.1:{phone.port}\n" for to, phone in terminals.items())
    gateway = Gateway(bench, routes, ANY_LEVEL, CLEAR, {"pap.clear-basic": "yes", "gateway.loops": "2", "delivery.retry-first": "10ms",
                      "delivery.retry-max": "20ms", "delivery.tries-max": "1000", "log.level": "warn",
                      **{k.replace("__", ".").replace("_", "-"): v for k, v in conf.items()}})
    submitters = [Submitter(gateway, to, each) for to in terminals]
    for submitter in submitters:
        submitter.start()
    for submitter in submitters:
        submitter.join(600)
        check(not submitter.trouble and not submitter.is_alive(), submitter.trouble or "not done in time")
    for to, phone in terminals.items():
        wait_until(lambda phone=phone: len(phone.took) >= each, f"{each} pushes at {to}", 600)
        check(phone.refused > 0, "it never said no")
        late = [(a, b) for a, b in zip(phone.took, phone.took[1:]) if int(b) != int(a) + 1]
        check_eq(late, [], f"{to}, out of order")


@case
def while_attempts_fail(bench):
    """Queues of more than the 256 that wait in memory."""
    in_order(bench, 4, 400)


@case
def while_memory_is_short(bench):
    """Room for few of all in memory: most go through the store."""
    in_order(bench, 4, 300, delivery__in_memory_max="100", delivery__claim_batch="10")


main("order")
