# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.nettune.tcp.plugins.plugin_utils._remediate import options
from ansible_collections.nettune.tcp.plugins.plugin_utils._remediate.errors import RemediateError


def read(**given: t.Any) -> options.Asked:
    texts = {name: options.from_text(value) for name, value in given.items()}
    result = ArgumentSpecValidator(dict(options.SPEC)).validate({"step": "check", **texts})
    assert not result.error_messages
    return options.read(result.validated_parameters)


def test_texts_of_a_command_line() -> None:
    asked = read(batches='[1, "50%"]', canaries="[a, b]", max_hosts="10%", interval="5", ratio="3", confirm="300")
    assert [size.of(10) for size in asked.sizes] == [1, 5]
    assert (asked.canaries, asked.max_hosts.of(50), asked.limits.ratio, asked.confirm) == (("a", "b"), 5, 3.0, 300)


@pytest.mark.parametrize(
    "given, message",
    [
        ({"batches": []}, "batches needs"),
        ({"batches": ["0"]}, "batches needs"),
        ({"batches": ["many"]}, "batches takes"),
        ({"budget": "lots"}, "budget takes"),
        ({"interval": 0}, "interval must be a number of at least 1"),
        ({"controls": 0}, "controls must be a number of at least 1"),
        # Nothing is ever worse than that.
        ({"ratio": "nan"}, "ratio must be a number of at least 1.*nan"),
        ({"margin": "inf"}, "margin must be a number of at least 0.*inf"),
        ({"confirm": 60, "interval": 30}, "more than twice the interval"),
        ({"variables": ["tcp_remediate_bugdet"]}, "did you mean tcp_remediate_budget"),
    ],
)
def test_what_is_wrong(given: t.Dict[str, t.Any], message: str) -> None:
    with pytest.raises(RemediateError, match=message):
        read(**given)


def test_a_canary_that_does_not_exist_is_named() -> None:
    options.check_canaries(read(canaries=["web1"]), ["web1", "web2"])
    with pytest.raises(RemediateError, match="canaries: wbe1 is not in the inventory"):
        options.check_canaries(read(canaries=["web2", "wbe1"]), ["web1", "web2"])


@pytest.mark.parametrize("product", ["awx", "tower"])
def test_a_slice_of_a_job_is_refused(product: str) -> None:
    job = {f"{product}_job_id": 7, f"{product}_job_template_name": "Remediate"}
    with pytest.raises(RemediateError, match="one slice of the job Remediate"):
        options.check_slices({**job, f"{product}_workflow_job_name": "Remediate"})
    options.check_slices({**job, f"{product}_workflow_job_name": "Nightly"})
    options.check_slices(job)
    options.check_slices({f"{product}_workflow_job_name": "Nightly"})
    options.check_slices({})


def test_the_variables_of_the_role_are_known() -> None:
    read(
        variables=[
            f"tcp_remediate_{name}" for name in options.SPEC if name not in ("step", "run", "batch", "variables")
        ]
    )
