# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sent to the container by run.py: what the modules that Ansible has left there are, and what they cost to run again.

Prints JSON: for each, in the order in which they came, its name, the bytes of its file and of the zip in it, and the
median CPU seconds of a run with all the programs it starts.
"""

from __future__ import annotations

import base64
import glob
import json
import os
import re
import statistics
import subprocess
import sys


def main() -> None:
    """Measure every module that was left."""
    paths = sorted(glob.glob("/root/.ansible/tmp/*/AnsiballZ_*.py"), key=os.path.getmtime)
    print(json.dumps([measure(path, int(sys.argv[1])) for path in paths]))


def measure(path: str, rounds: int) -> dict[str, object]:
    """The size of a module, and what it takes."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    packed = max(re.findall(r"[A-Za-z0-9+/=]{100,}", text), key=len)
    return {
        "name": re.sub(r".*AnsiballZ_(\w+)\.py", r"\1", path),
        "file": len(text),
        "zip": len(base64.b64decode(packed)),
        "seconds": statistics.median(seconds(path) for _round in range(rounds)),
    }


def seconds(path: str) -> float:
    """CPU of one run."""
    program = subprocess.Popen([sys.executable, path], stdout=subprocess.DEVNULL)
    _pid, status, usage = os.wait4(program.pid, 0)
    program.returncode = status
    if status:
        sys.exit(f"{path} failed with status {status}")
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
