# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Open so many files at once as a user without privileges, and tell how many could be and why no more."""

from __future__ import annotations

import errno
import json
import os
import resource
import sys
import typing as t

wanted = int(sys.argv[1])
# Two of them are the pipes to whoever asked; some are open already.
resource.setrlimit(resource.RLIMIT_NOFILE, (wanted + 100, wanted + 100))
os.setgroups([])
os.setgid(65534)
os.setuid(65534)

files: t.List[int] = []
error = None
try:
    while len(files) < wanted:
        files.append(os.open("/dev/null", os.O_RDONLY))
except OSError as refused:
    error = errno.errorcode[refused.errno or 0]
# At once, before another process without privileges wants to open one.
for file in files:
    os.close(file)
print(json.dumps({"opened": len(files), "error": error}))
