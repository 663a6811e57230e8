# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.nettune.tcp.plugins.plugin_utils._audit import options
from ansible_collections.nettune.tcp.plugins.plugin_utils._audit.errors import AuditError
from ansible_collections.nettune.tcp.tests.unit.plugins.plugin_utils._audit.test_judge import rule
from ansible_collections.nettune.tcp.tests.unit.plugins.plugin_utils.fleets import ROOT


def load(path: Path) -> t.Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def read(places: t.Sequence[Path], **asked: t.Any) -> options.Asked:
    defaults = {name: spec.get("default") for name, spec in options.SPEC.items()}
    return options.read({**defaults, **asked}, load, places)


@pytest.fixture(name="place")
def fixture_place(tmp_path: Path) -> Path:
    (tmp_path / "my.yml").write_text(yaml.safe_dump({"rules": [rule(id="mine")]}), encoding="utf-8")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "mine").write_text(yaml.safe_dump([rule(id="deep")]), encoding="utf-8")
    (tmp_path / "text.yml").write_text("- just a text", encoding="utf-8")
    waivers = [{"rule": "mine", "hosts": "*", "reason": "r", "owner": "o", "expires": "2030-01-01"}]
    (tmp_path / "waivers.yml").write_text(yaml.safe_dump({"waivers": waivers}), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("name", ["my.yml", "./my.yml", "sub/../my.yml", "{place}/my.yml"])
def test_a_policy_is_found_by_its_path(name: str, place: Path) -> None:
    found = read([Path("/nowhere"), place], policy=[name.format(place=place)])
    assert [one.id for one in found.rules] == ["mine"]
    assert found.policy["name"] == "my.yml"


def test_a_path_needs_no_suffix_where_it_is_one(place: Path) -> None:
    assert [one.id for one in read([place], policy=["sub/mine"]).rules] == ["deep"]


def test_a_policy_of_the_role_is_found_by_its_name_and_several_combine(place: Path) -> None:
    found = read([place], policy=["baseline", "my.yml"])
    assert {"timestamps", "mine"} <= {one.id for one in found.rules}
    assert found.policy["name"] == "baseline, my.yml"
    assert found.policy["source"].startswith("roles/tcp_audit/policies/baseline.yml, /")


@pytest.mark.parametrize(
    "asked, said",
    [
        ({"policy": ["baselin"]}, "no policy called 'baselin', did you mean baseline"),
        ({"policy": ["your.yml"]}, "the policy your.yml was not found in /"),
        ({"policy": ["./baseline"]}, "the policy ./baseline was not found"),
        ({"profile": "wbe"}, "no profile called 'wbe', did you mean web"),
        ({"waivers": "w.yml"}, "the file of waivers w.yml was not found"),
        ({"remediation": "r.json"}, "the record of a remediation r.json was not found in /"),
        ({"remediation": "my.yml"}, "my.yml is not the record of a remediation: Expecting value"),
        ({"waivers": [{"rule": "x"}]}, "waiver number 1 lacks"),
        ({"policy": ["waivers.yml"]}, "waivers.yml: a policy is a list of rules"),
        ({"policy": ["text.yml"]}, "text.yml: rule number 1 is not a dictionary with an id"),
        ({"interval": -1.0}, "interval must be between 0 and 3600 seconds, got -1.0"),
        ({"top": -1}, "top must not be negative"),
        ({"waivers": "[{"}, "this is not YAML"),
        ({"exclude": ["x"]}, "no rule to exclude called 'x'"),
        (
            {"variables": ["tcp_audit_policy", "tcp_audit_polcy"]},
            "no variable 'tcp_audit_polcy', did you mean tcp_audit_pol",
        ),
    ],
)
def test_what_is_wrong_is_named(asked: t.Dict[str, t.Any], said: str, place: Path) -> None:
    with pytest.raises(AuditError, match=said):
        read([place], **asked)


@pytest.mark.parametrize("waivers", ["waivers.yml", "{place}/waivers.yml"])
def test_waivers_are_read_from_a_file(waivers: str, place: Path) -> None:
    [only] = read([place], policy=["my.yml"], waivers=waivers.format(place=place)).waivers
    assert only.rule == "mine"


@pytest.mark.parametrize("waivers", ["", []])
def test_no_waivers_are_none(waivers: t.Any, place: Path) -> None:
    assert read([place], waivers=waivers).waivers == []


@pytest.mark.parametrize(
    "raw, value",
    [
        ('[{"id": "x"}]', [{"id": "x"}]),
        (" {full: 0.5}", {"full": 0.5}),
        ("html,json", "html,json"),
        ("full=0.5", "full=0.5"),
        ([1], [1]),
        (True, True),
    ],
)
def test_texts_of_a_command_line_become_data(raw: t.Any, value: t.Any) -> None:
    assert options.from_text(raw) == value


DOCUMENTED: t.Mapping[str, t.Any] = yaml.safe_load(
    (ROOT / "plugins/modules/audit.py").read_text(encoding="utf-8").split('DOCUMENTATION = r"""')[1].split('"""')[0]
)["options"]


def test_the_documentation_has_the_options_that_there_are() -> None:
    assert set(DOCUMENTED) == set(options.SPEC)
    for name, spec in options.SPEC.items():
        documented = {field: DOCUMENTED[name].get(field) for field in ("type", "elements", "default")}
        assert documented == {field: spec.get(field) for field in documented}, name
        assert set(DOCUMENTED[name].get("choices", ())) == set(spec.get("choices", ())), name


def test_a_rule_of_ones_own_may_have_what_is_documented() -> None:
    from ansible_collections.nettune.tcp.plugins.plugin_utils._audit import policy  # noqa: PLC0415

    assert set(DOCUMENTED["rules"]["suboptions"]) == {*policy._TEXTS, *policy._JUDGING}


def test_the_role_has_its_variables_documented_and_hands_them_on() -> None:
    role = ROOT / "roles/tcp_audit"
    specs = load(role / "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    defaults = load(role / "defaults/main.yml")
    assert set(defaults) == set(specs)
    for name, spec in specs.items():
        assert "default" not in spec or spec["default"] == defaults[name], name
    tasks = "".join(path.read_text(encoding="utf-8") for path in (role / "tasks").glob("*.yml"))
    assert [name for name in specs if name not in tasks] == []


def test_the_version_is_that_of_the_collection() -> None:
    found = options.collection()
    assert found == {"name": "nettune.tcp", "version": load(ROOT / "galaxy.yml")["version"]}
