# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every example that is shown to users is held against the argument specs of what it calls."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

COLLECTION = Path(__file__).resolve().parents[3]
PREFIX = "nettune.tcp."
SPEC_KEYS = ("type", "elements", "required", "choices", "default")
TASK_LISTS = ("tasks", "pre_tasks", "post_tasks", "handlers", "block", "rescue", "always")
_YAML_BLOCK = re.compile(r"^```ya?ml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_EXAMPLES = re.compile(r'^EXAMPLES = r"""\n(.*?)^"""$', re.MULTILINE | re.DOTALL)
_DOCUMENTATION = re.compile(r'^DOCUMENTATION = r"""\n(.*?)^"""$', re.MULTILINE | re.DOTALL)

Example = t.Tuple[str, str]  # where it stands, and its text
Data = t.Dict[str, t.Any]


def documents() -> t.List[Path]:
    """What users read, where the whole collection is here."""
    names = ["README*.md", "docs/**/*.md", "docs/**/*.yml", "roles/*/README.md", "playbooks/*.yml"]
    return sorted(path for name in names for path in COLLECTION.glob(name))


def modules() -> t.Dict[str, Path]:
    return {f"{PREFIX}{path.stem}": path for path in (COLLECTION / "plugins/modules").glob("*.py")}


def examples() -> t.Iterator[Example]:
    for path in documents():
        text, where = path.read_text(encoding="utf-8"), str(path.relative_to(COLLECTION))
        blocks = [text] if path.suffix == ".yml" else _YAML_BLOCK.findall(text)
        yield from ((f"{where} {number}", block) for number, block in enumerate(blocks, 1))
    for name, path in modules().items():
        for block in _EXAMPLES.findall(path.read_text(encoding="utf-8")):
            yield name, block


def tasks(data: t.Any) -> t.Iterator[Data]:
    """The tasks, and the roles that are applied, in a play, a list of tasks or a block of them."""
    if isinstance(data, list):
        for item in data:
            yield from tasks(item)
    elif isinstance(data, dict):
        inner = [name for name in TASK_LISTS if name in data]
        for name in inner:
            yield from tasks(data[name])
        for role in data.get("roles", ()) if isinstance(data.get("roles"), list) else ():
            yield {"include_role": {"name": role if isinstance(role, str) else role["role"]}, **_vars(data, role)}
        if not inner and "hosts" not in data:
            yield data


def _vars(play: Data, role: t.Union[str, Data]) -> Data:
    return {"vars": {**play.get("vars", {}), **(role.get("vars", {}) if isinstance(role, dict) else {})}}


def fragments(documentation: Data) -> t.Iterator[Data]:
    for name in documentation.get("extends_documentation_fragment", ()):
        file, _dot, part = name[len(PREFIX) :].partition(".")
        source = (COLLECTION / f"plugins/doc_fragments/{file}.py").read_text(encoding="utf-8")
        found = re.search(
            rf'^    {part.upper() or "DOCUMENTATION"} = r"""\n(.*?)^"""$', source, re.MULTILINE | re.DOTALL
        )
        if found:
            yield yaml.safe_load(found[1])


def spec_of_module(path: Path) -> Data:
    [text] = _DOCUMENTATION.findall(path.read_text(encoding="utf-8"))
    documentation = yaml.safe_load(text)
    options = {key: value for one in fragments(documentation) for key, value in one.get("options", {}).items()}
    return spec({**options, **documentation.get("options", {})})


def spec(options: Data) -> Data:
    """Documented options as an argument spec."""
    made: Data = {}
    for name, option in options.items():
        made[name] = {key: option[key] for key in SPEC_KEYS if key in option}
        if option.get("aliases"):
            made[name]["aliases"] = option["aliases"]
        if "suboptions" in option or "options" in option:
            made[name]["options"] = spec(option.get("suboptions") or option["options"])
    return made


def spec_of_role(name: str) -> t.Optional[Data]:
    path = COLLECTION / f"roles/{name[len(PREFIX) :]}/meta/argument_specs.yml"
    if not path.exists():
        return None
    return spec(yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"]["main"]["options"])


def errors(given: Data, wanted: Data, what: str) -> t.List[str]:
    """What the validator says of those values that are no templates."""
    plain = {name: value for name, value in given.items() if "{{" not in str(value)}
    relaxed = {
        name: {**one, "required": one.get("required", False) and name not in given} for name, one in wanted.items()
    }
    unknown = [f"{what}: there is no {name}" for name in given if name not in wanted and not _aliased(name, wanted)]
    return unknown or [f"{what}: {text}" for text in ArgumentSpecValidator(relaxed).validate(plain).error_messages]


def _aliased(name: str, wanted: Data) -> bool:
    return any(name in one.get("aliases", ()) for one in wanted.values())


def judge(task: Data) -> t.List[str]:
    """What is wrong with one task."""
    found = [f"there is no {key}" for key in task if key.startswith(PREFIX) and key not in modules()]
    for name, path in modules().items():
        if name in task:
            found += errors(task[name] or {}, spec_of_module(path), name)
    called = next((task[key] for key in task if key.endswith(("include_role", "import_role"))), None)
    if isinstance(called, dict) and str(called.get("name")).startswith(PREFIX):
        wanted = spec_of_role(called["name"])
        prefix = f"{called['name'][len(PREFIX) :]}_"
        given = {name: value for name, value in task.get("vars", {}).items() if name.startswith(prefix)}
        found += [f"no role {called['name']}"] if wanted is None else errors(given, wanted, called["name"])
    short = [key for key in task if key in ("debug", "assert", "copy", "set_fact", "command", "template", "fail")]
    return found + [f"{name} lacks its collection" for name in short]


@pytest.mark.parametrize("example", list(examples()), ids=lambda example: example[0])
def test_every_example_is_what_the_specs_ask_for(example: Example) -> None:
    assert [wrong for task in tasks(yaml.safe_load(example[1])) for wrong in judge(task)] == []


def test_there_are_examples() -> None:
    assert {name for name, _text in examples()} > set(modules())


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("- nettune.tcp.sysctl: {setings: {}}", "there is no setings"),
        ("- nettune.tcp.sysctls: {}", "there is no nettune.tcp.sysctls"),
        ("- nettune.tcp.sysctl: {}", "missing required arguments: settings"),
        ("- nettune.tcp.sysctl: {settings: {}, state: gone}", "state must be one of"),
        ("- nettune.tcp.nofile: {unit: nginx, live: perhaps}", "live"),
        (
            "- hosts: all\n  roles:\n    - role: nettune.tcp.tcp_audit\n      vars: {tcp_audit_tpo: 1}",
            "no tcp_audit_tpo",
        ),
        ("- hosts: all\n  roles: [nettune.tcp.unknown]", "no role nettune.tcp.unknown"),
        ("- block:\n    - debug: {msg: x}", "debug lacks its collection"),
    ],
)
def test_what_is_wrong_is_seen(text: str, wrong: str) -> None:
    [told] = [error for task in tasks(yaml.safe_load(text)) for error in judge(task)]
    assert wrong in told
