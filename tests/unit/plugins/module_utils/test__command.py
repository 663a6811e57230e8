# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs are found, run without a shell, in the C locale, and not forever."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils import _command
from ansible_collections.nettune.tcp.plugins.module_utils._errors import NettuneError


def test_both_outputs_and_the_code_are_kept() -> None:
    outcome = _command.run(["sh", "-c", 'echo "$LC_ALL $1"; echo err >&2; exit 3', "sh", "a;b"])
    assert outcome == _command.Outcome(3, "C a;b\nerr")


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert _command.find("sh") == "/usr/bin/sh" or _command.find("sh") == "/bin/sh"
    with pytest.raises(NettuneError, match="no-such-server is not installed, so no-such-server -t cannot be run"):
        _command.run(["no-such-server", "-t"])


def test_what_does_not_end_is_ended() -> None:
    with pytest.raises(NettuneError, match=r"sleep 9: .*timed out"):
        _command.run(["sleep", "9"], timeout=0.1)


def test_what_cannot_be_started_is_an_error(tmp_path: pathlib.Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/no/such/interpreter\n")
    broken.chmod(0o755)
    with pytest.raises(NettuneError, match="broken: "):
        _command.run([str(broken)])
