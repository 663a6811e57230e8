# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The services of serve.sh: main process, limits of open files of all processes, and the backlog of port 80."""

from __future__ import annotations

import json
import re
import subprocess
import typing as t
from pathlib import Path


def output(*command: str) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, encoding="ascii", check=True).stdout


def limits(pid: str) -> t.List[int]:
    """The soft limit and the hard one."""
    found = re.search(r"^Max open files +(\d+) +(\d+)", Path("/proc", pid, "limits").read_text(), re.MULTILINE)
    assert found
    return [int(number) for number in found.groups()]


def service(unit: str) -> t.Dict[str, t.Any]:
    pids = Path("/sys/fs/cgroup/system.slice", unit, "cgroup.procs").read_text().split()
    return {
        "main": int(output("systemctl", "show", "--property=MainPID", "--value", unit)),
        "limits": sorted(limits(pid) for pid in pids),
    }


listening = output("ss", "--no-header", "--listening", "--numeric", "--tcp", "sport = :80").split()
units = {unit: service(f"{unit}.service") for unit in ("nginx", "low")}
print(json.dumps({"units": units, "backlog": int(listening[2])}))
