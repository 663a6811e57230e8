# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What the kernel would say to some values, tried where it is harmless: in a network namespace created for it.

A new namespace accepts and refuses values as the running one does, once it starts from the same values. Host-wide keys,
and those of interfaces, cannot be tried there: what the kernel makes of them shows when they are written.
"""

from __future__ import annotations

import contextlib
import errno
import os
import typing as t

from .. import _transaction
from .._errors import KernelRefused, MissingRight, NettuneError
from .._kernel import netns, proc_sys
from . import modules, writes
from .catalog import lookup

_CONGESTION = "net.ipv4.tcp_congestion_control"
# On 64 bits: fs/file.c and fs/file_table.c.
_BOUNDS = {"fs.nr_open": (64, 2147483584), "fs.file-max": (0, 9223372036854775807)}
# The kernel checks these two against each other, whichever is written.
_COMPARED = ("net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start")


def rehearse(texts: writes.Texts, *, in_namespace: bool) -> None:
    """Raise KernelRefused where the kernel would refuse; without the right to create a namespace, less is predicted.

    ``in_namespace`` says that the values are for a network namespace other than the host's.
    """
    tried = {key for key in texts if lookup(key).scope == "netns"}
    if not in_namespace or texts.get(_CONGESTION) not in _available():
        # The host may use all (tcp_allowed_congestion_control is for other namespaces), and trying one may load its
        # module.
        tried.discard(_CONGESTION)
    running = {key: proc_sys.read(key) for key in (*texts, *_COMPARED)}
    if tried:
        with contextlib.suppress(MissingRight):
            netns.run_in_new(lambda: _try(texts, tried, running))
            return
    _try(texts, frozenset(), running)


def _try(texts: writes.Texts, tried: t.AbstractSet[str], running: t.Mapping[str, t.Optional[str]]) -> None:
    """Write the values as a run does, in this process's current namespace; the others are judged by rules."""
    new = {key: proc_sys.read(key) for key in (*tried, *_COMPARED)} if tried else {}
    before = {key: text for key, text in new.items() if text is not None}
    with contextlib.suppress(NettuneError):
        _transaction.run([writes.steps({key: text for key in before if (text := running[key]) is not None}, before)])
    written = {key: text for key, text in texts.items() if key in tried and key in before}
    steps = dict(zip(written, writes.steps(written, before)))
    try:
        _transaction.run([tuple(steps.get(key) or _judge(key, text) for key, text in texts.items())])
        writes.check(written)
    except KernelRefused as exc:
        # What was restored is irrelevant: it was the namespace's.
        raise KernelRefused(str(exc), key=exc.details.get("key"), value=exc.details.get("value")) from exc


def _judge(key: str, text: str) -> _transaction.Step:
    """A step that only looks."""

    def do() -> None:
        low, high = _BOUNDS.get(key, (0, 0))
        if key == _CONGESTION and text not in _available() and not modules.can_be_loaded(f"tcp_{text}"):
            raise _refused(key, text, errno.ENOENT)
        if key in _BOUNDS and not low <= int(text) <= high:
            raise _refused(key, text, errno.EINVAL)

    return _transaction.Step(f"{key} = {text}", do, lambda: None)


def _available() -> t.List[str]:
    return (proc_sys.read("net.ipv4.tcp_available_congestion_control") or "").split()


def _refused(key: str, text: str, number: int) -> NettuneError:
    return proc_sys.refused(key, text, OSError(number, os.strerror(number)))
