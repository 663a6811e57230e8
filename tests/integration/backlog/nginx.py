# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real nginx in the network namespace of whoever starts it."""

from __future__ import annotations

import codecs
import os
import pathlib
import signal
import subprocess
import time
import typing as t

from ansible_collections.nettune.tcp.plugins.module_utils._backlog import apply
from ansible_collections.nettune.tcp.plugins.module_utils._backlog.request import parse_request
from ansible_collections.nettune.tcp.plugins.module_utils._backlog.sockets import Endpoint, look
from ansible_collections.nettune.tcp.plugins.module_utils._kernel import proc_sys

PARAMS: t.Dict[str, t.Any] = {"listen": None, "unit": None, "apply": "auto", "state": "present"}
Result = t.Dict[str, t.Any]


class Nginx:
    """nginx with a main file of its own; the text of ``http`` is what the test gives."""

    def __init__(self, directory: pathlib.Path, http: str, *, workers: int = 2, outside: str = "") -> None:
        self.count = workers
        self.config = directory / "nginx.conf"
        self.config.write_text(
            f"user root;\nworker_processes {workers};\npid {directory}/pid;\nerror_log {directory}/error.log;\n"
            f"events {{ worker_connections 4096; }}\n{outside}\nhttp {{\naccess_log off;\n{http}\n}}\n"
        )
        self._process: t.Optional[subprocess.Popen[bytes]] = None

    def __enter__(self) -> Nginx:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, and wait until its workers are there."""
        command = ["nginx", "-c", str(self.config), "-g", "daemon off;"]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE)
        self.wait_for_other_workers(())

    def stop(self) -> None:
        """Stop it, and wait until it has."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        self._process.communicate(timeout=10)

    @property
    def master(self) -> int:
        """The pid of the master process."""
        assert self._process is not None
        return self._process.pid

    def workers(self) -> t.List[int]:
        """The pids of the workers that are not about to end."""
        with open(f"/proc/{self.master}/task/{self.master}/children", encoding="ascii") as handle:
            children = [int(pid) for pid in handle.read().split()]
        return [pid for pid in children if _is_worker(pid)]

    def wait_for_other_workers(self, former: t.Collection[int]) -> None:
        """Wait until a start or a reload has put workers in place of the former ones."""
        assert self._process is not None
        end = time.monotonic() + 10
        while len(self.workers()) != self.count or set(self.workers()) & set(former):
            assert self._process.poll() is None, self._process.communicate()[1].decode()
            assert time.monotonic() < end, "nginx has no new workers"
            time.sleep(0.02)

    def backlog(self, want: t.Any, *, check_mode: bool = False, **params: t.Any) -> Result:
        """What the module would return."""
        given = {**PARAMS, "server": "nginx", "config": str(self.config), "backlog": want, **params}
        return apply.manage(parse_request(given), check_mode=check_mode)


def _is_worker(pid: int) -> bool:
    try:
        return b"worker process\0" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return False


def any_backlog(want: t.Any, *listen: str, **params: t.Any) -> Result:
    """What the module would return for server=any."""
    given = {**PARAMS, "server": "any", "config": None, "backlog": want, "listen": list(listen), **params}
    return apply.manage(parse_request(given), check_mode=False)


def in_force() -> t.Dict[str, t.List[int]]:
    """The backlogs in the kernel, by endpoint, in this namespace."""
    return {text_of(endpoint): sorted(one.backlog or 0 for one in found) for endpoint, found in look().sockets.items()}


def text_of(endpoint: Endpoint) -> str:
    """An endpoint in brief."""
    return endpoint[1] if endpoint[0] == "unix" else f"{endpoint[1]}:{endpoint[2]}"


def statuses(result: Result) -> t.List[t.Tuple[t.Any, ...]]:
    """The result in brief: address, port, backlog before and after, status."""
    return [
        (row["address"], row["port"], row["backlog_before"], row["backlog"], row["status"])
        for row in result["listeners"]
    ]


def somaxconn(number: int) -> None:
    """Set the cap of this namespace."""
    proc_sys.write("net.core.somaxconn", str(number))


def become_nobody() -> None:
    """Give up root in this process."""
    codecs.lookup("ascii")  # from files that nobody may not be able to read
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
