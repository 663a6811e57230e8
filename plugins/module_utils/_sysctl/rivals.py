# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Other tools that set sysctls, and would win or interfere: detected from what runs and from their own files.

Somebody else's drop-in needs no entry here, as the boot value shows which file and line decides. Sources: consts.py and
plugins/plugin_sysctl.py of tuned, tcp_buffer_tuner.c and net_buffer_tuner.c of bpftune, cmd/kube-proxy/app/conntrack.go
of Kubernetes, ufw-init-functions of ufw.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .. import _files
from .._boot import sysctl_syntax
from .._errors import BadRequest
from .._kernel import proc_pid, proc_sys

_SECTION = re.compile(r"\[(.+)\]\s*\Z")
_ASSIGNMENT = re.compile(r"([^=]+?)\s*=\s*(.*)\Z")
_PROFILES = ("/etc/tuned/profiles", "/etc/tuned", "/usr/lib/tuned/profiles", "/usr/lib/tuned")


@dataclass(frozen=True)
class Rival:
    """Another tool that sets a key. ``value`` is what it sets, None if that depends on what it measures."""

    reason: str
    value: t.Optional[str] = None


@dataclass(frozen=True)
class _Daemon:
    """A process that sets keys at its own discretion."""

    command: str
    keys: t.Pattern[str]
    habit: str


_DAEMONS = (
    _Daemon(
        "bpftune",
        re.compile(r"net\.ipv4\.tcp_[rw]?mem\Z|net\.core\.(netdev_max_backlog|flow_limit_cpu_bitmap)\Z"),
        "adapts it to what it measures, until somebody else writes it",
    ),
    _Daemon(
        "kube-proxy",
        re.compile(r"net\.netfilter\.nf_conntrack_(max|buckets|tcp_timeout_(established|close_wait))\Z"),
        "may raise it when it starts, according to its conntrack options",
    ),
)


def find(keys: t.Iterable[str], root: str = "") -> t.Dict[str, Rival]:
    """What else sets these canonical keys on the system below ``root``, one rival per key."""
    keys = list(keys)
    rivals = {**dict(_daemons(keys, root)), **_ufw(root), **_tuned(root)}
    return {key: rivals[key] for key in keys if key in rivals}


def _daemons(keys: t.Iterable[str], root: str) -> t.Iterator[t.Tuple[str, Rival]]:
    concerned = [(key, daemon) for daemon in _DAEMONS for key in keys if daemon.keys.match(key)]
    running = _running(root, {daemon.command for _key, daemon in concerned})
    for key, daemon in concerned:
        if daemon.command in running:
            yield key, Rival(f"{daemon.command} runs here and {daemon.habit}")


def _running(root: str, commands: t.AbstractSet[str]) -> t.Set[str]:
    """Those of the commands that run."""
    if not commands:
        return set()
    names = (proc_pid.name_of(pid, f"{root}/proc") for pid in proc_pid.pids(f"{root}/proc"))
    return set(commands).intersection(names)


def _ufw(root: str) -> t.Dict[str, Rival]:
    if not re.search(r"^ENABLED=yes\s*$", _files.text(f"{root}/etc/ufw/ufw.conf"), re.MULTILINE):
        return {}
    assigned = re.search(r"^IPT_SYSCTL=[\"']?(/[^\"'\s]+)", _files.text(f"{root}/etc/default/ufw"), re.MULTILINE)
    if assigned is None:
        return {}
    return {
        _key(name): Rival(f"ufw sets it to {value} when it starts, from {assigned[1]}:{line}", value)
        for line, name, value in sysctl_syntax.systemd(_files.text(root + assigned[1]))
        if value is not None
    }


def _tuned(root: str) -> t.Dict[str, Rival]:
    profiles = _files.text(f"{root}/etc/tuned/active_profile").split()
    if not profiles or not _running(root, {"tuned"}):
        return {}
    wins = re.search(
        r"^reapply_sysctl\s*=\s*(0|false)\b", _files.text(f"{root}/etc/tuned/tuned-main.conf"), re.MULTILINE
    )
    ending = "after all drop-ins" if wins else "and restores the previous value when its profile changes"
    rivals: t.Dict[str, Rival] = {}
    for profile in profiles:
        for key, value, where in _of_profile(root, profile, set()):
            rivals[key] = Rival(f"tuned, with the profile {profile}, sets it to {value} from {where}, {ending}", value)
    return rivals


def _of_profile(root: str, profile: str, seen: t.Set[str]) -> t.Iterator[t.Tuple[str, str, str]]:
    """The sysctls of a profile, after those of the profiles it includes."""
    if profile in seen:
        return
    seen.add(profile)
    path, text = _profile(root, profile)
    own = list(_assignments(text))
    for section, name, value, _line in own:
        if (section, name) == ("main", "include"):
            for included in re.split(r"[,;\s]+", value):
                yield from _of_profile(root, included, seen)
    for section, name, value, line in own:
        if section == "sysctl":
            yield _key(name), value, f"{path}:{line}"


def _profile(root: str, profile: str) -> t.Tuple[str, str]:
    for directory in _PROFILES:
        path = f"{directory}/{profile}/tuned.conf"
        text = _files.text(root + path)
        if text:
            return path, text
    return "", ""


def _assignments(text: str) -> t.Iterator[t.Tuple[str, str, str, int]]:
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        title, assignment = _SECTION.match(line), _ASSIGNMENT.match(line)
        if title:
            section = title[1]
        elif assignment and not line.startswith(("#", ";")):
            yield section, assignment[1].strip(), assignment[2].strip(), number


def _key(name: str) -> str:
    """The canonical spelling; an invalid key, or a pattern for several, matches no requested key."""
    try:
        return proc_sys.canonical(name)
    except BadRequest:
        return name
