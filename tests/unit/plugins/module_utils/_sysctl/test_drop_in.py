# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._errors import BadRequest
from ansible_collections.nettune.tcp.plugins.module_utils._sysctl import drop_in


def test_settings_survive_the_way_through_the_file() -> None:
    settings = {"net.core.somaxconn": "4096", "fs.nr_open": "1048576", "net.ipv4.tcp_rmem": "4096 131072 6291456"}
    text = drop_in.compose(settings)
    assert text is not None
    assert drop_in.parse(text, "f") == settings
    assert text.splitlines()[1:] == sorted(text.splitlines()[1:])


def test_no_settings_mean_no_file() -> None:
    assert drop_in.compose({}) is None
    assert drop_in.parse(None, "f") == drop_in.parse(" \n", "f") == {}


def test_comments_and_broken_lines_are_no_settings() -> None:
    text = str(drop_in.compose({"a.b": "1"})) + "# c.d = 2\n; e.f = 3\nnonsense\n"
    assert drop_in.parse(text, "f") == {"a.b": "1"}


def test_a_file_of_somebody_else_is_refused() -> None:
    with pytest.raises(BadRequest, match=r"/etc/sysctl\.d/99-mine\.conf"):
        drop_in.parse("net.core.somaxconn = 1\n", "/etc/sysctl.d/99-mine.conf")


@pytest.mark.parametrize("spelled", ["net/core/somaxconn", "-net.core.somaxconn", " net.core.somaxconn "])
def test_a_line_added_by_hand_is_the_same_key_however_it_is_spelled(spelled: str) -> None:
    text = str(drop_in.compose({"net.core.somaxconn": "4096"})) + f"{spelled} = 128\n"
    assert drop_in.parse(text, "f") == {"net.core.somaxconn": "128"}
