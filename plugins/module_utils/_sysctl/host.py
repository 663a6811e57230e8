# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""This host's sysctls and our files, observed and changed. Everything that touches the kernel or a file is here."""

from __future__ import annotations

import os
import typing as t
from dataclasses import replace

from .. import _files, _transaction
from .._boot import sysctl_d, systemd
from .._errors import MissingRight
from .._kernel import proc_sys
from .._record import entries, fold, originals, store
from .._record import files as recorded
from . import drop_in, missing, modules, writes
from . import plan as planning
from .catalog import lookup
from .plan import Observed, Plan
from .records import Records, needed_by
from .request import Request

# In the host's namespace only, on every kernel (net_core_table).
_ONLY_OF_THE_HOST = "net.core.netdev_max_backlog"

# systemd 247 writes a page of a long value, 252 all of it.
_WRITES_ALL = 252

Steps = t.Iterator[t.Union[_transaction.Step, _transaction.AnyOrder]]


class Host:
    """What was observed when the instance was created."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.records = _read_records(request.file)
        self._tree = sysctl_d.read_tree() if request.file else None
        self.in_namespace = proc_sys.read(_ONLY_OF_THE_HOST) is None

        self._elsewhere = _other_drop_ins(self._tree, request.file)

    def keys(self) -> t.List[str]:
        """The requested keys, and with purge those in our drop-in, or that a killed run has left over."""
        left = [key for key in self.records.originals if key not in self._elsewhere]
        purged = [*self.records.lines, *left] if self.request.purge else []
        return list(dict.fromkeys([*self.request.wants, *purged]))

    def observe(self, keys: t.Iterable[str]) -> t.Dict[str, Observed]:
        """These keys, as in the kernel and the files."""
        runtime = {key: proc_sys.read(key) for key in keys}
        boot, others = self._boot(runtime, self.records.lines), self._boot(runtime, {})
        notes = self._notes(runtime, boot, self.records)
        return {
            key: replace(self._observe(key, text, boot[key], others[key]), note=notes[key])
            for key, text in runtime.items()
        }

    def _observe(
        self, key: str, runtime: t.Optional[str], boot: sysctl_d.BootValue, others: sysctl_d.BootValue
    ) -> Observed:
        return Observed(
            runtime=runtime,
            absence="" if runtime is not None else self._absence(key),
            host_wide=self.request.netns is not None and lookup(key).scope == "host",
            read_only=runtime is not None and os.geteuid() == 0 and not proc_sys.writable(key),
            boot=boot.value,
            boot_source=boot.source,
            boot_of_others=others.value,
            own_line=self.records.lines.get(key),
            original=self._original(key, runtime),
            elsewhere=self._elsewhere.get(key),
        )

    def _original(self, key: str, runtime: t.Optional[str]) -> t.Optional[str]:
        """What the key held before it was first managed.

        A record that a killed run has left over is void once somebody else has set the key.
        """
        original = self.records.originals.get(key)
        if original is None or key in self.records.lines or key in self._elsewhere:
            return original
        left = _left_by_us(key)
        ours = {planning.data_text(key, text) for text in (original, *left)}
        return original if not left or planning.data_text(key, runtime) in ours else None

    def _absence(self, key: str) -> str:
        return missing.reason(key, in_namespace=self.in_namespace, module=modules.missing(key))

    def predict(self, plan: Plan, observed: t.Mapping[str, Observed], records: Records) -> t.Dict[str, Observed]:
        """The keys as they would be after the plan."""
        boot = self._boot({key: before.runtime for key, before in observed.items()}, records.lines)
        notes = self._notes(list(observed), boot, records)
        return {
            key: Observed(
                runtime=plan.writes.get(key, before.runtime),
                boot=boot[key].value,
                boot_source=boot[key].source,
                own_line=records.lines.get(key),
                note=notes[key],
            )
            for key, before in observed.items()
        }

    def check_rights(self, plan: Plan, records: Records) -> None:
        """Raise MissingRight before anything is touched, if a privilege is missing."""
        if records.lines != self.records.lines:
            _files.check_replaceable(self.request.file or "")
        if os.geteuid() == 0 and records.originals != self.records.originals:
            _files.check_replaceable(originals.path())
        if records.modules != self.records.modules:
            _files.check_replaceable(modules.PATH)
        for key in plan.writes:
            # A key that is still to be loaded cannot be judged.
            if not proc_sys.writable(key) and proc_sys.read(key) is not None:
                raise MissingRight(
                    f"writing {key} needs root (CAP_NET_ADMIN for net.*), uid {os.geteuid()} may not", key=key
                )

    def steps(self, plan: Plan, observed: t.Mapping[str, Observed], records: Records) -> Steps:
        """Record the originals, let the kernel check every value, and only then persist them.

        Whenever this is interrupted, every changed key is known by its recorded original.
        """
        known = {**self.records.originals, **records.originals}
        if known != self.records.originals:
            yield _record(self.records.originals, known)
        if plan.writes:
            before = {key: str(observed[key].runtime) for key in plan.writes}
            yield writes.steps(plan.writes, before, self.request.netns)
            writes.check(plan.writes)
        if records.modules != self.records.modules:
            yield from recorded.steps(modules.PATH, modules.compose(records.modules))
        if self.request.file and records.lines != self.records.lines:
            yield from recorded.steps(self.request.file, _encoded(drop_in.compose(records.lines)))
        if records.originals != known:
            yield _record(known, records.originals)

    def _boot(
        self, runtime: t.Mapping[str, t.Optional[str]], lines: t.Mapping[str, str]
    ) -> t.Dict[str, sysctl_d.BootValue]:
        """What the next boot would give, with these lines in our drop-in, to keys that now hold these texts."""
        if self._tree is None or self.request.file is None:
            return {key: sysctl_d.BootValue() for key in runtime}
        tree = self._tree
        if lines != self.records.lines:
            tree = sysctl_d.with_file(tree, self.request.file, drop_in.compose(lines))
        return {
            key: _fitting(key, boot.taken(None if lookup(key).text else runtime[key]))
            for key, boot in sysctl_d.next_boot(tree, runtime).items()
        }

    def _notes(
        self, keys: t.Iterable[str], boot: t.Mapping[str, sysctl_d.BootValue], records: Records
    ) -> t.Dict[str, str]:
        late = set() if self.in_namespace else modules.late_at_boot(needed_by(keys)) - records.modules
        return {
            key: "; ".join(filter(None, (boot[key].until_reboot, _procps(boot[key]), _late(key, late)))) for key in keys
        }


def _read_records(file: t.Optional[str]) -> Records:
    if file is None:
        return Records({}, {})
    return Records(
        lines=drop_in.parse((_files.own(file) or b"").decode("utf-8", "surrogateescape"), file),
        originals=originals.sysctls(originals.load()),
        modules=modules.read(),
    )


def _other_drop_ins(tree: t.Optional[sysctl_d.SysctlTree], file: t.Optional[str]) -> t.Dict[str, str]:
    """What other drop-ins of ours set, by key."""
    lines: t.Dict[str, str] = {}
    for one in tree.files if tree else ():
        if file not in (one.path, one.target) and drop_in.is_ours(one.text):
            lines.update(drop_in.parse(one.text, one.path))
    return lines


def _left_by_us(key: str) -> t.Tuple[str, ...]:
    """The values that the last run which touched a key may have left; none without a record."""
    things = fold.fold(store.runs(), store.run_path)
    of_runs = next((one.left for one in things if (one.kind, one.name) == (entries.SYSCTL, key) and not one.where), ())
    return of_runs or originals.left(originals.name_of(entries.SYSCTL, key))


def _record(before: t.Mapping[str, str], after: t.Mapping[str, str]) -> _transaction.Step:
    """Replace the recorded originals with those of ``after``."""
    changed = {key for key in {**before, **after} if before.get(key) != after.get(key)}
    return originals.step(
        {
            originals.name_of(entries.SYSCTL, key): (
                _transaction.Replaced(entries.SYSCTL, key, after[key], after[key]) if key in after else None
            )
            for key in sorted(changed)
        }
    )


def _encoded(text: t.Optional[str]) -> t.Optional[bytes]:
    return None if text is None else text.encode("utf-8", "surrogateescape")


def _fitting(key: str, boot: sysctl_d.BootValue) -> sysctl_d.BootValue:
    """What is left of a set of ports that is longer than a page: an old systemd writes only that much of it."""
    if not lookup(key).ports or boot.value is None or (systemd.version() or _WRITES_ALL) >= _WRITES_ALL:
        return boot
    return replace(boot, value=proc_sys.first_page(boot.value))


def _procps(boot: sysctl_d.BootValue) -> str:
    if not boot.differs:
        return ""
    return f"sysctl --system would give {boot.procps_value}, from {boot.procps_source}"


def _late(key: str, late: t.AbstractSet[str]) -> str:
    module = modules.bringing(key)
    if module is None or module.name not in late:
        return ""
    return f"the module {module.name} may be loaded after sysctls are set at boot; load_modules has it loaded before"
