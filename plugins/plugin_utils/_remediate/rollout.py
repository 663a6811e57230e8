# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The course of a run: what is planned, what a batch's results mean, whether the next batch may come.  Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from . import batches, health, survey
from .health import FAIL, INCONCLUSIVE, PASS, Course, Health, Sample
from .options import Asked
from .record import Batch, Record
from .survey import Host

Results = t.Mapping[str, t.Any]
Groups = batches.Groups


_NOBODY_TOUCHED = "No host was touched: fix these hosts, leave them out with --limit, or raise tcp_remediate_budget"


@dataclass(frozen=True)
class Seen:
    """What a batch has registered, by host: three samples of the counters, the tuning, the user's checks."""

    start: Results
    before: Results
    since: Results
    tuned: Results
    checks: t.Sequence[Results] = ()


@dataclass(frozen=True)
class Decision:
    """Which hosts to confirm and which to roll back; ``label`` is what the runs are recorded under on the hosts."""

    verdict: str
    confirm: t.Tuple[str, ...] = ()
    roll_back: t.Tuple[str, ...] = ()


def plan(record: Record, asked: Asked, surveyed: Results, groups: Groups) -> Record:
    """The record with every host classified and every batch planned; without batches if the budget is spent."""
    hosts = [survey.classify(name, surveyed.get(name), asked.cooldown) for name in record.hosts]
    drifted = batches.ordered([host.name for host in hosts if host.state == survey.DRIFTED], asked.canaries)
    chosen = drifted[: asked.max_hosts.of(record.fleet)]
    cut = batches.cut(chosen, asked.sizes)
    place = {name: batches.name_of(number) for number, names in enumerate(cut) for name in names}
    kept = [_placed(host, place, asked.max_hosts.of(record.fleet)) for host in hosts]
    record = record.with_hosts(*kept)
    over = over_budget(record)
    if over:
        left = (_left(host, "no host is tuned, since the budget is spent") for host in kept)
        return replace(record.with_hosts(*left), verdict=FAIL, why=f"{over}. {_NOBODY_TOUCHED}")
    planned = (
        Batch(batches.name_of(number), tuple(names), tuple(_controls(record, cut[: number + 1], asked, groups)))
        for number, names in enumerate(cut)
    )
    return replace(record, batches=tuple(planned))


def _placed(host: Host, place: t.Mapping[str, str], most: int) -> Host:
    if host.state != survey.DRIFTED:
        return host
    if host.name not in place:
        return replace(host, state=survey.LEFT, why=f"no more than {most} hosts in one run")
    return replace(host, batch=place[host.name])


def _left(host: Host, why: str) -> Host:
    return replace(host, state=survey.LEFT, why=why, batch=None) if host.state == survey.DRIFTED else host


def _controls(record: Record, cut: t.Sequence[t.Sequence[str]], asked: Asked, groups: Groups) -> t.List[str]:
    """Hosts that are not touched before this batch is judged; if there are none, those of earlier batches."""
    *earlier, batch = cut
    touched = {name for names in cut for name in names}
    untouched = [host.name for host in record.in_state(*survey.UNTOUCHED) if host.name not in touched]
    others = untouched or [name for names in earlier for name in names]
    return batches.controls(batch, others, groups, asked.controls)


def over_budget(record: Record) -> str:
    """Why no further host may be touched, empty if there is budget left."""
    bad = record.in_state(*survey.BAD)
    if len(bad) <= record.budget:
        return ""
    names = ", ".join(f"{host.name} ({host.state}: {host.why})" for host in bad)
    return (
        f"{len(bad)} of {record.fleet} hosts failed, were rolled back or could not be reached, more than the budget of"
        f" {record.budget}: {names}"
    )


def judge(record: Record, number: int, asked: Asked, seen: Seen) -> t.Tuple[Record, Decision]:
    """The record with the verdict on a batch, and what is to be done about it."""
    batch = record.batches[number]
    hosts = [_tuned(record.hosts[name], seen) for name in batch.hosts]
    record = record.with_hosts(*hosts)
    found = _health(batch, hosts, seen, asked)
    verdict, why = _verdict(record, number, hosts, found, asked)
    record = record.with_batch(number, replace(batch, verdict=verdict, why=why, numbers=found.numbers))
    if verdict == PASS:
        waiting = tuple(host.name for host in hosts if host.state == survey.TUNED and host.run)
        return record, Decision(PASS, confirm=waiting if asked.confirm else ())
    reached = [number] if not asked.takes_back_run else range(number + 1)
    names = (name for one in reached for name in record.batches[one].hosts)
    return record, Decision(verdict, roll_back=tuple(name for name in names if _may_be_changed(record.hosts[name])))


def _tuned(host: Host, seen: Seen) -> Host:
    result: t.Any = seen.tuned.get(host.name)
    bad = survey.trouble(result)
    if bad:
        state, why = bad
        left = result.get("not_restored") if isinstance(result, dict) else None
        return replace(host, state=state, why=f"{why}; not restored: {', '.join(left)}" if left else why)
    if not result.get("changed"):
        return replace(host, state=survey.CONVERGED, why="somebody else has done it in the meantime")
    return replace(host, state=survey.TUNED, run=result.get("run"))


def _may_be_changed(host: Host) -> bool:
    """Whether changes may be left on the host: a failed module has restored everything, but other cases are unknown."""
    return host.state in (survey.TUNED, survey.UNREACHABLE) or "not restored" in host.why


def _health(batch: Batch, hosts: t.Sequence[Host], seen: Seen, asked: Asked) -> Health:
    tuned = [host.name for host in hosts if host.state == survey.TUNED]
    courses = {name: _course(name, seen) for name in (*tuned, *batch.controls)}
    lost = {
        name: "it did not answer, or was rebooted, before it could be judged" for name in tuned if not courses[name]
    }
    failed = {**lost, **_failed_checks(tuned, seen)}
    controls = {name: course for name in batch.controls if (course := courses[name])}
    found = health.judge({name: course for name in tuned if (course := courses[name])}, controls, asked.limits)
    if failed:
        failed.update(found.failed)
        return Health(FAIL, "; ".join(f"{name}: {text}" for name, text in failed.items()), failed, found.numbers)
    if not batch.controls:
        return replace(found, verdict=INCONCLUSIVE, why="there is no host to compare with")
    return found


def _course(name: str, seen: Seen) -> t.Optional[Course]:
    samples = [_sample(one.get(name)) for one in (seen.start, seen.before, seen.since)]
    first, second, third = samples
    if first is None or second is None or third is None:
        return None
    before, since = health.between(first, second), health.between(second, third)
    return Course(before, since) if before and since else None


def _sample(result: t.Any) -> t.Optional[Sample]:
    if survey.trouble(result) or "counters" not in result:
        return None
    return Sample(str(result["boot_id"]), result["counters"])


def _failed_checks(names: t.Iterable[str], seen: Seen) -> t.Dict[str, str]:
    """What the failed checks of each host say."""
    failed: t.Dict[str, t.List[str]] = {}
    for name in names:
        for results in seen.checks:
            result = results.get(name)
            if result is not None and not result.get("skipped") and survey.trouble(result):
                failed.setdefault(name, []).append(f"its check failed: {survey.said_by_command(result)}")
    return {name: ", ".join(said) for name, said in failed.items()}


def _verdict(record: Record, number: int, hosts: t.Sequence[Host], found: Health, asked: Asked) -> t.Tuple[str, str]:
    bad = [host for host in hosts if host.state in survey.BAD]
    over = over_budget(record)
    named = "; ".join(f"{host.name} {host.state}: {host.why}" for host in bad)
    if bad and number == 0:
        return FAIL, f"a canary failed: {named}"
    if bad and len(bad) == len(hosts):
        return FAIL, f"every host of the batch failed: {named}"
    if over:
        return FAIL, over
    if all(host.state == survey.CONVERGED for host in hosts):
        return PASS, "nothing was left to do"
    return _inconclusive(found.why, asked) if found.verdict == INCONCLUSIVE else (found.verdict, found.why)


def _inconclusive(why: str, asked: Asked) -> t.Tuple[str, str]:
    if asked.goes_on_inconclusive:
        return PASS, f"continuing as requested, although {why}"
    return INCONCLUSIVE, f"{why}; with tcp_remediate_on_inconclusive=continue the run would continue"


def settle(record: Record, number: int, confirmed: Results, rolled_back: Results) -> Record:
    """The record with the outcome of a batch; its verdict is set if the run ends here."""
    decided = record.batches[number]
    if decided.verdict == PASS:
        return _kept(record, number, confirmed)
    taken = [_rolled_back(host, rolled_back.get(host.name), decided) for host in record.hosts.values()]
    names = [host.name for host in taken if host.state == survey.ROLLED_BACK]
    kept = [
        f"{host.name}: {host.why}" for host in taken if host.name in decided.hosts and "NOT rolled back" in host.why
    ]
    done = f"rolled back: {', '.join(names) or 'none'}" + (f"; {'; '.join(kept)}" if kept else "")
    record = record.with_hosts(*taken).with_batch(number, replace(decided, done=done))
    record = record.with_hosts(*(_left(host, f"the run stopped at {decided.name}") for host in record.hosts.values()))
    return replace(record, verdict=decided.verdict, why=f"{decided.name}: {decided.why}. {done}")


def _kept(record: Record, number: int, confirmed: Results) -> Record:
    """The record with a batch that has passed, as far as its hosts could be confirmed."""
    decided = record.batches[number]
    hosts = [_confirmed(record.hosts[name], confirmed.get(name)) for name in decided.hosts]
    failing = [host for host in hosts if host.state in (survey.UNCONFIRMED, survey.ROLLED_BACK)]
    done = f"not confirmed: {', '.join(host.name for host in failing)}" if failing else "kept"
    record = record.with_hosts(*hosts).with_batch(number, replace(decided, done=done))
    named = "; ".join(f"{host.name} {host.state}: {host.why}" for host in failing)
    why = over_budget(record)
    if failing and len(failing) == len(hosts):
        why = f"no host of {decided.name} could be confirmed: {named}"
    elif failing and number == 0:
        why = f"a canary could not be confirmed: {named}"
    if not why:
        return record
    left = (_left(host, f"the run stopped at {decided.name}") for host in record.hosts.values())
    return replace(record.with_hosts(*left), verdict=FAIL, why=why)


def _confirmed(host: Host, result: t.Any) -> Host:
    if not isinstance(result, dict) or result.get("skipped") or not survey.trouble(result):
        return host
    if result.get("undone_by"):
        why = "it rolled itself back before its batch was judged: tcp_remediate_confirm is too short for that"
        return replace(host, state=survey.ROLLED_BACK, why=why)
    return replace(host, state=survey.UNCONFIRMED, why=f"it rolls itself back: {survey.said(result)}")


def _rolled_back(host: Host, result: t.Any, batch: Batch) -> Host:
    if not isinstance(result, dict) or result.get("skipped"):
        return host
    bad = survey.trouble(result)
    if bad:
        return replace(host, state=bad[0], why=f"NOT rolled back: {bad[1]}")
    if host.state in (survey.TUNED, survey.UNCONFIRMED):
        return replace(host, state=survey.ROLLED_BACK, why=f"{batch.name}: {batch.why}")
    return host


def finish(record: Record) -> Record:
    """The record with its verdict: pass only if no host is failed, rolled back, unconfirmed or unreachable."""
    bad = record.in_state(*survey.BAD)
    if not bad:
        return replace(record, verdict=PASS, why="every host that had drifted is tuned, or left alone for a reason")
    names = ", ".join(f"{host.name} ({host.state}: {host.why})" for host in bad)
    return replace(record, verdict=FAIL, why=f"all batches passed, but not every host could be remediated: {names}")
