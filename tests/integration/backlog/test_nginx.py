# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nettune.tcp.listen_backlog on a real nginx: in force by listen() from outside, by reload, or said why not."""

from __future__ import annotations

import os
import pathlib
import signal
import socket
import subprocess
import time
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._backlog import service
from ansible_collections.nettune.tcp.plugins.module_utils._boot import systemd
from ansible_collections.nettune.tcp.plugins.module_utils._errors import BadRequest, MissingRight, NettuneError
from ansible_collections.nettune.tcp.plugins.module_utils._kernel import holders, pidfd
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.identity import Identity
from ansible_collections.nettune.tcp.tests.integration.backlog.nginx import (
    Nginx,
    become_nobody,
    in_force,
    somaxconn,
    statuses,
)
from ansible_collections.nettune.tcp.tests.integration.backlog.servers import judge_late
from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox, in_child

ONE = "server { listen 8080; return 200 ok; }"


def test_a_changed_number_gets_into_force_by_a_reload(in_namespace: Sandbox, tmp_path: pathlib.Path) -> None:
    def body() -> None:
        with Nginx(tmp_path, ONE) as nginx:
            assert in_force() == {"0.0.0.0:8080": [511]}
            predicted = nginx.backlog(3000, check_mode=True, apply="reload")
            assert in_force() == {"0.0.0.0:8080": [511]}
            workers = nginx.workers()
            done = nginx.backlog(3000, apply="reload")
            assert {**done, "run": None} == predicted
            assert statuses(done) == [("0.0.0.0", 8080, 511, 3000, "effective")]
            assert done["changed"]
            assert done["files"] == [str(nginx.config)]
            assert "listen 8080 backlog=3000; return" in nginx.config.read_text()
            assert in_force() == {"0.0.0.0:8080": [3000]}
            nginx.wait_for_other_workers(workers)
            again = nginx.backlog(3000, apply="reload")
            assert not again["changed"]
            assert statuses(again) == [("0.0.0.0", 8080, 3000, 3000, "effective")]

    in_namespace(body)


def test_a_raised_somaxconn_gets_into_force_without_touching_the_service(
    in_namespace: Sandbox, tmp_path: pathlib.Path
) -> None:
    def body() -> None:
        somaxconn(1000)
        with Nginx(tmp_path, ONE.replace("8080", "8080 backlog=8192")) as nginx:
            before = nginx.config.stat().st_ino, nginx.config.read_text()
            workers = nginx.workers()
            clamped = nginx.backlog({"at_least": 8192})
            assert not clamped["changed"]
            assert statuses(clamped) == [("0.0.0.0", 8080, 1000, 1000, "clamped_by_somaxconn")]
            assert "net.core.somaxconn = 1000: raise that to 8192" in clamped["warnings"][0]
            somaxconn(16384)
            done = nginx.backlog({"at_least": 8192})
            assert statuses(done) == [("0.0.0.0", 8080, 1000, 8192, "effective")]
            assert (done["changed"], done["files"]) == (True, [])
            assert in_force() == {"0.0.0.0:8080": [8192]}
            assert nginx.workers() == workers
            assert (nginx.config.stat().st_ino, nginx.config.read_text()) == before

    in_namespace(body)


@pytest.mark.parametrize("apply", ["auto", "live"])
def test_live_does_not_touch_the_service_and_the_next_start_gives_the_same(
    in_namespace: Sandbox, tmp_path: pathlib.Path, apply: str
) -> None:
    def body() -> None:
        with Nginx(tmp_path, ONE) as nginx:
            workers = nginx.workers()
            done = nginx.backlog({"at_least": 3000}, apply=apply)
            assert statuses(done) == [("0.0.0.0", 8080, 511, 3000, "effective")]
            assert nginx.workers() == workers
            os.kill(nginx.master, signal.SIGHUP)
            nginx.wait_for_other_workers(workers)
            assert in_force() == {"0.0.0.0:8080": [3000]}
            nginx.stop()
            nginx.start()
            assert in_force() == {"0.0.0.0:8080": [3000]}

    in_namespace(body)


def test_every_kind_of_socket(in_namespace: Sandbox, tmp_path: pathlib.Path) -> None:
    http = f"""
        server {{ listen 8080 reuseport; listen [::]:8080; return 200 a; }}
        server {{ listen 127.0.0.1:8081; listen [::1]:8081 default_server; return 200 b; }}
        server {{ listen unix:{tmp_path}/s.sock; listen 8082-8083; return 200 c; }}
        server {{ listen 8080; server_name other; return 200 d; }}
    """

    def body() -> None:
        with Nginx(tmp_path, http, workers=3) as nginx:
            assert in_force()["0.0.0.0:8080"] == [511, 511, 511]
            first = nginx.workers()
            done = nginx.backlog({"at_least": 2000}, apply="reload")
            assert {row["status"] for row in done["listeners"]} == {"effective"}
            assert in_force() == {
                "0.0.0.0:8080": [2000, 2000, 2000],
                "0.0.0.0:8082": [2000],
                "0.0.0.0:8083": [2000],
                "127.0.0.1:8081": [2000],
                "::1:8081": [2000],
                ":::8080": [2000],
                f"{tmp_path}/s.sock": [2000],
            }
            nginx.wait_for_other_workers(first)
            workers = nginx.workers()
            nginx.backlog(3000, apply="live")
            assert set(map(tuple, in_force().values())) == {(3000,), (3000, 3000, 3000)}
            assert nginx.workers() == workers

    in_namespace(body)


def test_only_what_is_meant_is_changed(in_namespace: Sandbox, tmp_path: pathlib.Path) -> None:
    def body() -> None:
        with Nginx(tmp_path, "server { listen 8080; listen [::]:8080; listen 8081; }") as nginx:
            done = nginx.backlog(3000, listen=["[::]:8080", "8081"])
            assert [(row["family"], row["port"]) for row in done["listeners"]] == [("inet6", 8080), ("inet", 8081)]
            assert in_force() == {"0.0.0.0:8080": [511], ":::8080": [3000], "0.0.0.0:8081": [3000]}
            with pytest.raises(BadRequest, match=r"listen on 9999, only 0.0.0.0:8080, 0.0.0.0:8081, \[::\]:8080"):
                nginx.backlog(3000, listen=["9999"])

    in_namespace(body)


def test_what_nginx_refuses_is_put_back_in_its_words(
    in_namespace: Sandbox, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def body() -> None:
        judge_late(monkeypatch)
        with Nginx(tmp_path, "include sites-enabled/*;") as nginx:
            nginx.stop()
            available = tmp_path / "sites-available"
            enabled = tmp_path / "sites-enabled"
            for directory in (available, enabled):
                directory.mkdir()
            (available / "a").write_bytes(b"server {\r\n\tlisten 8080;\r\n}\r\n")
            (available / "b").write_bytes(b"server {\r\n\tlisten 8081;\r\n}\r\n")
            (enabled / "a").symlink_to("../sites-available/a")
            (enabled / "b").symlink_to("../sites-available/b")
            nginx.start()
            texts = {path: path.read_bytes() for path in (nginx.config, available / "a", available / "b")}
            with nginx.config.open("ab") as handle:
                handle.write(b"nonsense on;\n")
            with pytest.raises(NettuneError, match=r'unknown directive "nonsense"') as caught:
                nginx.backlog(3000)
            assert str(enabled / "a") in " ".join(caught.value.details["restored"])
            assert "not_restored" not in caught.value.details
            nginx.config.write_bytes(texts[nginx.config])
            assert {path: path.read_bytes() for path in texts} == texts
            assert in_force() == {"0.0.0.0:8080": [511], "0.0.0.0:8081": [511]}
            # and when it is mended, the links stay links
            nginx.backlog(3000)
            assert (available / "a").read_bytes() == b"server {\r\n\tlisten 8080 backlog=3000;\r\n}\r\n"
            assert (enabled / "a").is_symlink()
            assert in_force() == {"0.0.0.0:8080": [3000], "0.0.0.0:8081": [3000]}

    in_namespace(body)


def test_a_configuration_that_cannot_be_read_is_left_alone(in_namespace: Sandbox, tmp_path: pathlib.Path) -> None:
    def body() -> None:
        with Nginx(tmp_path, "server { listen 8080 backlog=5; } server { listen 8081; }") as nginx:
            broken = nginx.config.read_text().replace("listen 8081", "\nlisten 8080 backlog=5")
            nginx.config.write_text(broken)
            with pytest.raises(NettuneError, match=rf"^{nginx.config}:\d+: duplicate listen options for 0.0.0.0:8080"):
                nginx.backlog(3000)
            assert nginx.config.read_text() == broken

    in_namespace(body)


def test_without_root_nothing_is_changed_and_the_right_is_named(in_namespace: Sandbox, tmp_path: pathlib.Path) -> None:
    for directory in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        directory.chmod(0o755)

    def body() -> None:
        with Nginx(tmp_path, ONE + " server { listen 8081 backlog=3000; }") as nginx:

            def as_nobody() -> None:
                for listen in (None, ["8081"]):
                    with pytest.raises(MissingRight, match="not writable for uid 65534"):
                        nginx.backlog(3500, listen=listen)
                observed = nginx.backlog({"at_least": 3000}, listen=["8081"])
                assert statuses(observed) == [("0.0.0.0", 8081, 3000, 3000, "effective")]

            before = nginx.config.read_text()
            in_child(become_nobody, as_nobody)
            assert nginx.config.read_text() == before
            assert in_force() == {"0.0.0.0:8080": [511], "0.0.0.0:8081": [3000]}

    in_namespace(body)


def test_a_kernel_that_cannot_duplicate_sockets_leaves_a_restart(
    in_namespace: Sandbox, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def body() -> None:
        monkeypatch.setattr(pidfd, "_PIDFD_GETFD", 100000)  # a system call that there is not, as before Linux 5.6
        somaxconn(1000)
        with Nginx(tmp_path, ONE.replace("8080", "8080 backlog=3000")) as nginx:
            somaxconn(4096)
            done = nginx.backlog(3000)
            assert statuses(done) == [("0.0.0.0", 8080, 1000, 1000, "restart_required")]
            assert done["restart_required"]
            assert "it was added in Linux 5.6" in done["listeners"][0]["reason"]
            with pytest.raises(NettuneError, match=r"it was added in Linux 5\.6"):
                nginx.backlog(3000, apply="live")
            # where the number changes, the reload does it
            done = nginx.backlog(3500)
            assert statuses(done) == [("0.0.0.0", 8080, 1000, 3500, "effective")]

    in_namespace(body)


def test_a_reload_that_does_not_listen_again_is_followed_by_live(
    in_namespace: Sandbox, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def body() -> None:
        with Nginx(tmp_path, ONE) as nginx:
            sent: t.List[t.Tuple[int, str]] = []

            def send(master: Identity, name: str) -> None:
                sent.append((master.pid, name))
                monkeypatch.setattr(pidfd, "_PIDFD_GETFD", works)

            works = pidfd._PIDFD_GETFD
            monkeypatch.setattr(pidfd, "_PIDFD_GETFD", 100000)  # as if the right to it came with the reload
            monkeypatch.setattr(service, "send", send)
            monkeypatch.setattr("time.monotonic", iter(range(0, 10**6, 3)).__next__)
            done = nginx.backlog(3000)
            assert sent == [(nginx.master, "SIGHUP")]
            assert statuses(done) == [("0.0.0.0", 8080, 511, 3000, "effective")]

    in_namespace(body)


def test_none_edits_and_nothing_else(in_namespace: Sandbox, tmp_path: pathlib.Path) -> None:
    def body() -> None:
        with Nginx(tmp_path, ONE) as nginx:
            done = nginx.backlog(3000, apply="none")
            assert statuses(done) == [("0.0.0.0", 8080, 511, 511, "stale")]
            assert in_force() == {"0.0.0.0:8080": [511]}
            # the number is there, but the server has not read it
            assert statuses(nginx.backlog(3000, apply="none")) == [("0.0.0.0", 8080, 511, 511, "stale")]
            assert statuses(nginx.backlog(3000, apply="reload")) == [("0.0.0.0", 8080, 511, 3000, "effective")]
            with pytest.raises(BadRequest, match=r"apply=restart needs the systemd unit .* is not nginx\.service"):
                nginx.backlog(4000, apply="restart")
            assert "backlog=3000" in nginx.config.read_text()

    in_namespace(body)


def test_a_server_that_does_not_run_is_configured_for_its_next_start(
    in_namespace: Sandbox, tmp_path: pathlib.Path
) -> None:
    def body() -> None:
        nginx = Nginx(tmp_path, ONE)
        done = nginx.backlog(3000)
        assert statuses(done) == [("0.0.0.0", 8080, None, None, "not_listening")]
        assert done["changed"]
        with nginx:
            assert in_force() == {"0.0.0.0:8080": [3000]}

    in_namespace(body)


def test_a_port_that_another_program_holds_is_said_and_left_alone(
    in_namespace: Sandbox, tmp_path: pathlib.Path
) -> None:
    def body() -> None:
        nginx = Nginx(tmp_path, ONE)
        with socket.create_server(("", 8080), backlog=5):
            done = nginx.backlog(3000)
            assert done["listeners"][0]["status"] == "not_listening"
            assert f"(pid {os.getpid()}) holds this address and port" in done["listeners"][0]["reason"]
            assert in_force() == {"0.0.0.0:8080": [5]}

    in_namespace(body)


def test_a_unit_in_a_namespace_of_its_own_is_judged_by_that_one(
    in_namespace: Sandbox, namespace_pid: int, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = ["nsenter", f"--net=/proc/{namespace_pid}/ns/net"]
    subprocess.run([*inside, "sysctl", "-qw", "net.core.somaxconn=2000"], check=True)

    def body() -> None:
        nginx = Nginx(tmp_path, ONE)
        command = [*inside, "nginx", "-c", str(nginx.config), "-g", "daemon off;"]
        with subprocess.Popen(command) as process:
            try:
                monkeypatch.setattr(systemd, "main_pid", lambda *_: process.pid)
                while not nginx_listens(process.pid):
                    time.sleep(0.02)
                done = nginx.backlog(3000)
                assert statuses(done) == [("0.0.0.0", 8080, 511, 2000, "clamped_by_somaxconn")]
                assert done["listeners"][0]["somaxconn"] == 2000
                assert statuses(nginx.backlog(1500, apply="live")) == [("0.0.0.0", 8080, 2000, 1500, "effective")]
                assert in_force() == {}
                monkeypatch.setattr(systemd, "main_pid", lambda *_: None)
                [row] = nginx.backlog(1500)["listeners"]
                assert row["status"] == "not_listening"
                assert row["reason"].startswith("nothing listens here now; nginx (pid ")
                assert row["reason"].endswith(") runs in another network namespace")
            finally:
                process.terminate()

    in_namespace(body)


def nginx_listens(pid: int) -> bool:
    links = [os.readlink(entry.path) for entry in os.scandir(f"/proc/{pid}/fd")]
    return sum(link.startswith("socket:") for link in links) > 2


@pytest.mark.parametrize("count", [1000])
def test_a_thousand_sockets_take_no_longer_than_a_moment(
    in_namespace: Sandbox, tmp_path: pathlib.Path, count: int
) -> None:
    def body() -> float:
        http = "\n".join(f"server {{ listen {10000 + number}; return 200 a; }}" for number in range(count))
        with Nginx(tmp_path, http) as nginx:
            nginx.backlog(3000, apply="live")
            assert set(map(tuple, in_force().values())) == {(3000,)}
            start = time.process_time()
            assert not nginx.backlog(3000)["changed"]
            return time.process_time() - start

    assert in_namespace(body) < 1.0


def test_the_holder_found_is_one_that_has_the_socket(in_namespace: Sandbox) -> None:
    def body() -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=5) as server:
            inode = os.fstat(server.fileno()).st_ino
            held = holders.find([inode])[inode]
            assert (held.pid, held.descriptor) == (os.getpid(), server.fileno())
            with pidfd.duplicate(held.pid, held.descriptor, inode) as copy:
                assert copy.getsockname() == server.getsockname()
            with pytest.raises(NettuneError, match="closed the socket with inode"):
                pidfd.relisten(os.getpid(), server.fileno(), inode + 1, 7)
            pidfd.relisten(held.pid, held.descriptor, inode, 7)
            assert list(in_force().values()) == [[7]]

    in_namespace(body)
