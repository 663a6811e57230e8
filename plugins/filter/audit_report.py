# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: audit_report
short_description: Make a report of the audit results of a fleet
version_added: 0.1.0
author:
  - The nettune.tcp contributors (@nettune)
description:
  - Turns the results of P(nettune.tcp.audit#filter) for any number of hosts into one document.
positional: format
options:
  _input:
    description: For each host, by name, the list of its results.
    type: dict
    required: true
  format:
    description:
      - V(html) is one page that needs nothing else, V(markdown) goes into tickets and wikis.
      - V(csv) has one line for each host and rule, V(json) the results and their summary.
      - V(junit) makes a CI system show hosts as suites and rules as tests.
    type: str
    choices: [html, markdown, csv, junit, json]
    default: html
  title:
    description: The report's heading.
    type: str
    default: TCP audit
seealso:
  - plugin: nettune.tcp.audit
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Write one report for the whole play
  ansible.builtin.copy:
    content: "{{ results | nettune.tcp.audit_report('html') }}"
    dest: reports/tcp-audit.html
    mode: "0644"
  vars:
    results: "{{ dict(ansible_play_hosts | zip(ansible_play_hosts | map('extract', hostvars, 'my_results'))) }}"
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
_value:
  description: The document.
  type: str
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.nettune.tcp.plugins.plugin_utils import _report
from ansible_collections.nettune.tcp.plugins.plugin_utils._policy import unwrap


def audit_report(results: t.Any, format: str = "html", title: str = "TCP audit") -> str:  # noqa: A002
    if not isinstance(results, t.Mapping):
        raise AnsibleFilterError("nettune.tcp.audit_report needs a dictionary of results by host name")
    if format not in _report.FORMATS:
        raise AnsibleFilterError(f"nettune.tcp.audit_report: {format!r} is none of {', '.join(_report.FORMATS)}")
    try:
        return _report.FORMATS[format](_report.parse_fleet(unwrap(results)), title)
    except _report.ReportError as exc:
        raise AnsibleFilterError(f"nettune.tcp.audit_report: {exc}") from exc


class FilterModule:
    def filters(self) -> t.Dict[str, t.Callable[..., t.Any]]:
        return {"audit_report": audit_report}
