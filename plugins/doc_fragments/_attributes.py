# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not use it from other collections.

from __future__ import annotations


class ModuleDocFragment:
    """Attributes that all modules share."""

    DOCUMENTATION = r"""
options: {}
requirements:
  - Linux, with Python 3.8 or later and nothing but its standard library.
attributes:
  check_mode:
    description: Can run in C(check_mode) and predict what a run would do, without doing it.
  diff_mode:
    description: Shows in C(diff) mode what has changed, or in check mode what would.
  platform:
    description: Platform of hosts that can be operated upon.
    platforms: linux
    support: full
  action_group:
    description: Use C(group/nettune.tcp.tcp) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - nettune.tcp.tcp
"""

    FACTS = r"""
options: {}
attributes:
  facts:
    description: Returns an C(ansible_facts) dictionary, which is stored for the host and may be cached.
    support: full
  check_mode:
    support: full
    details:
      - It only reads.
  diff_mode:
    support: none
    details:
      - It only reads.
"""
