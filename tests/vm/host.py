# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection at work on a virtual machine: Ansible over SSH, and a second opinion by other means."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.nettune.tcp.tests.lab.vm import VM

HERE = Path(__file__).resolve().parent
PLAY_LIMIT = 600  # seconds
# What a play of the collection could change: sysctls, and files where it writes. Left out are the records of its runs,
# which stay, and what the kernel makes of the memory that is free at boot, which is never quite the same.
STATE = r"""
sysctl --all --pattern '^(net\.|fs\.(file-max|nr_open)$)' 2>/dev/null |
  grep --extended-regexp --invert-match '^net\.ipv4\.(inet_peer_threshold|tcp_mem|udp_mem) '
find /etc -type f -exec sha256sum {} +
"""

Data = t.Dict[str, t.Any]


@dataclass(frozen=True)
class Play:
    """What tune.yml found and did: the rows that the role told, and how many tasks changed something."""

    settings: t.List[Data]
    changed: int

    def rows(self, kind: str) -> t.List[Data]:
        """Those of one kind."""
        return [row for row in self.settings if row["kind"] == kind]


@dataclass(frozen=True)
class Host:
    """A virtual machine as Ansible and as a person at its shell see it."""

    vm: VM

    def module(self, name: str, *, check: bool = False, **arguments: t.Any) -> Data:
        """What the collection's module returns."""
        return self._module(name, arguments, ["--check"] * check)

    def refusal(self, name: str, **arguments: t.Any) -> str:
        """Why the module fails."""
        return str(self._module(name, arguments, fails=True)["msg"])

    def _module(self, name: str, arguments: Data, options: t.Sequence[str] = (), *, fails: bool = False) -> Data:
        given = ["-a", json.dumps(arguments)] if arguments else []
        answer = self._ansible(["ansible", "vm", "-m", f"nettune.tcp.{name}", *given, *options], fails=fails)
        return t.cast("Data", json.loads(re.split(r"^vm \|.* => ", answer, flags=re.MULTILINE)[-1]))

    def tune(self, *, check: bool = False) -> Play:
        """Apply the role."""
        outcome = self.vm.directory / "outcome.json"
        command = ["ansible-playbook", str(HERE / "tune.yml"), "-e", f"outcome={outcome}", *(["--check"] * check)]
        recap = re.search(r"^vm .*\bchanged=(\d+)", self._ansible(command), re.MULTILINE)
        assert recap
        return Play(**json.loads(outcome.read_text(encoding="utf-8")), changed=int(recap[1]))

    def _ansible(self, command: t.Sequence[str], *, fails: bool = False) -> str:
        inventory = self.vm.directory / "inventory.json"
        variables = {
            "ansible_ssh_args": f"-F {self.vm.ssh_config}",
            "ansible_ssh_timeout": 60,
            "ansible_ssh_pipelining": True,
            "ansible_python_interpreter": "/usr/bin/python3",
        }
        inventory.write_text(json.dumps({"all": {"hosts": {"vm": variables}}}), encoding="utf-8")
        done = subprocess.run(
            [*command, "-i", str(inventory)],
            env={**os.environ, "ANSIBLE_CALLBACK_RESULT_FORMAT": "json"},
            capture_output=True,
            text=True,
            timeout=PLAY_LIMIT,
            check=False,
        )
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout

    def sysctl(self, *keys: str) -> t.Dict[str, str]:
        """The running values as procps reads them; columns are separated by one space."""
        lines = self.vm.run("sysctl", *keys).splitlines()
        return {key: " ".join(value.split()) for key, value in (line.split(" =", 1) for line in lines)}

    def state(self) -> t.FrozenSet[str]:
        """One line for each thing that a play of the collection could change."""
        return frozenset(self.vm.run("sh", "-c", STATE).splitlines())

    def boot_id(self) -> str:
        return self.vm.run("cat", "/proc/sys/kernel/random/boot_id").strip()

    def probe(self, name: str, *arguments: str) -> t.Any:
        """What the program of the directory probes tells, run by the machine's own Python as root."""
        program = (HERE / "probes" / f"{name}.py").read_text(encoding="utf-8")
        return json.loads(self.vm.run("python3", "-", *arguments, given=program))

    def script(self, name: str) -> None:
        """Run the shell script of the directory probes."""
        self.vm.run("sh", given=(HERE / "probes" / f"{name}.sh").read_text(encoding="utf-8"))

    @contextlib.contextmanager
    def lowered(self, key: str, value: int) -> t.Iterator[None]:
        """Meanwhile the key has a value that nobody should give it; whatever it then gets is undone in the end."""
        self.module("sysctl", settings={key: value}, force=True)
        try:
            yield
        finally:
            self.module("sysctl", settings={key: None}, state="absent")
