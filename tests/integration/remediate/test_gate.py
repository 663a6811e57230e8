# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Ansible's own gates let pass stops the run: failed canaries that somebody rescues, hosts that get lost, free."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import typing as t

import pytest

from ansible_collections.nettune.tcp.tests.integration.remediate import fleet as harness
from ansible_collections.nettune.tcp.tests.integration.remediate.fleet import Fleet
from ansible_collections.nettune.tcp.tests.integration.remediate.test_fleet import AS_WANTED, ASKED, hosts, names

ROLE = {"name": "Remediate", "ansible.builtin.import_role": {"name": "nettune.tcp.tcp_remediate"}}
ON = {**ASKED, "tcp_remediate_on_inconclusive": "continue", "tcp_remediate_interval": 1}


def playbook(fleet: Fleet, **play: t.Any) -> str:
    """A playbook of the user's own around the role."""
    path: pathlib.Path = fleet.directory / "play.yml"
    path.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": [ROLE], **play}]))
    return str(path)


RESCUED = [{"block": [ROLE], "rescue": [{"ansible.builtin.debug": {"msg": "rescued"}}]}]
# Files can no more be written there, which no check mode predicts.
FULL = "mount -t tmpfs -o size=16k none /var/lib/nettune-tcp; head -c 1m /dev/zero > /var/lib/nettune-tcp/full || true"


@pytest.mark.parametrize(
    "play",
    [{}, {"tasks": RESCUED}, {"any_errors_fatal": True}, {"tasks": RESCUED, "any_errors_fatal": True}],
    ids=["plain", "rescued", "any_errors_fatal", "rescued and any_errors_fatal"],
)
def test_a_canary_that_fails_ends_it(play: t.Dict[str, t.Any]) -> None:
    with Fleet([*hosts("full", 1, setup=FULL), *hosts("drifted", 3)]) as fleet:
        pristine = fleet.everything()
        code, printed = fleet.play(playbook(fleet, max_fail_percentage=0, **play), tcp_remediate_budget="50%", **ON)
        record = fleet.record()
        assert record["verdict"] == "fail", printed
        assert "a canary failed: full1 failed" in record["why"]
        assert names(record["hosts"], "left") == {"drifted1", "drifted2", "drifted3"}
        assert fleet.everything() == pristine
        assert code != 0 or "tasks" in play


def test_hosts_that_get_lost_on_the_way_end_it() -> None:
    """Two of the three in the second batch; the one that stays is taken back, and nobody else is touched."""
    with Fleet([*hosts("drifted", 5), *hosts("fine", 1, setup=AS_WANTED)]) as fleet:
        pristine = fleet.everything()
        lost = [fleet.hosts[name].process for name in ("drifted2", "drifted3")]
        down = "; ".join(f"nsenter --target={one.pid} --net ip link set eth0 down" for one in lost if one)
        code, printed = fleet.play(
            "nettune.tcp.remediate",
            **{**ON, "tcp_remediate_batches": [1, 3, 1], "tcp_remediate_command": f"sh -c '{down}'"},
            tcp_remediate_budget=1,
        )
        record = fleet.record()
        assert code != 0, printed
        assert [batch["verdict"] for batch in record["batches"]] == ["pass", "fail", ""]
        assert names(record["hosts"], "unreachable") == {"drifted2", "drifted3"}, record
        assert names(record["hosts"], "rolled_back") == {"drifted4"}
        assert (names(record["hosts"], "tuned"), names(record["hosts"], "left")) == ({"drifted1"}, {"drifted5"})
        assert {**fleet.everything(), "drifted1": ""} == {**pristine, "drifted1": ""}
        assert all(name in printed.partition("fatal: ")[2] for name in ("drifted2", "drifted3"))


def test_a_check_of_the_user_takes_back_the_whole_run() -> None:
    with Fleet([*hosts("drifted", 3), *hosts("fine", 1, setup=AS_WANTED)]) as fleet:
        pristine = fleet.everything()
        code, printed = fleet.play(
            "nettune.tcp.remediate",
            **ON,
            tcp_remediate_command="test {{ inventory_hostname }} != drifted2",
            tcp_remediate_rollback="run",
        )
        record = fleet.record()
        assert (code != 0, record["verdict"]) == (True, "fail"), printed
        assert names(record["hosts"], "rolled_back") == {"drifted1", "drifted2"}
        assert "drifted2: its check failed" in record["why"]
        assert fleet.everything() == pristine

        code, printed = fleet.play("nettune.tcp.remediate", "--check", **{**ON, "tcp_remediate_cooldown": 3600})
        assert code == 0
        assert printed.count(" of 3600 seconds ago") == 2


def test_no_traffic_is_no_verdict() -> None:
    with Fleet([*hosts("drifted", 2), *hosts("fine", 1, setup=AS_WANTED)]) as fleet:
        pristine = fleet.everything()
        code, printed = fleet.play("nettune.tcp.remediate", **{**ASKED, "tcp_remediate_min_connections": 1000000})
        record = fleet.record()
        assert (code != 0, record["verdict"]) == (True, "inconclusive"), printed
        assert names(record["hosts"], "rolled_back") == {"drifted1"}
        assert "1000000 are needed" in printed
        assert fleet.everything() == pristine


@pytest.mark.parametrize(
    "play, variables, message",
    [
        ({"strategy": "free"}, {}, "the strategy free lets hosts run ahead"),
        ({"strategy": "host_pinned"}, {}, "the strategy host_pinned lets hosts run ahead"),
        ({"serial": 1}, {}, "serial would give each group"),
        ({}, {"tcp_remediate_bugdet": 1}, "did you mean tcp_remediate_budget"),
        ({}, {"awx_job_template_name": "Tune", "awx_workflow_job_name": "Tune"}, "this is one slice of the job Tune"),
        ({}, {"tcp_remediate_confirm": 30}, "this host was not booted with systemd"),
    ],
)
def test_what_nobody_could_watch_over_is_refused(
    play: t.Dict[str, t.Any], variables: t.Dict[str, t.Any], message: str
) -> None:
    with Fleet(hosts("drifted", 2)) as fleet:
        pristine = fleet.everything()
        code, printed = fleet.play(playbook(fleet, **play), **ON, **variables)
        assert code != 0
        assert message in " ".join(printed.split())
        assert fleet.everything() == pristine


def test_what_is_wrong_is_said_once_of_the_task_and_once_of_the_host() -> None:
    with Fleet(hosts("drifted", 1)) as fleet:
        code, printed = fleet.play(playbook(fleet), tcp_remediate_batches="[1")
        assert (code, printed.count("this is not YAML")) == (2, 2), printed


def test_no_host_is_made_among_the_files_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness, "_ancestors", lambda: [os.getpid()])
    with pytest.raises(RuntimeError, match="in a mount namespace of their own"):
        Fleet([])


def test_a_host_writes_to_no_file_of_the_machine() -> None:
    with Fleet(hosts("drifted", 1)) as fleet:
        host = fleet.hosts["drifted1"]
        for place in harness.PLACES:
            host.run("touch", f"{place}/written")
            assert not pathlib.Path(place, "written").exists()
        with pytest.raises(subprocess.CalledProcessError):
            host.run("touch", str(fleet.directory / "written"))
