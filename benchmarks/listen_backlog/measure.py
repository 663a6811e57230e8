# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One measurement in the network namespace of the caller, started by run.py; prints it as JSON."""

from __future__ import annotations

import argparse
import json
import pathlib
import re
import subprocess
import tempfile
import time
import typing as t

from ansible_collections.nettune.tcp.plugins.module_utils._kernel import proc_net, proc_sys
from ansible_collections.nettune.tcp.tests.integration.backlog.load import Load
from ansible_collections.nettune.tcp.tests.integration.backlog.nginx import in_force
from ansible_collections.nettune.tcp.tests.integration.backlog.servers import LOADED, Case, Running, allow_files

SETTLED = 1.5  # seconds of load before the change and after it
FILES = 20000
BURST = ["ab", "-q", "-r", "-c", "8000", "-n", "60000"]


def main() -> None:
    """Measure what is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", help="a server, or burst")
    parser.add_argument("way", help="auto, reload or restart; of burst the backlog")
    parser.add_argument("--held", type=int, default=2000)
    parser.add_argument("--fresh", type=int, default=100)
    arguments = parser.parse_args()
    allow_files(FILES)
    proc_sys.write("net.core.somaxconn", "65535")
    proc_sys.write("net.ipv4.ip_local_port_range", "1024 65535")
    with tempfile.TemporaryDirectory() as directory:
        if arguments.what == "burst":
            found = burst(pathlib.Path(directory), int(arguments.way))
        else:
            case = LOADED[arguments.what]
            found = change(case, pathlib.Path(directory), arguments.way, arguments.held, arguments.fresh)
    print(json.dumps(found))


def counters() -> t.Mapping[str, int]:
    """The counters of this namespace."""
    return proc_net.parse_counters(proc_net.read("netstat"), proc_net.read("snmp"))


def change(case: Case, directory: pathlib.Path, way: str, held: int, fresh: int) -> t.Dict[str, float]:
    """What clients notice while the backlog of a server goes from 128 to 4096."""
    with Running(case, directory) as server:
        before, pids = counters(), server.pids()
        load = Load(held=held, fresh=fresh)
        time.sleep(SETTLED)
        if way == "restart":
            edit_and_restart(server)
        else:
            server.backlog(4096, apply=way)
        time.sleep(SETTLED)
        counted, after = load.stop(), counters()
        assert {tuple(set(backlogs)) for backlogs in in_force().values()} == {(4096,)}, in_force()
        refused = counted["failed"].get("ECONNREFUSED", 0)
        return {
            "requests": counted["requests"],
            "refused": refused,
            "cut": sum(counted["failed"].values()) - refused,
            "closed": counted["closed"],
            "resets": after["EstabResets"] - before["EstabResets"],
            "p99": counted["p99"],
            "longest": counted["longest"],
            "processes": len(pids),
            "new": len(set(server.pids()) - set(pids)),
        }


def edit_and_restart(server: Running) -> None:
    """As by hand: another number in the file, then stop and start as the unit in Debian does."""
    server.config.write_text(re.sub(r"(?i)(backlog[ =])128", r"\g<1>4096", server.config.read_text()))
    server.stop(server.case.stop)
    server.start()


def burst(directory: pathlib.Path, backlog: int) -> t.Dict[str, float]:
    """What 8,000 clients at once notice of nginx with one worker and a queue of 128, or one raised by the module.

    ``pN`` are the milliseconds within which N percent of the requests were answered.
    """
    times = directory / "times.csv"
    text = LOADED["nginx"].text.replace("worker_processes 2", "worker_processes 1")
    case = Case("nginx", text.replace("worker_connections 4096", "worker_connections 16384"))
    with Running(case, directory) as server:
        if backlog != 128:
            server.backlog({"at_least": backlog})
        before = counters()
        command = [*BURST, "-e", str(times), "http://127.0.0.1:8080/fine"]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        after = counters()
    [longest] = re.findall(r"^ *100% +(\d+)", text, re.MULTILINE)
    failed = re.search(r"^Failed requests: +(\d+)", text, re.MULTILINE)
    return {
        "failed": int(failed[1]) if failed else 0,
        "overflows": after["ListenOverflows"] - before["ListenOverflows"],
        "longest": int(longest),
        **{
            f"p{percentage}": float(time)
            for percentage, time in re.findall(r"^(\d+),([\d.]+)", times.read_text(), re.MULTILINE)
        },
    }


if __name__ == "__main__":
    main()
