# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Let clients call nginx while it is stopped, let it go on, and tell how many found room.

``queued`` were in the accept queue in the end, ``held`` files were open in nginx's only worker at once, and
``answered`` clients got what they asked for.
"""

from __future__ import annotations

import json
import os
import resource
import select
import socket
import subprocess
import sys
import time
import typing as t

ESTABLISHED = 1
clients = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (clients + 100, clients + 100))


def call() -> socket.socket:
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex(("127.0.0.1", 80))
    return client


def signal(name: str) -> None:
    subprocess.run(["systemctl", "kill", f"--signal={name}", "nginx.service"], check=True)


def accept_queue() -> int:
    """How many wait to be accepted, as the kernel counts them: some more clients may believe that they are in."""
    command = ["ss", "--no-header", "--listening", "--numeric", "--tcp", "sport = :80"]
    return int(subprocess.run(command, stdout=subprocess.PIPE, encoding="ascii", check=True).stdout.split()[1])


def established(client: socket.socket) -> bool:
    """The first byte of struct tcp_info is the state."""
    return client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == ESTABLISHED


def open_files(pid: str) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def most_held(pid: str) -> int:
    """How many files the process has open when it accepts no more."""
    before, now = -1, open_files(pid)
    while now > before:
        time.sleep(1)
        before, now = now, open_files(pid)
    return now


def answered(waiting: t.Collection[socket.socket]) -> int:
    """How many get an answer within ten seconds of the last one."""
    for client in waiting:
        client.send(b"GET / HTTP/1.0\r\n\r\n")
    answers, missing = 0, {client.fileno(): client for client in waiting}
    poll = select.poll()
    for number in missing:
        poll.register(number, select.POLLIN)
    while missing:
        ready = poll.poll(10_000)
        if not ready:
            break
        for number, _event in ready:
            poll.unregister(number)
            answers += missing.pop(number).recv(12) == b"HTTP/1.1 200"
    return answers


worker = subprocess.run(["pgrep", "--full", "nginx: worker"], stdout=subprocess.PIPE, encoding="ascii", check=True)
signal("STOP")
crowd = [call() for _ in range(clients)]
queued = accept_queue()
signal("CONT")
held = most_held(worker.stdout.strip())
answers = answered([client for client in crowd if established(client)])
print(json.dumps({"queued": queued, "held": held, "answered": answers}))
