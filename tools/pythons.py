# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Python interpreters of this machine."""

import functools
import shutil
import subprocess
from pathlib import Path

# All that some ansible-core since 2.19 supports, on targets or on the controller.
KNOWN = tuple(f"3.{minor}" for minor in range(8, 16))


@functools.cache
def found() -> dict[str, Path]:
    """Interpreter by version, of those KNOWN that really start and can make virtual environments."""
    return {version: path for version in KNOWN for path in candidates(version)[:1]}


def candidates(version: str) -> list[Path]:
    """Working interpreters of one version: from PATH first, then pyenv's."""
    on_path = shutil.which(f"python{version}")
    installed = sorted(Path("~/.pyenv/versions").expanduser().glob(f"{version}.*/bin/python{version}"))
    return [path for path in [*([Path(on_path)] if on_path else []), *reversed(installed)] if works(path)]


def works(interpreter: Path, oldest: tuple[int, int] = (3, 8)) -> bool:
    """Whether it is new enough, starts (a pyenv shim may not) and has ensurepip (Debian's may not)."""
    program = f"import ensurepip, sys, venv; sys.exit(sys.version_info < {oldest})"
    try:
        return not subprocess.run([interpreter, "-c", program], check=False, capture_output=True).returncode
    except OSError:
        return False
