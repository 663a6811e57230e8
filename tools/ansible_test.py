# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ansible-test`` on a copy of the collection, with a home of its own and every Python of this machine."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import ansible_test
from ansible_test._util.target.common.constants import CONTROLLER_PYTHON_VERSIONS, REMOTE_ONLY_PYTHON_VERSIONS

from tools import artifact, pythons, tree
from tools.environment import WORK
from tools.stage import HOME, Log, Result, counted

SUPPORTED = (*REMOTE_ONLY_PYTHON_VERSIONS, *CONTROLLER_PYTHON_VERSIONS)  # by this ansible-core, from the oldest on
UNSHIPPED = {"galaxy.yml", ".gitignore"}  # yet it needs the one, and without the other reads what it has written itself

# ansible-test downloads get-pip.py, from a host that not everybody reaches, into every virtual environment it makes,
# unless this file is in its cache: https://github.com/ansible/ansible/issues/77304. Python brings pip along anyway.
GET_PIP = """\
import subprocess
import sys

subprocess.check_call([sys.executable, "-m", "ensurepip", "--default-pip"])
packages = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
subprocess.check_call([sys.executable, "-m", "pip", "install", *packages])
"""


def sanity(log: Log) -> Result:
    """Run every sanity test on what is shipped; those that depend on the Python run on all that are here."""
    checkout = fresh_copy("sanity", lambda name: artifact.is_shipped(name) or str(name) in UNSHIPPED)
    environments = Log(log.path.with_name("sanity-environments.log"))
    if not run(environments, checkout, "sanity", "--prime-venvs"):
        log.write(environments.text())
        return Result(failed=1)
    succeeded = run(log, checkout, "sanity")
    ran = len(re.findall(r"^Running sanity test", log.text(), re.MULTILINE))
    named = re.search(r"^(?:ERROR|FATAL): The (\d+) sanity test\(s\) listed below", log.text(), re.MULTILINE)
    failed = int(named.group(1)) if named else int(not succeeded or not ran)
    return Result(max(ran - failed, 0), failed) + absent()


def units(log: Log) -> Result:
    """Run the unit tests as Ansible does, on the oldest and the newest Python that are here."""
    checkout = fresh_copy("units")
    here = [version for version in SUPPORTED if version in pythons.found()]
    succeeded = [run(log, checkout, "units", "--python", version) for version in sorted({here[0], here[-1]})]
    result = counted(all(succeeded), sorted((checkout / "tests" / "output" / "junit").glob("*.xml")))
    return result + absent(SUPPORTED[:1])


def run(log: Log, checkout: Path, *arguments: str) -> bool:
    """Run ansible-test in the copy; without --python it takes every supported Python that it finds on PATH."""
    furnish_home()
    return log.run("ansible-test", *arguments, "--venv", "--color", "no", cwd=checkout, env={"PATH": search_path()})


def fresh_copy(name: str, wanted: Callable[[Path], bool] = lambda _name: True) -> Path:
    """A copy at the path that makes a directory a collection; one per command, as each writes tests/output.

    It is a repository of its own: ansible-test would ask git, and the checkout's git ignores all that is in ``.work``.
    """
    copy = tree.copy_to(WORK / name / "ansible_collections" / "nettune" / "tcp", wanted)
    subprocess.run(["git", "init", "--quiet"], cwd=copy, check=True)
    return copy


def furnish_home() -> None:
    """Put get-pip into ansible-test's cache, and the settings of pip where pip finds them: PIP_* do not get there."""
    cache = HOME / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in pip_versions():
        (cache / f"get_pip_{version.replace('.', '_')}.py").write_text(GET_PIP, encoding="ascii")
    config = HOME / ".config" / "pip" / "pip.conf"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.touch(mode=0o600)  # an index may be named with a password
    config.write_text("\n".join(["[global]", *pip_settings(), ""]), encoding="utf-8")


def pip_settings() -> list[str]:
    """What files and the environment tell pip, as lines for one file; the environment prevails."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    values: dict[str, str] = {}
    for line in sorted(listed, key=lambda line: line.startswith(":env:")):
        name, value = line.split("=", 1)
        values[name.rsplit(".", 1)[1]] = ast.literal_eval(value)
    return [f"{name} = {value}" for name, value in values.items()]


def pip_versions() -> list[str]:
    """The versions of get-pip that this ansible-test asks for."""
    source = Path(ansible_test.__path__[0]) / "_internal" / "python_requirements.py"
    return re.findall(r"\bpip='([\d.]+)'", source.read_text(encoding="utf-8"))


def search_path() -> str:
    """PATH with a directory of the working interpreters and without pyenv's shims, which may not start."""
    links = WORK / "pythons"
    shutil.rmtree(links, ignore_errors=True)
    links.mkdir(parents=True)
    for version, path in pythons.found().items():
        (links / f"python{version}").symlink_to(path)
    rest = [entry for entry in os.environ["PATH"].split(os.pathsep) if Path(entry).name != "shims"]
    return os.pathsep.join([rest[0], str(links), *rest[1:]])


def absent(versions: Iterable[str] = SUPPORTED) -> Result:
    """One skipped test for each of the Pythons that is not here."""
    missing = [version for version in versions if version not in pythons.found()]
    return Result(skipped=len(missing), reasons=(f"no Python {', '.join(missing)} here",)) if missing else Result()
