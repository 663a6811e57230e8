# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The open file limit of a running process, set with prlimit(2).

Linux 6.18 kernel/sys.c: raising a hard limit needs CAP_SYS_RESOURCE in the initial user namespace, and never above
fs.nr_open (``do_prlimit``).  Limits of a process of another user need the same capability, or its user and group as
*real* ids of the caller (``check_prlimit_permission``); those are what a container's root can take for a moment.
"""

from __future__ import annotations

import contextlib
import os
import resource
import typing as t
from dataclasses import dataclass

from .. import _files
from .._transaction import Step

_SYS_RESOURCE, _SETGID, _SETUID = 24, 6, 7
# include/linux/proc_ns.h PROC_USER_INIT_INO
_FIRST_USER_NAMESPACE = 0xEFFFFFFD
_MANAGER = "1"

INFINITY = 2**64 - 1


class Limits(t.NamedTuple):
    """The soft limit, which is in force, and the hard one, up to which the process itself may raise it."""

    soft: int
    hard: int

    def __str__(self) -> str:
        return ":".join("infinity" if number == INFINITY else str(number) for number in self)


@dataclass(frozen=True)
class Rights:
    """What this process may do to the limits of others."""

    raise_hard: bool
    any_process: bool
    any_user: bool
    uid: int
    gid: int


@dataclass(frozen=True)
class Ids:
    """Real, effective and saved ids of a process."""

    uids: t.Tuple[int, ...]
    gids: t.Tuple[int, ...]

    @property
    def uniform(self) -> bool:
        """Whether the process is one user and one group, and nothing else."""
        return len(set(self.uids)) == 1 and len(set(self.gids)) == 1


def capabilities(status: str) -> int:
    """The effective capabilities in /proc/PID/status, as a bit mask."""
    return next((int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapEff:")), 0)


def parse_ids(status: str) -> Ids:
    """The ids in /proc/PID/status."""
    rows = {
        line.partition(":")[0]: line.split()[1:4] for line in status.splitlines() if line.startswith(("Uid", "Gid"))
    }
    return Ids(tuple(map(int, rows.get("Uid", ()))), tuple(map(int, rows.get("Gid", ()))))


def rights(pid: str = "self", root: str = "/proc") -> Rights:
    """What the process may do, read from its capabilities and user namespace."""
    status = _status(pid, root)
    held = capabilities(status)
    ids = parse_ids(status)
    privileged = bool(held >> _SYS_RESOURCE & 1)
    return Rights(
        raise_hard=privileged and _in_first_user_namespace(pid, root),
        any_process=privileged,
        any_user=bool(held >> _SETUID & held >> _SETGID & 1),
        uid=ids.uids[0] if ids.uids else -1,
        gid=ids.gids[0] if ids.gids else -1,
    )


def rights_of_manager(root: str = "/proc") -> Rights:
    """What systemd may do when it starts a unit."""
    return rights(_MANAGER, root)


def ids_of(pid: int, root: str = "/proc") -> Ids:
    """Whose process it is; no ids at all if it is gone."""
    return parse_ids(_status(str(pid), root))


def may_set(mine: Rights, theirs: Ids) -> bool:
    """Whether the kernel lets us set the limits of a process with these ids."""
    if mine.any_process:
        return True
    return theirs.uniform and (mine.any_user or (theirs.uids[0], theirs.gids[0]) == (mine.uid, mine.gid))


def set_nofile(pid: int, limits: Limits) -> None:
    """Give a running process these limits.  Raises OSError as the kernel does; see may_set()."""
    ids = ids_of(pid)
    try:
        _prlimit(pid, limits)
    except PermissionError:
        if not ids.uniform:
            raise
        with _real_ids(ids.uids[0], ids.gids[0]):
            _prlimit(pid, limits)


def step(pid: int, before: Limits, after: Limits, runs: t.Callable[[], bool]) -> Step:
    """The change as a step.

    ``runs`` says whether the process is still the intended one, since pids are reused. A process that is gone, or may
    not be touched, is left to the final observation.
    """

    def attempt(limits: Limits) -> t.Callable[[], None]:
        def do() -> None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if runs():
                    set_nofile(pid, limits)

        return do

    return Step(f"process {pid}: nofile {after}", do=attempt(after), undo=attempt(before))


def _prlimit(pid: int, limits: Limits) -> None:
    # Python spells infinity as -1
    soft, hard = (-1 if number == INFINITY else number for number in limits)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))


@contextlib.contextmanager
def _real_ids(uid: int, gid: int) -> t.Iterator[None]:
    """Act with these real ids; the effective ones, and with them our capabilities, stay as they are."""
    own_uid, own_gid = os.getresuid()[0], os.getresgid()[0]
    os.setresgid(gid, -1, -1)
    try:
        os.setresuid(uid, -1, -1)
        try:
            yield
        finally:
            os.setresuid(own_uid, -1, -1)
    finally:
        os.setresgid(own_gid, -1, -1)


def _in_first_user_namespace(pid: str, root: str) -> bool:
    try:
        return os.stat(f"{root}/{pid}/ns/user").st_ino == _FIRST_USER_NAMESPACE
    except OSError:
        return False


def _status(pid: str, root: str) -> str:
    return _files.text(f"{root}/{pid}/status")
