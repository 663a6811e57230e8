# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Why a key does not exist here, for people. Pure."""

from __future__ import annotations

import re
import typing as t

from .catalog import lookup

_OF_INTERFACE = re.compile(r"net\.ipv[46]\.(?:conf|neigh)\.([^.]+)\.")


def reason(key: str, *, in_namespace: bool, module: t.Optional[str]) -> str:
    """The reason; ``in_namespace``: this is not the host's network namespace; ``module``: the missing module."""
    known = lookup(key)
    interface = _OF_INTERFACE.match(key)
    if module:
        return f"is provided by the module {module}, which is not loaded (load_modules loads it, now and at boot)"
    if in_namespace and key.startswith("net.") and known.scope == "host":
        return "is host-wide: this network namespace has none of its own"
    if interface:
        return f"there is no interface {interface[1].replace('/', '.')} here"
    return f"does not exist in this kernel{f', {known.kernels}' if known.kernels else ''}"
