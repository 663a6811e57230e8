# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the filters say of wrong arguments."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.nettune.tcp.plugins.filter.audit import audit
from ansible_collections.nettune.tcp.plugins.filter.audit_report import audit_report

RULE = {"id": "x", "title": "X", "severity": "low", "remedy": "R."}


@pytest.mark.parametrize(
    "asked, message",
    [
        (lambda: audit({}, [{**RULE, "that": "a b"}]), "nettune.tcp.audit: rule x: Unexpected token: b"),
        (lambda: audit({}, [RULE]), "nettune.tcp.audit: rule x "),
        (lambda: audit([], [RULE]), "nettune.tcp.audit needs the facts"),
        (lambda: audit_report({}), "needs a JSON report"),
        (lambda: audit_report({"schema": 1}, "pdf"), "'pdf' is not one of html"),
        (lambda: audit_report({"schema": 1}), r"not a complete report: KeyError\('"),
    ],
)
def test_the_message_names_the_problem_and_ansible_has_no_cause_to_repeat(
    asked: t.Callable[[], t.Any], message: str
) -> None:
    with pytest.raises(AnsibleFilterError, match=message) as caught:
        asked()
    assert caught.value.__cause__ is None
