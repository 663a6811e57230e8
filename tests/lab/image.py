#!/usr/bin/env python3
# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the lab's Debian images and import them into podman as localhost/nettune-lab:SUITE.

Usage: image.py SUITE...

An image that was made by the recipe as it is now is left alone; only what was built is printed, one name a line.
The packages come from the mirror that the machine's own apt uses for Debian, else from mmdebstrap's default.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
import tomllib
import types
import typing as t
from pathlib import Path

HERE = Path(__file__).resolve().parent
INIT = HERE / "lab-init"
RECIPE = HERE / "image.toml"
LABEL = "nettune.lab.recipe"


class Recipe(t.TypedDict):
    """The tables of image.toml."""

    suites: list[str]
    packages: list[str]
    exclude: list[str]
    disable: list[str]
    mask: list[str]


def image_name(suite: str) -> str:
    """Name of the suite's image, as the scenarios use it."""
    return f"localhost/nettune-lab:{suite}"


def fingerprint() -> str:
    """Hash of everything that decides what is in an image, apart from the mirror."""
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in (Path(__file__), INIT, RECIPE))).hexdigest()


def is_current(suite: str, recipe_hash: str) -> bool:
    """Whether podman has the suite's image and the recipe has not changed since."""
    template = f'{{{{index .Config.Labels "{LABEL}"}}}}'
    command = ["podman", "image", "inspect", "--format", template, image_name(suite)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.returncode == 0 and found.stdout.strip() == recipe_hash


def host_mirror() -> list[str]:
    """The mirror that this machine's apt knows for Debian, as at most one argument of mmdebstrap."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Label: Debian"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[:1]


def read_recipe() -> Recipe:
    """What image.toml says."""
    return t.cast("Recipe", tomllib.loads(RECIPE.read_text(encoding="utf-8")))


def mmdebstrap(suite: str, recipe: Recipe, target: Path, hooks: t.Iterable[str] = ()) -> list[str]:
    """Command that writes the suite's root file system to ``target``: a directory, or an archive if that ends in .tar.

    The hooks are shell commands that find the root file system in ``$1``.
    """
    return [
        "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        f"--include={','.join(recipe['packages'])}",
        # A suite under development, or a frozen mirror, may be older than its Release file allows.
        '--aptopt=Acquire::Check-Valid-Until "false"',
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in recipe["exclude"]),
        f'--customize-hook=chroot "$1" systemctl --quiet disable {" ".join(recipe["disable"])}',
        f'--customize-hook=chroot "$1" systemctl --quiet mask {" ".join(recipe["mask"])}',
        *(f"--customize-hook={hook}" for hook in hooks),
        suite,
        str(target),
        *host_mirror(),
    ]


def build(suite: str, recipe: Recipe, name: str, labels: t.Mapping[str, str] = types.MappingProxyType({})) -> None:
    """Build the suite's root file system and give it to podman under this name."""
    changes = [f"--change=LABEL {label}={value}" for label, value in labels.items()]
    changes.append('--change=CMD ["/usr/sbin/lab-init"]')
    with tempfile.TemporaryDirectory() as scratch:
        archive = Path(scratch) / f"{suite}.tar"
        init = [f"upload {INIT} /usr/sbin/lab-init", 'chmod 0755 "$1/usr/sbin/lab-init"']
        subprocess.run(mmdebstrap(suite, recipe, archive, init), check=True)
        command = ["podman", "import", "--quiet", *changes, str(archive), name]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)


def main() -> None:
    """Build the images of the suites named on the command line."""
    recipe = read_recipe()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", metavar="SUITE", nargs="+", choices=recipe["suites"], help=" ".join(recipe["suites"]))
    recipe_hash = fingerprint()
    for suite in parser.parse_args().suites:
        if not is_current(suite, recipe_hash):
            build(suite, recipe, image_name(suite), {LABEL: recipe_hash})
            print(image_name(suite))


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"image.py: {error.cmd[0]} failed with status {error.returncode}")
