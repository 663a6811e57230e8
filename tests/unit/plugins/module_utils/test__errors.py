# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pickle
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils import _errors
from ansible_collections.nettune.tcp.plugins.module_utils._sysctl.apply import Refused


@pytest.mark.parametrize(
    "kind",
    [
        _errors.NettuneError,
        _errors.BadRequest,
        _errors.MissingRight,
        _errors.KernelRefused,
        _errors.Unsupported,
        Refused,
    ],
)
def test_errors_come_whole_out_of_a_child_process(kind: t.Type[_errors.NettuneError]) -> None:
    """As run_in() of _kernel/netns.py hands them over."""
    error = kind("it broke", key="net.core.somaxconn", restored=["a"])
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.details) == (kind, str(error), error.details)
