# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What every web server is to this collection: configuration that sets the length of its queues.

INTERFACE, the same for each adapter beside this file:
    ADAPTER = Adapter(...)
Reading and running are thin; ``listens`` and ``edit`` are pure, so they can be tested on any configuration.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._errors import NettuneError
from .settings import Settings

MARK = "# Written by the Ansible collection nettune.tcp."  # the first line of a file that is ours


class ConfigError(NettuneError):
    """A configuration that cannot be read or edited; names file and line, and nothing has been touched."""

    def __init__(self, message: str, file: str, line: int = 0) -> None:
        where = f"{file}:{line}" if line else file
        super().__init__(f"{where}: {message}", file=file, line=line)


@dataclass(frozen=True)
class Config:
    """All files of a server's configuration, by path as the server opens them, in the order they are read."""

    main: str
    files: t.Mapping[str, bytes]


@dataclass(frozen=True)
class Listen:
    """One socket that the configuration asks for.

    ``family`` is inet, inet6 or unix; for unix ``address`` is the path and ``port`` 0.  ``backlog`` is what the
    configuration says, None if it says nothing and the server uses its own ``default``, 0 for one that it computes.
    ``file`` and ``line`` are where the backlog is set, or the directive that opens the socket.
    """

    family: str
    address: str
    port: int
    backlog: t.Optional[int]
    default: int
    file: str
    line: int

    @property
    def asked(self) -> int:
        """The backlog that the server passes to listen(2), before the kernel caps it at somaxconn."""
        return self.default if self.backlog is None else self.backlog


def trusted_path(path: str) -> str:
    """A path that a process names on its command line, as any process may: it is read only with ``Trust.ROOT``.

    Raises ConfigError for one that only the process knows where to find.
    """
    if not path.startswith("/"):
        raise ConfigError("is relative to what only the running server knows", path)
    return path


def _no_program(_command: t.Sequence[str], unit: t.Optional[str]) -> Config:
    raise ConfigError("is not a program", unit or "")


class Check(t.NamedTuple):
    """How a server checks its configuration: a command, with variables that it needs.

    ``runs`` are the files that can make it run anything, such as a module: they must belong to root.
    """

    words: t.Tuple[str, ...]
    runs: t.Tuple[str, ...] = ()
    environment: t.Mapping[str, str] = {}


@dataclass(frozen=True)
class Relisten:
    """When a reload calls listen(2) again on an open socket, by version tested; a restart always does."""

    on_reload_if_number_changed: bool
    tested: str


@dataclass(frozen=True)
class Adapter:
    """How one web server's configuration is read and changed.

    read           the configuration from its main file and systemd unit, None for where the distribution has them.
                   Raises ConfigError.
    listens        the sockets that a configuration asks for, one each.  Raises ConfigError on broken configurations.
    edit           the files to replace, by path, so that these listens ask for these backlogs; empty when they already
                   do.  Changes only the bytes of the directives concerned; None as content removes a file.
                   Raises ConfigError where it cannot be done safely, as where one directive opens other sockets too.
    check          how the server checks its configuration, such as with ``nginx -t``
    reload_signal  what makes a running master read its configuration, such as ``SIGHUP``; None for none
    one_number     the configuration has a single backlog for all sockets: ``edit`` is then given every listen
    daemon_reload  the configuration is systemd's: it reads it when told by ``systemctl daemon-reload``
    started        the configuration of a process, from the words of its command line and its unit: nothing but files is
                   read, no name is resolved and no command run.  Raises ConfigError, also for what is not a program.
    settings       the connection settings of a configuration, by the server's own names.  Pure.
    """

    relisten: Relisten
    read: t.Callable[[t.Optional[str], t.Optional[str]], Config]
    listens: t.Callable[[Config], t.Tuple[Listen, ...]]
    edit: t.Callable[[Config, t.Mapping[Listen, int]], t.Mapping[str, t.Optional[bytes]]]
    check: t.Callable[[Config], Check]
    reload_signal: t.Optional[str]
    one_number: bool = False
    daemon_reload: bool = False
    started: t.Callable[[t.Sequence[str], t.Optional[str]], Config] = _no_program
    settings: t.Callable[[Config], Settings] = lambda _config: {}


@dataclass(frozen=True)
class Server:
    """What is known about a web server before its adapter is loaded.

    units      the systemd unit's usual names, the most usual one first
    processes  the names of its program, empty for that of the init system
    load       imports the adapter, which takes longer than using it: Ansible sends source, compiled on each run
    """

    name: str
    units: t.Tuple[str, ...]
    processes: t.Tuple[str, ...]
    load: t.Callable[[], Adapter]

    @property
    def adapter(self) -> Adapter:
        """How its configuration is read and changed."""
        return self.load()
