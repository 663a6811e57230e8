# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the stages and print one line for each; what a failing stage printed follows its line."""

import argparse
import sys
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from tools import machine
from tools.environment import CHECKOUT, WORK, Missing
from tools.stage import Log, Result, Stage
from tools.stages import STAGES


@dataclass(frozen=True)
class Report:
    """A finished stage: its result, how long it took in seconds, and where its output is."""

    stage: Stage
    result: Result
    seconds: float
    log: Log

    def __str__(self) -> str:
        """One line; the reasons of what was skipped belong to it."""
        result = self.result
        verdict = "FAILED" if result.failed else "passed" if result.passed else "skipped"
        counts = ", ".join(f"{n} {what}" for what, n in result.counts().items() if n) or "nothing ran"
        reasons = f" ({'; '.join(result.reasons)})" if result.reasons else ""
        return f"{self.stage.name:<20} {verdict:<8} {self.seconds:6.1f} s  {counts}{reasons}"


def run(stage: Stage) -> Report:
    """Run one stage; a missing need skips it, an exception of ours fails it."""
    log = Log(WORK / "logs" / f"{stage.name}.log")
    began = time.monotonic()
    lacking = machine.lacking(stage.needs)
    if lacking:
        result = Result(skipped=1, reasons=(f"needs {', '.join(lacking)}",))
    else:
        try:
            result = stage.run(log)
        except (Missing, OSError) as error:
            log.write(f"{error}\n")
            result = Result(failed=1)
    return Report(stage, result, time.monotonic() - began, log)


def run_all(stages: Iterable[Stage]) -> list[Report]:
    """Run both lanes side by side and print in the order of the stages.

    The stages of a lane run one after the other: those that work on the kernel must not disturb each other.
    """
    lanes: dict[str, ThreadPoolExecutor] = {}
    pending: list[Future[Report]] = []
    for stage in stages:
        lane = lanes.setdefault(stage.lane, ThreadPoolExecutor(max_workers=1))
        pending.append(lane.submit(run, stage))
    reports = []
    for future in pending:
        report = future.result()
        print(report, flush=True)
        if report.result.failed:
            print(report.log.text(), flush=True)
        reports.append(report)
    return reports


def choose(names: list[str]) -> list[Stage]:
    """The stages named by their own name or by their group; those of every day when nothing is named."""
    known = {name for stage in STAGES for name in (stage.name, stage.group)}
    unknown = sorted(set(names) - known)
    if unknown:
        raise Missing(f"there is no stage {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    return [stage for stage in STAGES if (stage.by_default if not names else {stage.name, stage.group} & set(names))]


def main() -> int:
    """Run what was asked for; the exit code is 1 if anything failed."""
    parser = argparse.ArgumentParser(prog="run_tests", description=__doc__)
    parser.add_argument("--only", nargs="+", default=[], metavar="STAGE", help="stages or groups of stages")
    try:
        stages = choose(parser.parse_args().only)
        machine.install({need for stage in stages for need in stage.needs})
    except Missing as error:
        print(f"nettune.tcp: {error}", file=sys.stderr)
        return 1
    results = [report.result for report in run_all(stages)]
    total = sum(results, Result())
    print(f"Logs: {(WORK / 'logs').relative_to(CHECKOUT)}")
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped")
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
