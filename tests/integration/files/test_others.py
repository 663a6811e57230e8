# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Other users, other runs and other editors on the host: what they can do to our files, and we to theirs."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import pathlib
import shutil
import signal
import stat
import struct
import time
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils import _module
from ansible_collections.nettune.tcp.plugins.module_utils._backlog import apply, service
from ansible_collections.nettune.tcp.plugins.module_utils._backlog.request import parse_request
from ansible_collections.nettune.tcp.plugins.module_utils._errors import Changed, NettuneError
from ansible_collections.nettune.tcp.tests.integration.faults import hosts
from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox, fork
from ansible_collections.nettune.tcp.tests.integration.sysctl import calls

USER = 12345
PLACE = pathlib.Path("/srv/nettune-test")
MAIN = PLACE / "nginx.conf"
SERVER = "server {{ listen 127.0.0.1:{port}; }}\n"
PATIENCE = 20  # seconds for what takes a fraction of one


def backlog(number: int = 4096, *listen: str) -> t.Dict[str, t.Any]:
    """What a task of nettune.tcp.listen_backlog returns for an nginx that does not run."""
    params = {"server": "nginx", "backlog": number, "config": str(MAIN), "listen": list(listen), "state": "present"}
    return apply.manage(parse_request({**params, "unit": None, "apply": "auto"}), check_mode=False)


def configure(include: str = "", ports: t.Iterable[int] = (65000,)) -> None:
    """A host with this nginx configuration, which nobody judges."""
    hosts.own_places()
    setattr(service, "check", lambda *_arguments, **_options: None)  # noqa: B010 - nothing but files is tried
    servers = "".join(SERVER.format(port=port) for port in ports)
    MAIN.write_text(f"http {{\n{servers}{include}}}\n", encoding="utf-8")


@contextlib.contextmanager
def meanwhile(body: t.Callable[[], object], uid: int = 0) -> t.Iterator[None]:
    """Somebody does this again and again."""
    pid = os.fork()
    if pid == 0:
        try:
            os.setresuid(uid, uid, uid)
            while True:
                body()
        finally:
            os._exit(1)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def in_time(body: t.Callable[[], object]) -> t.Optional[str]:
    """Why it failed, None when it did not; AssertionError when it has not ended."""

    def too_late(_number: int, _frame: object) -> t.NoReturn:
        raise AssertionError("it hangs")

    signal.signal(signal.SIGALRM, too_late)
    signal.alarm(PATIENCE)
    try:
        body()
    except NettuneError as exc:
        return str(exc)
    finally:
        signal.alarm(0)
    return None


@pytest.mark.parametrize("directly", [True, False], ids=["included", "included by a link of root's"])
def test_a_file_that_becomes_a_link_is_not_written_through(on_fresh_host: Sandbox, directly: bool) -> None:
    """The user swaps it all the time; whenever we come, the target keeps what it holds."""

    def body() -> None:
        secret, theirs = PLACE / "authorized_keys", PLACE / "user"
        configure("include user/site.conf;" if directly else "include sites/*;")
        secret.write_text(SERVER.format(port=65001), encoding="utf-8")
        secret.chmod(0o600)
        theirs.mkdir()
        os.chown(theirs, USER, USER)
        (theirs / "site.conf").write_text(SERVER.format(port=65002), encoding="utf-8")
        (PLACE / "sites").mkdir()
        (PLACE / "sites" / "site.conf").symlink_to("../user/site.conf")
        before = (secret.read_bytes(), secret.stat().st_ino, MAIN.read_bytes())

        def swap() -> None:
            (theirs / "new").symlink_to(secret)
            os.rename(theirs / "new", theirs / "site.conf")
            (theirs / "new").write_text("server { }", encoding="utf-8")
            os.rename(theirs / "new", theirs / "site.conf")

        seen: t.Set[str] = set()
        with meanwhile(swap, USER):
            # On a busy machine the user may be found in the middle of the same swap for a long time.
            for _round in itertools.takewhile(lambda count: count < 100 or len(seen) < 2, range(5000)):
                reason = in_time(backlog)
                assert reason is not None
                seen.add("link" if "is a link" in reason or "is not followed" in reason else "file")
                assert f"uid {USER}" in reason or "cannot be read" in reason or "was replaced" in reason, reason
        assert seen == {"link", "file"}
        assert (secret.read_bytes(), secret.stat().st_ino, MAIN.read_bytes()) == before
        assert not [name for name in os.listdir(theirs) if name.startswith(".nettune-")]

    on_fresh_host(body)


def test_a_file_of_a_user_in_a_directory_of_root_is_edited_and_stays_theirs(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        configure("include site.conf;")
        site = PLACE / "site.conf"
        site.write_text(SERVER.format(port=65001), encoding="utf-8")
        os.chown(site, USER, USER)
        assert backlog()["changed"]
        assert "backlog=4096" in site.read_text(encoding="utf-8")
        assert site.stat().st_uid == USER

    on_fresh_host(body)


def test_what_a_file_of_a_user_includes_is_read_only_where_everybody_may(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        configure("include site.conf;")
        secret = PLACE / "secret.conf"
        secret.write_text(SERVER.format(port=65001), encoding="utf-8")
        secret.chmod(0o600)
        (PLACE / "site.conf").write_text("include secret.conf;", encoding="utf-8")
        assert in_time(backlog) is None
        os.chown(PLACE / "site.conf", USER, USER)
        assert "secret.conf: is not read" in str(in_time(lambda: backlog(5000)))

    on_fresh_host(body)


def acl_for(uid: int) -> bytes:
    """user::rw- user:UID:r-- group::r-- mask::r-- other::--- (include/uapi/linux/posix_acl_xattr.h)."""
    nobody = 0xFFFFFFFF
    entries = [(0x1, 6, nobody), (0x2, 4, uid), (0x4, 4, nobody), (0x10, 4, nobody), (0x20, 0, nobody)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def test_acls_are_kept(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        configure()
        os.setxattr(MAIN, "system.posix_acl_access", acl_for(USER))
        mode = MAIN.stat().st_mode
        assert backlog()["changed"]
        assert os.getxattr(MAIN, "system.posix_acl_access") == acl_for(USER)
        assert stat.S_IMODE(MAIN.stat().st_mode) == stat.S_IMODE(mode)

    on_fresh_host(body)


def test_an_acl_that_the_directory_gives_to_new_files_is_not_given_to_old_ones(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        configure()
        os.setxattr(PLACE, "system.posix_acl_default", acl_for(USER))
        MAIN.chmod(0o600)
        assert backlog()["changed"]
        assert "system.posix_acl_access" not in os.listxattr(MAIN)
        assert stat.S_IMODE(MAIN.stat().st_mode) == 0o600

    on_fresh_host(body)


def test_fifty_pairs_of_runs_at_once_lose_no_edit(on_fresh_host: Sandbox) -> None:
    def body() -> None:
        configure(ports=(65000, 65001))
        start = MAIN.read_bytes()
        for pair in range(50):
            MAIN.write_bytes(start)
            children = [fork(functools.partial(backlog, 1000 + one, f"127.0.0.1:6500{one}")) for one in (0, 1)]
            assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0]
            text = MAIN.read_text(encoding="utf-8")
            assert ("backlog=1000" in text, "backlog=1001" in text) == (True, True), pair

    on_fresh_host(body)


@pytest.mark.parametrize("how", ["in place", "by a rename"])
def test_what_an_editor_saves_meanwhile_is_kept_and_the_run_starts_over(on_fresh_host: Sandbox, how: str) -> None:
    def body() -> None:
        configure()

        def save() -> None:
            target = MAIN if how == "in place" else PLACE / "saved"
            text = MAIN.read_text(encoding="utf-8") + "# theirs\n"
            target.write_text(text, encoding="utf-8")
            target.rename(MAIN)

        saves = [save]
        setattr(service, "check", lambda *_arguments, **_options: saves.pop()() if saves else None)  # noqa: B010
        assert _module._whatever_others_do(backlog)["changed"]
        text = MAIN.read_text(encoding="utf-8")
        assert ("backlog=4096" in text, text.count("# theirs")) == (True, 1)
        setattr(service, "check", lambda *_arguments, **_options: save())  # noqa: B010
        with pytest.raises(Changed, match=r"nginx.conf was changed by somebody else in the meantime"):
            _module._whatever_others_do(lambda: backlog(5000))
        text = MAIN.read_text(encoding="utf-8")
        assert ("backlog=4096" in text, text.count("# theirs")) == (True, 3)

    on_fresh_host(body)


def test_what_an_editor_saves_at_any_time_is_never_lost(on_fresh_host: Sandbox) -> None:
    """It adds a line, again and again, by a rename; each is there in the end, whatever we do."""

    def body() -> None:
        configure()
        log, count = PLACE / "log", 0

        def save() -> None:
            nonlocal count
            before = MAIN.read_bytes()
            line = b"# %d\n" % count
            (PLACE / "saved").write_bytes(before + line)
            if MAIN.read_bytes() != before:
                return  # as editors ask before they overwrite
            os.rename(PLACE / "saved", MAIN)
            with log.open("ab") as stream:
                stream.write(line)
            count += 1
            time.sleep(0.002)

        with meanwhile(save):
            for number in range(1, 60):
                in_time(lambda number=number: backlog(1000 + number))  # type: ignore[misc]
        saved, kept = log.read_bytes().splitlines(), MAIN.read_bytes().splitlines()
        # Where it looked, and we replaced the file before its rename, it has taken back ours: that is its doing.
        assert set(saved) <= set(kept)
        assert len(saved) > 10

    on_fresh_host(body)


KINDS: t.Mapping[str, t.Callable[[pathlib.Path], object]] = {
    "fifo": os.mkfifo,
    "loop": lambda path: path.symlink_to(path),
    "kmsg": lambda path: path.symlink_to("/proc/kmsg"),
    "zero": lambda path: path.symlink_to("/dev/zero"),
    "directory": pathlib.Path.mkdir,
    "large": lambda path: path.write_bytes(bytes(32 << 20)),
}


def remove(path: pathlib.Path) -> None:
    """Whatever it is."""
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)


SYSCTL = ["/etc/sysctl.d/zz-nettune-tcp.conf", "/etc/sysctl.d/50-x.conf", "/etc/modules-load.d/zz-nettune-tcp.conf"]
STATE = ["/var/lib/nettune-tcp/originals.json", "/var/lib/nettune-tcp/runs"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_file_is_waited_for_nowhere(on_fresh_host: Sandbox, kind: str) -> None:
    """It is named, or does not matter; the run without it goes well."""

    def body() -> t.Dict[str, t.Optional[str]]:
        hosts.own_places()
        nofile = hosts.NoFile()
        told: t.Dict[str, t.Optional[str]] = {}

        def tried(name: str, run: t.Callable[[], object]) -> None:
            path = pathlib.Path(name)
            path.parent.mkdir(exist_ok=True)
            remove(path)
            KINDS[kind](path)
            told[name] = in_time(run)
            remove(path)

        for name in [*SYSCTL, *STATE]:
            tried(name, lambda: calls.sysctl({calls.SOMAXCONN: 8192}))
            assert in_time(lambda: calls.sysctl({calls.SOMAXCONN: None}, state="absent")) is None, name
        for name in ("50-x.conf", "zz-nettune-tcp.conf"):
            tried(f"/etc/systemd/system/{nofile.unit}.d/{name}", nofile.run)
        nofile.end()
        MAIN.unlink(missing_ok=True)
        tried(str(MAIN), backlog)
        configure("include d/*.conf; include one;")
        (PLACE / "one").touch()
        tried(f"{PLACE}/d/a.conf", backlog)
        (PLACE / "one").unlink()
        tried(f"{PLACE}/one", backlog)
        return told

    told = on_fresh_host(body)
    ours = [SYSCTL[0], SYSCTL[2], "/etc/systemd/system/web.service.d/zz-nettune-tcp.conf", str(MAIN), f"{PLACE}/one"]
    for name in ours:
        assert name in str(told[name]), (name, told[name])
    for name, reason in told.items():
        assert reason is None or name in reason, (name, reason)
