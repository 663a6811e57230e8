# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stages, in the order in which they are reported."""

from tools import ansible_test, artifact
from tools.environment import WORK
from tools.stage import Log, Result, Stage, commands, counted

TYPED = ("ansible_collections.nettune.tcp.plugins", "ansible_collections.nettune.tcp.tests", "tools")


def unit(log: Log) -> Result:
    """Unit tests on the Python of the environment."""
    junit = WORK / "logs" / "unit.xml"
    return counted(log.run("pytest", "tests/unit", f"--junit-xml={junit}"), [junit])


STAGES = (
    Stage("ruff", "lint", commands(["ruff", "check"], ["ruff", "format", "--check"])),
    Stage("mypy", "lint", commands(["mypy", *(f"--package={name}" for name in TYPED)])),
    Stage("yamllint", "lint", commands(["yamllint", "--strict", "."])),
    Stage("ansible-lint", "lint", commands(["ansible-lint", "--offline", "--profile", "production"])),
    Stage(
        "antsibull-docs",
        "docs",
        commands(["antsibull-docs", "lint-collection-docs", "--plugin-docs", "--validate-collection-refs=all", "."]),
    ),
    Stage("changelog", "docs", commands(["antsibull-changelog", "lint"])),
    Stage("unit", "unit", unit),
    Stage("unit-pythons", "sanity", ansible_test.units),
    Stage("sanity", "sanity", ansible_test.sanity),
    Stage("artifact", "build", artifact.artifact),
    Stage("importer", "build", artifact.importer),
)
