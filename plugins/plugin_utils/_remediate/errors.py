# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What can be wrong with a request for a remediation."""

from __future__ import annotations


class RemediateError(Exception):
    """The request is wrong, or the run could not be supervised; the message names the problem."""
