# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which faults in the pure parts the unit tests do not notice: ``python -m tools.mutation [MODULE ...]``.

Cosmic Ray makes the faults.  Each is tried in a process of its own that has pytest and Hypothesis loaded already and
gets the faulty source instead of the file's, so that no file is touched and a fault costs half a second.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import importlib.machinery
import itertools
import os
import resource
import signal
import sys
import types
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import hypothesis  # noqa: F401 - loaded once for all
import pytest
from cosmic_ray import plugins
from cosmic_ray.mutating import mutate_code

CHECKOUT = Path(__file__).resolve().parent.parent
COLLECTION = CHECKOUT / ".work/collections/ansible_collections/nettune/tcp"
REPORT = CHECKOUT / ".work/logs/mutation.txt"
WORK = CHECKOUT / ".work/mutation"
FOLDERS = ("plugins/module_utils", "plugins/plugin_utils")  # tests/unit mirrors both

PURE = (
    *(f"_audit/{name}" for name in ("policy", "waivers")),
    *("_plan", "_transaction", "_want"),
    *(f"_backlog/{name}" for name in ("plan", "report")),
    *(f"_boot/{name}" for name in ("kernel_numbers", "login_limits", "sysctl_d", "sysctl_globs", "sysctl_syntax")),
    *(f"_boot/{name}" for name in ("sysctl_tree", "systemd", "unit_files")),
    *(f"_facts/{name}" for name in ("census", "rates", "tally")),
    *(f"_kernel/{name}" for name in ("proc_net", "tcp_socket")),
    *(f"_nofile/{name}" for name in ("drop_in", "limits", "plan", "verdict")),
    *(f"_record/{name}" for name in ("entries", "fold")),
    *(f"_servers/{name}" for name in ("addresses", "systemd_socket", "unit", "apache/conf", "apache/words")),
    *(f"_servers/{name}" for name in ("haproxy/conf", "haproxy/words", "lighttpd/conf", "lighttpd/tokens")),
    *(f"_servers/{name}" for name in ("nginx/conf", "nginx/listen", "nginx/syntax")),
    *(f"_sysctl/{name}" for name in ("catalog", "drop_in", "guards", "plan", "records", "rivals")),
)
# The faults that people make; annotations are left alone, which is why no | becomes &.
OPERATORS = tuple(
    f"core/{name}"
    for name in (
        *("AddNot", "ExceptionReplacer", "NumberReplacer", "ReplaceAndWithOr", "ReplaceOrWithAnd"),
        *("ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "ReplaceFalseWithTrue", "ReplaceTrueWithFalse"),
        *("ReplaceUnaryOperator_Delete_Not", "ReplaceUnaryOperator_Delete_USub", "ZeroIterationForLoop"),
        *(f"ReplaceComparisonOperator_{pair}" for pair in ("Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is")),
        *(f"ReplaceComparisonOperator_{pair}" for pair in ("Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt")),
        *(f"ReplaceBinaryOperator_{pair}" for pair in ("Add_Sub", "Sub_Add", "Mul_FloorDiv", "FloorDiv_Mul")),
    )
)
ENOUGH = 0.9
OPTIONS = ("-x", "-q", "-o", f"cache_dir={WORK / 'pytest'}", "-W", "ignore::pytest.PytestAssertRewriteWarning")
MOST_SECONDS = 60


@dataclass(frozen=True)
class Fault:
    """A module with one fault in it; ``what`` shows the line before and after."""

    module: str
    source: bytes
    what: str


def faults(module: str) -> t.Iterator[Fault]:
    """All faults of a module, each once."""
    source = _source(module)
    seen = {source}
    for name in OPERATORS:
        operator = plugins.get_operator(name)()
        for faulty in itertools.takewhile(bool, (mutate_code(source, operator, place) for place in itertools.count())):
            what = _difference(module, source, faulty)
            # That data could be changed is no fault: nobody does.
            if faulty not in seen and "@dataclass(" not in what:
                seen.add(faulty)
                yield Fault(module, faulty.encode(), what)


def _path(module: str) -> str | None:
    """Where a module is, from the checkout's top; None if there is none of that name."""
    paths = (f"{folder}/{module}.py" for folder in FOLDERS)
    return next((path for path in paths if (CHECKOUT / path).is_file()), None)


def _source(module: str) -> str:
    return (CHECKOUT / str(_path(module))).read_text(encoding="utf-8")


def _difference(module: str, source: str, faulty: str) -> str:
    lines = list(difflib.unified_diff(source.splitlines(), faulty.splitlines(), n=0, lineterm=""))[2:]
    number = lines[0].split()[1].lstrip("-").partition(",")[0]
    changed = "\n".join(f"    {line[0]} {line[1:].strip()}" for line in lines if line[0] in "+-")
    return f"{module}.py:{number}\n{changed}"


def tests_of(module: str) -> t.List[t.List[str]]:
    """The tests of the module itself, then those of its folder: most faults are noticed by the first."""
    mirrored = COLLECTION / "tests/unit" / str(_path(module))
    own = mirrored.with_name(f"test_{mirrored.name}")
    others = [path for path in sorted(own.parent.glob("test_*.py")) if path != own]
    parts = [[str(own)] if own.exists() else [], list(map(str, others)) or [str(own.parent)]]
    return list(filter(None, parts))


def is_noticed(fault: Fault) -> bool:
    """Whether a test fails, or nothing ends, with the fault in place."""
    pid = os.fork()
    if pid == 0:
        os._exit(_try(fault))
    _pid, status = os.waitpid(pid, 0)
    return status != 0


def _try(fault: Fault) -> int:
    # A busy machine is no reason to take a fault for noticed: what counts is the processor's time.
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    signal.alarm(20 * MOST_SECONDS)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(WORK / "hypothesis")
    _put_in_place(fault)
    with contextlib.suppress(BaseException):
        return int(any(pytest.main([*OPTIONS, *tests]) for tests in tests_of(fault.module)))
    return 1


def _put_in_place(fault: Fault) -> None:
    ending = f"/{_path(fault.module)}"
    of_file = importlib.machinery.SourceFileLoader.get_code

    def get_code(loader: importlib.machinery.SourceFileLoader, name: str) -> types.CodeType | None:
        if loader.path.endswith(ending):
            return compile(fault.source, loader.path, "exec")
        return of_file(loader, name)

    importlib.machinery.SourceFileLoader.get_code = get_code  # type: ignore[assignment, method-assign]


def run(modules: t.Sequence[str]) -> bool:
    """Try all faults of all modules and report; whether enough of each are noticed."""
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    fine = True
    with REPORT.open("w", encoding="utf-8") as report, ThreadPoolExecutor(os.cpu_count()) as pool:
        for module in modules:
            if is_noticed(Fault(module, _source(module).encode(), "none")):
                sys.exit(f"the tests of {module} fail without any fault")
            tried = list(faults(module))
            unnoticed = [
                fault.what for fault, noticed in zip(tried, pool.map(is_noticed, tried), strict=True) if not noticed
            ]
            rate = 1 - len(unnoticed) / max(len(tried), 1)
            fine = fine and rate >= ENOUGH
            line = f"{module}: {len(tried) - len(unnoticed)} of {len(tried)} faults noticed, {rate:.0%}"
            print(line, flush=True)
            print(line, *unnoticed, sep="\n", file=report, flush=True)
    print(f"What was not noticed is in {REPORT.relative_to(CHECKOUT)}")
    return fine


def main() -> int:
    """Run for the modules that were named, or for all."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("module", nargs="*", help=f"below {' or '.join(FOLDERS)}, without .py")
    modules = parser.parse_args().module or PURE
    for module in modules:
        if not _path(module):
            parser.error(f"there is no {module}.py below {' or '.join(FOLDERS)}")
    return 0 if run(modules) else 1


if __name__ == "__main__":
    sys.exit(main())
