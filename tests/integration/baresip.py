"""baresip as a user's device, without sound: what its user reads."""

import os
import socket

from harness import NotHere, free_port, wait_until
from sipnet import socket_open

CALL = """sip_listen 127.0.0.1:{port}
sip_transports udp,tcp
module_path /usr/lib/baresip/modules
module cons.so
cons_listen 127.0.0.1:{console}
module_app account.so
module_app menu.so
"""


class Baresip:
    """A running baresip without sound: what its user reads."""

    def __init__(self, bench, account):
        if [name for _, name in socket.if_nameindex()] == ["lo"]:
            raise NotHere("no network, without which baresip has no address")
        for _ in range(5):
            self.begin(bench, account)
            if self.program.running():
                break
        self.console = socket.create_connection(("127.0.0.1", self.console_port))
        self.console.settimeout(0.1)
        bench.closers.append(self.console.close)
        self.read = ""

    def begin(self, bench, account):
        """It wants to be told its ports, and ends when somebody was quicker."""
        self.port, console = free_port(), free_port()
        self.console_port = console
        folder = bench.path(f"baresip{len(bench.programs)}")
        os.mkdir(folder)
        bench.write(f"{folder}/config", CALL.format(port=self.port, console=console))
        bench.write(f"{folder}/accounts", account.format(port=self.port) + "\n")
        bench.write(f"{folder}/contacts", "")
        self.program = bench.start("/usr/bin/baresip", "-f", folder)
        wait_until(lambda: not self.program.running() or socket_open(console), "baresip")

    def shows(self, text, command=""):
        """Waits for it on the screen, typing the command again and again."""

        def seen():
            self.console.sendall(command.encode())
            try:
                self.read += self.console.recv(65536).decode()
            except TimeoutError:
                pass
            return text in self.read

        wait_until(seen, text)
