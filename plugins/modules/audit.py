#!/usr/bin/python

# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: audit
short_description: Judge the TCP facts of all hosts in a play, and report
version_added: 1.0.0
author:
  - The nettune.tcp contributors (@nettune)
description:
  - Judges the facts of all hosts in the play against a policy, on the controller, in one task with C(run_once), and
    writes one report in every requested format.
  - Every host that matches the play's pattern is in the report, including those that were unreachable, failed, or have
    no facts.
  - A missing fact is neither a pass nor a failure. The rule is V(unknown) for that host, and names the fact.
  - The role P(nettune.tcp.tcp_audit#role) gathers the facts and calls this action.
extends_documentation_fragment:
  - nettune.tcp._attributes
attributes:
  action:
    support: full
    description: Runs on the controller.
  check_mode:
    support: full
    description: Writes the reports in C(check_mode), too, and marks them as such.
  diff_mode:
    support: none
    description: There is nothing to show in C(diff) mode.
  idempotent:
    support: none
    description: The reports are rewritten each time.
  platform:
    support: full
    platforms: linux
    description: Linux, on the controller.
requirements:
  - jmespath, on the controller
options:
  policy:
    description:
      - The policies to judge by. Each is the name of a policy of the role P(nettune.tcp.tcp_audit#role), or the path of
        a YAML file, relative to where Ansible was started or else to the playbook's directory.
      - P(nettune.tcp.audit#filter) documents how to write rules.
    type: list
    elements: str
    default: [baseline, connections, queues, limits]
  rules:
    description:
      - Your own rules. A rule with the O(rules[].id) of a policy rule overrides it. It needs only the fields that
        should differ, such as O(rules[].severity).
    type: list
    elements: dict
    default: []
    suboptions:
      id:
        description: Its name.
        type: str
        required: true
      title:
        description: What must hold, as a sentence.
        type: str
      severity:
        description: How bad it is if that does not hold.
        type: str
        choices: [info, low, medium, high, critical]
      description:
        description: What the rule is about.
        type: str
      remedy:
        description: What helps.
        type: str
      not_remedy:
        description: What does not help, and why.
        type: str
      that:
        description: An expression over the facts that must be true. A rule has this or O(rules[].none).
        type: str
      none:
        description: An expression that must find nothing. What it finds is the evidence.
        type: str
      when:
        description: Whether the rule applies. If not, it is skipped.
        type: str
      needs:
        description: Facts without which there is no verdict, in addition to those that the rule uses.
        type: list
        elements: str
      evidence:
        description: What is shown as evidence.
        type: str
  exclude:
    description: Ids of rules to leave out.
    type: list
    elements: str
    default: []
  thresholds:
    description: Numbers that override the policy's thresholds, by name.
    type: dict
    default: {}
  waivers:
    description:
      - Findings that are accepted for a time, as a list of dictionaries, or the path of a YAML file with a list named
        C(waivers). Each has C(rule), an id; C(hosts), patterns such as V(web*) for host or group names; C(reason);
        C(owner); and C(expires), the last day on which it holds.
      - A waived finding is shown as such. An expired waiver is reported, and the finding fails.
    type: raw
    default: []
  registered:
    description: The variable in which the gathering task has registered its result.
    type: str
  from_cache:
    description:
      - Use the facts in Ansible's fact cache without contacting any host. O(registered) is not needed then.
    type: bool
    default: false
  max_age:
    description: Facts older than this many seconds count as stale. They are judged, and the report says so.
    type: float
    default: 86400
  profile:
    description: The name of the tuning profile that hosts were compared with, or V(auto), for the report.
    type: str
  remediation:
    description:
      - The path of the record of a run of the role P(nettune.tcp.tcp_remediate#role), relative to where Ansible was
        started or else to the playbook's directory. The report shows its verdict, its batches and the hosts that it has
        not tuned, in every format except V(junit).
    type: str
  report_dir:
    description:
      - The directory on the controller for the reports, named C(tcp-audit) with the extension of the format. Without it
        no report is written.
      - Existing reports are renamed to C(tcp-audit.previous) first. The history is taken from the one in JSON. One in
        V(openmetrics) is removed, since a collector would read both.
    type: str
  report_formats:
    description:
      - V(html) is one page that needs nothing else; V(markdown) goes into tickets and wikis.
      - V(csv) has one line for each host and rule; V(json) is the complete report, from which the next one takes its
        history.
      - V(junit) makes a CI system show hosts as suites and rules as tests; V(sarif) makes a forge show findings.
      - V(openmetrics) is for a textfile collector.
    type: list
    elements: str
    choices: [html, markdown, csv, junit, json, sarif, openmetrics]
    default: [html, json]
  fail_on:
    description: Fail on findings of this severity and above, after the reports are written.
    type: str
    choices: [none, info, low, medium, high, critical]
    default: none
  fail_on_unseen:
    description: Fail on hosts that could not be judged, after the reports are written.
    type: bool
    default: false
  interval:
    description: O(nettune.tcp.tcp_facts#module:interval), which is checked before any host is contacted.
    type: float
    default: 0
  top:
    description: O(nettune.tcp.tcp_facts#module:top), which is checked before any host is contacted.
    type: int
    default: 10
  print:
    description: Whether the caller prints RV(lines). This action prints nothing.
    type: bool
    default: true
  validate_only:
    description:
      - Check the arguments and the policy, and set previous reports aside. For a first task, before facts are gathered.
    type: bool
    default: false
  validated:
    description:
      - A task with O(validate_only=true) has already run in the same play, so existing reports are those of an earlier
        batch, not previous ones.
    type: bool
    default: false
  variables:
    description: Names of variables of the role P(nettune.tcp.tcp_audit#role). An unknown name is an error.
    type: list
    elements: str
    default: []
notes:
  - With C(serial) it runs once per batch and covers all hosts each time; those of later batches are not judged yet.
    Only the last run fails on findings.
  - With the strategies C(free) and C(host_pinned) a task with C(run_once) runs for each host. The report is made by the
    host whose facts arrive last.
seealso:
  - module: nettune.tcp.tcp_facts
  - plugin: nettune.tcp.audit
    plugin_type: filter
  - plugin: nettune.tcp.audit_report
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Check the policy before any host is contacted
  nettune.tcp.audit:
    report_dir: reports
    validate_only: true
  run_once: true

- name: Gather the facts, and continue without hosts that do not answer
  nettune.tcp.tcp_facts:
    interval: 1
  register: gathered
  ignore_errors: true
  ignore_unreachable: true

- name: Judge all hosts, and fail on severe findings
  nettune.tcp.audit:
    registered: gathered
    report_dir: reports
    report_formats: [html, json, junit]
    fail_on: high
    validated: true
  run_once: true

- name: Accept a finding for a time
  nettune.tcp.audit:
    registered: gathered
    report_dir: reports
    waivers:
      - rule: timestamps
        hosts: [lb*]
        reason: The appliance behind it mangles them until it is replaced.
        owner: network team
        expires: 2027-03-31
  run_once: true
"""

RETURN = r"""
summary:
  description: The verdict, counts of hosts and results, and the findings, as in the JSON report.
  returned: unless O(validate_only=true)
  type: dict
  sample:
    verdict: fail
    worst: high
    hosts: {total: 10, judged: 9, passing: 7, failing: 2, undecided: 0, unreachable: 1, failed: 0, no_python: 0,
      missing: 0, incomplete: 1, stale: 0}
    results: {fail: 3, error: 0, unknown: 0, waived: 1, pass: 120, skip: 56}
    findings:
      - {id: accept-queue-full, title: No accept queue is nearly full, severity: high, hosts: 2}
    history: {new: 1, fixed: 0, persisting: 2}
reports:
  description: The paths of the reports, by format.
  returned: unless O(validate_only=true)
  type: dict
  sample: {html: /srv/audit/reports/tcp-audit.html}
lines:
  description: The report for a terminal. The last line is the verdict.
  returned: unless O(validate_only=true)
  type: list
  elements: str
  sample: ["FAIL: 10 hosts, 2 failing, 7 passing, 1 unreachable"]
rules:
  description: The ids of the rules that will be applied.
  returned: with O(validate_only=true)
  type: list
  elements: str
  sample: [accept-queue-full]
profiles:
  description:
    - What each profile of the role P(nettune.tcp.tcp_tuning#role) wants, by name.
    - The empty name stands for no profile.
  returned: with O(validate_only=true)
  type: dict
  sample: {web: {sysctls: {net.core.somaxconn: {at_least: 16384}}, file_limits: [], backlogs: []}}
"""

# The action plugin of the same name does the work.
