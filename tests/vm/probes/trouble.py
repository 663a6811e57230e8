# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Use much of one limit of the host, tell systemd, and keep it: ``trouble.py KIND COUNT``.

files       so many open files
flows       so many datagrams, each to another port, which conntrack takes for as many connections
unread      so many connections on which nobody reads what was sent
orphans     the same, closed by the sender, who then is no more there to have it sent
orphaning   so many of those, again and again
"""

from __future__ import annotations

import os
import socket
import sys
import time
import typing as t

MUCH = bytes(1 << 18)
Held = t.List[t.Any]


def files(count: int) -> Held:
    return [os.open("/dev/null", os.O_RDONLY) for _number in range(count)]


def flows(count: int) -> Held:
    caller = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for port in range(20000, 20000 + count):
        caller.sendto(b"", ("127.0.0.1", port))
    return [caller]


def unread(count: int) -> Held:
    server = socket.create_server(("127.0.0.1", 0))
    held: Held = [server]
    for _number in range(count):
        reader = socket.create_connection(server.getsockname())
        sender, _address = server.accept()
        sender.setblocking(False)
        sender.send(MUCH)
        held += [reader, sender]
    return held


def orphans(count: int) -> Held:
    server, *ends = unread(count)
    for sender in ends[1::2]:
        sender.close()
    return [server, *ends[::2]]


def orphaning(count: int) -> Held:
    ready()
    while True:
        readers = orphans(count)
        time.sleep(0.3)  # the kernel counts orphans every tenth of a second, and asks after them a little later
        del readers


def ready() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])


KINDS = {kind.__name__: kind for kind in (files, flows, unread, orphans, orphaning)}
kept = KINDS[sys.argv[1]](int(sys.argv[2]))
ready()
time.sleep(3600)
