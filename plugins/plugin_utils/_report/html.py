# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The report of a fleet as one HTML page that loads nothing.

The verdict and a table of the hosts that need somebody are markup, for browsers without scripting. All else is data,
once, as JSON, from which the page's own script makes what is looked at. The page's policy lets nothing run but that
script, known by its hash, and Trusted Types keep even the script from making markup out of text.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import html
import json
import typing as t
from dataclasses import dataclass
from pathlib import Path

from . import packing
from .text import outcome_text, remediation_text

_PAGE = Path(__file__).with_name("page")
_STYLES = ("page.css", "parts.css", "print.css")
_SCRIPTS = (
    *("elements.js", "data.js", "tables.js"),
    *("overview.js", "remediation.js", "hosts.js", "matrix.js", "detail.js", "print.js"),
    "main.js",
)

_VERDICTS = {"pass": ("\u2713", "Pass"), "fail": ("\u2715", "Fail"), "unknown": ("?", "Unknown")}
_ESCAPED = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


@dataclass(frozen=True)
class _Assets:
    style: str
    script: str

    @property
    def policy(self) -> str:
        """The Content-Security-Policy under which the page works and nothing else does."""
        return "; ".join(
            (
                "default-src 'none'",
                f"script-src '{_digest(self.script)}'",
                f"style-src '{_digest(self.style)}'",
                "img-src data:",
                "base-uri 'none'",
                "form-action 'none'",
                "require-trusted-types-for 'script'",
                "trusted-types 'none'",
            )
        )


def render(report: t.Mapping[str, t.Any]) -> str:
    """The page of a report of schema 1.  The same report gives the same page, byte for byte."""
    assets = _assets()
    title = " ".join(filter(None, ("TCP audit:", report.get("inventory") or "", _day(report.get("generated")))))
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{html.escape(assets.policy)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            '<meta name="referrer" content="no-referrer">',
            '<link rel="icon" href="data:,">',
            f"<title>{_text(title)}</title>",
            f"<style>{assets.style}</style>",
            "</head>",
            "<body>",
            '<a class="jump" href="#content">Skip to the content</a>',
            _header(report),
            '<nav id="views" aria-label="Views"></nav>',
            '<main id="content" tabindex="-1"></main>',
            '<div id="printed" hidden></div>',
            f"<noscript>{_plain(report)}</noscript>",
            f'<script type="application/json" id="report">{_json(packing.pack(report))}</script>',
            f"<script>{assets.script}</script>",
            "</body>",
            "</html>",
            "",
        )
    )


@functools.lru_cache(maxsize=1)
def _assets() -> _Assets:
    style = "".join(_PAGE.joinpath(name).read_text(encoding="utf-8") for name in _STYLES)
    script = "".join(_PAGE.joinpath(name).read_text(encoding="utf-8") for name in _SCRIPTS)
    return _Assets(style=f"\n{style}", script=f'\n"use strict";\n(() => {{\n{script}}})();\n')


def _digest(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode("ascii")


def _json(data: t.Any) -> str:
    """JSON that nothing in it can end: no <, and no character that a script takes for the end of a line."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return _writable(text).translate(_ESCAPED)


def _text(value: t.Any) -> str:
    """Text as markup."""
    return html.escape(_writable(str(value)))


def _writable(text: str) -> str:
    """The text with question marks for what cannot be written as UTF-8, halves of surrogate pairs."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _day(generated: t.Any) -> str:
    return str(generated or "")[:10]


def _header(report: t.Mapping[str, t.Any]) -> str:
    summary = report["summary"]
    icon, word = _VERDICTS[summary["verdict"]]
    return "\n".join(
        (
            '<header class="top">',
            f'<h1 class="verdict {_text(summary["verdict"])}">',
            f'<span class="mark" aria-hidden="true">{icon}</span>',
            f'<span><span class="product">TCP audit</span> <strong>{word}</strong>',
            f'<span class="because">{_text(_because(summary))}</span></span></h1>',
            '<p id="age" class="note" hidden></p>',
            _counts(summary["hosts"]),
            _provenance(report),
            "</header>",
        )
    )


def _because(summary: t.Mapping[str, t.Any]) -> str:
    hosts = summary["hosts"]
    unseen = hosts["total"] - hosts["judged"]
    failing, total = hosts["failing"], hosts["total"]
    said = f"{failing:,} of {total:,} host{'' if total == 1 else 's'} {'fails' if failing == 1 else 'fail'}"
    said += f", at worst {summary['worst']}" if summary.get("worst") else ""
    return f"{said}; {unseen:,} {'was' if unseen == 1 else 'were'} not seen" if unseen else said


def _counts(hosts: t.Mapping[str, int]) -> str:
    """The counts of hosts, as a bar and as links into the list of hosts."""
    unseen = hosts["total"] - hosts["judged"]
    undecided = hosts["judged"] - hosts["passing"] - hosts["failing"]
    main = (
        ("fail", "\u2715", "failing", hosts["failing"]),
        ("unknown", "?", "undecided", undecided),
        ("unseen", "\u25cb", "not seen", unseen),
        ("pass", "\u2713", "passing", hosts["passing"]),
    )
    tiles = [
        f'<li class="{kind}"><a href="#hosts?show={kind}"><b>{count:,}</b> '
        f'<span><span aria-hidden="true">{icon}</span> {label}</span></a></li>'
        for kind, icon, label, count in main
    ]
    return f'{_bar(main)}\n<ul class="tiles">{"".join(tiles)}</ul>\n{_small_print(hosts)}'


def _bar(parts: t.Sequence[t.Tuple[str, str, str, int]]) -> str:
    total = sum(part[-1] for part in parts) or 1
    drawn, at = [], 0.0
    for kind, _icon, _label, count in parts:
        width = 1000 * count / total
        drawn.append(f'<rect class="{kind}" x="{at:.2f}" y="0" width="{width:.2f}" height="10"/>')
        at += width
    return (
        '<svg class="fleet" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        f"{''.join(drawn)}</svg>"
    )


def _small_print(hosts: t.Mapping[str, int]) -> str:
    names = (
        ("unreachable", "unreachable"),
        ("failed", "whose facts could not be gathered"),
        ("no_python", "without Python"),
        ("missing", "not in this run"),
        ("incomplete", "with incomplete facts"),
        ("stale", "with stale facts"),
    )
    named = [f"{hosts[key]:,} {label}" for key, label in names if hosts.get(key)]
    return f'<p class="note">{_text(", ".join(named))}</p>' if named else ""


def _provenance(report: t.Mapping[str, t.Any]) -> str:
    collection, policy = report["collection"], report["policy"]
    generated = report["generated"]
    facts = [
        ("generated", f'<time id="generated" datetime="{_text(generated)}">{_text(_moment(generated))}</time>'),
        ("compared with", _text(_moment(report["previous"])) if report.get("previous") else ""),
        ("policy", f'<span title="{_text(policy.get("source") or "")}">{_text(policy["name"])}</span>'),
        ("profile", _text(report.get("profile") or "")),
        ("inventory", _text(report.get("inventory") or "")),
        ("made by", _text(f"{collection['name']} {collection['version']}")),
        ("mode", "check mode" if report.get("check_mode") else ""),
        ("facts", "from the cache, no host was asked" if report.get("from_cache") else ""),
    ]
    shown = [f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts if value]
    return f'<dl class="provenance">{"".join(shown)}</dl>'


def _moment(iso: t.Any) -> str:
    """``2026-11-24T06:00:12Z`` as people write it: ``2026-11-24 06:00 UTC``."""
    text = str(iso)
    zone = text[19:].lstrip("0123456789.") if len(text) > 16 else ""
    return f"{text[:10]} {text[11:16]} {'UTC' if zone in {'Z', '+00:00'} else zone}".strip()


def _plain(report: t.Mapping[str, t.Any]) -> str:
    """The hosts that need somebody, for a browser without scripting."""
    titles = {rule["id"]: rule["title"] for rule in report["rules"]}
    run = report.get("remediation")
    told = f"<p>Remediation: {_text(remediation_text(run))}</p>" if run else ""
    rows = list(filter(None, (_plain_row(host, titles) for host in report["hosts"])))
    note = "Scripting is off: these are the hosts that fail, and those that were not seen."
    if not rows:
        return f"{told}<p>{note} There are none.</p>"
    head = "<tr><th>Host</th><th>Status</th><th>Why</th></tr>"
    return f'{told}<p>{note}</p>\n<table class="plain"><thead>{head}</thead><tbody>\n{"".join(rows)}</tbody></table>'


def _plain_row(host: t.Mapping[str, t.Any], titles: t.Mapping[str, str]) -> str:
    failing = [result["id"] for result in host["results"] if result["status"] == "fail"]
    if host["outcome"] != "judged":
        status, why = "not seen", outcome_text(host)
    elif failing:
        status, why = "fail", "; ".join(titles.get(id_, id_) for id_ in failing)
    else:
        return ""
    name = _text(host["name"])
    return f'<tr id="host-{name}"><th scope="row">{name}</th><td>{_text(status)}</td><td>{_text(why)}</td></tr>\n'
