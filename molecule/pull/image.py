# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build the lab's image of a suite with what a host needs that pulls, unless it is there: image.py SUITE NAME."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tests.lab import image


def build(suite: str, name: str) -> None:
    """As docs/examples/pull/README.md installs it, from Debian's own packages."""
    recipe = image.read_recipe()
    recipe["packages"] += ["ansible-core", "git"]
    with tempfile.TemporaryDirectory() as scratch:
        archive = pathlib.Path(scratch, "root.tar")
        init = [f"upload {image.INIT} /usr/sbin/lab-init", 'chmod 0755 "$1/usr/sbin/lab-init"']
        subprocess.run(image.mmdebstrap(suite, recipe, archive, init), check=True)
        changes = '--change=CMD ["/usr/sbin/lab-init"]'
        subprocess.run(["podman", "import", "--quiet", changes, str(archive), name], check=True)


def main(suite: str, name: str) -> None:
    """Print what was built."""
    if subprocess.run(["podman", "image", "exists", name], check=False).returncode != 0:
        build(suite, name)


if __name__ == "__main__":
    main(*sys.argv[1:])
