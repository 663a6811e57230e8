# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Raise the hard limit of open files as root, for this process and for a service, and tell what came of it."""

from __future__ import annotations

import ctypes
import errno
import json
import resource
import subprocess
import sys

wanted = int(sys.argv[1])
# Not resource.setrlimit(), which makes a ValueError of any refusal.
libc = ctypes.CDLL(None, use_errno=True)
both = (ctypes.c_ulong * 2)(wanted, wanted)
refused = libc.setrlimit(resource.RLIMIT_NOFILE, both)
error = errno.errorcode[ctypes.get_errno()] if refused else None

command = ["systemd-run", "--quiet", "--wait", "--pipe", f"--property=LimitNOFILE={wanted}", "sh", "-c", "ulimit -Hn"]
service = subprocess.run(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False)
# systemd.exec(5): the unit's process could not be given its limits.
outcome = "205/LIMITS" if service.returncode == 205 else int(service.stdout)
print(json.dumps({"error": error, "service": outcome}))
