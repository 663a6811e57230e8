# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Which known servers listen here."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._backlog import sockets
from .._kernel import holders
from .._servers import table


@dataclass(frozen=True)
class Found:
    """A server and the systemd unit that runs it, None where it was started otherwise."""

    server: str
    unit: t.Optional[str]


def servers() -> t.List[Found]:
    """The servers that listen in this network namespace, by name.

    One in another unit than its distribution's, such as one in a container, has its configuration elsewhere: it must
    be named with that.
    """
    by_process = {name: server for server in table.BY_NAME.values() for name in server.processes}
    inodes = [one.inode for there in sockets.look().sockets.values() for one in there]
    held = holders.find(inodes, tuple(by_process)).values()
    found = {
        Found(by_process[one.name].name, one.unit)
        for one in held
        if one.name in by_process and _usual(by_process[one.name].unit, one.unit)
    }
    return sorted(found, key=lambda one: (one.server, one.unit or ""))


def _usual(usual: t.Optional[str], unit: t.Optional[str]) -> bool:
    return unit is None or unit in (usual, _ELSEWHERE.get(usual or ""))


# Apache's unit on Red Hat and its kin.
_ELSEWHERE = {"apache2.service": "httpd.service"}
