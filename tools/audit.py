# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The first command of the README, as somebody who has just cloned the repository runs it."""

import os
import re
import shutil
import tempfile
from pathlib import Path

from tools import pythons, tree
from tools.environment import OLDEST_PYTHON
from tools.stage import Log, Result

NOBODY = 65534


def audit(log: Log) -> Result:
    """Run it as this user on the default Python and on a newer one; where this is root, as nobody too."""
    system = Path("/usr/bin/python3")
    newer = next((path for version, path in pythons.found().items() if int(version[2:]) >= 12), None)
    result = attempt(log, Path("python3")) + (attempt(log, newer) if newer else skipped("no Python 3.12 or newer"))
    return result + attempt(log, system, NOBODY) if os.geteuid() == 0 else result


def skipped(reason: str) -> Result:
    return Result(skipped=1, reasons=(reason,))


def attempt(log: Log, python: Path, user: int | None = None) -> Result:
    """Run it twice in a new copy, with a home in which Ansible must leave nothing."""
    settings = inherited()
    interpreter = shutil.which(python, path=settings["PATH"])
    if not interpreter or not pythons.works(Path(interpreter), OLDEST_PYTHON):
        return skipped(f"{python} is too old or cannot make virtual environments")
    with tempfile.TemporaryDirectory(prefix="nettune-audit-") as directory:
        home, checkout = Path(directory, "home"), Path(directory, "checkout")
        home.mkdir()
        tree.copy_to(checkout)
        if user is not None:
            give(Path(directory), user)
        identity = [] if user is None else ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
        environment = [f"{name}={value}" for name, value in {**settings, "HOME": str(home)}.items()]
        command = [*identity, "env", "-i", *environment, "make", "audit", f"PYTHON={python}"]
        ran = [log.run(*command, cwd=checkout) for _ in range(2)]
        left = home.joinpath(".ansible").exists()
        log.write("~/.ansible was left behind\n" if left else "")
        return Result.of(all(ran) and not left)


def inherited() -> dict[str, str]:
    """What a user's machine gives the command: a PATH without our environment, and how to reach the network."""
    kept = {name: value for name, value in os.environ.items() if re.match(r"PIP_|SSL_|[a-z]+_proxy$", name)}
    return {**kept, "PATH": os.environ["PATH"].split(os.pathsep, 1)[1]}


def give(directory: Path, user: int) -> None:
    """Make the user the owner of all that is in the directory."""
    for path in [directory, *directory.rglob("*")]:
        shutil.chown(path, user, user)
