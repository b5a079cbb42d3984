"""A relay that passes TLS on record by record and turns one bit where it is told to: what becomes of data that somebody
changes on its way."""

import socket
import threading

from harness import hang_up

APPLICATION_DATA = 0x17  # RFC 8446 §5.1; under TLS 1.3 the encrypted part of a handshake, too
TO_SERVER, TO_CLIENT = 0, 1


def turned(record, number):
    """The record with one bit of its fragment changed, each time another one."""
    at = 5 + (7 * number + len(record) // 3) % (len(record) - 5)
    return record[:at] + bytes([record[at] ^ 1 << number % 8]) + record[at + 1:]


class Flip:
    """To 127.0.0.1:port.  The next connections have a bit turned each as `plan` says, (direction, which of its records that
    carry data); when it is used up they are passed on as they are.  passed: what the last connection had, by direction.
    hit: what of all plans was changed; a session that is resumed has fewer records."""

    def __init__(self, bench, port):
        self.to_port, self.plan, self.count, self.passed, self.hit = port, [], 0, [0, 0], set()
        self.lock = threading.Lock()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        bench.closers.append(lambda: hang_up(self.socket))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.to_port))
            except OSError:  # it is down for a moment
                client.close()
                continue
            with self.lock:
                self.passed = passed = [0, 0]
                target = self.plan.pop(0) if self.plan else None
            for way, (source, sink) in enumerate(((client, server), (server, client))):
                threading.Thread(target=self.pump, args=(source, sink, way, target, passed), daemon=True).start()

    def pump(self, source, sink, way, target, passed):
        try:
            with source.makefile("rb") as stream:
                while len(head := stream.read(5)) == 5:
                    record = head + stream.read(int.from_bytes(head[3:], "big"))
                    if head[0] == APPLICATION_DATA and len(record) > 5:
                        if target == (way, passed[way]):
                            with self.lock:
                                record = turned(record, self.count)
                                self.count += 1
                                self.hit.add(target)
                        passed[way] += 1
                    sink.sendall(record)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def every_record(self, attempt):
        """attempt() once as it is, which must succeed; then with each of its records changed in turn: True when that made it
        fail.  Returns how many did."""
        assert attempt()
        failed = 0
        for way, n in enumerate(list(self.passed)):
            for record in range(n):
                self.plan = [(way, record)]
                failed += not attempt()
                self.plan = []
        return failed
