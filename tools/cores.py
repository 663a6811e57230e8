# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection on every ansible-core that it supports, each on an interpreter of this machine that can run it."""

from dataclasses import dataclass

from tools import pythons
from tools.environment import WORK, prepare, variables
from tools.stage import Log, Result, counted

IN_A_NAMESPACE = ("unshare", "--net", "ansible-playbook", "--inventory=localhost,", "--connection=local")
PLAYBOOKS = (
    ("tests/integration/cores/play.yml",),
    ("--check", "-e", '{"ansible_python_interpreter": "{{ ansible_playbook_python }}"}', "nettune.tcp.tune"),
)
CONTROLLER_SIDE = "tests/unit/plugins/plugin_utils"


@dataclass(frozen=True)
class Core:
    """A release, and the Pythons that its controller runs on."""

    release: str
    pythons: tuple[str, ...]


CORES = (
    Core("2.19", ("3.11", "3.12", "3.13")),
    Core("2.20", ("3.12", "3.13", "3.14")),
    Core("2.21", ("3.12", "3.13", "3.14")),
    Core("2.22", ("3.13", "3.14", "3.15")),
)


def cores(log: Log) -> Result:
    """Judge and report on each, and let each run the playbooks."""
    return sum((attempt(log, core) for core in CORES), Result())


def attempt(log: Log, core: Core) -> Result:
    """One release; skipped by name where no Python for it is here."""
    here = [str(path) for version, path in pythons.found().items() if version in core.pythons]
    if not here:
        return Result(skipped=1, reasons=(f"no Python {', '.join(core.pythons)} for ansible-core {core.release}",))
    settings = variables(prepare(f"core-{core.release}", here[0]))
    junit = WORK / "logs" / f"core-{core.release}.xml"
    tested = log.run("pytest", CONTROLLER_SIDE, f"--junit-xml={junit}", "-o", f"cache_dir={junit}.cache", env=settings)
    played = [log.run(*IN_A_NAMESPACE, *arguments, env=settings) for arguments in PLAYBOOKS]
    return counted(tested, [junit]) + Result.of(all(played))
