# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Apache needs to start from a directory of its own, the format's ``root``."""

from __future__ import annotations

APACHE = """\
ServerRoot "{root}"
ServerName here
PidFile {root}/pid
ErrorLog {root}/log
DefaultRuntimeDir {root}
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
"""
