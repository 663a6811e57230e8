# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The report as one HTML page without scripts, fonts or images from elsewhere."""

from __future__ import annotations

import jinja2

from ._report import text

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>
  :root { color-scheme: light dark; --line: #8884; --soft: #8881; --fail: #c62828; --error: #ad5700;
          --pass: #2e7d32; --skip: #757575; }
  body { font: 15px/1.45 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
  h1 { font-size: 1.6rem; margin-bottom: .25rem; }
  h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; border-bottom: 1px solid var(--line); padding-bottom: .25rem; }
  table { border-collapse: collapse; width: 100%; }
  th { text-align: left; font-weight: 600; }
  th, td { padding: .4rem .6rem; vertical-align: top; border-bottom: 1px solid var(--line); }
  td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
  code { font: 13px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
  .remedy { display: block; margin-top: .2rem; }
  .status { font-weight: 700; white-space: nowrap; }
  .fail { color: var(--fail); } .error { color: var(--error); }
  .pass { color: var(--pass); } .skip { color: var(--skip); }
  .counts span { display: inline-block; margin-right: 1.25rem; }
  tr.result-skip td { opacity: .65; }
</style>
</head>
<body>
<h1>{{ title }}</h1>
<p>{{ headline }}</p>
<p>{{ report.generated }}</p>
{% for host in report.hosts %}
<h2 id="host-{{ loop.index }}">{{ host.name }}</h2>
{% if host.outcome != "judged" %}<p>{{ host.outcome }}: {{ host.message }}</p>{% endif %}
<table>
<tr><th>status</th><th>severity</th><th>rule</th><th>evidence</th></tr>
{% for result in host.results %}
<tr class="result-{{ result.status }}">
<td class="status {{ result.status }}">{{ result.status }}</td>
<td>{{ rules[result.id].severity }}</td>
<td>{{ rules[result.id].title }}
{%- if result.status == "fail" %}
<span class="remedy"><b>Remedy:</b> {{ rules[result.id].remedy }}</span>{% endif %}</td>
<td><code>{{ result_text(result) }}</code></td>
</tr>
{% endfor %}
</table>
{% endfor %}
</body>
</html>
"""
_TEMPLATE = jinja2.Environment(autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined).from_string(_PAGE)


def render(report: text.Report) -> str:
    """The page; everything that comes from hosts or policies is escaped."""
    context = {"headline": text.headline(report), "rules": text.rules_by_id(report), "result_text": text.result_text}
    return _TEMPLATE.render(title="TCP audit", report=report, **context) + "\n"
