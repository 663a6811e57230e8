# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build the lab's image of a suite with what a host needs that pulls, unless it is there: image.py SUITE NAME."""

from __future__ import annotations

import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tests.lab import image


def main(suite: str, name: str) -> None:
    """Build it as docs/examples/pull/README.md installs it, from Debian's own packages, and print what was built."""
    if subprocess.run(["podman", "image", "exists", name], check=False).returncode != 0:
        recipe = image.read_recipe()
        recipe["packages"] += ["ansible-core", "git"]
        image.build(suite, recipe, name)
        print(name)


if __name__ == "__main__":
    main(*sys.argv[1:])
