# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The report on a terminal, as lines: each host where there are few of them, else the worst of them."""

from __future__ import annotations

import typing as t
from collections import Counter

from .text import (
    OPEN,
    Host,
    Report,
    batch_text,
    evidence_text,
    headline,
    outcome_text,
    plural,
    provenance,
    remediation_text,
    result_text,
    rules_by_id,
)

FEW = 3
MOST_LINES = 40
_MOST_OF_A_KIND = 10
_WIDTH = 160
_SEVERITIES = ("critical", "high", "medium", "low", "info")


def render(report: Report, written: t.Sequence[str] = ()) -> t.List[str]:
    """At most 40 lines where there are more than three hosts; the last ones are the files written, and the verdict."""
    hosts = report["hosts"]
    head = [*(f"{name}: {value}" for name, value in provenance(report)), *_remediation(report)]
    if len(hosts) <= FEW:
        body = [line for host in hosts for line in _host(host, report)]
    else:
        body = _fleet(report, MOST_LINES - len(head) - 2 - bool(written))
    return [*map(_cut, (*head, *body, "")), *_written(written), _cut(headline(report))]


def _written(paths: t.Sequence[str]) -> t.List[str]:
    """The file to open, and the endings of the others, which are beside it."""
    if not paths:
        return []
    others = ", ".join(path.rpartition(".")[2] for path in paths[1:])
    return [f"report: {paths[0]}" + (f" (and {others})" if others else "")]


def _cut(line: str) -> str:
    return line if len(line) <= _WIDTH else line[: _WIDTH - 1] + "\u2026"


def _host(host: Host, report: Report) -> t.List[str]:
    if host["outcome"] != "judged":
        return ["", f"{host['name']}: {outcome_text(host)}"]
    states = ", ".join(f"{count} {state}" for state, count in host["states"].items() if count)
    return [
        "",
        f"{host['name']}, Linux {host['kernel']}, up {(host['uptime_s'] or 0) / 3600:.1f} hours",
        f"  connections: {states or 'none'}",
        *_listeners(host),
        *_results(host, report),
        *_drift(host),
        *(f"  not seen: {reason}" for reason in host["limited"] or ()),
    ]


def _listeners(host: Host) -> t.Iterator[str]:
    if host["listeners"]:
        yield f"  {'listener':<32} {'accept queue':>12} {'backlog':>9} {'SYN_RECV':>9}  process"
    for listener in host["listeners"]:
        address = f"[{listener['address']}]" if ":" in str(listener["address"]) else listener["address"]
        names = ", ".join(dict.fromkeys(str(process["name"]) for process in listener["processes"])) or "?"
        numbers = (_number(listener[name]) for name in ("accept_queue", "backlog", "syn_recv"))
        yield "  {:<32} {:>12} {:>9} {:>9}  {}".format(f"{address}:{listener['port']}", *numbers, names)


def _number(value: t.Any) -> str:
    return "?" if value is None else str(value)


def _results(host: Host, report: Report) -> t.Iterator[str]:
    rules = rules_by_id(report)
    counts = Counter(result["status"] for result in host["results"])
    yield "  rules: " + ", ".join(f"{count} {status}" for status, count in counts.items())
    for status in (*OPEN, "waived"):
        for result in host["results"]:
            if result["status"] != status:
                continue
            rule = rules[result["id"]]
            yield f"  {status:<8} {rule['severity']:<9} {rule['id']}: {rule['title']}"
            yield f"  {'':<18} {result_text(result)}"
            if status == "fail":
                yield from (f"  {'':<18} {line}" for line in _wrapped(rule["remedy"]))


def _wrapped(text: str, width: int = 98) -> t.Iterator[str]:
    line = ""
    for word in text.split():
        if len(line) + len(word) >= width:
            yield line.strip()
            line = ""
        line += f" {word}"
    yield line.strip()


def _drift(host: Host) -> t.Iterator[str]:
    shown = ("want", "runtime", "boot", "owner")
    for row in host["drift"]:
        if row["status"] not in ("compliant", "skipped"):
            values = ", ".join(f"{name} {evidence_text(row[name])}" for name in shown if row[name] is not None)
            yield f"  {row['status']:<18} {row['kind']} {row['name']}: {values}"


def _remediation(report: Report) -> t.List[str]:
    run = report.get("remediation")
    if not run:
        return []
    return _section(
        f"remediation {remediation_text(run)}", [f"{one['name']}: {batch_text(one)}" for one in run["batches"]], 4
    )


def _fleet(report: Report, most: int) -> t.List[str]:
    findings, hosts = report["summary"]["findings"], report["hosts"]
    undecided = ((f"{r['id']}: {r['message']}", h) for h in hosts for r in h["results"] if r["status"] in OPEN[1:])
    unjudged = [host for host in hosts if host["outcome"] != "judged"]
    worst = sorted((host for host in hosts if _failures(host, report)), key=lambda host: _badness(host, report))
    sections = {
        "rules not met": [
            f"{f['severity']:<9} {plural(f['hosts'], 'host'):<12} {f['id']}: {f['title']}" for f in findings
        ],
        "worst hosts": [f"{host['name']}: {', '.join(_failed(host, report))}" for host in worst],
        "not judged": [f"{host['name']}: {outcome_text(host)}" for host in unjudged],
        "undecided": _together(undecided),
        "seen in part": _together(_in_part(hosts)),
    }
    tried = (
        [line for title, lines in sections.items() if lines for line in _section(title, lines, each)]
        for each in range(_MOST_OF_A_KIND, 1, -1)
    )
    return next((body for body in tried if len(body) <= most), [])


def _in_part(hosts: t.Iterable[Host]) -> t.Iterator[t.Tuple[str, Host]]:
    for host in hosts:
        for reason in host["limited"] or ():
            yield reason, host
        if host["stale"]:
            yield "the facts are stale", host


def _together(reasons: t.Iterable[t.Tuple[str, Host]]) -> t.List[str]:
    """What is the same for several hosts on one line, the most frequent first, with the names of few."""
    names: t.Dict[str, t.List[str]] = {}
    for reason, host in reasons:
        names.setdefault(reason, []).append(host["name"])
    return [
        f"{plural(len(them), 'host'):<12} {reason}" + (f" ({', '.join(them)})" if len(them) <= FEW else "")
        for reason, them in sorted(names.items(), key=lambda item: -len(item[1]))
    ]


def _section(title: str, lines: t.List[str], most: int) -> t.List[str]:
    more = [f"  and {len(lines) - most + 1} more"] if len(lines) > most else []
    return ["", f"{title}:", *(f"  {line}" for line in lines[: most - len(more)]), *more]


def _failures(host: Host, report: Report) -> t.List[str]:
    rules = rules_by_id(report)
    failed = [result["id"] for result in host["results"] if result["status"] == "fail"]
    return sorted(failed, key=lambda rule_id: _SEVERITIES.index(rules[rule_id]["severity"]))


def _failed(host: Host, report: Report) -> t.List[str]:
    expired = {result["id"] for result in host["results"] if result["status"] == "fail" and result["waiver"]}
    return [f"{id_} (waiver expired)" if id_ in expired else id_ for id_ in _failures(host, report)]


def _badness(host: Host, report: Report) -> t.Tuple[t.Any, ...]:
    rules = rules_by_id(report)
    counts = Counter(rules[rule_id]["severity"] for rule_id in _failures(host, report))
    return (*(-counts[severity] for severity in _SEVERITIES), host["name"])
