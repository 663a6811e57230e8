# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection as users get it: built, unpacked into an empty tree, documented, accepted by Galaxy."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

from tools import tree
from tools.environment import WORK, prepare, variables
from tools.stage import Log, Result

BUILD = WORK / "build"
INSTALLED = BUILD / "installed"
ONLY_INSTALLED = {"ANSIBLE_COLLECTIONS_PATH": str(INSTALLED)}
BARE = BUILD / "bare"
NEEDED = ("meta", "playbooks", "plugins", "roles")  # all that works on hosts; the rest is for people

# What the tarball may hold: the collection, and what tells others how to check it.
SHIPPED = {
    "CHANGELOG.md",
    "COPYING",
    "FILES.json",
    "MANIFEST.json",
    "README.md",
    "README.zh-CN.md",
    "SECURITY.md",
    "changelogs",
    "docs",
    "meta",
    "playbooks",
    "plugins",
    "roles",
    "tests/config.yml",
}
KINDS = {"module": "modules", "filter": "filter"}  # of plugins with documentation, and where they live


def build(log: Log) -> Path | None:
    """The tarball, built from the files that git knows."""
    source = tree.copy_to(BUILD / "source")
    for old in BUILD.glob("*.tar.gz"):
        old.unlink()
    built = log.run("ansible-galaxy", "collection", "build", "--force", "--output-path", BUILD, source)
    return next(BUILD.glob("*.tar.gz"), None) if built else None


def artifact(log: Log) -> Result:
    """Build, look at what is inside, install without a network, use it, and ask for all documentation there."""
    tarball = build(log)
    if not tarball:
        return Result(failed=1)
    shutil.rmtree(INSTALLED, ignore_errors=True)
    installed = log.run("ansible-galaxy", "collection", "install", "--offline", tarball, env=ONLY_INSTALLED)
    documented = [documents(log, kind, name) for kind, name in documentable()]
    results = [Result.of(passed) for passed in (only_shipped(log, tarball), installed, works_bare(log), *documented)]
    return sum(results, Result())


def importer(log: Log) -> Result:
    """What Galaxy does with an upload; it leaves a file where it runs."""
    tarball = build(log)
    environment = prepare("importer")
    command = ["python", "-m", "galaxy_importer.main"]
    return Result.of(tarball is not None and log.run(*command, tarball, cwd=BUILD, env=variables(environment)))


def is_shipped(name: Path) -> bool:
    """Whether a path of the collection is among what is SHIPPED."""
    return bool({str(name), name.parts[0]} & SHIPPED) and "__pycache__" not in name.parts


def only_shipped(log: Log, tarball: Path) -> bool:
    """Whether the tarball holds only what is SHIPPED."""
    with tarfile.open(tarball) as archive:
        names = {member.name for member in archive if not member.isdir()}
    strangers = sorted(name for name in names if not is_shipped(Path(name)))
    log.write("".join(f"not to be shipped: {name}\n" for name in strangers))
    log.write(f"{len(names)} files, {tarball.stat().st_size} bytes\n")
    return not strangers


def works_bare(log: Log) -> bool:
    """Whether the playbooks work where nothing but the directories that are NEEDED is left; nothing is changed."""
    shutil.rmtree(BARE, ignore_errors=True)
    here = Path("ansible_collections", "nettune", "tcp")
    for name in NEEDED:
        shutil.copytree(INSTALLED / here / name, BARE / here / name)
    extra = {"ansible_python_interpreter": sys.executable, "before": "original", "tcp_tuning_profile": "conservative"}
    options = ("--inventory=localhost,", "--connection=local", "--check", f"--extra-vars={json.dumps(extra)}")
    books = [f"nettune.tcp.{book.stem}" for book in sorted((BARE / here / "playbooks").glob("*.yml"))]
    played = [
        log.run("ansible-playbook", *options, book, cwd=BUILD, env={"ANSIBLE_COLLECTIONS_PATH": str(BARE)})
        for book in books
    ]
    return bool(books) and all(played)


def documentable() -> Iterator[tuple[str, str]]:
    """Kind and full name of everything that ansible-doc must know, from the files that git knows."""
    for path in tree.files():
        parts = path.parts
        for kind, directory in KINDS.items():
            if parts[:2] == ("plugins", directory) and path.suffix in {".py", ".yml"} and not path.name.startswith("_"):
                yield kind, f"nettune.tcp.{path.stem}"
        if parts[0] == "roles" and parts[2:] == ("meta", "argument_specs.yml"):
            yield "role", f"nettune.tcp.{parts[1]}"


def documents(log: Log, kind: str, name: str) -> bool:
    """Whether ansible-doc has a page for it in the installed collection."""
    command = ["ansible-doc", "--type", kind, "--json", name]
    log.write(f"$ {' '.join(command)}\n")
    asked = subprocess.run(
        command,
        cwd=BUILD,
        env={**os.environ, **ONLY_INSTALLED},
        capture_output=True,
        text=True,
        check=False,
    )
    log.write(asked.stderr)
    return asked.returncode == 0 and bool(json.loads(asked.stdout or "{}").get(name))
