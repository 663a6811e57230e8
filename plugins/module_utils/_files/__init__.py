# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The only way to files: found without following what others control, read within bounds, replaced as a whole."""

from __future__ import annotations

from .attributes import Attributes, attributes_of
from .checking import check_replaceable, located, own
from .directories import make_directory, remove_directory
from .reading import LIMIT, SMALL, Trust, is_directory, names, read, read_and_judge, text
from .replacing import UNREAD, Was, look, replace, step, tidy
from .walk import Place, about, open_trusted, walk

__all__ = (
    "LIMIT",
    "SMALL",
    "UNREAD",
    "Attributes",
    "Place",
    "Trust",
    "Was",
    "about",
    "attributes_of",
    "check_replaceable",
    "is_directory",
    "located",
    "look",
    "make_directory",
    "names",
    "open_trusted",
    "own",
    "read",
    "read_and_judge",
    "remove_directory",
    "replace",
    "step",
    "text",
    "tidy",
    "walk",
)
