# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resolver of boot values against the systemd-sysctl and ``sysctl --system`` of this machine.

NETTUNE_BOOT_CASES and NETTUNE_BOOT_SEED choose how many random trees are tried, and which.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

PROVE = pathlib.Path(__file__).with_name("prove.py")


def test_the_resolver_agrees_with_the_real_tools() -> None:
    cases = os.environ.get("NETTUNE_BOOT_CASES", "500")
    seed = os.environ.get("NETTUNE_BOOT_SEED", "1")
    command = [sys.executable, str(PROVE), "--cases", cases, "--seed", seed]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    report = json.loads(done.stdout)
    # Trees that set nothing, or that both tools read alike, would prove nothing.
    assert report["set_by_a_file"] > 5 * int(cases)
    assert report["tools_differ"] > int(cases) / 2
    print(json.dumps(report, indent=1))
