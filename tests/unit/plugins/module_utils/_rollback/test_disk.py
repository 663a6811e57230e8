# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib

from ansible_collections.nettune.tcp.plugins.module_utils._record import entries, files
from ansible_collections.nettune.tcp.plugins.module_utils._record.fold import Thing
from ansible_collections.nettune.tcp.plugins.module_utils._rollback import disk


def test_a_file_that_somebody_removed_between_two_runs_is_told(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "zz-nettune-tcp.conf"
    path.write_text("ours\n")
    state, _content = files.state_of(str(path))
    thing = Thing(entries.FILE, str(path), {}, None, (state,), "", (None,))
    assert disk.file(thing).conflict.endswith("and somebody changed it to absent between the runs")
