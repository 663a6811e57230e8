# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The files of a report: written whole or not at all, and never an old one under the name of a new one."""

from __future__ import annotations

import contextlib
import os
import tempfile
import typing as t
from pathlib import Path

from .._report.formats import FORMATS
from .errors import AuditError

_NAME = "tcp-audit"
_FORMER = "tcp-audit.previous"


def path(directory: Path, name: str) -> Path:
    """Where the report of the format is."""
    return directory / f"{_NAME}.{FORMATS[name].suffix}"


def former(directory: Path) -> Path:
    """Where the JSON report is that was there before :func:`set_aside`."""
    return directory / f"{_FORMER}.json"


def set_aside(directory: Path) -> None:
    """Give the reports that are there the name of former ones: whatever happens next, none is taken for a new one.

    Raises AuditError where they cannot be renamed.
    """
    try:
        for report_format in FORMATS.values():
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                report = directory / f"{_NAME}.{report_format.suffix}"
                if report_format.kept:
                    report.replace(directory / f"{_FORMER}.{report_format.suffix}")
                else:
                    report.unlink()
    except OSError as exc:
        raise AuditError(f"the former report cannot be set aside: {exc}") from exc


def try_directory(directory: Path) -> None:
    """Make the directory, and a file in it that does not stay.  Raises AuditError where reports cannot be written."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as exc:
        raise AuditError(f"no report can be written to {directory}: {exc.strerror or exc}") from exc


def write(directory: Path, formats: t.Iterable[str], report: t.Mapping[str, t.Any]) -> t.Dict[str, str]:
    """Write the report in each format; the paths by format.  Raises AuditError."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name in formats:
            _replace(path(directory, name), FORMATS[name].render(report))
    except OSError as exc:
        raise AuditError(f"the report cannot be written: {exc}") from exc
    return {name: str(path(directory, name)) for name in formats}


def _replace(target: Path, content: str) -> None:
    handle, beside = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(content)
        os.chmod(beside, 0o644)
        os.replace(beside, target)
    except BaseException:
        os.unlink(beside)
        raise
