# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Scripts that start a service and give it a limit of their own, after systemd has given it the unit's.

There is one that matters: Debian's apachectl, which does ``ulimit -n 8192``, soft and hard, or what
APACHE_ULIMIT_MAX_FILES in /etc/apache2/envvars says (apache2ctl of Debian 11 to 14).
"""

from __future__ import annotations

import os
import re
import typing as t

from .. import _files
from .._boot.unit_files import UnitFiles
from .._kernel.rlimits import Limits
from .observed import StartScript

_SCRIPT = "apache2ctl"
_ENVVARS = "envvars"
_DEFAULT = re.compile(r'^ULIMIT_MAX_FILES="\$\{APACHE_ULIMIT_MAX_FILES:-([^}"]*)\}"')
_SET = re.compile(r"""^\s*(?:export\s+)?APACHE_ULIMIT_MAX_FILES=(["']?)([^"']+)\1\s*$""")
_ULIMIT = re.compile(r"ulimit\s+-n\s+([0-9]{1,9})\Z")
_CONFDIR = re.compile(r"""(?:^|\s)["']?APACHE_CONFDIR=([^\s"']+)""")


def find(unit: str, files: UnitFiles) -> t.Optional[StartScript]:
    """The script that starts a unit, where it gives it a limit of its own."""
    commands = [setting.value for setting in files.settings("Service", "ExecStart") if setting.value]
    program = os.path.realpath(commands[-1].lstrip("@-:+!").split()[0]) if commands else ""
    if os.path.basename(program) != _SCRIPT:
        return None
    envvars = f"{_configuration(unit, files)}/{_ENVVARS}"
    return parse(program, _files.text(program), envvars, _files.text(envvars))


def parse(script: str, text: str, envvars: str, variables: str) -> t.Optional[StartScript]:
    """What the script does with these variables, None where that is no plain number of files.  Pure."""
    default = _last(script, text, _DEFAULT, 1)
    if default is None:
        return None
    command, source = _last(envvars, variables, _SET, 2) or default
    match = _ULIMIT.match(command.strip())
    if match is None:
        return None
    number = int(match[1])
    return StartScript(
        Limits(number, number), source, f"APACHE_ULIMIT_MAX_FILES='ulimit -n N' in {envvars} changes that"
    )


def _last(path: str, text: str, pattern: t.Pattern[str], group: int) -> t.Optional[t.Tuple[str, str]]:
    """What the last line that matches says, and its file:line."""
    found = [(match[group], number) for number, match in enumerate(map(pattern.match, text.split("\n")), 1) if match]
    return (found[-1][0], f"{path}:{found[-1][1]}") if found else None


def _configuration(unit: str, files: UnitFiles) -> str:
    values = (_CONFDIR.search(setting.value) for setting in files.settings("Service", "Environment"))
    directories = [match[1] for match in values if match]
    instance = unit.partition("@")[2].rpartition(".")[0]
    return directories[-1].replace("%i", instance) if directories else "/etc/apache2"
