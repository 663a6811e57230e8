# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The body of nettune.tcp.sysctl: observe, plan, apply as one transaction, observe again, judge."""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass

from .. import _files, _plan, _transaction
from .._boot import sysctl_d
from .._errors import BadRequest, KernelRefused, MissingRight, NettuneError
from .._kernel import proc_sys
from .._want import Want, parse_want
from . import drop_in, originals
from . import plan as planning
from .catalog import lookup
from .plan import Observed, Plan


@dataclass(frozen=True)
class Request:
    """What was asked, checked: canonical keys, parsed wants.  ``file`` is None where nothing is to be persisted."""

    wants: t.Mapping[str, t.Optional[Want]]
    file: t.Optional[str]
    absent: bool = False
    missing: str = "skip"
    force: bool = False


class Refused(NettuneError):
    """A guard spoke; nothing was changed."""


def parse_request(params: t.Mapping[str, t.Any]) -> Request:
    """Turn module parameters into a request.  Raises BadRequest naming the key and the value."""
    absent = params["state"] == "absent"
    wants: t.Dict[str, t.Optional[Want]] = {}
    for name, raw in params["settings"].items():
        key = proc_sys.canonical(name)
        if key in wants:
            raise BadRequest(f"{key} is given twice, the second time as {name}", key=key)
        try:
            wants[key] = None if absent else parse_want(raw, ports=lookup(key).ports)
        except BadRequest as exc:
            raise BadRequest(f"{key}: {exc}", key=key, value=str(raw)) from exc
    if not params["file"].startswith("/"):
        raise BadRequest(f"file must be an absolute path, got {params['file']!r}")
    return Request(wants, params["file"], absent, params["missing"], params["force"])


def manage(request: Request, *, check_mode: bool) -> t.Dict[str, t.Any]:
    """Bring the host to what was asked, or in check mode tell exactly what that would do.

    Returns the module's result.  Raises NettuneError after restoring everything when any part fails.
    """
    host = _Host(request)
    before = host.observe()
    plan = _make_plan(request, before)
    lines, originals_after = _records(request, plan, before, host)
    if _must_change(plan, host, lines):
        host.check_rights(plan, lines)
        if not check_mode:
            _transaction.run(host.steps(plan, before, lines, originals_after))
    after = host.predict(plan, before, lines) if check_mode else _Host(request).observe()
    return _result(request, plan, before, after)


def _make_plan(request: Request, observed: t.Mapping[str, Observed]) -> Plan:
    if request.absent:
        return planning.plan_absent(request.wants, observed)
    wants = {key: want for key, want in request.wants.items() if want is not None}
    plan = planning.plan_present(wants, observed, force=request.force)
    for status, asked_to_fail in ((planning.SKIPPED, request.missing == "fail"), (planning.REFUSED, True)):
        stopped = plan.with_status(status)
        if stopped and asked_to_fail:
            rows = {key: planning.verdict(entry, observed[key], observed[key]) for key, entry in plan.keys.items()}
            raise Refused(
                "nothing was changed: " + "; ".join(f"{entry.key}: {entry.reason}" for entry in stopped),
                settings=_plan.rows_as_data(rows),
            )
    return plan


def _records(
    request: Request, plan: Plan, before: t.Mapping[str, Observed], host: _Host
) -> t.Tuple[t.Dict[str, str], t.Dict[str, str]]:
    """The lines of our drop-in and the recorded originals as they shall be."""
    lines = dict(host.lines)
    kept = dict(host.originals)
    for key, entry in plan.keys.items():
        if request.absent:
            lines.pop(key, None)
            if entry.status == "ok":
                kept.pop(key, None)
        elif entry.line is not None:
            lines[key] = entry.line
            kept.setdefault(key, str(before[key].runtime))
    return lines, kept


def _must_change(plan: Plan, host: _Host, lines: t.Mapping[str, str]) -> bool:
    return bool(plan.writes) or lines != host.lines


class _Host:
    """This host's sysctls and our two files, as found when the instance was made."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.file = request.file
        text = _files.read(self.file) if self.file else None
        self.lines = drop_in.parse(text.decode("utf-8", "replace") if text else None, self.file or "")
        self.originals = originals.parse(_files.read(originals.PATH))
        self.tree = sysctl_d.read_tree()

    def observe(self) -> t.Dict[str, Observed]:
        """All requested keys, as the kernel and the files have them."""
        keys = list(self.request.wants)
        boot = sysctl_d.resolve(self.tree, keys)
        others = sysctl_d.resolve(sysctl_d.with_file(self.tree, self.file, ""), keys) if self.file else boot
        return {
            key: Observed(
                runtime=proc_sys.read(key),
                read_only=os.geteuid() == 0 and not proc_sys.writable(key),
                boot=boot[key].value,
                boot_source=boot[key].source,
                boot_of_others=others[key].value,
                own_line=self.lines.get(key),
                original=self.originals.get(key),
                note=_procps_note(boot[key]),
            )
            for key in keys
        }

    def predict(
        self, plan: Plan, before: t.Mapping[str, Observed], lines: t.Mapping[str, str]
    ) -> t.Dict[str, Observed]:
        """The keys as they would be found after the plan."""
        tree = sysctl_d.with_file(self.tree, self.file, drop_in.compose(lines) or "") if self.file else self.tree
        boot = sysctl_d.resolve(tree, plan.keys)
        return {
            key: Observed(
                runtime=plan.writes.get(key, seen.runtime),
                boot=boot[key].value,
                boot_source=boot[key].source,
                own_line=lines.get(key),
                note=_procps_note(boot[key]),
            )
            for key, seen in before.items()
        }

    def check_rights(self, plan: Plan, lines: t.Mapping[str, str]) -> None:
        """Raise MissingRight before anything is touched, when something could not be done for lack of a privilege."""
        if self.file and lines != self.lines:
            _files.check_replaceable(self.file)
            _files.check_replaceable(originals.PATH)
        for key in plan.writes:
            if not proc_sys.writable(key):
                raise MissingRight(f"writing {key} needs root (CAP_NET_ADMIN for net.*)", key=key)

    def steps(
        self,
        plan: Plan,
        before: t.Mapping[str, Observed],
        lines: t.Mapping[str, str],
        originals_after: t.Mapping[str, str],
    ) -> t.Iterator[_transaction.Step]:
        """Record the originals, let the kernel judge every value, and only then persist them."""
        if originals_after != self.originals:
            yield _files.step(originals.PATH, originals.compose(originals_after))
        for key, text in plan.writes.items():
            yield _write_and_read_back(key, str(before[key].runtime), text)
        if self.file and lines != self.lines:
            content = drop_in.compose(lines)
            yield _files.step(self.file, None if content is None else content.encode())


def _write_and_read_back(key: str, before: str, after: str) -> _transaction.Step:
    step = proc_sys.step(key, before, after)

    def do() -> None:
        step.do()
        now = proc_sys.read(key)
        if now is None or planning.data(key, now) != planning.data(key, after):
            raise KernelRefused(f"the kernel took {key} = {after} and made {now} of it", key=key, value=after)

    return _transaction.Step(step.what, do, step.undo)


def _procps_note(boot: sysctl_d.BootValue) -> str:
    if not boot.differs:
        return ""
    return f"sysctl --system would give {boot.procps_value}, from {boot.procps_source}"


def _result(
    request: Request, plan: Plan, before: t.Mapping[str, Observed], after: t.Mapping[str, Observed]
) -> t.Dict[str, t.Any]:
    rows = {key: planning.verdict(entry, before[key], after[key]) for key, entry in plan.keys.items()}
    return {
        "changed": any(row.status == "changed" for row in rows.values()) or _rows_moved(rows),
        "settings": _plan.rows_as_data(rows),
        "file": request.file,
        "diff": _plan.diff(rows, header="sysctl"),
        "warnings": [
            f"{key} is {row.status}: {row.reason}"
            for key, row in sorted(rows.items())
            if row.status in (planning.OVERRIDDEN, planning.READ_ONLY)
        ],
    }


def _rows_moved(rows: t.Mapping[str, _plan.Row]) -> bool:
    return any((row.runtime_before, row.boot_before) != (row.runtime, row.boot) for row in rows.values())
