# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make a release: version, changelog, artifact, an install that is checked in an empty tree, and its SHA-256.

Nothing leaves this machine: the commands that commit, tag and publish are printed.
"""

import argparse
import hashlib
import re
import subprocess
import sys
from pathlib import Path

from tools import artifact, tree
from tools.environment import CHECKOUT, WORK, Missing
from tools.stage import Log

# Each place that knows the version, and how it stands there.
PLACES = {
    "galaxy.yml": re.compile(r"^(version: )(.*)$", re.MULTILINE),
    "plugins/module_utils/_record/journal.py": re.compile(r'^(COLLECTION = ")(.*)(?=")', re.MULTILINE),
}
VERSION = re.compile(r"(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}(?:-[0-9A-Za-z.-]+)?")  # semver.org


def check(version: str) -> None:
    """Raise Missing unless this can become a release from what is here."""
    if not VERSION.fullmatch(version):
        raise Missing(f"{version!r} is no semantic version, such as 1.2.3")
    changed = subprocess.run(
        ["git", "status", "--porcelain"], cwd=CHECKOUT, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    if changed:
        raise Missing(f"commit or remove first what git status shows:\n{changed.rstrip()}")
    if not any((CHECKOUT / "changelogs" / "fragments").glob("*.yml")):
        raise Missing("changelogs/fragments is empty: a release without changes is none")


def set_version(version: str) -> None:
    """Write the version into the places that know it."""
    for name, place in PLACES.items():
        path = CHECKOUT / name
        text = path.read_text(encoding="utf-8")
        path.write_text(place.sub(lambda found: f"{found[1]}{version}", text, count=1), encoding="utf-8")


def checked(log: Log) -> Path | None:
    """The tarball, once it has been installed, documented and accepted by Galaxy's importer."""
    if artifact.artifact(log).failed or artifact.importer(log).failed:
        return None
    return next(artifact.BUILD.glob("*.tar.gz"), None)


def digest(tarball: Path) -> Path:
    """Write the checksum beside the tarball as ``sha256sum --check`` reads it."""
    target = tarball.with_name(f"{tarball.name}.sha256")
    target.write_text(f"{hashlib.sha256(tarball.read_bytes()).hexdigest()}  {tarball.name}\n", encoding="ascii")
    return target


def release(version: str) -> int:
    """Do all of it; the exit code is 1 if the artifact was not fit to be published."""
    check(version)
    set_version(version)
    log = Log(WORK / "logs" / "release.log")
    tarball = checked(log) if log.run("antsibull-changelog", "release", "--version", version) else None
    if tarball is None:
        print(log.text(), file=sys.stderr)
        print("nettune.tcp: not fit for a release; git checkout . takes it back", file=sys.stderr)
        return 1
    shown = tarball.relative_to(CHECKOUT)
    print(f"{shown}\n{digest(tarball).read_text(encoding='ascii').split()[0]}  {len(tree.files())} files")
    print(f"git add --all && git commit --message 'Release {version}' && git tag --sign {version}")
    print(f"ansible-galaxy collection publish {shown}")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="release", description=__doc__)
    parser.add_argument("version", nargs="?", default="", help="such as 1.2.3")
    try:
        return release(parser.parse_args().version)
    except Missing as error:
        print(f"nettune.tcp: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
