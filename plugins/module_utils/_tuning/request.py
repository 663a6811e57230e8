# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The request to the module, checked before anything is observed."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .._backlog import request as backlogs
from .._boot.systemd import unit_name
from .._errors import BadRequest
from .._kernel import proc_sys
from .._nofile import apply as nofile
from .._record import fold, store
from .._sysctl import request as sysctls
from .running import RunningServer

AUTO = "auto"
_LONGEST = 100  # characters of a label

Params = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Request:
    """Wants of all three kinds, as the modules for one kind take them.

    Those of ``limits`` and ``backlogs`` marked ``auto`` are still to be applied to what is found on the host.
    """

    sysctls: sysctls.Request
    limits: t.Tuple[nofile.Request, ...]
    backlogs: t.Tuple[backlogs.Request, ...]
    auto_limits: t.Tuple[Params, ...]
    auto_backlogs: t.Tuple[Params, ...]
    exclude: t.FrozenSet[str]
    label: str
    confirm: int = 0

    @property
    def needs_servers(self) -> bool:
        """Whether running servers must be detected."""
        return bool(self.auto_limits or self.auto_backlogs)

    def spread(self, running: t.Sequence[RunningServer]) -> Request:
        """The request with all servers that run here named. Those already named stay as requested."""
        named = {one.unit for one in self.limits}
        units = sorted({one.unit for one in running if one.unit and one.unit not in named})
        servers = {one.server.name for one in self.backlogs if one.server}
        found = [
            _backlog({**params, "server": one.server, "unit": params.get("unit") or one.unit})
            for params in self.auto_backlogs
            for one in running
            if one.server not in servers
        ]
        # Without a unit the distribution's is meant, which may run as well.
        return replace(
            self,
            limits=(*self.limits, *(_limit({**params, "unit": one}) for params in self.auto_limits for one in units)),
            backlogs=(*self.backlogs, *(one for number, one in enumerate(found) if one not in found[:number])),
        )


def parse_request(params: Params) -> Request:
    """Turn module parameters into a request.  Raises BadRequest naming the option and the value."""
    limits, of_auto_units = _split(params["file_limits"], "unit")
    queues, of_auto_servers = _split(params["backlogs"], "server")
    for one in of_auto_servers:
        _refuse_beside_auto(one, ("listen", "config", "unit"))
    # Errors in them are reported before anything is looked up.
    for one in of_auto_units:
        _limit({**one, "unit": "auto.service"})
    for one in of_auto_servers:
        _backlog({**one, "server": "nginx"})
    return Request(
        sysctls=_sysctls(params),
        limits=tuple(_limit(one) for one in limits),
        backlogs=tuple(_backlog(one) for one in queues),
        auto_limits=of_auto_units,
        auto_backlogs=of_auto_servers,
        exclude=frozenset(map(proc_sys.canonical, params["exclude"])),
        label=_label(params["label"] or ""),
        confirm=params.get("confirm") or 0,
    )


def _split(rows: t.Sequence[Params], option: str) -> t.Tuple[t.List[Params], t.Tuple[Params, ...]]:
    auto = tuple(row for row in rows if row[option] == AUTO)
    if len(auto) > 1:
        raise BadRequest(f"{option}=auto is given twice: only one can apply")
    return [row for row in rows if row[option] != AUTO], auto


def _refuse_beside_auto(row: Params, options: t.Iterable[str]) -> None:
    for option in options:
        if row.get(option):
            raise BadRequest(f"backlogs: {option} is for a single server, it makes no sense with server=auto")


def _sysctls(params: Params) -> sysctls.Request:
    given = {name: params[name] for name in ("file", "missing", "force", "purge", "load_modules")}
    return sysctls.parse_request({**given, "settings": params["sysctls"], "state": "present", "netns": None})


def _limit(row: Params) -> nofile.Request:
    given = {"limit": row.get("limit"), "live": row.get("live", True), "restart": row.get("restart", False)}
    return nofile.parse_request({**given, "unit": unit_name(row["unit"]), "state": "present"})


def _backlog(row: Params) -> backlogs.Request:
    given = {name: row.get(name) for name in ("server", "backlog", "listen", "config", "unit")}
    return backlogs.parse_request({**given, "apply": row.get("apply") or backlogs.AUTO, "state": "present"})


def _label(given: str) -> str:
    """Without the space around it, which rollback ignores as well."""
    text = given.strip()
    if text in fold.RESERVED or store.is_id(text):
        raise BadRequest(f"label must be your own word, since {text!r} means something else to rollback", label=text)
    if len(text) > _LONGEST or not text.isprintable():
        raise BadRequest(f"label must be one line of at most {_LONGEST} printable characters, not {text!r}", label=text)
    return text
