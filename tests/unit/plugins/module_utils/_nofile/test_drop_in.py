# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._errors import BadRequest
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.rlimits import Limits
from ansible_collections.nettune.tcp.plugins.module_utils._nofile import drop_in

PATH = "/etc/systemd/system/nginx.service.d/zz-nettune-tcp.conf"


def test_path() -> None:
    assert drop_in.path_of("nginx.service") == PATH


@pytest.mark.parametrize("section", ["Service", "Socket", "Mount", "Swap"])
@pytest.mark.parametrize("own_directory", [True, False])
def test_what_is_written_is_what_is_read(section: str, own_directory: bool) -> None:
    text = drop_in.compose(Limits(1024, 524288), section, own_directory=own_directory)
    assert f"\n[{section}]\nLimitNOFILE=1024:524288\n" in text
    assert drop_in.limits_in(text, PATH, section) == Limits(1024, 524288)
    assert drop_in.owns_directory(text) is own_directory


@pytest.mark.parametrize("text", [None, "", "\n"])
def test_no_file(text: str) -> None:
    assert drop_in.limits_in(text, PATH, "Service") is None
    assert not drop_in.owns_directory(text)


def test_somebody_elses_file() -> None:
    with pytest.raises(BadRequest, match=r"was not written by nettune\.tcp\.nofile"):
        drop_in.limits_in("[Service]\nLimitNOFILE=1\n", PATH, "Service")


def test_our_file_without_a_limit() -> None:
    text = drop_in.compose(Limits(1, 2), "Service", own_directory=False).replace("LimitNOFILE", "#LimitNOFILE")
    assert drop_in.limits_in(text, PATH, "Service") is None
