# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: audit
short_description: Judge TCP facts by a policy
version_added: 0.1.0
author:
  - The nettune.tcp contributors (@nettune)
description:
  - Checks the facts of one host against rules and tells for each whether it passes, with the evidence.
  - Rules are data. Their conditions are JMESPath expressions over the facts, with the added functions
    C(ratio(part, whole)), null where it cannot be told, and C(entries(object)), a list of C({key, value}).
positional: policy
requirements:
  - jmespath, on the controller
options:
  _input:
    description: What M(nettune.tcp.tcp_facts) returns as C(ansible_facts.tcp).
    type: dict
    required: true
  policy:
    description:
      - A list of rules, or a dictionary with such a list under C(rules).
      - A rule has C(id), C(title), C(severity) (critical, high, medium, low or info), C(expect) and C(remedy),
        and may have C(when) and C(show).
      - C(expect) must be true of the facts. Where it is null, the facts do not tell, and the rule is skipped.
      - C(when) tells whether the rule applies; C(show) selects the evidence.
    type: raw
    required: true
seealso:
  - module: nettune.tcp.tcp_facts
  - plugin: nettune.tcp.audit_report
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Judge this host by one rule
  ansible.builtin.set_fact:
    results: "{{ ansible_facts.tcp | nettune.tcp.audit(rules) }}"
  vars:
    rules:
      - id: syncookies
        title: SYN cookies are sent when a SYN queue is full
        severity: high
        expect: sysctls."net.ipv4.tcp_syncookies".runtime == `1`
        show: sysctls."net.ipv4.tcp_syncookies"
        remedy: Set net.ipv4.tcp_syncookies to 1.
"""

RETURN = r"""
_value:
  description:
    - One result for each rule, with C(id), C(title), C(severity), C(status) (pass, fail, skip or error), C(evidence)
      and C(remedy).
  type: list
  elements: dict
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.nettune.tcp.plugins.plugin_utils import _policy
from ansible_collections.nettune.tcp.plugins.plugin_utils._expressions import LibraryMissing


def audit(facts: t.Any, policy: t.Any) -> t.List[t.Dict[str, t.Any]]:
    if not isinstance(facts, t.Mapping):
        raise AnsibleFilterError("nettune.tcp.audit needs the facts of nettune.tcp.tcp_facts, ansible_facts.tcp")
    try:
        return _policy.judge(facts, policy)
    except (_policy.PolicyError, LibraryMissing) as exc:
        raise AnsibleFilterError(f"nettune.tcp.audit: {exc}") from exc


class FilterModule:
    def filters(self) -> t.Dict[str, t.Callable[..., t.Any]]:
        return {"audit": audit}
