"""Raw connections, for suites that write octets by hand."""

import socket


def connect(bench, port):
    s = socket.create_connection(("127.0.0.1", port), timeout=60)
    bench.closers.append(s.close)
    return s


def read_all(s):
    """Until the other end closes; a reset counts as that, a timeout does not."""
    got = b""
    try:
        while data := s.recv(65536):
            got += data
    except TimeoutError:
        raise
    except OSError:
        pass
    return got
