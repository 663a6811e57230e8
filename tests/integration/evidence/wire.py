# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clients whose every packet the test decides."""

from __future__ import annotations

import select
import socket
import struct
import subprocess
import time
import typing as t
from dataclasses import dataclass

SERVER, MAC = "10.9.0.1", "02:00:00:00:00:01"
SYN, RST, ACK, SYN_ACK = 0x02, 0x04, 0x10, 0x12
ETH_P_IP, ETH_P_ALL = 0x0800, 0x0003

Client = t.Tuple[str, int]


@dataclass(frozen=True)
class Packet:
    """One TCP segment, without its data."""

    client: Client
    port: int
    flags: int
    seq: int
    ack: int


class Wire:
    """The other end of the server's network: a veth whose far side speaks no TCP, so the test can be any client.

    The kernel cannot tell these clients from real ones, and none of them answers unless the test makes it.
    """

    def __init__(self) -> None:
        for command in (
            f"ip link add near address {MAC} type veth peer name far",
            f"ip addr add {SERVER}/16 dev near",
            "ip link set near arp off",
            "ip link set near up",
            "ip link set far up",
        ):
            subprocess.run(command.split(), check=True)
        self._mac = bytes.fromhex(MAC.replace(":", ""))
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
        self._socket.bind(("far", ETH_P_ALL))

    def send(self, client: Client, port: int, flags: int, seq: int = 1000, ack: int = 0, data: bytes = b"") -> None:
        """Send one segment from a client to the server's port."""
        source, target = socket.inet_aton(client[0]), socket.inet_aton(SERVER)
        tcp = struct.pack("!HHIIBBHHH", client[1], port, seq, ack, 5 << 4, flags, 65535, 0, 0) + data
        pseudo = source + target + struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(tcp))
        tcp = tcp[:16] + struct.pack("!H", _checksum(pseudo + tcp)) + tcp[18:]
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, socket.IPPROTO_TCP, 0, source, target)
        head = head[:10] + struct.pack("!H", _checksum(head)) + head[12:]
        self._socket.send(self._mac + self._mac + struct.pack("!H", ETH_P_IP) + head + tcp)

    def received(self, seconds: float = 0.3) -> t.List[Packet]:
        """What the server sends, until it has been quiet for so long."""
        packets: t.List[Packet] = []
        while select.select([self._socket], [], [], seconds)[0]:
            frame, address = self._socket.recvfrom(65535)
            if address[2] != socket.PACKET_OUTGOING and frame[12:14] == b"\x08\x00" and frame[23] == socket.IPPROTO_TCP:
                packets.append(_parse(frame[14:]))
        return packets

    def syns(self, port: int, clients: t.Iterable[Client]) -> None:
        """Begin a connection from each client, and leave it half open."""
        for client in clients:
            self.send(client, port, SYN)
            time.sleep(0.0002)


def _checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def _parse(packet: bytes) -> Packet:
    header = (packet[0] & 15) * 4
    source, target, seq, ack, _offset, flags = struct.unpack_from("!HHIIBB", packet, header)
    return Packet((socket.inet_ntoa(packet[16:20]), target), source, flags, seq, ack)


def clients(count: int) -> t.List[Client]:
    """Addresses and ports of as many clients in the server's network."""
    return [(f"10.9.{1 + number // 200}.{1 + number % 200}", 40000 + number) for number in range(count)]
