# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The run as lines of text for people. Pure."""

from __future__ import annotations

import typing as t
from collections import Counter

from . import survey
from .record import Record

_ALONE = (survey.UNREACHABLE, survey.FAILED, survey.CONTESTED, survey.COOLING, survey.LEFT)


def planned(record: Record) -> t.List[str]:
    """What each batch would do, host by host, and which hosts are left alone and why."""
    lines = [
        _counts(record),
        f"budget: {record.budget} of {record.fleet} hosts may be failed, rolled back or unreachable",
    ]
    for batch in record.batches:
        controls = ", ".join(batch.controls) or "nobody"
        lines.append(f"{batch.name}: {', '.join(batch.hosts)}, compared with {controls}")
        lines += [f"  {name}: {change}" for name in batch.hosts for change in record.hosts[name].changes]
    return lines + _alone(record)


def finished(record: Record) -> t.List[str]:
    """The outcome of every batch and of every host that is not as wanted."""
    lines = [_counts(record)]
    lines += [f"{one.name}: {one.verdict or 'not reached'}. {one.why} {one.done}".rstrip() for one in record.batches]
    return [*lines, *_alone(record), f"{record.verdict.upper()}: {record.why}"]


def _counts(record: Record) -> str:
    counts = Counter(host.state for host in record.hosts.values())
    told = ", ".join(f"{number} {state.replace('_', ' ')}" for state, number in sorted(counts.items()))
    return f"run {record.run}: {record.fleet} hosts, {told}"


def _alone(record: Record) -> t.List[str]:
    hosts = record.in_state(*_ALONE, survey.ROLLED_BACK, survey.UNCONFIRMED)
    short = [host for host in record.in_state(survey.CONVERGED) if host.why]
    return [f"{host.name} {host.state.replace('_', ' ')}: {host.why}" for host in (*hosts, *short)]
