# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: audit
short_description: Judge TCP facts against a policy
version_added: 1.0.0
author:
  - The nettune.tcp contributors (@nettune)
description:
  - Checks the facts of one host against rules and returns the result of each, with the evidence.
  - M(nettune.tcp.audit) does this for all hosts in a play, with waivers, history and reports.
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
      - A list of rules, or a dictionary with such a list under C(rules) and, if rules use thresholds, a dictionary
        C(thresholds). Each threshold has a C(default), and may have C(minimum), C(maximum) and C(description).
      - A rule has C(id), C(title), C(severity) (info, low, medium, high or critical), C(remedy), and either C(that) or
        C(none). It may have C(when), C(needs), C(evidence), C(description), and C(not_remedy), which says what does not
        help, and why.
      - C(that) must be true of the facts. C(none) must find nothing; what it finds is the evidence. C(when) decides
        whether the rule applies, C(evidence) selects what is shown, and C(needs) lists facts without which there is no
        verdict.
      - They are JMESPath expressions over the facts, in which C($name) is a threshold. A name that no fact has is an
        error, even within a filter such as C(listeners[?prot == `80`]).
      - A fact that is missing, or null without a documented meaning, makes the rule V(unknown) if the verdict depends
        on it. If one item of a list offends, the rule fails, whatever is unknown about the others. To test whether a
        fact is present, compare it with null, as in C(rates != null).
      - Functions in addition to those of JMESPath are C(ratio(part, whole)), null if the whole is 0, C(product(a, b)),
        C(difference(a, b)), C(round(number, digits)), and C(entries(object)), a list of C({key, value}).
      - C(since_last) is a fact that M(nettune.tcp.audit) adds. It has C(seconds) since the previous report, C(counters)
        with their growth since then, and C(rates) with the same per second. It is null without a report from the same
        boot.
    type: raw
    required: true
  thresholds:
    description: Numbers that override the policy's thresholds, by name.
    type: dict
    default: {}
  exclude:
    description: Ids of rules to leave out.
    type: list
    elements: str
    default: []
seealso:
  - module: nettune.tcp.audit
  - module: nettune.tcp.tcp_facts
  - plugin: nettune.tcp.audit_report
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Judge this host against two rules
  ansible.builtin.set_fact:
    results: "{{ ansible_facts.tcp | nettune.tcp.audit(rules) }}"
  vars:
    rules:
      - id: syncookies
        title: SYN cookies are sent when a SYN queue is full
        severity: high
        that: sysctls."net.ipv4.tcp_syncookies".runtime == `1`
        evidence: sysctls."net.ipv4.tcp_syncookies"
        remedy: Set net.ipv4.tcp_syncookies to 1.
      - id: short-queues
        title: No queue of ours is short
        severity: low
        none: "listeners[?port == `443` && backlog < `1024`].{address: address, backlog: backlog}"
        remedy: Raise the backlog with nettune.tcp.listen_backlog.
"""

RETURN = r"""
_value:
  description:
    - One result per rule, with C(id), C(title), C(severity), C(status) (pass, fail, unknown, skip or error),
      C(evidence), C(message), which says why there is no verdict, C(remedy) and C(not_remedy).
  type: list
  elements: dict
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.nettune.tcp.plugins.plugin_utils._audit.errors import AuditError
from ansible_collections.nettune.tcp.plugins.plugin_utils._audit.expressions import LibraryMissing
from ansible_collections.nettune.tcp.plugins.plugin_utils._audit.judge import bring, judge
from ansible_collections.nettune.tcp.plugins.plugin_utils._audit.policy import parse_policy


def audit(
    facts: t.Any,
    policy: t.Any,
    thresholds: t.Optional[t.Mapping[str, t.Any]] = None,
    exclude: t.Collection[str] = (),
) -> t.List[t.Dict[str, t.Any]]:
    if not isinstance(facts, t.Mapping):
        raise AnsibleFilterError("nettune.tcp.audit needs the facts of nettune.tcp.tcp_facts, ansible_facts.tcp")
    try:
        rules = parse_policy(policy, exclude=exclude, thresholds=thresholds)
    except (AuditError, LibraryMissing) as exc:
        # Ansible would say what caused it a second time.
        raise AnsibleFilterError(f"nettune.tcp.audit: {exc}") from None
    results = judge(bring(facts), rules)
    return [{**rule.texts, **result} for rule, result in zip(rules, results, strict=True)]


class FilterModule:
    def filters(self) -> t.Dict[str, t.Callable[..., t.Any]]:
        return {"audit": audit}
