# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from ansible_collections.nettune.tcp.plugins.plugin_utils._audit import files
from ansible_collections.nettune.tcp.plugins.plugin_utils._audit.errors import AuditError
from ansible_collections.nettune.tcp.plugins.plugin_utils._report.formats import FORMATS
from ansible_collections.nettune.tcp.tests.unit.plugins.plugin_utils import fleets


def names(place: Path) -> set[str]:
    return {path.name for path in place.iterdir()}


def test_each_format_has_a_file_of_its_own(tmp_path: Path) -> None:
    written = files.write(tmp_path / "a" / "b", FORMATS, fleets.report(2))
    assert {Path(path).name for path in written.values()} == names(tmp_path / "a" / "b")
    assert len(written) == len(FORMATS)
    assert json.loads(Path(written["json"]).read_text(encoding="utf-8"))["schema"] == 1
    assert os.stat(written["html"]).st_mode & 0o777 == 0o644


def test_former_reports_get_another_name_and_those_of_others_stay(tmp_path: Path) -> None:
    files.set_aside(tmp_path / "nowhere")
    (tmp_path / "other.html").write_text("x", encoding="utf-8")
    files.write(tmp_path, ["json", "html"], fleets.report(1))
    files.set_aside(tmp_path)
    assert names(tmp_path) == {"tcp-audit.previous.json", "tcp-audit.previous.html", "other.html"}
    files.set_aside(tmp_path)
    assert files.former(tmp_path).exists()
    files.write(tmp_path, ["json"], fleets.report(2))
    files.set_aside(tmp_path)
    assert len(json.loads(files.former(tmp_path).read_text(encoding="utf-8"))["hosts"]) == 2


def test_no_collector_finds_former_metrics_beside_new_ones(tmp_path: Path) -> None:
    for _run in range(2):
        files.set_aside(tmp_path)
        files.write(tmp_path, ["openmetrics"], fleets.report(1))
    assert names(tmp_path) == {"tcp-audit.prom"}


def test_a_report_that_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        files.write(tmp_path, ["json"], {})
    assert names(tmp_path) == set()


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(AuditError, match=r"the report cannot be written: .*file"):
        files.write(tmp_path / "file", ["json"], fleets.report(1))


def test_a_place_is_tried_before_hosts_are_asked(tmp_path: Path) -> None:
    files.try_directory(tmp_path / "a" / "b")
    assert names(tmp_path / "a" / "b") == set()
    (tmp_path / "file").write_text("x", encoding="utf-8")
    for place in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/nowhere")):
        with pytest.raises(AuditError, match=f"no report can be written to {place}: "):
            files.try_directory(place)


def test_former_reports_that_cannot_be_renamed_are_said(tmp_path: Path) -> None:
    files.write(tmp_path, ["json"], fleets.report(1))
    files.former(tmp_path).mkdir()
    with pytest.raises(AuditError, match=r"the former report cannot be set aside: .*Is a directory"):
        files.set_aside(tmp_path)


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("keep", encoding="utf-8")
    (tmp_path / "tcp-audit.json").symlink_to(target)
    files.write(tmp_path, ["json"], fleets.report(1))
    assert target.read_text(encoding="utf-8") == "keep"
