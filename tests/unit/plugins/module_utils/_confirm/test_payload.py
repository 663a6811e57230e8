# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import subprocess
import sys
import zipfile

from ansible_collections.nettune.tcp.plugins.module_utils._confirm import expire, payload


def test_the_program_needs_nothing_but_the_standard_library(tmp_path: pathlib.Path) -> None:
    program = tmp_path / "rollback.zip"
    program.write_bytes(payload.build("20260314T092653.589793Z-1f3a"))
    with zipfile.ZipFile(program) as archive:
        main = archive.read("__main__.py").decode()
    assert "main('20260314T092653.589793Z-1f3a')" in main
    # No site-packages, and no directory but the program itself.
    code = (
        f"import sys; sys.path.insert(0, {str(program)!r}); from {expire.__name__} import main; print(main.__module__)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], check=False, capture_output=True, text=True, cwd="/"
    )
    assert done.stdout.strip() == expire.__name__, done.stderr
