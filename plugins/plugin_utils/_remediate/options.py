# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The request for a remediation, converted to types: from a task, or as strings from a command line."""

from __future__ import annotations

import difflib
import functools
import math
import typing as t
from dataclasses import dataclass
from pathlib import Path

import yaml
from ansible.module_utils.common.yaml import yaml_load

from .errors import RemediateError
from .health import Limits
from .share import Share, parse

_ROLE = Path(__file__).parents[3] / "roles" / "tcp_remediate"

STOP, CONTINUE = "stop", "continue"
BATCH, RUN = "batch", "run"

# The arguments of the task, in the form of Ansible's argument specs.
SPEC: t.Mapping[str, t.Mapping[str, t.Any]] = {
    "step": {"type": "str", "required": True, "choices": ["check", "plan", "measure", "judge", "settle", "finish"]},
    "run": {"type": "str"},
    "batch": {"type": "int"},
    "batches": {"type": "list", "elements": "str", "default": ["1", "5%", "10%", "25%"]},
    "canaries": {"type": "list", "elements": "str", "default": []},
    "max_hosts": {"type": "str", "default": "100"},
    "budget": {"type": "str", "default": "10%"},
    "cooldown": {"type": "int", "default": 3600},
    "controls": {"type": "int", "default": 10},
    "interval": {"type": "int", "default": 30},
    "min_connections": {"type": "int", "default": 100},
    "min_events": {"type": "int", "default": 10},
    "ratio": {"type": "float", "default": 2.0},
    "margin": {"type": "float", "default": 0.01},
    "on_inconclusive": {"type": "str", "choices": [STOP, CONTINUE], "default": STOP},
    "rollback": {"type": "str", "choices": [BATCH, RUN], "default": BATCH},
    "confirm": {"type": "int", "default": 0},
    "record_dir": {"type": "str"},
    "variables": {"type": "list", "elements": "str", "default": []},
}


@dataclass(frozen=True)
class Asked:
    """Everything about the remediation except its hosts; times in seconds."""

    sizes: t.Tuple[Share, ...]
    canaries: t.Tuple[str, ...]
    max_hosts: Share
    budget: Share
    cooldown: int
    controls: int
    limits: Limits
    goes_on_inconclusive: bool
    takes_back_run: bool
    confirm: int


def from_text(value: t.Any) -> t.Any:
    """A list that was given as a string, as with ``-e name=value``."""
    if not isinstance(value, str) or not value.lstrip().startswith("["):
        return value
    try:
        return yaml.safe_load(value)  # libyaml takes no text that Ansible has tagged
    except yaml.YAMLError as exc:
        raise RemediateError(f"this is not YAML: {value!r}") from exc


def read(arguments: t.Mapping[str, t.Any]) -> Asked:
    """The request in validated arguments.  Raises RemediateError naming what is wrong."""
    _check_variables(arguments["variables"])
    _check_numbers(arguments)
    sizes = tuple(parse(size, "batches") for size in arguments["batches"])
    if not sizes or any(size.number == 0 for size in sizes):
        raise RemediateError("batches needs sizes of at least one host")
    return Asked(
        sizes=sizes,
        canaries=tuple(arguments["canaries"]),
        max_hosts=parse(arguments["max_hosts"], "max_hosts"),
        budget=parse(arguments["budget"], "budget"),
        cooldown=arguments["cooldown"],
        controls=arguments["controls"],
        limits=Limits(*(arguments[name] for name in ("min_connections", "min_events", "ratio", "margin"))),
        goes_on_inconclusive=arguments["on_inconclusive"] == CONTINUE,
        takes_back_run=arguments["rollback"] == RUN,
        confirm=arguments["confirm"],
    )


def check_canaries(asked: Asked, inventory: t.Container[str]) -> None:
    """Raise RemediateError for a canary that does not exist, since another host would be tuned first instead."""
    unknown = [name for name in asked.canaries if name not in inventory]
    if unknown:
        raise RemediateError(f"canaries: {unknown[0]} is not in the inventory")


def check_slices(variables: t.Mapping[str, t.Any]) -> None:
    """Raise RemediateError in an AWX job slice, recognized by the variables that AWX sets for every job.

    AWX runs the slices of a job template as a workflow with the template's name.
    """
    for product in ("awx", "tower"):
        workflow, template = (variables.get(f"{product}_{name}_name") for name in ("workflow_job", "job_template"))
        if workflow and workflow == template:
            raise RemediateError(
                f"this is one slice of the job {template}, and each slice would have its own canaries and budget:"
                " set the number of job slices of its template to 1. A workflow that is not a sliced job needs a name"
                " different from its template's"
            )


def _check_numbers(arguments: t.Mapping[str, t.Any]) -> None:
    lowest = {"interval": 1, "controls": 1, "ratio": 1, "cooldown": 0, "confirm": 0, "margin": 0, "min_events": 1}
    for name, least in lowest.items():
        if not least <= arguments[name] < math.inf:  # neither is true of nan
            raise RemediateError(f"{name} must be a number of at least {least}, not {arguments[name]}")
    confirm, interval = arguments["confirm"], arguments["interval"]
    if confirm and confirm <= 2 * interval:
        raise RemediateError(
            f"confirm must be more than twice the interval of {interval} seconds, or hosts roll back while their"
            f" batch is judged, not {confirm}"
        )


def _check_variables(names: t.Iterable[str]) -> None:
    known = role_variables()
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f", did you mean {near[0]}?" if near else ""
            raise RemediateError(f"the role tcp_remediate has no variable {name!r}{hint}")


@functools.lru_cache(maxsize=1)
def role_variables() -> t.FrozenSet[str]:
    """The names of the variables of the role and its playbook, and of those it registers."""
    specs = yaml_load((_ROLE / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    return frozenset(specs["argument_specs"]["main"]["options"]) | {"tcp_remediate_hosts", "tcp_remediate_result"}
