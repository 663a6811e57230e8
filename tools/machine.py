# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests need of the machine beside Python: programs, and root's rights."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from tools.environment import CHECKOUT, WORK, Missing

PACKAGES = CHECKOUT / "requirements" / "system.txt"
POLICY = Path("/usr/sbin/policy-rc.d")
WAIT = ("-o", "DPkg::Lock::Timeout=900")  # a cloud machine that has just booted holds the lock for minutes
SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin"


def packages() -> dict[str, str]:
    """Debian's package by the program it brings, from requirements/system.txt."""
    lines = PACKAGES.read_text(encoding="utf-8").splitlines()
    return dict(line.split() for line in lines if line and not line.startswith("#"))


def lacking(needs: Iterable[str]) -> list[str]:
    """Those of the needs that are not met, sorted."""
    return sorted(need for need in needs if not (os.geteuid() == 0 if need == "root" else present(need)))


def present(program: str) -> bool:
    """Whether the program can be found, also where only root's PATH leads."""
    return shutil.which(program, path=os.pathsep.join([os.environ.get("PATH", os.defpath), SYSTEM_PATH])) is not None


def install(needs: Iterable[str]) -> None:
    """Install the missing programs where root has apt; elsewhere the stages say what is missing."""
    wanted = sorted({packages()[need] for need in lacking(needs) if need != "root"})
    if not wanted or os.geteuid() != 0 or not present("apt-get"):
        return
    print(f"Installing {' '.join(wanted)} ...", flush=True)
    log = WORK / "logs" / "packages.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with services_kept_down(), log.open("wb") as output:
        for command in (["update"], ["install", "--yes", "--no-install-recommends", *wanted]):
            if subprocess.call(["apt-get", *WAIT, *command], env=environment, stdout=output, stderr=subprocess.STDOUT):
                raise Missing(f"apt-get {' '.join(command)} failed: see {log.relative_to(CHECKOUT)}")


@contextlib.contextmanager
def services_kept_down() -> Iterator[None]:
    """Keep packages from starting their services, the way Debian's policy provides for it."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()
