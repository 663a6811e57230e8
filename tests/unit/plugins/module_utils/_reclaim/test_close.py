# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One connection at a time, with a kernel that answers as a test wants."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._errors import MissingRight, NettuneError, Unsupported
from ansible_collections.nettune.tcp.plugins.module_utils._kernel import cgroups, descriptors
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.descriptors import Descriptor, Held
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.sock_destroy import Identity
from ansible_collections.nettune.tcp.plugins.module_utils._reclaim import close
from ansible_collections.nettune.tcp.plugins.module_utils._reclaim.match import connection_of
from ansible_collections.nettune.tcp.plugins.module_utils._reclaim.report import CHANGED, CLOSED, GONE, REFUSED
from ansible_collections.nettune.tcp.tests.unit.plugins.module_utils._reclaim.connections import (
    connection,
    message,
    request,
)

CHOSEN = message(cookie=5)
HOLDER = Descriptor(811, 77, 3, 7)
Looks = t.Sequence[t.Optional[bytes]]


class Link:
    """Answers looks one after the other, and keeps what it was told to destroy."""

    def __init__(self, *looks: t.Optional[bytes], destroys: t.Union[bool, NettuneError] = True) -> None:
        self._looks = list(looks)
        self._destroys = destroys
        self.destroyed: t.List[Identity] = []

    def __enter__(self) -> Link:
        return self

    def __exit__(self, *_exc: object) -> None:
        pass

    def look(self, _identity: Identity) -> t.Optional[bytes]:
        return self._looks.pop(0)

    def destroy(self, identity: Identity) -> bool:
        self.destroyed.append(identity)
        if isinstance(self._destroys, NettuneError):
            raise self._destroys
        return self._destroys


def fate(link: Link, holders: t.Sequence[Descriptor] = (), **asked: t.Any) -> str:
    """What becomes of the chosen connection."""
    return close.close(t.cast("t.Any", link), request(**asked), connection_of(CHOSEN), holders)


@pytest.mark.parametrize(
    "looks, destroys, expected, asked_to_destroy",
    [
        ([None], True, GONE, False),
        ([CHOSEN, None], True, CLOSED, True),
        ([CHOSEN, CHOSEN], True, REFUSED, True),
        ([CHOSEN], False, GONE, True),
        ([message(1, cookie=5)], True, CHANGED, False),
        ([message(10, cookie=5)], True, CHANGED, False),
        ([message(inode=8, cookie=5)], True, CHANGED, False),
        ([message(inode=0, cookie=5)], True, CHANGED, False),
        ([message(idle=(1, 1, 1), cookie=5)], True, CHANGED, False),
        ([message(idle=None, cookie=5)], True, CHANGED, False),
    ],
)
def test_what_becomes_of_a_connection(looks: Looks, destroys: bool, expected: str, asked_to_destroy: bool) -> None:
    link = Link(*looks, destroys=destroys)
    assert fate(link, idle=5) == expected
    assert link.destroyed == [connection_of(CHOSEN).identity] * asked_to_destroy


@pytest.mark.parametrize(
    "holders, held, unit, expected",
    [
        ([HOLDER], True, "app.service", CLOSED),
        ([HOLDER], True, "other.service", CHANGED),
        ([HOLDER], True, None, CHANGED),
        ([HOLDER], False, "app.service", CHANGED),
        ([], True, "app.service", CHANGED),
    ],
)
def test_the_unit_is_asked_again(
    monkeypatch: pytest.MonkeyPatch,
    holders: t.List[Descriptor],
    held: bool,
    unit: t.Optional[str],
    expected: str,
) -> None:
    monkeypatch.setattr(descriptors, "holds", lambda _descriptor: held)
    monkeypatch.setattr(cgroups, "unit_of", lambda _pid: unit)
    assert fate(Link(CHOSEN, None), holders, unit="app") == expected


def test_an_error_tells_how_many_were_closed_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    link = Link(CHOSEN, None, None, CHOSEN)
    destroy = link.destroy

    def fails_late(identity: Identity) -> bool:
        if link.destroyed:
            raise Unsupported("no more")
        return destroy(identity)

    monkeypatch.setattr(link, "destroy", fails_late)
    monkeypatch.setattr(close, "SockDestroy", lambda: link)
    with pytest.raises(Unsupported) as failure:
        close.close_all(request(), [connection_of(CHOSEN)] * 3, {})
    assert failure.value.details == {"destroyed": 1}


def test_a_unit_needs_to_see_all_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descriptors, "find", lambda _inodes: Held({7: (HOLDER,)}, unreadable=3))
    with pytest.raises(MissingRight, match="of 3 are not visible"):
        list(close._of_unit("app.service", [connection()]))
