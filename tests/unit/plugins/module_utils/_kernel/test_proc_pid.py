# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from pathlib import Path

from ansible_collections.nettune.tcp.plugins.module_utils._kernel.proc_pid import name_of, pids


def test_processes_are_the_directories_with_numbers(tmp_path: Path) -> None:
    for name in ("10", "9", "self", "net"):
        (tmp_path / name).mkdir()
    assert pids(str(tmp_path)) == [9, 10]
    assert os.getpid() in pids()


def test_the_name_of_a_process_that_is_gone_is_empty(tmp_path: Path) -> None:
    (tmp_path / "9").mkdir()
    (tmp_path / "9" / "comm").write_bytes(b"a (b)\xff\n")
    assert name_of(9, str(tmp_path)) == "a (b)\ufffd"
    assert name_of(10, str(tmp_path)) == ""
