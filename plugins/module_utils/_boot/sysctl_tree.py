# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The files that set sysctls at boot, read into data."""

from __future__ import annotations

import dataclasses
import errno
import os
import posixpath
import re
import stat
import typing as t

from .. import _files
from .._errors import NettuneError

SYSCTL_CONF = "/etc/sysctl.conf"

# Highest first. Builds of systemd for a split /usr (Debian 11 and 12) and procps also look into /lib; where it is a
# link to /usr/lib, as on every merged /usr, that changes nothing.
DIRECTORIES = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d")

# A file system in memory: nothing in it outlives the boot.
_TRANSIENT = "/run/"

_SYSTEMD_PROGRAMS = ("/usr/lib/systemd/systemd-sysctl", "/lib/systemd/systemd-sysctl")
_SYSTEMD_VERSION = re.compile(rb"libsystemd-shared-([0-9]+)")
_FIRST_WITHOUT_ENDLESS_MASKS = 258

_PROCPS_PROGRAMS = ("/usr/sbin/sysctl", "/sbin/sysctl", "/usr/bin/sysctl")

_MOST_LINKS = 40
_LARGEST = 4 << 20  # bytes of a file; larger than any hand-written one


@dataclasses.dataclass(frozen=True)
class SysctlFile:
    """One file. An unreadable one has no text, and masks files of lower directories like an empty one."""

    path: str
    text: str
    # Where symbolic links lead, as seen from the root; /dev/null for a mask.
    target: str
    # Why the text is missing or not what the file holds, for people.
    problem: str | None = None
    # False for a circular link, or one to something below a file.
    leads_somewhere: bool = True


@dataclasses.dataclass(frozen=True)
class Procps:
    """What the installed ``sysctl`` knows of systemd's syntax."""

    # Globs, and "-key" to exclude a key from them: from 4.0.0 on, and in RHEL 9.
    globs: bool = True
    # A glob after the "-": from 4.0.5 on.
    glob_exclusions: bool = True


@dataclasses.dataclass(frozen=True)
class Systemd:
    """What the installed ``systemd-sysctl`` makes of odd files."""

    # A link that can never resolve masks the files of its name: up to 257, and if the version is unknown.
    endless_links_mask: bool = True


@dataclasses.dataclass(frozen=True)
class SysctlTree:
    """All ``*.conf`` files of the directories, those of higher directories first, and /etc/sysctl.conf."""

    files: tuple[SysctlFile, ...]
    procps: Procps = Procps()
    systemd: Systemd = Systemd()
    # "path: reason" of directories that exist and cannot be listed.
    unlisted: tuple[str, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """``path: reason`` for everything that could not be read as it is; the answers may then be wrong."""
        return (*self.unlisted, *(f"{file.path}: {file.problem}" for file in self.files if file.problem))


def read_tree(root: str = "/") -> SysctlTree:
    """Read everything that decides about sysctls at boot. ``root`` may be another system's, such as /proc/PID/root.

    Never raises: anything broken is named in ``problems``.
    """
    root = root.rstrip("/")
    paths: list[str] = []
    unlisted: list[str] = []
    seen: set[str] = set()
    for directory in DIRECTORIES:
        try:
            real = _real_path(root, directory)
            names = [] if real in seen else sorted(os.listdir(root + real))
        except FileNotFoundError:
            continue
        except OSError as exc:
            unlisted.append(f"{directory}: {exc.strerror}")
            continue
        seen.add(real)
        paths += [f"{directory}/{name}" for name in names if name.endswith(".conf")]
    files = (_read_file(root, path) for path in [*paths, SYSCTL_CONF])
    return SysctlTree(tuple(file for file in files if file is not None), _procps(root), _systemd(root), tuple(unlisted))


def with_file(tree: SysctlTree, path: str, text: str | None) -> SysctlTree:
    """The tree as it would be if ``path`` were replaced by a regular file with ``text``, or removed (None).

    Links that lead to the path get the new text, too. A path that is not read at boot changes nothing.
    """
    path = posixpath.normpath(path)
    files = [
        dataclasses.replace(file, text=text or "", problem=None) if file.target == path else file
        for file in tree.files
        if file.path != path
    ]
    if text is not None and _is_read_at_boot(path):
        files.append(SysctlFile(path, text, path))
        files.sort(key=_precedence)
    return dataclasses.replace(tree, files=tuple(files))


def is_transient(file: SysctlFile) -> bool:
    """Whether a file, or what it links to, is gone after a reboot."""
    return file.path.startswith(_TRANSIENT) or file.target.startswith(_TRANSIENT)


def after_reboot(tree: SysctlTree) -> SysctlTree:
    """The tree as a boot finds it: without the files below /run, and with links to there dangling."""
    files = (
        dataclasses.replace(file, text="", problem="dangling link") if is_transient(file) else file
        for file in tree.files
        if not file.path.startswith(_TRANSIENT)
    )
    return dataclasses.replace(tree, files=tuple(files))


def _is_read_at_boot(path: str) -> bool:
    return path == SYSCTL_CONF or (path.endswith(".conf") and posixpath.dirname(path) in DIRECTORIES)


def _precedence(file: SysctlFile) -> int:
    """Files of higher directories first, /etc/sysctl.conf last."""
    directory = posixpath.dirname(file.path)
    return DIRECTORIES.index(directory) if directory in DIRECTORIES else len(DIRECTORIES)


def _read_file(root: str, path: str) -> SysctlFile | None:
    """A file of the tree, or None if there is nothing at all under this name."""
    target = path
    try:
        target = _real_path(root, path)
        if target != "/dev/null" and not stat.S_ISREG(os.stat(root + target).st_mode):
            return SysctlFile(path, "", target, "not a regular file")
        content = b"" if target == "/dev/null" else _files.read(root + target, limit=_LARGEST) or b""
    except FileNotFoundError:
        return SysctlFile(path, "", target, "dangling link") if os.path.islink(root + path) else None
    except OSError as exc:
        return SysctlFile(path, "", target, exc.strerror, exc.errno not in (errno.ELOOP, errno.ENOTDIR))
    except NettuneError as exc:
        return SysctlFile(path, "", target, str(exc.details["reason"]))
    try:
        return SysctlFile(path, content.decode("utf-8"), target)
    except UnicodeDecodeError as exc:
        return SysctlFile(path, content.decode("utf-8", "backslashreplace"), target, f"byte {exc.start} is not UTF-8")


def _real_path(root: str, path: str) -> str:
    """The path with all symbolic links followed, absolute ones from ``root``. The last part may be missing."""
    done: list[str] = []
    todo = path.split("/")[::-1]
    links = 0
    while todo:
        part = todo.pop()
        if part in ("", "."):
            continue
        if part == "..":
            done = done[:-1]
            continue
        try:
            link = os.readlink("/".join([root, *done, part]))
        except OSError:
            done.append(part)
            continue
        links += 1
        if links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
        done = [] if link.startswith("/") else done
        todo += link.split("/")[::-1]
    return "/" + "/".join(done)


def _systemd(root: str) -> Systemd:
    """Determined from the name of the library that the program is linked to, which contains the version."""
    for content in _programs(root, _SYSTEMD_PROGRAMS):
        match = _SYSTEMD_VERSION.search(content)
        if match:
            return Systemd(endless_links_mask=int(match[1]) < _FIRST_WITHOUT_ENDLESS_MASKS)
    return Systemd()


def _procps(root: str) -> Procps:
    """Determined from the program's own strings, as its version number does not show what a distribution added.

    The option --dry-run came with the globs, the call of fnmatch(3) with the exclusion of globs.
    """
    for content in _programs(root, _PROCPS_PROGRAMS):
        return Procps(globs=b"dry-run" in content, glob_exclusions=b"fnmatch" in content)
    return Procps()


def _programs(root: str, paths: t.Iterable[str]) -> t.Iterator[bytes]:
    for path in paths:
        try:
            content = _files.read(root + _real_path(root, path))
        except (OSError, NettuneError):
            continue
        if content is not None:
            yield content
