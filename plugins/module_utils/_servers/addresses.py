# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Addresses as configurations spell them, and as the kernel does."""

from __future__ import annotations

import re
import socket
import typing as t

ANY4, ANY6 = "0.0.0.0", "::"


def canonical(text: str) -> t.Optional[t.Tuple[str, str]]:
    """Family and address of an address without brackets or zone; None for anything else, such as a name."""
    for family, name in ((socket.AF_INET, "inet"), (socket.AF_INET6, "inet6")):
        try:
            packed = socket.inet_pton(family, text.partition("%")[0] if family == socket.AF_INET6 else text)
        except (OSError, ValueError):
            continue
        return name, socket.inet_ntop(family, packed)
    return None


def port_number(text: str) -> t.Optional[int]:
    """A port from 1 to 65535, or None."""
    number = int(text) if re.fullmatch("[0-9]{1,9}", text) else 0
    return number if 0 < number < 65536 else None
