# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules in an archive are compiled once, and are what they are otherwise."""

from __future__ import annotations

import gc
import inspect
import json
import subprocess
import sys
import typing as t
import zipfile
import zipimport
from pathlib import Path

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils import _archive

SOURCES = {"sent/__init__.py": "", "sent/one.py": "from .inner import two\n", "sent/inner/two.py": "VALUE = 2\n"}
PROGRAM = """\
import gc, json, sys, zipimport
sys.path.insert(0, sys.argv[1])
compiled = []
compiling = zipimport._compile_source
def counted(path, source):
    compiled.append(path)
    return compiling(path, source)
zipimport._compile_source = counted
import first
del compiled[:]
if "faster" in sys.argv:
    first.import_faster()
import sent.one
modules = [sys.modules[name] for name in ("sent", "sent.one", "sent.inner.two")]
print(json.dumps([len(compiled), [module.__file__ for module in modules], sent.one.two.VALUE, gc.isenabled()]))
"""


@pytest.fixture(name="archive")
def fixture_archive(tmp_path: Path) -> Path:
    """What Ansible sends, in small."""
    path = tmp_path / "sent.zip"
    with zipfile.ZipFile(path, "w") as opened:
        for name, text in {**SOURCES, "sent/inner/__init__.py": "", "first.py": inspect.getsource(_archive)}.items():
            opened.writestr(name, text)
    return path


def imported(archive: Path, *options: str) -> t.Any:
    """How many sources a Python of its own has compiled, the files of the modules, a value from one of them, and
    whether it collects garbage.
    """
    command = [sys.executable, "-c", PROGRAM, str(archive), *options]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def test_each_source_is_compiled_once_and_no_garbage_collected(archive: Path) -> None:
    before, after = imported(archive), imported(archive, "faster")
    assert after[0] == 4
    assert before[1:3] == after[1:3]
    assert (before[3], after[3]) == (True, False)


def test_what_is_not_there_is_no_file(archive: Path) -> None:
    importer = _archive._Importer(str(archive))
    with pytest.raises(zipimport.ZipImportError):
        importer.get_filename("sent.none")


def test_nothing_changes_where_no_archive_is() -> None:
    before = list(sys.path_hooks)
    _archive.import_faster()
    assert sys.path_hooks == before
    assert gc.isenabled()
