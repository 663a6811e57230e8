# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The only way to files: found without following what others control, read within bounds, replaced as a whole."""

from __future__ import annotations

from .replacing import check_replaceable, read, replace, step, text
from .walk import Place, open_trusted, walk

__all__ = ("Place", "check_replaceable", "open_trusted", "read", "replace", "step", "text", "walk")
