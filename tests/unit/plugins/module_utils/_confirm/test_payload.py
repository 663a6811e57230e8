# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import zipfile

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._confirm import expire, payload
from ansible_collections.nettune.tcp.plugins.module_utils._errors import NotTrusted

RUN = "20260314T092653.589793Z-1f3a"


def test_the_program_needs_nothing_but_the_standard_library(tmp_path: pathlib.Path) -> None:
    program = tmp_path / "rollback.zip"
    program.write_bytes(payload.build(RUN))
    with zipfile.ZipFile(program) as archive:
        main = archive.read("__main__.py").decode()
    assert f"main({RUN!r})" in main
    # No site-packages, and no directory but the program itself.
    code = (
        f"import sys; sys.path.insert(0, {str(program)!r}); from {expire.__name__} import main; print(main.__module__)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], check=False, capture_output=True, text=True, cwd="/"
    )
    assert done.stdout.strip() == expire.__name__, done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="makes files of other users")
@pytest.mark.parametrize("archived", [False, True])
def test_code_of_somebody_else_is_not_kept_for_root_to_run(
    archived: bool, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "module_utils"
    (package / "_confirm").mkdir(parents=True)
    shutil.copy(payload.__file__, package / "_confirm" / "payload.py")
    archive = shutil.make_archive(str(tmp_path / "sent"), "zip", tmp_path, "module_utils")
    swapped = pathlib.Path(archive if archived else package / "_confirm" / "payload.py")
    monkeypatch.setattr(payload, "__file__", str(package / "_confirm" / "payload.py"))
    monkeypatch.setitem(vars(payload), "__loader__", type("Loader", (), {"archive": archive if archived else None}))
    payload.build(RUN)
    os.chown(swapped, 12345, 12345)
    with pytest.raises(NotTrusted, match="uid 12345"):
        payload.build(RUN)
