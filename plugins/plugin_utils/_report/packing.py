# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""A report as small data: what many hosts have in common is written once, and hosts name it by its number.

Rows are lists whose fields ``FIELDS`` names, so the script that reads them knows no order by heart.
"""

from __future__ import annotations

import json
import math
import typing as t

STATES = (
    "ESTABLISHED",
    "SYN_SENT",
    "SYN_RECV",
    "FIN_WAIT1",
    "FIN_WAIT2",
    "TIME_WAIT",
    "CLOSE",
    "CLOSE_WAIT",
    "LAST_ACK",
    "LISTEN",
    "CLOSING",
)

# A large fleet's page leaves out what its JSON report has as well: the evidence of what is in order, and the
# listeners that are farthest from full.
EVIDENCE_OF_PASSES_UP_TO = 200  # hosts
LISTENERS = 16  # of a host

FIELDS = {
    "result": ("rule", "status", "evidence", "message", "history", "waiver"),
    "drift": ("kind", "name", "want", "runtime", "boot", "source", "status", "reason", "owner", "remedy"),
    "listener": ("address", "port", "accept_queue", "backlog", "syn_recv", "processes"),
    "host": (
        *("name", "groups", "outcome", "message", "collected", "age_s", "stale", "limited", "kernel", "uptime_s"),
        *("boot_id", "states", "listeners", "more_listeners", "results", "drift"),
    ),
}
HOST = "{host}"  # stands for the name of the host in what many hosts share
SHARED = ("groups", "outcome", "message", "stale", "limited", "kernel")  # what many hosts have in common


class Table:
    """Distinct values in the order of their first use; the first is null, so 0 says that there is nothing."""

    def __init__(self) -> None:
        self.values: t.List[t.Any] = [None]
        self._known: t.Dict[t.Tuple[type, t.Any], int] = {}

    def number(self, value: t.Any) -> int:
        """The number by which the value can be found."""
        if value is None:
            return 0
        kind = type(value)
        key = (kind, value if kind in {str, int, bool} else json.dumps(value, sort_keys=True, default=str))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = len(self.values)
            self.values.append(as_json(value))
        return found


def as_json(value: t.Any) -> t.Any:
    """The value as JSON can have it: what it has no type for becomes text, infinity and not-a-number too."""
    return json.loads(json.dumps(value, default=str), parse_constant=str)


def pack(report: t.Mapping[str, t.Any]) -> t.Dict[str, t.Any]:
    """A report as data for the page's script, whose ``data.js`` is the opposite of this."""
    return _Packer(report).pack()


class _Packer:
    def __init__(self, report: t.Mapping[str, t.Any]) -> None:
        self._report = report
        self._values, self._results, self._drift = Table(), Table(), Table()
        self._rules = {rule["id"]: rule for rule in report["rules"]}
        self._keep_all = len(report["hosts"]) <= EVIDENCE_OF_PASSES_UP_TO

    def pack(self) -> t.Dict[str, t.Any]:
        hosts = [self._host(host) for host in self._report["hosts"]]
        about = {key: value for key, value in self._report.items() if key not in {"hosts", "rules"}}
        return {
            "about": as_json(about),
            "fields": FIELDS,
            "states": STATES,
            "rules": as_json(list(self._rules.values())),
            "values": self._values.values,
            "results": self._results.values,
            "drift": self._drift.values,
            "evidence_of_passes": self._keep_all,
            "hosts": hosts,
        }

    def _host(self, host: t.Mapping[str, t.Any]) -> t.List[t.Any]:
        listeners = sorted(host.get("listeners") or (), key=fill, reverse=True)
        states = host.get("states") or {}
        made = {
            "states": [states.get(state) or 0 for state in STATES] if states else [],
            "listeners": [self._listener(listener) for listener in listeners[:LISTENERS]],
            "more_listeners": len(listeners[LISTENERS:]),
            "results": [self._results.number(self._result(result)) for result in host.get("results") or ()],
            "drift": [self._drift.number(self._drift_row(row, host["name"])) for row in host.get("drift") or ()],
        }
        made.update((field, self._values.number(host.get(field) or None)) for field in SHARED)
        return [made[field] if field in made else _short(host.get(field)) for field in FIELDS["host"]]

    def _listener(self, listener: t.Mapping[str, t.Any]) -> t.List[t.Any]:
        shared = {
            "address": self._values.number(listener.get("address")),
            "processes": self._values.number(_processes(listener.get("processes"))),
        }
        return [shared[field] if field in shared else listener.get(field) for field in FIELDS["listener"]]

    def _result(self, result: t.Mapping[str, t.Any]) -> t.List[int]:
        id_ = result["id"]
        if id_ not in self._rules:
            self._rules[id_] = {"id": id_, "title": id_, "severity": "info"}
        shown = {**result, "rule": id_}
        if result["status"] in {"pass", "skip"} and not self._keep_all:
            shown["evidence"] = None
        return self._row("result", shown)

    def _drift_row(self, row: t.Mapping[str, t.Any], host: str) -> t.List[int]:
        views = {view: _one_line(row.get(view)) for view in ("want", "runtime", "boot")}
        # What mends it names the host: with a place for the name it is the same on all.
        return self._row("drift", {**row, **views, "remedy": _for_any(row.get("remedy"), host)})

    def _row(self, kind: str, values: t.Mapping[str, t.Any]) -> t.List[int]:
        row = [self._values.number(values.get(field)) for field in FIELDS[kind]]
        while row and not row[-1]:
            row.pop()
        return row


def _short(value: t.Any) -> t.Any:
    """A number without its fraction, all else as it is."""
    if isinstance(value, float):
        return round(value) if math.isfinite(value) else None
    return value


def _for_any(remedy: t.Optional[str], host: str) -> t.Optional[str]:
    return remedy and remedy.replace(f"--limit {host}", f"--limit {HOST}")


def fill(listener: t.Mapping[str, t.Any]) -> t.Tuple[float, int]:
    """How full the accept queue of a listener is, to sort by."""
    waiting = listener.get("accept_queue") or 0
    return (waiting / max(listener.get("backlog") or 0, 1), waiting)


def _processes(processes: t.Any) -> t.Optional[str]:
    """Who holds a socket, on one line: ``nginx (nginx.service) x 4``."""
    counted: t.Dict[str, int] = {}
    for process in processes or ():
        named, count = process, 1
        if isinstance(process, dict):
            unit, count = process.get("unit"), process.get("count") or 1
            named = f"{process.get('name')} ({unit})" if unit else str(process.get("name"))
        counted[str(named)] = counted.get(str(named), 0) + count
    return ", ".join(f"{name} x {count}" if count > 1 else name for name, count in counted.items()) or None


def _one_line(value: t.Any) -> t.Any:
    """A value or a relation as it is written: ``at_least 65535``."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {_one_line(each)}" for key, each in value.items())
    if isinstance(value, (list, tuple)):
        return " ".join(str(_one_line(each)) for each in value)
    return value
