# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a stage of the tests is: a name, what it needs, and a function from its log to its result."""

import os
import shlex
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from tools.environment import CHECKOUT, WORK

HOME = WORK / "home"  # where the tools leave what they would leave in the user's home
TIME_LIMIT = 3600  # seconds for one command


@dataclass(frozen=True)
class Result:
    """How many tests passed, failed and were skipped, and why the skipped ones were."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    reasons: tuple[str, ...] = ()

    def __add__(self, other: "Result") -> "Result":
        return Result(
            self.passed + other.passed,
            self.failed + other.failed,
            self.skipped + other.skipped,
            self.reasons + other.reasons,
        )

    def counts(self) -> dict[str, int]:
        return {"passed": self.passed, "failed": self.failed, "skipped": self.skipped}

    @classmethod
    def of(cls, passed: bool) -> "Result":
        """The result of one test."""
        return cls(passed=1) if passed else cls(failed=1)


@dataclass(frozen=True)
class Log:
    """Where the output of a stage's commands goes."""

    path: Path

    def __post_init__(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text("", encoding="utf-8")

    def write(self, text: str) -> None:
        with self.path.open("a", encoding="utf-8") as log:
            log.write(text)

    def text(self) -> str:
        return self.path.read_text(encoding="utf-8", errors="replace")

    def run(self, *command: str | Path, cwd: Path = CHECKOUT, env: Mapping[str, str] | None = None) -> bool:
        """Run the command with its output in the log; ``env`` adds to the environment. True if it exits with 0."""
        self.write(f"$ {shlex.join(map(str, command))}\n")
        HOME.mkdir(exist_ok=True)
        with self.path.open("ab") as log:
            return not subprocess.call(
                ["timeout", "--kill-after=10", str(TIME_LIMIT), *command],
                cwd=cwd,
                env={**os.environ, **(env or {}), "HOME": str(HOME), "NO_COLOR": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )


@dataclass(frozen=True)
class Stage:
    """``needs`` are names in requirements/system.txt, or ``root``; stages of one ``lane`` run one after the other.

    What is not ``by_default`` runs when it is asked for by name.
    """

    name: str
    group: str
    run: Callable[[Log], Result]
    needs: tuple[str, ...] = ()
    lane: str = "files"
    by_default: bool = True


def commands(*lines: Sequence[str]) -> Callable[[Log], Result]:
    """A stage that is one test: all the commands run, and all must exit with 0."""

    def run(log: Log) -> Result:
        succeeded = [log.run(*line) for line in lines]
        return Result.of(all(succeeded))

    return run


def counted(succeeded: bool, junit: Sequence[Path]) -> Result:
    """Count the tests in JUnit files. A command that failed without a failing test is a failure of its own."""
    total = Result()
    for path in junit:
        for suite in ET.parse(path).getroot().iter("testsuite"):
            tests, failed, skipped = (
                sum(int(suite.get(name, "0")) for name in names)
                for names in (("tests",), ("failures", "errors"), ("skipped",))
            )
            total += Result(tests - failed - skipped, failed, skipped)
    if (not succeeded and not total.failed) or not total.passed + total.failed:
        total += Result(failed=1)
    return total
