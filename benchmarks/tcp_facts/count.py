# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Count the TCP sockets of this network namespace in one way; print seconds, peak memory in MB and states as JSON."""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

COLLECTION = Path(__file__).resolve().parents[2]
SOURCES = "ansible_collections.nettune.tcp.plugins.module_utils._facts.sources"
TOP = 10

States = dict[str, int]


def nettune(what: str) -> Callable[[], States]:
    """Our own ways, of the checkout that this file belongs to."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "ansible_collections", "nettune").mkdir(parents=True)
        Path(directory, "ansible_collections", "nettune", "tcp").symlink_to(COLLECTION)
        sys.path.insert(0, directory)
        sources = importlib.import_module(SOURCES)

    def count() -> States:
        with sources.ProcNetSource() if what == "procfs" else sources.open_source() as source:
            if what == "queues":
                return {"LISTEN": len(source.listeners())}
            states: States = source.states() if what == "states" else source.census(TOP).states
            return states

    return count


def by_psutil() -> States:
    """psutil reads /proc/net/tcp, and looks at all files of all processes."""
    psutil = importlib.import_module("psutil")
    return Counter(connection.status for connection in psutil.net_connections("tcp"))


def by_pyroute2() -> States:
    """pyroute2 decodes every message of a dump."""
    diag = importlib.import_module("pyroute2")
    names = importlib.import_module("pyroute2.netlink.diag")
    states: Counter[int] = Counter()
    with diag.DiagSocket() as sock:
        sock.bind()
        for family in (2, 10):
            answer = sock.get_sock_stats(family=family, states=names.SS_ALL)
            states.update(message["idiag_state"] for message in answer)
    return {str(state): count for state, count in states.items()}


def peak() -> float:
    """The most memory this process has ever used, in MB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main() -> None:
    what = sys.argv[1]
    others = {"psutil": by_psutil, "pyroute2": by_pyroute2}
    if what in others:
        try:
            importlib.import_module(what)
        except ImportError:
            return
    count = others[what] if what in others else nettune(what)
    start = time.perf_counter()
    states = count()
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "peak": peak(), "states": states}))


if __name__ == "__main__":
    main()
