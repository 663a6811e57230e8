# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Scripts that start a service and give it a limit of their own, after systemd has given it the unit's.

There is one that matters: Debian's apachectl, which does ``ulimit -n 8192``, soft and hard, or whatever command
APACHE_ULIMIT_MAX_FILES holds in the unit's environment or, read later, in /etc/apache2/envvars (apache2ctl of Debian 11
to 14).
"""

from __future__ import annotations

import os
import re
import shlex
import typing as t
from dataclasses import dataclass, replace

from .. import _files
from .._boot.unit_files import UnitFiles
from .._kernel.rlimits import Limits

_SCRIPT = "apache2ctl"
_VARIABLE = "APACHE_ULIMIT_MAX_FILES"
_DEFAULT = re.compile(rf'^ULIMIT_MAX_FILES="\$\{{{_VARIABLE}:-([^}}"]*)\}}"')
_SET = re.compile(rf"""^\s*(?:export\s+)?{_VARIABLE}=(["']?)([^"']+)\1\s*$""")
_ULIMIT = re.compile(r"ulimit\s+-n\s+([0-9]{1,9})\Z")

Environment = t.Mapping[str, str]
File = t.Tuple[str, str]  # path and text


@dataclass(frozen=True)
class StartScript:
    """The limit that the script which starts a service gives it, whatever systemd has given; ``cure`` changes that.

    ``variable`` of the unit's environment may hold another command; empty if it is set already, or set later.
    """

    limits: Limits
    source: str
    cure: str
    variable: str = ""


def find(unit: str, files: UnitFiles) -> t.Optional[StartScript]:
    """The script that starts a unit and what it does without the unit's environment, None if it sets no limit."""
    commands = _values(files, "ExecStart")
    program = os.path.realpath(commands[-1].lstrip("@-:+!").split()[0]) if commands else ""
    if os.path.basename(program) != _SCRIPT:
        return None
    instance = unit.partition("@")[2].rpartition(".")[0]
    directory = environment_of(files).get("APACHE_CONFDIR", "/etc/apache2").replace("%i", instance)
    later = [*(path.lstrip("-") for path in _values(files, "EnvironmentFile")), f"{directory}/envvars"]
    return parse((program, _files.text(program)), [(path, _files.text(path)) for path in later])


def parse(script: File, later: t.Sequence[File]) -> t.Optional[StartScript]:
    """What the script does if these files set its variables, None where that is no plain number of files.  Pure."""
    default = _last(script, _DEFAULT, 1)
    if default is None:
        return None
    found = [setting for setting in (_last(file, _SET, 2) for file in later) if setting]
    command, source = found[-1] if found else default
    cure = f"{_VARIABLE}='ulimit -n N' in {later[-1][0]} changes that"
    limits = _limits(command)
    return StartScript(limits, source, cure, "" if found else _VARIABLE) if limits else None


def within(script: t.Optional[StartScript], environment: Environment) -> t.Optional[StartScript]:
    """What the script does in this environment of its unit, None if it leaves the limit alone.  Pure."""
    command = environment.get(script.variable) if script else None
    if script is None or not command:
        return script
    limits = _limits(command)
    return replace(script, limits=limits, source=f"Environment={script.variable}", variable="") if limits else None


def environment_of(files: UnitFiles) -> t.Dict[str, str]:
    """The environment that the files give to the service, without that of EnvironmentFile."""
    return variables(_values(files, "Environment"))


def variables(lines: t.Iterable[str]) -> t.Dict[str, str]:
    """What lines of ``Environment=`` assign, and the line that systemd shows for all of them."""
    found: t.Dict[str, str] = {}
    for line in lines:
        try:
            assignments = [word.partition("=") for word in shlex.split(line)]
        except ValueError:
            continue
        found.update({name: value for name, equals, value in assignments if equals})
    return found


def _values(files: UnitFiles, key: str) -> t.List[str]:
    """The values of a directive that is a list: an empty one forgets the former ones."""
    values: t.List[str] = []
    for setting in files.settings("Service", key):
        values = [*values, setting.value] if setting.value else []
    return values


def _limits(command: str) -> t.Optional[Limits]:
    match = _ULIMIT.match(command.strip())
    return Limits(int(match[1]), int(match[1])) if match else None


def _last(file: File, pattern: t.Pattern[str], group: int) -> t.Optional[t.Tuple[str, str]]:
    """What the last line that matches says, and its file:line."""
    path, text = file
    found = [(match[group], number) for number, match in enumerate(map(pattern.match, text.split("\n")), 1) if match]
    return (found[-1][0], f"{path}:{found[-1][1]}") if found else None
