# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What can be wrong with what an audit was asked."""

from __future__ import annotations

import difflib
import typing as t


class AuditError(Exception):
    """What was asked is wrong; the message names the thing."""


class PolicyError(AuditError):
    """The policy is wrong; the message names the rule and the field."""


def unknown(what: str, name: str, names: t.Iterable[str]) -> str:
    """``what`` and the name, with the nearest there is, or all of them where they are few."""
    known = sorted(names)
    near = difflib.get_close_matches(name, known, 1)
    hint = f", did you mean {near[0]}?" if near else f": it is none of {', '.join(known)}" if len(known) < 10 else ""
    return f"{what} {name!r}{hint}"
