# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._errors import KernelRefused
from ansible_collections.nettune.tcp.plugins.module_utils._sysctl.rehearsal import rehearse


@pytest.mark.parametrize("key, text", [("fs.nr_open", "63"), ("fs.nr_open", "4294967296"), ("fs.file-max", "-1")])
def test_what_the_kernel_takes_of_the_whole_host_is_known(key: str, text: str) -> None:
    with pytest.raises(KernelRefused, match=f"the kernel refused {key} = {text}: Invalid argument"):
        rehearse({key: text}, in_namespace=False)


def test_what_cannot_be_tried_is_not_judged() -> None:
    rehearse({"fs.nr_open": "1048576", "vm.swappiness": "-7"}, in_namespace=False)
    rehearse({}, in_namespace=False)
