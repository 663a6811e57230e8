# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Configuration files as text, where to find them, and how to change a few bytes of them.

INTERFACE
    Disk(), Memory(files)          two trees with the same questions: read, names, is_directory, real
    resolve(tree, host, flags)     the addresses of a host name, as getaddrinfo(3) gives them on the host of the tree
    glob(tree, pattern)            the files that a pattern means, sorted as the servers sort them
    decode(content), encode(text)  bytes to text and back, without loss
    Lines(text)                    which line an offset is in
    Edit, apply(text, edits)       replacements by offset, in text or bytes
"""

from __future__ import annotations

import abc
import bisect
import contextlib
import os
import posixpath
import re
import socket
import typing as t

from .. import _files
from .._boot.sysctl_globs import glob_matcher
from .._errors import MissingRight, NettuneError
from .._files import Trust
from .server import ConfigError

_WILD = re.compile(r"[*?\[\\{]")
_NAME = "getaddrinfo"  # under this and the arguments, a tree holds the answer of the call
_PATH_MAX = 4096
_MOST_BRACES = 20  # each may double the number of paths
LARGEST = 16 << 20  # bytes of configuration on disk; a real one is smaller
MOST_BYTES = 64 << 20  # the same, counting each inclusion of a file
LONGEST = 1 << 16  # characters of a value: variables can double themselves
MOST_NAMES = 100  # host names, each of which may take seconds to resolve
MOST_FILES = 100_000  # includes in all, since files that include each other twice would never end


class Tree(abc.ABC):
    """Files by path.  ``files`` is what has been read so far, in order; a path ending in a slash is empty."""

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

    def real(self, path: str) -> str:
        """The path with links resolved."""
        return path

    def keep(self, directory: str) -> None:
        """Remember an empty directory, since no file implies it."""
        self.files[f"{_bare(directory)}/"] = b""


class Disk(Tree):
    """The files of this host.

    ``trust`` says what users other than root may decide about them. Once a file that somebody else can write, and that
    may name other files, has been read, only world-readable files are read.
    """

    def __init__(self, trust: Trust = Trust.SHARED) -> None:
        super().__init__()
        self._trust = trust
        self._left = LARGEST
        self._names = 0

    def read(self, path: str) -> t.Optional[bytes]:
        """Raises ConfigError for a file that is not regular, too large or not trusted, MissingRight for an unreadable
        one.

        /dev/null is an empty file: people link to it to disable a snippet.
        """
        if path not in self.files:
            with _as_config_error(path):
                content = self.answer(path)
            if content is None:
                return None
            self.files[path] = content
        return self.files[path]

    def answer(self, path: str) -> t.Optional[bytes]:
        """What is under this path now: the bytes of a file, or the addresses of a name."""
        if path.startswith(_NAME):
            self._names += 1
            if self._names > MOST_NAMES:
                raise ConfigError(f"there are more than {MOST_NAMES} host names", path)
            return _addresses(path)
        content, foreign = _files.read_and_judge(path, limit=LARGEST, trust=self._trust)
        self._left -= len(content or b"")
        if self._left < 0:
            raise ConfigError(f"the configuration is larger than {LARGEST >> 20} MiB, and is not read", path)
        if foreign and self._trust is Trust.SHARED:
            self._trust = Trust.PUBLIC
        return content

    def names(self, directory: str) -> t.List[str]:
        """Raises as :meth:`read` does."""
        with _as_config_error(directory):
            return _files.names(directory, trust=self._trust)

    def is_directory(self, path: str) -> bool:
        """Raises as :meth:`read` does."""
        with _as_config_error(path):
            return _files.is_directory(path, trust=self._trust)

    @property
    def foreign(self) -> bool:
        """Whether a file was read that somebody other than root may write."""
        return self._trust is Trust.PUBLIC

    def real(self, path: str) -> str:
        """A dangling or circular link resolves to its own target path."""
        return os.path.realpath(path.replace("\0", ""))


@contextlib.contextmanager
def _as_config_error(path: str) -> t.Iterator[None]:
    try:
        yield
    except (ConfigError, MissingRight):
        raise
    except NettuneError as exc:
        raise ConfigError(str(exc.details.get("reason", exc)), path.replace("\0", "\\0")) from exc
    except OSError as exc:
        raise ConfigError(f"cannot be read: {exc.strerror or exc}", path) from exc


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
        answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=int(flags))
    except socket.gaierror:
        return b""
    names = {socket.AF_INET: "inet", socket.AF_INET6: "inet6"}
    rows = [
        f"{names[family]} {str(address[0]).partition('%')[0]}"
        for family, _t, _p, _c, address in answers
        if family in names
    ]
    return encode("\n".join(rows))


def _bare(directory: str) -> str:
    return directory.rstrip("/") or "/"


def is_pattern(path: str) -> bool:
    """Whether a path contains glob characters."""
    return _WILD.search(path) is not None


def glob(tree: Tree, pattern: str, *, braces: bool = False) -> t.List[str]:
    """The paths that an absolute pattern means; a star matches no leading dot.  Sorted by bytes, per directory."""
    if len(pattern) > _PATH_MAX or pattern.count("{") > _MOST_BRACES:
        raise ConfigError("is too long for a path", f"{pattern[:40]}...")
    paths = ["/"]
    for part in filter(None, pattern.split("/")):
        paths = [path for directory in paths for path in _matching(tree, directory, part, braces)]
    return paths


def _matching(tree: Tree, directory: str, part: str, braces: bool) -> t.List[str]:
    if not is_pattern(part):
        return [posixpath.join(directory, part)]
    matches = glob_matcher(part, braces=braces)
    names = [name for name in tree.names(directory) if matches(name) and (name[0] != "." or part[0] == ".")]
    return [posixpath.join(directory, name) for name in sorted(names, key=os.fsencode)]


def decode(content: bytes) -> str:
    """Text that :func:`encode` turns back into the same bytes, whatever they are."""
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
        self._ends = [match.start() for match in re.finditer("\n", text)]

    def __call__(self, offset: int) -> int:
        return bisect.bisect_left(self._ends, offset) + 1


class Edit(t.NamedTuple):
    """Replace what is between two offsets with ``text``; for ``start == end``, insert it."""

    start: int
    end: int
    text: str


def apply(text: t.AnyStr, edits: t.Iterable[t.Tuple[int, int, t.AnyStr]]) -> t.AnyStr:
    """The text with all edits made; equal edits are made once."""
    position, result = 0, text[:0]
    parts = [result]
    for start, end, new in sorted(set(edits)):
        parts += (text[position:start], new)
        position = end
    parts.append(text[position:])
    return result.join(parts)


class Budget:
    """Stops reading configurations that include each other endlessly."""

    def __init__(self, most: int = MOST_FILES) -> None:
        self._most = most
        self._files = self._bytes = 0

    def spend(self, path: str, content: bytes = b"") -> None:
        """Count one file that is read, for the first time or again. Raises ConfigError beyond a sane limit."""
        self._files += 1
        self._bytes += len(content)
        if self._files > self._most or self._bytes > MOST_BYTES:
            raise ConfigError(f"the configuration has more than {self._most} files or {MOST_BYTES >> 20} MiB", path)
