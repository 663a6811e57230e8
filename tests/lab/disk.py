# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Disks for the lab's virtual machines: the Debian of the containers, with the release's kernel and a way in.

A suite's disk is kept under ``.work/lab``, by the hash of its recipe, and built again when that has changed.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import tempfile
import tomllib
import typing as t
from dataclasses import dataclass
from pathlib import Path

from . import image

CACHE = image.HERE.parent.parent / ".work" / "lab"
KEY = CACHE / "id_ed25519"
RECIPE = image.HERE / "vm.toml"


class Extras(t.TypedDict):
    """The tables of vm.toml."""

    packages: list[str]
    enable: list[str]
    mask: list[str]
    size: str
    files: dict[str, str]


@dataclass(frozen=True)
class Disk:
    """What a machine boots from: a root file system without partitions, the kernel and its initramfs."""

    directory: Path

    @property
    def root(self) -> Path:
        return self.directory / "root.img"

    @property
    def kernel(self) -> Path:
        return self.directory / "vmlinuz"

    @property
    def initrd(self) -> Path:
        return self.directory / "initrd.img"


def disk(suite: str) -> Disk:
    """The suite's disk, built in half a minute if there is none of this recipe.  Needs root."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not KEY.exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "nettune-lab", "-f", KEY], check=True)
        built = Disk(CACHE / f"{suite}-{fingerprint()[:12]}")
        if not built.directory.exists():
            for old in CACHE.glob(f"{suite}-*"):
                shutil.rmtree(old)
            build(suite, built)
    return built


def fingerprint() -> str:
    """Hash of everything that decides what is on a disk, apart from the mirror."""
    parts = [path.read_bytes() for path in (Path(__file__), RECIPE, KEY.with_suffix(".pub"))]
    return hashlib.sha256(b"\0".join([image.fingerprint().encode(), *parts])).hexdigest()


def build(suite: str, wanted: Disk) -> None:
    """Build all of the suite's disk next to where it belongs, and then put it there."""
    extras = t.cast("Extras", tomllib.loads(RECIPE.read_text(encoding="utf-8")))
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="build-") as scratch:
        root = Path(scratch) / "root"
        recipe = with_extras(image.read_recipe(), extras)
        enable = f'chroot "$1" systemctl --quiet enable {" ".join(extras["enable"])}'
        subprocess.run(image.mmdebstrap(suite, recipe, root, [enable]), check=True)
        furnish(root, extras)
        parts = Disk(Path(scratch) / "disk")
        parts.directory.mkdir()
        subprocess.run(
            ["mke2fs", "-q", "-t", "ext4", "-d", root, parts.root, extras["size"]],
            stdout=subprocess.DEVNULL,
            check=True,
        )
        for part, pattern in ((parts.kernel, "vmlinuz-*"), (parts.initrd, "initrd.img-*")):
            (found,) = (root / "boot").glob(pattern)
            shutil.copy(found, part)
        parts.directory.rename(wanted.directory)


def with_extras(recipe: image.Recipe, extras: Extras) -> image.Recipe:
    """The recipe of the containers with more packages, and with more that is switched off."""
    return {
        **recipe,
        "packages": recipe["packages"] + extras["packages"],
        "mask": recipe["mask"] + extras["mask"],
    }


def furnish(root: Path, extras: Extras) -> None:
    """Let in whoever has the key, give it a network, and a machine id so that its first boot is like any other."""
    ssh = root / "root" / ".ssh"
    ssh.mkdir(mode=0o700, exist_ok=True)
    shutil.copy(KEY.with_suffix(".pub"), ssh / "authorized_keys")
    for path, content in extras["files"].items():
        (root / path.lstrip("/")).write_text(content.lstrip("\n"), encoding="utf-8")
    machine_id = hashlib.sha256(b"nettune lab").hexdigest()[:32]
    (root / "etc" / "machine-id").write_text(f"{machine_id}\n", encoding="ascii")
