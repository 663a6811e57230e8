# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The systemd units that roll an unconfirmed run back. Pure."""

from __future__ import annotations

import typing as t

DIRECTORY = "/etc/systemd/system"
WANTED = f"{DIRECTORY}/timers.target.wants"


def name(run: str) -> str:
    """The name of both units, without the suffix."""
    return f"nettune-tcp-confirm-{run}"


def service(run: str, command: t.Sequence[str]) -> str:
    """The unit that rolls back. A temporary obstacle, such as a lock, may be gone when it retries."""
    return f"""\
[Unit]
Description=Roll back the unconfirmed run {run} of nettune.tcp

[Service]
ExecStart={" ".join(map(_quoted, command))}
Restart=on-failure
RestartSec=15
"""


def timer(run: str, seconds: int) -> str:
    """The unit that starts the other one, this many seconds after its own start, be that now or at a boot.

    OnBootSec would fire at once on a host that has been up for longer than that (systemd.timer(5)).
    """
    return f"""\
[Unit]
Description=Wait for confirmation of run {run} of nettune.tcp

[Timer]
OnActiveSec={seconds}
AccuracySec=1

[Install]
WantedBy=timers.target
"""


def _quoted(word: str) -> str:
    """A word of a command line, as systemd.service(5) reads it."""
    for special, escaped in (("\\", "\\\\"), ('"', '\\"'), ("%", "%%"), ("$", "$$")):
        word = word.replace(special, escaped)
    return f'"{word}"'
