# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a command in a virtual environment made from a lock: ``environment.py NAME COMMAND [ARGUMENT ...]``.

``.venv/NAME`` holds exactly what ``requirements/NAME.txt`` locks; it is made again when that file or the Python
changes. The checkout is linked to where Ansible looks for ``nettune.tcp``, and neither the user's nor the machine's
Ansible configuration has a say, so the command does the same everywhere and leaves nothing outside the checkout.

An old Python must get a sentence, not a traceback: nothing in this file is newer than Python 3.6.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
import typing as t
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
WORK = CHECKOUT / ".work"
COLLECTIONS = WORK / "collections"
OLDEST_PYTHON = (3, 11)

# The package that brings venv and pip where a distribution ships Python without them, by ID or ID_LIKE.
VENV_PACKAGES = {
    "debian": "apt-get install python{version}-venv",
    "ubuntu": "apt-get install python{version}-venv",
    "fedora": "dnf install python3-libs",
    "rhel": "dnf install python{version}-libs",
    "suse": "zypper install python{digits}-base",
    "alpine": "apk add python3",
    "arch": "pacman -S python",
}


class Missing(Exception):
    """What this machine lacks, in one line a person can act on."""


def check_python() -> None:
    """Raise Missing unless this Python can make the environment."""
    if sys.version_info < OLDEST_PYTHON:
        newer = next(filter(shutil.which, ("python3.%d" % minor for minor in range(15, 10, -1))), None)
        raise Missing(
            "Python 3.11 or newer is needed and {0} is {1}.{2}: {3}.".format(
                sys.executable,
                sys.version_info[0],
                sys.version_info[1],
                "say make ... PYTHON=" + newer if newer else "install one and name it with make ... PYTHON=python3.NN",
            )
        )
    if not all(map(importlib.util.find_spec, ("venv", "ensurepip"))):
        raise Missing("{0} cannot make virtual environments: {1}".format(sys.executable, venv_package()))


def venv_package() -> str:
    """The command that installs what Python lacks here, by what /etc/os-release says."""
    release = Path("/etc/os-release")
    lines = release.read_text(encoding="utf-8").splitlines() if release.exists() else []
    fields = dict(line.split("=", 1) for line in lines if "=" in line)
    names = " ".join(fields.get(key, "").strip("\"'") for key in ("ID", "ID_LIKE")).split()
    for name in names:
        if name in VENV_PACKAGES:
            version = "%d.%d" % sys.version_info[:2]
            return VENV_PACKAGES[name].format(version=version, digits=version.replace(".", ""))
    return "install the modules venv and ensurepip for it"


def prepare(name: str, python: str = sys.executable) -> Path:
    """Make or refresh ``.venv/NAME`` for this Python and link the collection; returns the environment's path."""
    check_python()
    link_collection()
    environment = CHECKOUT / ".venv" / name
    lock = CHECKOUT / "requirements" / (name + ".txt")
    stamp = environment / "stamp"
    # The path belongs to it: the programs in an environment name their interpreter by its absolute path.
    wanted = hashlib.sha256(lock.read_bytes() + repr((sys.version, python, str(environment))).encode())
    if not stamp.exists() or stamp.read_text(encoding="ascii") != wanted.hexdigest():
        install(environment, lock, python)
        stamp.write_text(wanted.hexdigest(), encoding="ascii")
    return environment


def install(environment: Path, lock: Path, python: str) -> None:
    """Make the environment from nothing; what venv and pip say is kept in ``.work/logs``."""
    began = time.monotonic()
    shown = lock.relative_to(CHECKOUT)
    print("Making .venv/{0} from {1} ...".format(environment.name, shown), end="", file=sys.stderr, flush=True)
    log = WORK / "logs" / ("environment-" + environment.name + ".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    options = ["--require-hashes", "--no-compile", "--no-input", "--disable-pip-version-check"]
    with log.open("wb") as output:
        for command in (
            [python, "-m", "venv", "--clear", str(environment)],
            [str(environment / "bin" / "python"), "-m", "pip", "install", *options, "-r", str(lock)],
        ):
            if subprocess.call(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT):
                print(file=sys.stderr)
                raise Missing(
                    "{0} could not be installed: {1} (all that was said: {2})".format(
                        shown, last_error(log), log.relative_to(CHECKOUT)
                    )
                )
    print(" {0:.0f} s".format(time.monotonic() - began), file=sys.stderr)


def last_error(log: Path) -> str:
    """Why pip failed: the broken connection if there was one, else its last error, else its last line."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() or ["no output"]
    for sign in ("connection broken by ", "ERROR: "):
        told = [line.split(sign, 1)[1] for line in lines if sign in line]
        if told:
            return told[-1].strip()
    return lines[-1].strip()


def link_collection() -> None:
    """Make ``.work/collections/ansible_collections/nettune/tcp`` lead to the checkout.

    Relative, so that the checkout may move; git, galaxy and the linters ignore ``.work``, so nobody walks in circles.
    """
    link = COLLECTIONS / "ansible_collections" / "nettune" / "tcp"
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(Path("..") / ".." / ".." / "..", target_is_directory=True)


def variables(environment: Path) -> t.Dict[str, str]:
    """The process environment for commands: the virtual environment first, Ansible's traces inside ``.work``."""
    return dict(
        os.environ,
        PATH=os.pathsep.join([str(environment / "bin"), os.environ.get("PATH", os.defpath)]),
        PWD=str(CHECKOUT),
        LC_ALL="C.UTF-8",
        ANSIBLE_CONFIG=str(CHECKOUT / "tools" / "ansible.cfg"),
        ANSIBLE_HOME=str(WORK / "ansible"),
        ANSIBLE_COLLECTIONS_PATH=str(COLLECTIONS),
        HYPOTHESIS_STORAGE_DIRECTORY=str(WORK / "hypothesis"),
    )


def main(arguments: t.List[str]) -> int:
    """Prepare the environment and become the command."""
    if len(arguments) < 2:
        print(__doc__.splitlines()[0] if __doc__ else "", file=sys.stderr)
        return 2
    try:
        environment = prepare(arguments[0])
        os.chdir(str(CHECKOUT))
        os.execvpe(arguments[1], arguments[1:], variables(environment))
    except (Missing, OSError) as error:
        print("nettune.tcp: {0}".format(error), file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
