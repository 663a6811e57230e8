# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What was found to differ from a profile: rows of nettune.tcp.tuning's check mode, in the words of a report.  Pure."""

from __future__ import annotations

import shlex
import typing as t

from ansible_collections.nettune.tcp.plugins.module_utils._tuning.rows import BACKLOG, FILE_LIMIT, SYSCTL

Row = t.Dict[str, t.Any]

KINDS = (SYSCTL, FILE_LIMIT, BACKLOG)
STATUSES = (
    "drift_runtime",
    "drift_boot",
    "overridden",
    "clamped",
    "stale",
    "restart_required",
    "unknown",
    "skipped",
    "compliant",
)

# What the host has that the profile does not ask for, and the other way round.
DEVIATIONS = frozenset(STATUSES) - {"unknown", "skipped", "compliant"}

_STATUS = {
    "ok": "compliant",
    "skipped": "skipped",
    "not_listening": "skipped",
    "refused": "skipped",
    "read_only": "drift_runtime",
    "limited": "clamped",
}
_OURS = ("zz-nettune-tcp", "nettune")


def drift(
    rows: t.Optional[t.Iterable[t.Mapping[str, t.Any]]], host: str, sources: t.Mapping[str, t.Optional[str]]
) -> t.List[Row]:
    """Rows of a report, the worst first, from those of the module; none where nothing was compared.

    ``sources`` are the files and lines that decide sysctls now: a row has the one that would, after the module.
    """
    found = [_row({**row, "source": sources.get(str(row.get("name")), row.get("source"))}, host) for row in rows or ()]
    return sorted(found, key=lambda row: (STATUSES.index(row["status"]), row["kind"], row["name"]))


def _row(row: t.Mapping[str, t.Any], host: str) -> Row:
    status = _status(row)
    return {
        "kind": row["kind"],
        "name": str(row.get("name") or "?"),
        "want": row.get("want"),
        "runtime": row.get("runtime_before", row.get("runtime")),
        "boot": row.get("boot_before", row.get("boot")),
        "source": row.get("source"),
        "status": status,
        "reason": row.get("reason"),
        "owner": _owner(row) if status in DEVIATIONS else None,
        "remedy": _remedy(row, status, host),
    }


def _status(row: t.Mapping[str, t.Any]) -> str:
    status = str(row.get("status"))
    if status == "changed":
        runs = row.get("runtime_before") == row.get("runtime")
        boots = row.get("boot_before") == row.get("boot")
        return "drift_boot" if runs and not boots else "drift_runtime"
    status = _STATUS.get(status, status)
    return status if status in STATUSES else "unknown"


def _owner(row: t.Mapping[str, t.Any]) -> t.Optional[str]:
    """Who decides the value: who the reason names, or else the file, which may be ours."""
    if row.get("owner"):
        return str(row["owner"])
    reason, source = str(row.get("reason") or ""), str(row.get("source") or "")
    for rival in ("tuned", "bpftune", "kube-proxy", "ufw"):
        if reason.startswith(rival):
            return rival
    if any(mark in source for mark in _OURS):
        return "nettune.tcp"
    return source or ("the kernel's default" if row["kind"] == SYSCTL else None)


def _remedy(row: t.Mapping[str, t.Any], status: str, host: str) -> t.Optional[str]:
    if status == "overridden":
        place = row.get("source") or row.get("owner") or "what the reason names"
        return f"remove {row.get('name')} from {place}, or set the same value there"
    if status == "restart_required":
        return f"systemctl restart {shlex.quote(str(row.get('name')))}"
    return f"ansible-playbook nettune.tcp.tune --become --limit {shlex.quote(host)}" if status in DEVIATIONS else None
