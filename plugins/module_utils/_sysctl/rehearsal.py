# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What the kernel would say to some values, asked where nobody is hurt: in a network namespace made for that.

A new namespace takes and refuses values as the running one does, once it has the same values to begin with.  Keys of
the whole host, and of interfaces, cannot be tried there: what the kernel makes of those shows when they are written.
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
_AVAILABLE = "net.ipv4.tcp_available_congestion_control"
# On 64 bits: fs/file.c and fs/file_table.c.
_BOUNDS = {"fs.nr_open": (64, 2147483584), "fs.file-max": (0, 9223372036854775807)}
# The kernel compares these two with each other, whichever of them is written.
_COMPARED = ("net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start")


def rehearse(texts: writes.Texts) -> None:
    """Raise KernelRefused where the kernel would; without the right to make a namespace nothing is foretold."""
    _check_congestion_control(texts.get(_CONGESTION))
    _check_bounds(texts)
    # A namespace may use fewer congestion controls than the host does.
    tried = {key: text for key, text in texts.items() if lookup(key).scope == "netns" and key != _CONGESTION}
    if not tried:
        return
    found = {key: proc_sys.read(key) for key in (*tried, *_COMPARED)}
    with contextlib.suppress(MissingRight):
        netns.run_in_new(lambda: _try(tried, {key: text for key, text in found.items() if text is not None}))


def _try(texts: writes.Texts, running: writes.Texts) -> None:
    new = {key: proc_sys.read(key) for key in {**texts, **running}}
    before = {key: text for key, text in new.items() if text is not None}
    with contextlib.suppress(NettuneError):
        _transaction.run([writes.steps({key: text for key, text in running.items() if key in before}, before)])
    texts = {key: text for key, text in texts.items() if key in before}
    try:
        _transaction.run([writes.steps(texts, before)])
        writes.check(texts)
    except KernelRefused as exc:
        # What was restored is of no interest: it was the namespace's.
        raise KernelRefused(str(exc), key=exc.details.get("key"), value=exc.details.get("value")) from exc


def _check_bounds(texts: writes.Texts) -> None:
    for key, (low, high) in _BOUNDS.items():
        if key in texts and not low <= int(texts[key]) <= high:
            raise proc_sys.refused(key, texts[key], OSError(errno.EINVAL, os.strerror(errno.EINVAL)))


def _check_congestion_control(name: t.Optional[str]) -> None:
    """The kernel loads the module of one that it does not know yet."""
    if name is None or name in (proc_sys.read(_AVAILABLE) or "").split() or modules.can_be_loaded(f"tcp_{name}"):
        return
    raise proc_sys.refused(_CONGESTION, name, FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)))
