# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What systemd itself knows, asked through ``systemctl``, the one program that may speak for it.

Output is read as ``Name=value`` lines only (``systemctl show``), in the C locale. Tested with 247, 252, 257 and 262.
"""

from __future__ import annotations

import glob
import os
import re
import typing as t

from .. import _command
from .._errors import BadRequest, NettuneError, Unsupported

Properties = t.Dict[str, str]
Run = t.Callable[[t.Sequence[str]], str]

_BOOTED = "/run/systemd/system"
_TYPES = "service socket target device mount automount swap timer path slice scope".split()
_NAME = re.compile(r"[A-Za-z0-9:_.\\@-]+\Z")
# An instance that nobody has: systemd's answer for it is what the template alone gives.
_PROBE = "nettune"
_TIMEOUTS = {"show": 30.0, "list-units": 30.0, "daemon-reload": 90.0}  # seconds
_JOB = 300.0  # seconds to start or stop a unit: more than systemd itself allows most of them
_MOST = 16 << 20  # bytes that systemctl may print


def unit_name(text: str) -> str:
    """The full name of a unit; ``.service`` may be omitted. Raises BadRequest on an impossible one."""
    name = text if text.rpartition(".")[2] in _TYPES else f"{text}.service"
    if not _NAME.match(name) or len(name) > 255 or name.startswith((".", "@")):
        raise BadRequest(f"{text!r} is not the name of a systemd unit", unit=text)
    return name


def unit_type(unit: str) -> str:
    """``service`` for ``nginx.service``."""
    return unit.rpartition(".")[2]


def is_template(unit: str) -> bool:
    """Whether this is a template, such as ``getty@.service``, and not a unit itself."""
    return unit.rpartition(".")[0].endswith("@")


def probe_of(template: str) -> str:
    """The name of an instance by which systemd can be asked about a template."""
    return template.replace("@.", f"@{_PROBE}.")


class _Shown(Properties):
    """If a requested property is missing, that is a fault of systemctl, not ours."""

    def __missing__(self, name: str) -> str:
        raise NettuneError(f"systemctl show does not report {name} of {self.get('Id', 'what was asked for')}")


def parse_show(output: str) -> t.List[Properties]:
    """The blocks of ``systemctl show``, one for each unit that was asked about.

    Raises NettuneError for output that no systemctl prints, as does looking up a missing property.
    """
    blocks: t.List[Properties] = []
    for block in output.strip("\n").split("\n\n"):
        lines = (line.partition("=") for line in block.splitlines())
        shown = _Shown({name: value for name, equals, value in lines if equals})
        if not re.fullmatch("[0-9]*", shown.get("MainPID", "")):
            raise NettuneError(f"systemctl show reports a MainPID of {shown['MainPID'][:40]!r}")
        blocks.append(shown)
    return blocks


def parse_list_units(output: str) -> t.List[str]:
    """The names in ``systemctl list-units --plain --no-legend``."""
    return [line.split()[0] for line in output.splitlines() if line.strip()]


class Systemd:
    """The system manager of this host. ``run`` takes arguments of systemctl and returns what it prints."""

    def __init__(self, run: t.Optional[Run] = None) -> None:
        self._run = run or systemctl

    def show(self, units: t.Sequence[str], properties: t.Iterable[str]) -> t.List[Properties]:
        """These properties of each unit, in the order asked."""
        blocks = parse_show(self._run(["show", f"--property={','.join(properties)}", "--", *units]))
        if len(blocks) != len(units):
            raise NettuneError(f"systemctl show reports {len(blocks)} units, {len(units)} were requested")
        return blocks

    def show_manager(self, properties: t.Iterable[str]) -> Properties:
        """These properties of the manager itself."""
        return parse_show(self._run(["show", f"--property={','.join(properties)}"]))[0]

    def instances(self, template: str) -> t.List[str]:
        """The instances of a template that are loaded."""
        pattern = template.replace("@.", "@*.")
        listed = parse_list_units(self._run(["list-units", "--all", "--full", "--plain", "--no-legend", "--", pattern]))
        return sorted(set(listed) - {probe_of(template)})

    def daemon_reload(self) -> None:
        """Make systemd reload all its unit files; no process is touched."""
        self._run(["daemon-reload"])

    def restart(self, unit: str) -> None:
        """Stop and start a unit."""
        self._run(["restart", "--", unit])

    def start(self, *units: str) -> None:
        """Start units that are not running."""
        self._run(["start", "--", *units])

    def stop(self, *units: str) -> None:
        """Stop units."""
        self._run(["stop", "--", *units])

    def reload(self, unit: str) -> None:
        """Make a service reload its configuration, in its own way."""
        self._run(["reload", "--", unit])


class Snapshot(Systemd):
    """The system manager as it was when it was first asked: of all these units in one call, since each costs a process.

    For observing before anything is done. What was not foreseen is asked when needed.
    """

    def __init__(self, units: t.Iterable[str], properties: t.Iterable[str], run: t.Optional[Run] = None) -> None:
        super().__init__(run)
        self._units = sorted(unit for unit in set(units) if not is_template(unit))
        self._properties = frozenset(properties)
        self._shown: t.Optional[t.Dict[str, Properties]] = None
        self._of_manager: t.Dict[t.Tuple[str, ...], Properties] = {}

    def show(self, units: t.Sequence[str], properties: t.Iterable[str]) -> t.List[Properties]:
        """These properties of each unit, in the order asked, and perhaps others."""
        names = list(properties)
        if self._shown is None:
            self._shown = self._show_all()
        if self._properties.issuperset(names) and all(unit in self._shown for unit in units):
            return [self._shown[unit] for unit in units]
        return super().show(units, names)

    def show_manager(self, properties: t.Iterable[str]) -> Properties:
        """These properties of the manager itself."""
        names = tuple(properties)
        if names not in self._of_manager:
            self._of_manager[names] = super().show_manager(names)
        return self._of_manager[names]

    def _show_all(self) -> t.Dict[str, Properties]:
        """Nothing if systemd refuses one of them: asked for that one alone, it says which."""
        try:
            blocks = super().show(self._units, sorted(self._properties)) if self._units else []
        except NettuneError:
            return {}
        return dict(zip(self._units, blocks)) if len(blocks) == len(self._units) else {}


def booted(mark: str = _BOOTED) -> bool:
    """Whether systemd is the first process, as sd_booted(3) determines."""
    return os.path.isdir(mark)


def check_booted(mark: str = _BOOTED) -> None:
    """Raise Unsupported where systemd is not the first process."""
    if not booted(mark):
        raise Unsupported(f"this host was not booted with systemd: there is no {mark}")


def main_pid(unit: t.Optional[str], manager: t.Optional[Systemd] = None) -> t.Optional[int]:
    """The main process of an active unit, None if there is none or no systemd."""
    if unit is None or not booted():
        return None
    [shown] = (manager or Systemd()).show([unit], ["MainPID"])
    return int(shown.get("MainPID") or 0) or None


def systemctl(arguments: t.Sequence[str]) -> str:
    """What ``systemctl`` prints.  Raises Unsupported without systemctl, NettuneError if it fails or hangs."""
    done = _command.run(
        ["systemctl", "--no-ask-password", *arguments],
        environment={"SYSTEMD_COLORS": "0", "SYSTEMD_PAGER": ""},
        timeout=_TIMEOUTS.get(arguments[0], _JOB),
        most=_MOST,
    )
    if done.code != 0 or not done.whole:
        reason = " ".join(done.stderr.split()) or f"status {done.code}" if done.whole else "it printed too much"
        raise NettuneError(f"systemctl {' '.join(arguments)} failed: {reason}", command=["systemctl", *arguments])
    return done.stdout


def version(directories: t.Sequence[str] = ("/usr/lib/systemd", "/lib/systemd")) -> t.Optional[int]:
    """The release of systemd, determined from its library without running a program; None without systemd."""
    paths = [path for directory in directories for path in glob.glob(f"{directory}/libsystemd-shared-*.so")]
    numbers = (re.search(r"-shared-([0-9]+)", path) for path in paths)
    return max((int(match[1]) for match in numbers if match), default=None)
