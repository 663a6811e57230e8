# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The program that a process belongs to: what it runs, how it was started, and which process is the master of the rest.

INTERFACE
    program_of(pid) -> path or None;  command_of(pid) -> words;  parent_of(pid) -> (pid, name)
    master_of(pid, name, parent_of) -> pid;  children_of(pid, name) -> pids;  shares_our_root(pid)
"""

from __future__ import annotations

import os
import typing as t

from .. import _files
from . import proc_pid


def program_of(pid: int) -> t.Optional[str]:
    """The file that a process runs, None when it cannot be told or has been replaced since."""
    try:
        path = os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return None
    return path if os.access(path, os.X_OK) else None


def master_of(pid: int, name: str, parent_of: t.Callable[[int], t.Tuple[int, str]]) -> int:
    """The topmost process of this name among a process and those above it: workers are children of their master."""
    while True:
        parent, parents_name = parent_of(pid)
        if parent <= 1 or parents_name != name:
            return pid
        pid = parent


def parent_of(pid: int) -> t.Tuple[int, str]:
    """The parent of a process and the parent's name, (0, "") when either is gone."""
    try:
        # The name stands in brackets and may hold brackets and spaces itself.
        parent = int(_files.text(f"/proc/{pid}/stat").rpartition(")")[2].split()[1])
    except (ValueError, IndexError):
        return 0, ""
    name = proc_pid.name_of(parent)
    return (parent, name) if name else (0, "")


def children_of(pid: int, name: str) -> t.List[int]:
    """The processes of this name that a process has started."""
    return [one for one in proc_pid.pids() if parent_of(one) == (pid, name) and proc_pid.name_of(one) == name]


def command_of(pid: int) -> t.List[str]:
    """The words of a process's command line, empty when it is gone."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as handle:
            return [os.fsdecode(word) for word in handle.read().split(b"\0") if word]
    except OSError:
        return []


def shares_our_root(pid: int) -> bool:
    """Whether paths mean to a process what they mean to us, as they do not in a container.

    Another mount namespace alone tells nothing, since services of systemd have one, and neither does another root
    directory, since a server may have gone into it after reading its files.  What cannot be told is taken for ours.
    """
    try:
        theirs, ours = os.stat(f"/proc/{pid}/root/"), os.stat("/")
        same_mounts = os.readlink(f"/proc/{pid}/ns/mnt") == os.readlink("/proc/self/ns/mnt")
    except OSError:
        return True
    return same_mounts or (theirs.st_dev, theirs.st_ino) == (ours.st_dev, ours.st_ino)
