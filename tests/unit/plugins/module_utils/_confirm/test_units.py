# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.nettune.tcp.plugins.module_utils._confirm import units


def test_words_are_quoted_as_systemd_reads_them() -> None:
    text = units.service("R", ["/opt/my python/bin/python3", "-I", '/a/100%/$HOME/"b"\\c'])
    assert 'ExecStart="/opt/my python/bin/python3" "-I" "/a/100%%/$$HOME/\\"b\\"\\\\c"\n' in text


def test_the_timer_counts_from_its_own_start() -> None:
    text = units.timer("R", 300)
    assert "OnActiveSec=300\n" in text
    assert "OnBootSec" not in text
    assert "WantedBy=timers.target\n" in text
