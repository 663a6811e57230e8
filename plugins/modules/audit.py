#!/usr/bin/python

# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: audit
short_description: Judge the TCP facts of all hosts of a play, and report
version_added: 0.1.0
author:
  - The nettune.tcp contributors (@nettune)
description:
  - Judges the facts of all hosts of the play by a policy, on the controller, in one task with C(run_once), and writes
    one report about them in every format that is asked for.
  - Every host of the play's pattern is in the report, those too that could not be reached, that failed, or whose facts
    are not there.
  - A fact that is missing is neither a pass nor a failure. The rule is V(unknown) for that host, and says which fact.
  - The role P(nettune.tcp.tcp_audit#role) gathers the facts and calls this.
extends_documentation_fragment:
  - nettune.tcp._attributes
attributes:
  action:
    support: full
    description: Runs on the controller.
  check_mode:
    support: full
    description: Writes the reports in C(check_mode), too, and says so in them.
  diff_mode:
    support: none
    description: Has nothing to show in C(diff) mode.
  idempotent:
    support: none
    description: The reports are written anew each time.
  platform:
    support: full
    platforms: linux
    description: Linux, on the controller.
requirements:
  - jmespath, on the controller
options:
  policy:
    description:
      - The policies to judge by. Each is the name of one of the role P(nettune.tcp.tcp_audit#role), or the path of a
        YAML file, from where Ansible was started or else from the playbook's directory.
      - P(nettune.tcp.audit#filter) tells how rules are written.
    type: list
    elements: str
    default: [baseline, connections, queues, limits]
  rules:
    description:
      - Rules of your own. One with the O(rules[].id) of a rule of the policy replaces it. It may have just the
        fields that should differ, such as O(rules[].severity).
    type: list
    elements: dict
    default: []
    suboptions:
      id:
        description: Its name.
        type: str
        required: true
      title:
        description: What must be so, in a sentence.
        type: str
      severity:
        description: How bad it is when that is not so.
        type: str
        choices: [info, low, medium, high, critical]
      description:
        description: What it is about.
        type: str
      remedy:
        description: What helps.
        type: str
      not_remedy:
        description: What does not help, and why.
        type: str
      that:
        description: Must be true of the facts. A rule has this or O(rules[].none).
        type: str
      none:
        description: Must find nothing. What it finds is the evidence.
        type: str
      when:
        description: Whether the rule applies. Where it does not, it is skipped.
        type: str
      needs:
        description: Facts without which there is no verdict, beyond those the rule takes it from.
        type: list
        elements: str
      evidence:
        description: What is shown.
        type: str
  exclude:
    description: Ids of rules to leave out.
    type: list
    elements: str
    default: []
  thresholds:
    description: Numbers that replace the policy's thresholds, by name.
    type: dict
    default: {}
  waivers:
    description:
      - Findings that are accepted until a day, a list of dictionaries, or the path of a YAML file with a list named
        C(waivers). Each has C(rule), an id, C(hosts), patterns like V(web*) of names of hosts or groups, C(reason),
        C(owner), and C(expires), the last day on which it holds.
      - A waived finding is shown as such. Once the waiver has expired, the finding fails and says so.
    type: raw
    default: []
  registered:
    description: The name under which the task that gathers the facts has registered its result.
    type: str
  from_cache:
    description:
      - Take the facts of Ansible's fact cache, and ask no host. O(registered) is not needed then.
    type: bool
    default: false
  max_age:
    description: After how many seconds facts count as stale. They are still judged, and the report says so.
    type: float
    default: 86400
  profile:
    description: The name of the tuning profile that hosts were compared with, or V(auto), for the report.
    type: str
  remediation:
    description:
      - The path of the record of a run of the role P(nettune.tcp.tcp_remediate#role), from where Ansible was started or
        else from the playbook's directory. The report shows its verdict, its batches and the hosts that it has not
        tuned, in every format but V(junit).
    type: str
  report_dir:
    description:
      - Where the reports are written on the controller, named C(tcp-audit) with the ending of the format. Without it
        none is written.
      - Those that are there are renamed to C(tcp-audit.previous) first. From that in JSON the history is taken.
    type: str
  report_formats:
    description:
      - V(html) is one page that needs nothing else; V(markdown) goes into tickets and wikis.
      - V(csv) has one line for each host and rule; V(json) is the whole report, the next one takes the history from it.
      - V(junit) makes a CI system show hosts as suites and rules as tests; V(sarif) makes a forge show findings.
      - V(openmetrics) is for a collector of text files.
    type: list
    elements: str
    choices: [html, markdown, csv, junit, json, sarif, openmetrics]
    default: [html, json]
  fail_on:
    description: Fail for findings of this severity and above, after the reports are written.
    type: str
    choices: [none, info, low, medium, high, critical]
    default: none
  fail_on_unseen:
    description: Fail for hosts that could not be judged, after the reports are written.
    type: bool
    default: false
  interval:
    description: O(nettune.tcp.tcp_facts#module:interval), which is checked before any host is asked.
    type: float
    default: 0
  top:
    description: O(nettune.tcp.tcp_facts#module:top), which is checked before any host is asked.
    type: int
    default: 10
  print:
    description: Whether the caller prints RV(lines). Nothing is printed here.
    type: bool
    default: true
  validate_only:
    description:
      - Check the arguments and the policy, and set former reports aside. For a first task, before facts are gathered.
    type: bool
    default: false
  validated:
    description:
      - A task with O(validate_only=true) has been before this one in the same play, so that the reports that are there
        are those of an earlier batch and not former ones.
    type: bool
    default: false
  variables:
    description: Names of variables of the role P(nettune.tcp.tcp_audit#role). One that it does not have is an error.
    type: list
    elements: str
    default: []
notes:
  - Under C(serial) it runs once for each batch, and each time about all hosts; those of later batches are not judged
    yet. Only the last one fails for findings.
  - Under the strategies C(free) and C(host_pinned) a task with C(run_once) runs for each host. The report is made by
    the one whose facts come last.
seealso:
  - module: nettune.tcp.tcp_facts
  - plugin: nettune.tcp.audit
    plugin_type: filter
  - plugin: nettune.tcp.audit_report
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Check the policy before any host is asked
  nettune.tcp.audit:
    report_dir: reports
    validate_only: true
  run_once: true

- name: Gather the facts, and go on without hosts that do not answer
  nettune.tcp.tcp_facts:
    interval: 1
  register: gathered
  ignore_errors: true
  ignore_unreachable: true

- name: Judge all hosts, and fail for what is severe
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
  description: The verdict, counts of hosts and results, and the findings. The same as in the report in JSON.
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
  description: The identifiers of the rules that will be judged by.
  returned: with O(validate_only=true)
  type: list
  elements: str
  sample: [accept-queue-full]
profiles:
  description: What each profile of the role P(nettune.tcp.tcp_tuning#role) wants, by name.
  returned: with O(validate_only=true)
  type: dict
  sample: {web: {sysctls: {net.core.somaxconn: {at_least: 16384}}, file_limits: [], backlogs: []}}
"""

# The action plugin of the same name does the work.
