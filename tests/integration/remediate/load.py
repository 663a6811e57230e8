# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server and its clients on one host: bursts of connections that wait for accept(), as many as a short queue refuses.

A program for the host's own Python: load.py PORT
"""

import contextlib
import socket
import sys
import time

BURST, BACKLOG, PAUSE = 12, 64, 0.25


def burst(server: socket.socket, address: "tuple[str, int]") -> None:
    """Connect all of them at once, then accept those that are in the queue, then close."""
    clients = []
    for _number in range(BURST):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(address)
        clients.append(client)
    time.sleep(PAUSE / 2)
    with contextlib.suppress(BlockingIOError):
        while True:
            server.accept()[0].close()
    for client in clients:
        client.close()
    time.sleep(PAUSE / 2)


def main(port: int) -> None:
    """For ever."""
    address = ("127.0.0.1", port)
    with socket.create_server(address, backlog=BACKLOG) as server:
        server.setblocking(False)
        while True:
            burst(server, address)


if __name__ == "__main__":
    main(int(sys.argv[1]))
