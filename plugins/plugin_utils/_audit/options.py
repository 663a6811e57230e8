# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What an audit is asked, brought to types: from a task, or as texts from a command line."""

from __future__ import annotations

import collections.abc
import functools
import json
import typing as t
from dataclasses import dataclass
from pathlib import Path

import yaml
from ansible.module_utils.common.yaml import yaml_load

from .._report.formats import FORMATS
from . import profiles, remediation
from .errors import AuditError, PolicyError, unknown
from .policy import SEVERITIES, Rule, combine, parse_policy
from .waivers import Waiver, parse_waivers

COLLECTION = Path(__file__).parents[3]
_ROLE = COLLECTION / "roles" / "tcp_audit"
_POLICIES = _ROLE / "policies"
_PROFILES = COLLECTION / "roles" / "tcp_tuning" / "profiles"

# Each host is compared as its own variables say.
AUTO = "auto"

# The arguments of the task, as Ansible's own argument specs have them.
SPEC: t.Mapping[str, t.Mapping[str, t.Any]] = {
    "policy": {"type": "list", "elements": "str", "default": ["baseline", "connections", "queues", "limits"]},
    "rules": {"type": "list", "elements": "dict", "default": []},
    "exclude": {"type": "list", "elements": "str", "default": []},
    "thresholds": {"type": "dict", "default": {}},
    "waivers": {"type": "raw", "default": []},
    "registered": {"type": "str"},
    "from_cache": {"type": "bool", "default": False},
    "max_age": {"type": "float", "default": 86400},
    "profile": {"type": "str"},
    "remediation": {"type": "str"},
    "report_dir": {"type": "str"},
    "report_formats": {"type": "list", "elements": "str", "choices": list(FORMATS), "default": ["html", "json"]},
    "fail_on": {"type": "str", "choices": ["none", *reversed(SEVERITIES)], "default": "none"},
    "fail_on_unseen": {"type": "bool", "default": False},
    "interval": {"type": "float", "default": 0},
    "top": {"type": "int", "default": 10},
    "print": {"type": "bool", "default": True},
    "validate_only": {"type": "bool", "default": False},
    "validated": {"type": "bool", "default": False},
    "variables": {"type": "list", "elements": "str", "default": []},
}

Load = t.Callable[[Path], t.Any]


@dataclass(frozen=True)
class Asked:
    """Everything about the audit but its hosts."""

    policy: t.Mapping[str, str]
    rules: t.Sequence[Rule]
    waivers: t.Sequence[Waiver]
    profiles: t.Mapping[str, profiles.Wants]
    remediation: t.Optional[remediation.Data] = None


def from_text(value: t.Any) -> t.Any:
    """A list or dictionary that was given as a text, as ``-e name=value`` gives it."""
    if not isinstance(value, str) or not value.lstrip().startswith(("[", "{")):
        return value
    try:
        return yaml.safe_load(value)  # libyaml takes no text that Ansible has tagged
    except yaml.YAMLError as exc:
        hint = "with -e, a value with spaces needs quotes of its own, or JSON for all of it"
        raise AuditError(f"this is not YAML: {value!r} ({hint})") from exc


def read(arguments: t.Mapping[str, t.Any], load: Load, places: t.Sequence[Path]) -> Asked:
    """The rules and waivers that are asked for; ``places`` are where relative paths begin.  Raises AuditError."""
    _check_variables(arguments["variables"])
    _check_gathering(arguments)
    known = profiles.read(_PROFILES)
    profile, record = arguments["profile"], arguments["remediation"]
    if profile and profile not in (AUTO, *known):
        raise AuditError(unknown("there is no profile called", profile, known))
    sources = [_find_policy(name, places) for name in arguments["policy"]]
    policy = combine(_policy(source, load) for source in sources)
    rules = parse_policy(policy, arguments["rules"], arguments["exclude"], arguments["thresholds"])
    waivers = from_text(arguments["waivers"])
    if isinstance(waivers, str):
        waivers = _listed(load(_find(waivers, places, "the file of waivers")), "waivers") if waivers else []
    return Asked(
        policy={"name": ", ".join(map(_name, sources)), "source": ", ".join(map(_shown, sources))},
        rules=rules,
        waivers=parse_waivers(waivers, {rule.id for rule in rules}),
        profiles={"": profiles.nothing(), **known},
        remediation=remediation.read(_find(record, places, "the record of a remediation")) if record else None,
    )


def _policy(source: Path, load: Load) -> t.Any:
    policy = load(source)
    try:
        combine([policy])
    except PolicyError as exc:
        raise PolicyError(f"{source}: {exc}") from exc
    return policy


def _name(source: Path) -> str:
    return source.stem if source.parent == _POLICIES else source.name


def _shown(source: Path) -> str:
    return str(source.relative_to(COLLECTION) if source.is_relative_to(COLLECTION) else source)


def _listed(raw: t.Any, name: str) -> t.Any:
    return raw.get(name) if isinstance(raw, collections.abc.Mapping) else raw


def _find_policy(name: str, places: t.Sequence[Path]) -> Path:
    shipped = _POLICIES / f"{name}.yml"
    if "/" not in name and shipped.is_file():
        return shipped
    if "/" not in name and not name.endswith((".yml", ".yaml", ".json")):
        raise AuditError(unknown("there is no policy called", name, (path.stem for path in _POLICIES.glob("*.yml"))))
    return _find(name, places, "the policy")


def _find(name: str, places: t.Sequence[Path], what: str) -> Path:
    found = [path for path in (place / Path(name).expanduser() for place in places) if path.is_file()]
    if not found:
        raise AuditError(f"{what} {name} was not found in {' or '.join(map(str, places))}")
    return found[0]


def _check_variables(names: t.Iterable[str]) -> None:
    known = role_variables()
    for name in names:
        if name not in known:
            raise AuditError(unknown("the role tcp_audit has no variable", name, known))


def _check_gathering(arguments: t.Mapping[str, t.Any]) -> None:
    """What every host would refuse."""
    if not 0 <= arguments["interval"] <= 3600:
        raise AuditError(f"interval must be between 0 and 3600 seconds, got {arguments['interval']}")
    if arguments["top"] < 0:
        raise AuditError(f"top must not be negative, got {arguments['top']}")


@functools.lru_cache(maxsize=1)
def role_variables() -> t.FrozenSet[str]:
    """The names of the variables of the role and its playbook, and of what it registers."""
    specs = yaml_load((_ROLE / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    return frozenset(specs["argument_specs"]["main"]["options"]) | {"tcp_audit_hosts", "tcp_audit_result"}


@functools.lru_cache(maxsize=1)
def collection() -> t.Mapping[str, str]:
    """Name and version of this collection, from where it is built or installed."""
    manifest, source = COLLECTION / "MANIFEST.json", COLLECTION / "galaxy.yml"
    if manifest.is_file():
        about = json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]
    elif source.is_file():
        about = yaml_load(source.read_text(encoding="utf-8"))
    else:  # a copy of what plays need, and nothing else
        about = {"namespace": "nettune", "name": "tcp", "version": "unknown"}
    return {"name": f"{about['namespace']}.{about['name']}", "version": str(about["version"])}
