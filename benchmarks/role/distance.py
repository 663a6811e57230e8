# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Started by container.py in a container's network namespace: a relay that makes the SSH server there seem far away.

    python3 distance.py PORT SERVER MILLISECONDS

Whatever arrives at PORT reaches SERVER, both on 127.0.0.1, half a round trip later and in order, and likewise back; to
connect takes a whole one.  Bandwidth is as it was, and what TCP does at a distance, such as slow start, is left out.
tc-netem(8) would do the same, but not every kernel has it.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys

CHUNK = 1 << 16
HOST = "127.0.0.1"


async def relay(port: int, server: int, seconds: float) -> None:
    """Serve until killed; a line on stdout says that it does."""

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)
        there, back = await asyncio.open_connection(HOST, server)
        await asyncio.gather(carry(reader, back, seconds / 2), carry(there, writer, seconds / 2))

    listening = await asyncio.start_server(accepted, HOST, port)
    print("ready", flush=True)
    await listening.serve_forever()


async def carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter, seconds: float) -> None:
    """Everything from the source, and then its end, so much later."""
    loop = asyncio.get_running_loop()
    underway: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    delivery = asyncio.create_task(deliver(underway, sink))
    with contextlib.suppress(ConnectionError):
        while chunk := await source.read(CHUNK):
            underway.put_nowait((loop.time() + seconds, chunk))
    underway.put_nowait((loop.time() + seconds, b""))
    await delivery


async def deliver(underway: asyncio.Queue[tuple[float, bytes]], sink: asyncio.StreamWriter) -> None:
    """Each chunk when it is due; the empty one is the end."""
    loop = asyncio.get_running_loop()
    with contextlib.suppress(ConnectionError):
        while True:
            due, chunk = await underway.get()
            await asyncio.sleep(due - loop.time())
            if not chunk:
                break
            sink.write(chunk)
            await sink.drain()
    sink.close()


if __name__ == "__main__":
    asyncio.run(relay(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]) / 1000))
