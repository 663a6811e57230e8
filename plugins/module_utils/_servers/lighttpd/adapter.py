# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""lighttpd: server.bind and server.port open one socket, each ``$SERVER["socket"] == "address"`` another.

A reload (SIGUSR1) keeps open sockets and does not call listen(2) on them (src/network.c).
"""

from __future__ import annotations

import posixpath
import re
import typing as t

from ... import _command
from ..._errors import Unsupported
from ..._files import Trust
from ..server import Adapter, Check, Config, ConfigError, Listen, Relisten, trusted_path
from ..settings import Settings
from ..source import LARGEST, Disk, Edit, Memory, apply, decode, encode, line_end
from .conf import Assigned, Block, Scope, evaluate, shell_path
from .settings import settings_of
from .sockets import BACKLOG, VERSION, Socket, sockets

MAIN = "/etc/lighttpd/lighttpd.conf"
_SHELL = shell_path("")
_SECONDS = 20


class _Host(Disk):
    """The files of this host, and what commands print."""

    def __init__(self, directory: str) -> None:
        super().__init__()
        self._directory = directory

    def answer(self, path: str) -> t.Optional[bytes]:
        """lighttpd passes the command of an include_shell to a shell whenever it reads or checks its configuration."""
        if path.startswith(_SHELL):
            if self.foreign:
                raise ConfigError("is not run: somebody other than root may write the configuration", path)
            return self._run(["/bin/sh", "-c", path[len(_SHELL) :]], path)
        return self._run(VERSION.split(), path) if path == VERSION else super().answer(path)

    def _run(self, command: t.List[str], path: str) -> bytes:
        try:
            done = _command.run(command, cwd=self._directory, timeout=_SECONDS, most=LARGEST)
        except Unsupported as exc:
            raise FileNotFoundError(str(exc)) from exc
        if done.code or not done.whole:
            raise ConfigError(f"ends with status {done.code}: {done.stderr.strip()}", path)
        return encode(done.stdout)


class _Files(Disk):
    """The files of this host; the output of commands is taken to be empty."""

    def answer(self, path: str) -> t.Optional[bytes]:
        return b"" if path.startswith(_SHELL) else super().answer(path)


def read(main: t.Optional[str], _unit: t.Optional[str]) -> Config:
    """The configuration on this host, with the output of its commands and lighttpd's version."""
    path = main or MAIN
    tree = _Host(posixpath.dirname(path) or ".")
    evaluate(tree, path)
    tree.read(VERSION)
    return Config(path, dict(tree.files))


def started(command: t.Sequence[str], _unit: t.Optional[str]) -> Config:
    """The configuration of a process, without the output of commands."""
    options = dict(zip(command, command[1:]))
    path, trust = (trusted_path(options["-f"]), Trust.ROOT) if "-f" in options else (MAIN, Trust.SHARED)
    tree = _Files(trust)
    evaluate(tree, path)
    return Config(path, dict(tree.files))


def settings(config: Config) -> Settings:
    """The configuration's connection settings."""
    return settings_of(evaluate(Memory(config.files), config.main))


def listens(config: Config) -> t.Tuple[Listen, ...]:
    """The sockets that the configuration asks for, as lighttpd opens them."""
    scopes = evaluate(Memory(config.files), config.main)
    return tuple(socket.listen for socket in sockets(config, scopes))


def edit(config: Config, wanted: t.Mapping[Listen, int]) -> t.Dict[str, t.Optional[bytes]]:
    """Change or add server.listen-backlog, globally or in the blocks of sockets, whichever needs fewer changes."""
    scopes = evaluate(Memory(config.files), config.main)
    goals = [_Goal(one, wanted.get(one.listen, one.listen.asked)) for one in sockets(config, scopes)]
    texts = {path: decode(content) for path, content in config.files.items()}
    changes: t.Dict[str, t.List[Edit]] = {}
    for path, change in _edits(goals, scopes[0], config.main, texts):
        if path.startswith(_SHELL):
            raise ConfigError(f"{BACKLOG} is set by the output of a command, which cannot be edited", path)
        changes.setdefault(path, []).append(change)
    return {path: encode(apply(texts[path], edits)) for path, edits in changes.items()}


class _Goal(t.NamedTuple):
    """A socket and the number it should ask for."""

    socket: Socket
    number: int

    @property
    def changes(self) -> bool:
        return self.number != self.socket.listen.asked

    @property
    def own(self) -> t.Optional[Assigned]:
        """The assignment in the socket's own block."""
        return None if self.socket.scope.outer is None else self.socket.scope.values.get(BACKLOG)

    @property
    def block(self) -> t.Optional[Block]:
        """A block of the socket to which a line can be added."""
        scope = self.socket.scope
        return next((one for one in scope.blocks if scope.outer and not one.path.startswith(_SHELL)), None)


def _edits(
    goals: t.Sequence[_Goal], everywhere: Scope, main: str, texts: t.Mapping[str, str]
) -> t.Iterator[t.Tuple[str, Edit]]:
    for goal in goals:
        if goal.own and goal.changes:
            yield goal.own.path, _replaced(goal.own, goal.number, texts)
    inherit = [goal for goal in goals if not goal.own]
    if not any(goal.changes for goal in inherit):
        return
    current = inherit[0].socket.listen.asked
    number = _best_global(inherit, current, main)
    if number != current:
        now = everywhere.values.get(BACKLOG)
        yield (now.path, _replaced(now, number, texts)) if now else _added(everywhere, number, main, texts)
    for goal in inherit:
        if goal.number != number and goal.block:
            yield goal.block.path, _added_in(goal.block, goal.number, texts)


def _best_global(inherit: t.Sequence[_Goal], current: int, main: str) -> int:
    """The global number that leaves the fewest blocks to change."""
    bound = {goal.number for goal in inherit if not goal.block}
    if len(bound) > 1:
        raise ConfigError(f"sockets without their own block cannot have different backlogs: {sorted(bound)}", main)
    numbers = [goal.number for goal in inherit]
    return min(
        bound or {current, *numbers},
        key=lambda number: ((number != current) + len(numbers) - numbers.count(number), number != current, number),
    )


def _replaced(assigned: Assigned, number: int, texts: t.Mapping[str, str]) -> Edit:
    operator = re.compile(r"(\+?|:)=[ \t]*").match(texts[assigned.path], assigned.start)
    if operator is None or operator[1] == "+":
        return Edit(assigned.start, assigned.end, f":= {number}")
    return Edit(operator.end(), assigned.end, str(number))


def _added(everywhere: Scope, number: int, main: str, texts: t.Mapping[str, str]) -> t.Tuple[str, Edit]:
    """A global line after that of server.port, or at the end of the main file."""
    line = f"{BACKLOG} = {number}"
    port = everywhere.values.get("server.port")
    if port and not port.path.startswith(_SHELL):
        text = texts[port.path]
        position = _behind(text, port.end)
        if position is not None:
            return port.path, Edit(position, position, _indent(text, port.start) + line + line_end(text))
    text = texts[main]
    gap = "" if not text or text.endswith("\n") else line_end(text)
    return main, Edit(len(text), len(text), gap + line + line_end(text))


def _added_in(block: Block, number: int, texts: t.Mapping[str, str]) -> Edit:
    """A separate line after the ``{``, or within the line of a single-line block."""
    text = texts[block.path]
    line = f"{BACKLOG} = {number}"
    position = _behind(text, block.start)
    if position is None:
        gap = "" if text[block.start : block.start + 1] in (" ", "\t") else " "
        return Edit(block.start, block.start, f" {line}{gap}")
    outer, inner = _indent(text, block.start), _indent(text, position)
    indent = inner if len(inner) > len(outer) else outer + "\t"
    return Edit(position, position, indent + line + line_end(text))


def _behind(text: str, position: int) -> t.Optional[int]:
    """Where the next line begins, if only a comment is in between."""
    match = re.compile(r"[ \t]*(?:#[^\r\n]*)?\r?\n").match(text, position)
    return match.end() if match else None


def _indent(text: str, position: int) -> str:
    start = text.rfind("\n", 0, position) + 1
    match = re.compile(r"[ \t]*").match(text, start)
    return match[0] if match else ""


def check(config: Config) -> Check:
    """lighttpd's own check, which also loads the modules, and runs the commands of every file."""
    return Check(("lighttpd", "-tt", "-f", config.main), tuple(filter(posixpath.isabs, config.files)))


ADAPTER = Adapter(
    relisten=Relisten(on_reload_if_number_changed=False, tested="1.4.59, 1.4.69, 1.4.79, 1.4.85"),
    read=read,
    listens=listens,
    edit=edit,
    check=check,
    reload_signal="SIGUSR1",
    started=started,
    settings=settings,
)
