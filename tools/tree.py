# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Copies of the collection for tools that write into their tree or walk all of it."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from tools.environment import CHECKOUT


def files() -> list[Path]:
    """What git tracks, or would: the paths below the checkout that exist and are not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout.split("\0")
    return [Path(name) for name in listed if name and (CHECKOUT / name).is_file()]


def copy_to(target: Path, wanted: Callable[[Path], bool] = lambda _name: True) -> Path:
    """Make ``target`` a copy of those of files() that are wanted, with nothing else in it; returns ``target``."""
    shutil.rmtree(target, ignore_errors=True)
    for name in filter(wanted, files()):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(CHECKOUT / name, target / name, follow_symlinks=False)
    return target
