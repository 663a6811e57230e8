# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Receive many datagrams with one system call, which Python's own sockets cannot.

INTERFACE
    batch = Batch(count, size)          room for so many datagrams of so many bytes
    batch.receive(descriptor) -> n      waits for one and takes what else is there; OSError as recv() raises it
    batch.datagrams(n)                  the first n of them, each as bytes of its own

A thread that reads with recv() needs Python's lock after each datagram, and waits for it while another one counts: with
a million sockets that took a third more time than this. Layout: struct mmsghdr, <sys/socket.h>.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import typing as t

MSG_WAITFORONE = 0x10000


class _Vector(ctypes.Structure):
    _fields_: t.ClassVar = [("start", ctypes.c_void_p), ("size", ctypes.c_size_t)]


class _Header(ctypes.Structure):
    _fields_: t.ClassVar = [
        ("name", ctypes.c_void_p),
        ("name_size", ctypes.c_uint),
        ("vectors", ctypes.POINTER(_Vector)),
        ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_size", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    ]


class _Message(ctypes.Structure):
    _fields_: t.ClassVar = [("header", _Header), ("size", ctypes.c_uint)]


class Batch:
    """Memory for some datagrams; each reception replaces the last one."""

    def __init__(self, count: int, size: int) -> None:
        self._call = ctypes.CDLL(None, use_errno=True).recvmmsg
        self._count, self._size = count, size
        self._memory = mmap.mmap(-1, count * size)  # of which only what is written to costs anything
        self._bytes = memoryview(self._memory)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        self._vectors = (_Vector * count)(*(_Vector(start + number * size, size) for number in range(count)))
        self._messages = (_Message * count)()
        for number in range(count):
            self._messages[number].header.vectors = ctypes.pointer(self._vectors[number])
            self._messages[number].header.vector_count = 1

    def receive(self, descriptor: int) -> int:
        """How many datagrams came; at least one."""
        received = int(self._call(descriptor, self._messages, self._count, MSG_WAITFORONE, None))
        if received < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return received

    def datagrams(self, received: int) -> t.Iterator[bytes]:
        """Copies of the datagrams that came last."""
        return map(self.datagram, range(received))

    def datagram(self, number: int) -> bytes:
        """A copy of one of them, counted from 0."""
        start = number * self._size
        return bytes(self._bytes[start : start + self._messages[number].size])
