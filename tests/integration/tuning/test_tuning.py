# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All kinds of settings as one transaction, and the way back from it."""

from __future__ import annotations

import os
import pathlib
import typing as t

from ansible_collections.nettune.tcp.plugins.module_utils._backlog import service
from ansible_collections.nettune.tcp.plugins.module_utils._kernel import proc_sys
from ansible_collections.nettune.tcp.plugins.module_utils._record import originals, store
from ansible_collections.nettune.tcp.tests.integration.backlog.nginx import Nginx, in_force
from ansible_collections.nettune.tcp.tests.integration.tuning.hosts import (
    FILE,
    everything,
    failure,
    rollback,
    tuning,
)

if t.TYPE_CHECKING:
    from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox

SOMAXCONN, FIN_TIMEOUT, RANGE = "net.core.somaxconn", "net.ipv4.tcp_fin_timeout", "net.ipv4.ip_local_port_range"
HTTP = "include {0}/site.conf;"
SITE = "server { listen 8080; }\nserver { listen 127.0.0.1:8081 backlog=64; }\n"
HALVES = {"at_least": 8192}


def site(directory: pathlib.Path) -> pathlib.Path:
    """A file of nginx with an owner, mode and attributes of its own."""
    path = directory / "site.conf"
    path.write_text(SITE)
    path.chmod(0o640)
    os.chown(path, 0, 33)
    os.setxattr(path, "user.kept", b"by somebody")
    return path


def backlogs(nginx: Nginx, **options: t.Any) -> t.Dict[str, t.Any]:
    """All that is asked in these tests."""
    return {
        "sysctls": {FIN_TIMEOUT: 30, RANGE: {"covers": [15000, 60999]}},
        "backlogs": [{"server": "nginx", "config": str(nginx.config), "backlog": HALVES}],
        **options,
    }


def test_all_at_once_and_back(on_fresh_host: Sandbox, tmp_path: pathlib.Path) -> None:
    def body() -> None:
        site(tmp_path)
        with Nginx(tmp_path, HTTP.format(tmp_path)) as nginx:
            asked = backlogs(nginx, label="first")
            pristine = everything(tmp_path)
            predicted = tuning(check_mode=True, **asked)
            assert everything(tmp_path) == pristine
            done = tuning(**asked)
            assert {**done, "run": None} == predicted
            assert done["summary"]["changed"] == len(done["settings"]) == 5
            assert in_force() == {"0.0.0.0:8080": [8192], "127.0.0.1:8081": [8192]}
            assert proc_sys.read(SOMAXCONN) == "8192"
            rows = {row["name"]: row for row in done["settings"]}
            assert (rows[SOMAXCONN]["want"], rows["0.0.0.0:8080"]["boot"]) == ("at least 8192", 8192)

            again = tuning(**asked)
            assert (again["changed"], again["run"], again["summary"]["ok"]) == (False, None, 5)
            assert len(store.ids()) == 1

            tuned = everything(tmp_path)
            assert rollback("first", check_mode=True)["changed"]
            assert everything(tmp_path) == tuned
            back = rollback("first")
            assert (back["changed"], back["undone"]) == (True, [done["run"]])
            assert everything(tmp_path) == pristine
            assert originals.load() == {}
            for before in ("first", done["run"], "last", "original"):
                assert not rollback(before)["changed"], before
            assert len(store.ids()) == 2

    on_fresh_host(body)


def test_listeners_in_one_file_may_want_different_queues(on_fresh_host: Sandbox, tmp_path: pathlib.Path) -> None:
    def body() -> None:
        site(tmp_path)
        with Nginx(tmp_path, HTTP.format(tmp_path)) as nginx:
            server = {"server": "nginx", "config": str(nginx.config)}
            queues = [{**server, "listen": ["8080"], "backlog": 3000}, {**server, "listen": ["8081"], "backlog": 2000}]
            pristine = everything(tmp_path)
            predicted = tuning(check_mode=True, backlogs=queues)
            done = tuning(backlogs=queues)
            assert {**done, "run": None} == predicted
            assert in_force() == {"0.0.0.0:8080": [3000], "127.0.0.1:8081": [2000]}
            assert [row["boot"] for row in done["settings"] if row["kind"] == "backlog"] == [3000, 2000]
            assert not tuning(backlogs=queues)["changed"]
            assert rollback("last")["changed"]
            assert everything(tmp_path) == pristine

    on_fresh_host(body)


def test_one_queue_is_set_once(on_fresh_host: Sandbox, tmp_path: pathlib.Path) -> None:
    def body() -> None:
        site(tmp_path)
        with Nginx(tmp_path, HTTP.format(tmp_path)) as nginx:
            server = {"server": "nginx", "config": str(nginx.config), "backlog": 3000}
            live = {"server": "any", "listen": ["8081"], "backlog": 2000}
            pristine = everything(tmp_path)
            for queues, which in (([server, server], "0.0.0.0:8080"), ([server, live], "127.0.0.1:8081")):
                said = failure(tuning, backlogs=queues)["msg"]
                assert said == f"backlogs: {which} is set by two entries, leave one of them out"
            assert everything(tmp_path) == pristine
            assert not store.ids()

    on_fresh_host(body)


def test_what_the_last_server_refuses_leaves_nothing(on_fresh_host: Sandbox, tmp_path: pathlib.Path) -> None:
    def body() -> None:
        site(tmp_path)
        with Nginx(tmp_path, HTTP.format(tmp_path)) as nginx:
            pristine = everything(tmp_path)
            asked = backlogs(nginx)
            broken = tmp_path / "broken.conf"
            broken.write_text("events {}\nhttp { server { listen 8090; nonsense; } }\n")
            pristine = everything(tmp_path)
            asked["backlogs"].append({"server": "nginx", "config": str(broken), "backlog": 4096})
            assert "nonsense" in failure(tuning, **asked)["msg"]
            assert everything(tmp_path) == pristine
            assert not store.ids()

    on_fresh_host(body)


def test_what_fails_at_the_end_leaves_nothing(on_fresh_host: Sandbox, tmp_path: pathlib.Path) -> None:
    def body() -> None:
        site(tmp_path)
        with Nginx(tmp_path, HTTP.format(tmp_path)) as nginx:
            other = tmp_path / "other.conf"
            other.write_text("events {}\nhttp { server { listen 8090; } }\n")
            pristine = everything(tmp_path)
            asked = backlogs(nginx)
            asked["backlogs"].append({"server": "nginx", "config": str(other), "backlog": 4096})
            result = failure_of_last_look(asked, other)
            assert "8090" in result["msg"]
            assert {one.split()[0] for one in result["restored"]} >= {"write", "listen(8192)", FIN_TIMEOUT}
            changed = everything(tmp_path)
            changed["files"].pop(str(other))
            pristine["files"].pop(str(other))
            assert changed == pristine
            # What somebody else has written meanwhile is left as it is, and said.
            assert [str(other) in reason for reason in result["not_restored"]] == [True]
            assert [run.end for run in store.runs()] == ["failed"]
            assert str(other) in failure(rollback, "last")["msg"]

    on_fresh_host(body)


def failure_of_last_look(asked: t.Dict[str, t.Any], other: pathlib.Path) -> t.Dict[str, t.Any]:
    """Somebody takes the listener away when nginx has judged the new configuration."""
    judge = service.check

    def check(command: t.Any, master: t.Any, what: str) -> None:
        judge(command, master, what)
        if "backlog=4096" in other.read_text():
            other.write_text("events {}\n")

    service.check = check
    try:
        return failure(tuning, **asked)
    finally:
        service.check = judge


def test_what_somebody_changed_is_named_and_nothing_rolled_back(on_fresh_host: Sandbox, tmp_path: pathlib.Path) -> None:
    def body() -> None:
        path = site(tmp_path)
        with Nginx(tmp_path, HTTP.format(tmp_path)) as nginx:
            pristine = everything(tmp_path)
            tuning(**backlogs(nginx))
            proc_sys.write(FIN_TIMEOUT, "45")
            path.write_text(path.read_text() + "# mine\n")
            found = everything(tmp_path)
            for check_mode in (True, False):
                result = failure(rollback, "last", check_mode=check_mode)
                assert f"{FIN_TIMEOUT} is now 45, but was left as 30" in result["msg"]
                assert "# mine" in result["diff"][0]["before"]
                assert {row["name"] for row in result["settings"]} == {FIN_TIMEOUT, str(path)}
                assert everything(tmp_path) == found
            assert rollback("last", force=True)["changed"]
            assert everything(tmp_path) == pristine

    on_fresh_host(body)


def test_what_somebody_did_between_two_runs_is_not_lost(on_fresh_host: Sandbox, tmp_path: pathlib.Path) -> None:
    def body() -> None:
        path = site(tmp_path)
        with Nginx(tmp_path, HTTP.format(tmp_path)) as nginx:
            first = tuning(**backlogs(nginx))["run"]
            path.write_text(path.read_text() + "# mine\n")
            between = everything(tmp_path)
            backlog = {"server": "nginx", "config": str(nginx.config), "backlog": 9000}
            tuning(sysctls={FIN_TIMEOUT: 30}, backlogs=[backlog])
            result = failure(rollback, first)
            assert "somebody changed it to sha256" in result["msg"]
            assert {row["name"] for row in result["settings"]} == {str(path)}
            assert rollback("last")["changed"]
            assert everything(tmp_path) == between

    on_fresh_host(body)


def test_runs_are_undone_in_turn(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        states = [everything()]
        for number, value in enumerate((30, 31, 32)):
            asked = {FIN_TIMEOUT: value, RANGE: [20000 + 2 * value, 60999]}
            tuning(sysctls=asked, label="odd" if number % 2 else "even")
            states.append(everything())
        assert rollback("odd")["changed"]
        assert everything() == states[1]
        tuning(sysctls={FIN_TIMEOUT: 31, SOMAXCONN: 5000}, label="odd")
        assert rollback("odd")["changed"]
        assert everything() == states[1]
        assert rollback("original")["changed"]
        assert everything() == states[0]
        assert (originals.load(), pathlib.Path(FILE).exists()) == ({}, False)

    on_fresh_host(body)
