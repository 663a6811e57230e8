# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Configuration files as text, where they are found, and how a few bytes of them are changed.

INTERFACE
    Disk(), Memory(files)          two trees with the same three questions: read, names, is_directory
    resolve(tree, host, flags)     the addresses of a host name, as getaddrinfo(3) gives them on the host of the tree
    glob(tree, pattern)            the files that a pattern means, sorted as the servers sort them
    decode(content), encode(text)  bytes to text and back, without loss
    Lines(text)                    which line an offset is in
    Edit, apply(text, edits)       replacements by offset
"""

from __future__ import annotations

import abc
import bisect
import os
import posixpath
import re
import socket
import stat
import typing as t

from .._boot.sysctl_globs import glob_matcher
from .._errors import MissingRight
from .server import ConfigError

_WILD = re.compile(r"[*?\[\\{]")
_NAME = "getaddrinfo"  # under this and the arguments, a tree holds what the call answered
_PATH_MAX = 4096
_MOST_BRACES = 20  # each may double the number of paths
LARGEST = 64 << 20  # bytes of configuration in all; more is no configuration
LONGEST = 1 << 16  # characters of a value: variables may double themselves
MOST_NAMES = 100  # host names, each of which may take seconds to resolve
MOST_FILES = 100_000  # includes in all, since files that include each other twice would never end


class Tree(abc.ABC):
    """Files by path.  ``files`` is what has been read so far, in its order; a path that ends with a slash is empty."""

    def __init__(self) -> None:
        self.files: t.Dict[str, bytes] = {}

    @abc.abstractmethod
    def read(self, path: str) -> t.Optional[bytes]:
        """The bytes of a regular file, None where there is no such file."""

    @abc.abstractmethod
    def names(self, directory: str) -> t.List[str]:
        """The names in a directory, in no order; empty where there is no such directory."""

    @abc.abstractmethod
    def is_directory(self, path: str) -> bool:
        """Whether the path is a directory."""

    def keep(self, directory: str) -> None:
        """Remember a directory in which there is nothing, as no file tells of it."""
        self.files[f"{_bare(directory)}/"] = b""


class Disk(Tree):
    """The files of this host."""

    def __init__(self) -> None:
        super().__init__()
        self._names = 0

    def read(self, path: str) -> t.Optional[bytes]:
        """Raises ConfigError for what is no regular file or is too large, MissingRight for what may not be read.

        /dev/null is an empty file: a link to it is how people leave a snippet out.
        """
        if path not in self.files:
            try:
                self.files[path] = self.answer(path)
            except (FileNotFoundError, NotADirectoryError):
                return None
            except PermissionError as exc:
                raise MissingRight(f"{path} cannot be read: {exc.strerror}", file=path) from exc
            except (OSError, ValueError) as exc:
                reason = getattr(exc, "strerror", None) or exc
                raise ConfigError(f"cannot be read: {reason}", path.replace("\0", "\\0")) from exc
        return self.files[path]

    def answer(self, path: str) -> bytes:
        """What is under this path now: the bytes of a file, or the addresses of a name."""
        if path.startswith(_NAME):
            self._names += 1
            if self._names > MOST_NAMES:
                raise ConfigError(f"there are more than {MOST_NAMES} host names", path)
            return _addresses(path)
        found = os.stat(path)
        if os.path.samestat(found, os.stat(os.devnull)):
            return b""
        if not stat.S_ISREG(found.st_mode):
            raise ConfigError("is not a regular file", path)
        if found.st_size > LARGEST:
            raise ConfigError(f"is larger than {LARGEST >> 20} MiB", path)
        with open(path, "rb") as handle:
            return handle.read()

    def names(self, directory: str) -> t.List[str]:
        """What cannot be listed has no names."""
        try:
            return os.listdir(directory)
        except (OSError, ValueError):
            return []

    def is_directory(self, path: str) -> bool:
        """What cannot be looked at is no directory."""
        return os.path.isdir(path)


class Memory(Tree):
    """The files of a configuration that has been read."""

    def __init__(self, files: t.Mapping[str, bytes]) -> None:
        super().__init__()
        self.files = dict(files)
        self._names: t.Dict[str, t.Set[str]] = {}
        for path in files:
            self._enter(path)

    def _enter(self, path: str) -> None:
        if path.endswith("/"):
            path = _bare(path)
            self._names.setdefault(path, set())
        while True:
            directory, name = posixpath.split(path)
            known = self._names.setdefault(directory, set())
            if not name or name in known:
                return
            known.add(name)
            path = directory

    def read(self, path: str) -> t.Optional[bytes]:
        """The bytes as they were read."""
        return self.files.get(path)

    def names(self, directory: str) -> t.List[str]:
        """The names of files and of directories on the way to files."""
        return list(self._names.get(_bare(directory), ()))

    def is_directory(self, path: str) -> bool:
        """Whether any file is below the path."""
        return _bare(path) in self._names


def resolve(tree: Tree, host: str, flags: int = 0) -> t.List[t.Tuple[str, str]]:
    """Families and addresses of a name, in getaddrinfo's order; none for a name that it does not know."""
    lines = decode(tree.read(f"{_NAME} {flags} {host}") or b"").splitlines()
    return [(family, address) for family, _blank, address in (line.partition(" ") for line in lines)]


def _addresses(path: str) -> bytes:
    _name, flags, host = path.split(" ", 2)
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=int(flags))
    except socket.gaierror:
        return b""
    names = {socket.AF_INET: "inet", socket.AF_INET6: "inet6"}
    rows = [
        f"{names[family]} {str(address[0]).partition('%')[0]}"
        for family, _t, _p, _c, address in found
        if family in names
    ]
    return encode("\n".join(rows))


def _bare(directory: str) -> str:
    return directory.rstrip("/") or "/"


def is_pattern(path: str) -> bool:
    """Whether a path holds anything that a glob treats specially."""
    return _WILD.search(path) is not None


def glob(tree: Tree, pattern: str, *, braces: bool = False) -> t.List[str]:
    """The paths that an absolute pattern means; a star matches no leading dot.  Sorted by bytes, per directory."""
    if len(pattern) > _PATH_MAX or pattern.count("{") > _MOST_BRACES:
        raise ConfigError("is too long for a path", f"{pattern[:40]}...")
    found = ["/"]
    for part in filter(None, pattern.split("/")):
        found = [path for directory in found for path in _matching(tree, directory, part, braces)]
    return found


def _matching(tree: Tree, directory: str, part: str, braces: bool) -> t.List[str]:
    if not is_pattern(part):
        return [posixpath.join(directory, part)]
    matches = glob_matcher(part, braces=braces)
    names = [name for name in tree.names(directory) if matches(name) and (name[0] != "." or part[0] == ".")]
    return [posixpath.join(directory, name) for name in sorted(names, key=os.fsencode)]


def decode(content: bytes) -> str:
    """Text that :func:`encode` turns into the same bytes, whatever they are."""
    return content.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The reverse of :func:`decode`."""
    return text.encode("utf-8", "surrogateescape")


def line_end(text: str) -> str:
    """The line end that a file uses."""
    first = text.find("\n")
    return "\r\n" if first > 0 and text[first - 1] == "\r" else "\n"


class Lines:
    """Line numbers of offsets in a text, from 1."""

    def __init__(self, text: str) -> None:
        self._ends = [found.start() for found in re.finditer("\n", text)]

    def __call__(self, offset: int) -> int:
        return bisect.bisect_left(self._ends, offset) + 1


class Edit(t.NamedTuple):
    """Put ``text`` in the place of what is between two offsets; for ``start == end``, insert it."""

    start: int
    end: int
    text: str


def apply(text: str, edits: t.Iterable[Edit]) -> str:
    """The text with all edits made; equal edits are made once."""
    parts, position = [], 0
    for edit in sorted(set(edits)):
        parts += [text[position : edit.start], edit.text]
        position = edit.end
    return "".join([*parts, text[position:]])


class Budget:
    """Ends the reading of configurations that include each other without end."""

    def __init__(self) -> None:
        self._files = self._bytes = 0

    def spend(self, content: bytes, path: str) -> None:
        """Count one file that is read, be it for the first time or again.  Raises ConfigError beyond all reason."""
        self._files += 1
        self._bytes += len(content)
        if self._files > MOST_FILES or self._bytes > LARGEST:
            raise ConfigError(f"the configuration has more than {MOST_FILES} files or {LARGEST >> 20} MiB", path)
