# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The run as lines of text for people. Pure."""

from __future__ import annotations

import typing as t
from collections import Counter

from . import survey
from .record import Batch, Record

_ALONE = (survey.UNREACHABLE, survey.FAILED, survey.CONTESTED, survey.COOLING, survey.LEFT)


def planned(record: Record) -> t.List[str]:
    """What each batch would do, host by host, and which hosts are left alone and why."""
    lines = [
        _counts(record),
        f"budget: {record.budget} of {_hosts(record.fleet)} may be failed, rolled back or unreachable",
    ]
    for batch in record.batches:
        controls = ", ".join(batch.controls) or "no other host"
        lines.append(f"{batch.name}: {', '.join(batch.hosts)}, compared with {controls}")
        lines += [f"  {name}: {change}" for name in batch.hosts for change in record.hosts[name].changes]
    return lines + _alone(record)


def unfinished(run: str) -> t.List[str]:
    """What to do about an earlier run that has no end, if there is one."""
    told = (
        f"run {run} never finished: it is still running, or its controller died. Hosts that it tuned but did not judge"
        f" are still tuned, unless it used tcp_remediate_confirm. To roll it back: {_way_back(run)}"
    )
    return [told] if run else []


def _way_back(run: str) -> str:
    return f"ansible-playbook nettune.tcp.rollback -e before={run}"


def finished(record: Record) -> t.List[str]:
    """The outcome of every batch and of every host that is not as wanted."""
    lines = [_counts(record), *map(_batch, record.batches), *_alone(record)]
    if record.in_state(survey.TUNED):
        lines.append(f"to roll back what was tuned: {_way_back(record.run)}")
    return [*lines, f"{record.verdict.upper()}: {record.why}"]


def _batch(batch: Batch) -> str:
    if not batch.verdict:
        return f"{batch.name}: not reached"
    return f"{batch.name}: {'; '.join(filter(None, (batch.verdict, batch.why, batch.done)))}"


def _counts(record: Record) -> str:
    counts = Counter(host.state for host in record.hosts.values())
    told = ", ".join(f"{number} {state.replace('_', ' ')}" for state, number in sorted(counts.items()))
    return f"run {record.run}: {_hosts(record.fleet)}, {told}"


def _hosts(number: int) -> str:
    return "1 host" if number == 1 else f"{number} hosts"


def _alone(record: Record) -> t.List[str]:
    hosts = record.in_state(*_ALONE, survey.ROLLED_BACK, survey.UNCONFIRMED)
    short = [host for host in record.in_state(survey.CONVERGED) if host.why]
    return [f"{host.name} {host.state.replace('_', ' ')}: {host.why}" for host in (*hosts, *short)]
