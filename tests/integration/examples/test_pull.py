# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documented example of a host that converges by itself: its very command, with a repository of the test's own."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._kernel import proc_sys
from ansible_collections.nettune.tcp.tests.integration.plays import COLLECTIONS
from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "pull"
KEY = "net.ipv4.tcp_keepalive_time"
BUSY = 75


def repository(directory: Path) -> Path:
    """A git repository with the example in it."""
    made = directory / "fleet"
    made.mkdir()
    (made / "converge.yml").write_text((EXAMPLE / "converge.yml").read_text())
    who = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    for words in (["init", "--quiet", "--initial-branch=main"], ["add", "."], ["commit", "--quiet", "--message=x"]):
        subprocess.run(["git", *who, *words], cwd=made, check=True)
    return made


def command(directory: Path, url: Path) -> t.List[str]:
    """What the service runs, but with places below a directory."""
    unit = (EXAMPLE / "nettune-tcp-pull.service").read_text().replace("\\\n", " ")
    found = re.search(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    assert found
    line = found[1].replace("${URL}", str(url)).replace("${VERSION}", "main")
    for place in ("/run/lock/", "/var/lib/"):
        assert place in line
        line = line.replace(place, f"{directory}/")
    return shlex.split(line.replace("/usr/bin/ansible-pull", "ansible-pull"))


def pull(words: t.List[str], directory: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_HOME": str(directory / "ansible"),
        "ANSIBLE_NOCOLOR": "1",
    }
    environment.pop("ANSIBLE_CONFIG", None)
    return subprocess.run(words, cwd=directory, env=environment, check=False, capture_output=True, text=True)


def test_a_host_converges_after_drift_by_itself(on_fresh_host: Sandbox, tmp_path: Path) -> None:
    words = command(tmp_path, repository(tmp_path))

    def body() -> t.List[t.Tuple[int, t.Optional[str], str]]:
        seen = []
        for drift in ("7200", "1800", None):
            if drift:
                proc_sys.write(KEY, drift)
            done = pull(words, tmp_path)
            seen.append((done.returncode, proc_sys.read(KEY), done.stdout + done.stderr))
        return seen

    seen = on_fresh_host(body)
    for code, value, printed in seen:
        assert (code, value) == (0, "600"), printed
    changed = [re.findall(r"^localhost\s+: ok=\d+\s+changed=(\d+) ", printed, re.MULTILINE) for *_rest, printed in seen]
    assert changed == [["1"], ["1"], ["0"]]


def test_a_second_run_at_the_same_time_is_none(on_fresh_host: Sandbox, tmp_path: Path) -> None:
    words = command(tmp_path, tmp_path / "nowhere")
    lock = next(word for word in words if word.endswith(".lock"))

    def body() -> t.Tuple[int, int]:
        holder = ["flock", lock, *words]
        return pull(holder, tmp_path).returncode, pull(words, tmp_path).returncode

    busy, alone = on_fresh_host(body)
    assert busy == BUSY
    assert alone not in (0, BUSY)
    assert f"SuccessExitStatus={BUSY}" in (EXAMPLE / "nettune-tcp-pull.service").read_text()


@pytest.mark.parametrize("name", ["nettune-tcp-pull.service", "nettune-tcp-pull.timer"])
def test_systemd_understands_the_units(name: str, tmp_path: Path) -> None:
    unit = tmp_path / name
    # It looks for the programs, and the one of the distribution need not be here.
    unit.write_text((EXAMPLE / name).read_text().replace("/usr/bin/ansible-pull", "/bin/true"))
    other = tmp_path / "nettune-tcp-pull.service"
    if not other.exists():
        other.write_text((EXAMPLE / other.name).read_text())
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
