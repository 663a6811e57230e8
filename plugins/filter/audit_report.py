# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: audit_report
short_description: Convert an audit report to another format
version_added: 1.0.0
author:
  - The nettune.tcp contributors (@nettune)
description:
  - Converts a JSON report of M(nettune.tcp.audit), for example that of an earlier run, into another format.
positional: format
options:
  _input:
    description: The report that M(nettune.tcp.audit) wrote as JSON.
    type: dict
    required: true
  format:
    description:
      - V(html) is one page that needs nothing else, V(markdown) goes into tickets and wikis.
      - V(csv) has one line for each host and rule, V(json) is the report itself.
      - V(junit) makes a CI system show hosts as suites and rules as tests, V(sarif) makes a forge show findings.
      - V(openmetrics) is for a textfile collector.
    type: str
    choices: [html, markdown, csv, junit, json, sarif, openmetrics]
    default: html
seealso:
  - module: nettune.tcp.audit
"""

EXAMPLES = r"""
- name: Write the findings of a report for a forge
  ansible.builtin.copy:
    content: "{{ report | from_json | nettune.tcp.audit_report('sarif') }}"
    dest: reports/tcp-audit.sarif
    mode: "0644"
  vars:
    report: "{{ lookup('ansible.builtin.file', 'reports/tcp-audit.json') }}"
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

from ansible_collections.nettune.tcp.plugins.plugin_utils._audit.clean import clean
from ansible_collections.nettune.tcp.plugins.plugin_utils._audit.fleet import SCHEMA
from ansible_collections.nettune.tcp.plugins.plugin_utils._report.formats import FORMATS


def audit_report(report: t.Any, format: str = "html") -> str:  # noqa: A002
    if not isinstance(report, t.Mapping) or report.get("schema") != SCHEMA:
        raise AnsibleFilterError("nettune.tcp.audit_report needs a JSON report of nettune.tcp.audit with schema 1")
    if format not in FORMATS:
        raise AnsibleFilterError(f"nettune.tcp.audit_report: {format!r} is not one of {', '.join(FORMATS)}")
    try:
        return FORMATS[format].render(clean(report))
    except (KeyError, TypeError, ValueError) as exc:
        # Ansible would say what caused it a second time.
        raise AnsibleFilterError(f"nettune.tcp.audit_report: this is not a complete report: {exc!r}") from None


class FilterModule:
    def filters(self) -> t.Dict[str, t.Callable[..., t.Any]]:
        return {"audit_report": audit_report}
