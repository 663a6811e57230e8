# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs are root's, found where only root puts them, run alone, in time, and not heard without end."""

from __future__ import annotations

import os
import pathlib
import signal
import time
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils import _command
from ansible_collections.nettune.tcp.plugins.module_utils._errors import NettuneError, NotTrusted, Unsupported

ROOT = os.geteuid() == 0


def shell(script: str, *arguments: str, **options: t.Any) -> _command.Outcome:
    return _command.run(["sh", "-c", script, "sh", *arguments], **options)


def program(path: pathlib.Path, text: str = "#!/bin/sh\necho $0 $*\n") -> pathlib.Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def gone(path: pathlib.Path) -> bool:
    """Whether the process that has written its pid there ends."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            os.kill(int(path.read_text() or 2**22), 0)
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.01)
    return False


def test_both_outputs_and_the_code_are_kept() -> None:
    outcome = shell('echo "$LC_ALL $1"; echo err >&2; exit 3', "a;b")
    assert outcome == _command.Outcome(3, "C a;b\n", "err\n")
    assert outcome.text == "C a;b\nerr"
    assert shell("kill -9 $$").code == -signal.SIGKILL


def test_a_program_gets_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_PRELOAD", "/nowhere.so")
    monkeypatch.setenv("SECRET", "1")
    inheritable, writable = os.pipe()
    os.set_inheritable(inheritable, True)
    try:
        outcome = shell("env; pwd; ls /proc/self/fd; cat; ps -o sid= -p $$", environment={"A": "b"})
    finally:
        os.close(inheritable)
        os.close(writable)
    variables, rest = outcome.stdout.split("\n/\n")
    assert sorted(line for line in variables.split() if line[:4] not in ("PWD=", "OLDP", "_=/u", "SHLV")) == [
        "A=b",
        "LC_ALL=C",
        f"PATH={os.pathsep.join(_command._trusted())}",
    ]
    *descriptors, session = rest.split()
    assert descriptors == ["0", "1", "2", "3"]  # the last is that of ls itself
    assert int(session) != os.getsid(0)
    assert not outcome.stderr


def test_a_script_is_read_by_its_descriptor(tmp_path: pathlib.Path, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("trust_in_tmp")
    script = program(tmp_path / "script")
    with _command.opened(str(script)) as found:
        script.unlink()
        program(script, "#!/bin/sh\necho another\n")
        outcome = _command.run(["script", "x"], found)
    assert outcome.stdout.split()[0].startswith("/proc/self/fd/")
    assert outcome.stdout.split()[1] == "x"


@pytest.mark.usefixtures("trust_in_tmp")
def test_a_program_that_is_replaced_after_the_look_is_run_as_it_was(tmp_path: pathlib.Path) -> None:
    binary = tmp_path / "program"
    binary.write_bytes(pathlib.Path("/bin/true").read_bytes())
    binary.chmod(0o755)
    with _command.opened(str(binary)) as found:
        binary.unlink()
        program(binary, "#!/bin/sh\nexit 9\n")
        assert _command.run(["program"], found).code == 0
    assert _command.run([str(binary)]).code == 9


@pytest.mark.parametrize("entries", ["", ":", ".", "sub:", ":sub", "./sub", "{tmp}/sub/../sub", "{tmp}/link"])
def test_nothing_is_found_where_others_may_put_it(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, entries: str
) -> None:
    for place in (tmp_path / "planted", tmp_path / "sub" / "planted"):
        program(place)
    (tmp_path / "link").symlink_to(tmp_path / "sub")
    if entries.startswith("{tmp}"):
        tmp_path.chmod(0o777)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", entries.replace("{tmp}", str(tmp_path)))
    with pytest.raises((Unsupported, NotTrusted)):
        _command.run(["planted"])
    assert not _command.installed("planted")
    assert shell("exit 0").code == 0


@pytest.mark.usefixtures("trust_in_tmp")
def test_an_absolute_directory_of_roots_in_path_comes_first(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f":relative:{tmp_path}")
    program(tmp_path / "sh", "#!/bin/sh\necho first\n")
    assert _command.run(["sh"]).stdout == "first\n"


@pytest.mark.skipif(not ROOT, reason="needs root to give a file to somebody else")
@pytest.mark.usefixtures("trust_in_tmp")
@pytest.mark.parametrize(
    "owner, mode, of_directory, reason",
    [
        (65534, 0o755, False, "belongs to uid 65534"),
        (0, 0o775, False, "may write"),
        (0, 0o757, False, "may write"),
        (65534, 0o755, True, "belongs to uid 65534"),
        (0, 0o777, True, "may write"),
        (0, 0o644, False, "is not executable"),
    ],
)
def test_only_roots_programs_are_run(
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    owner: int,
    mode: int,
    of_directory: bool,
    reason: str,
) -> None:
    path = program(tmp_path / "sub" / "planted")
    concerned = path.parent if of_directory else path
    os.chown(concerned, owner, owner)
    concerned.chmod(mode)
    monkeypatch.setenv("PATH", str(path.parent))
    with pytest.raises(NotTrusted, match="planted is not run: .*" if reason != "is not executable" else reason):
        _command.run(["planted"])
    with pytest.raises(NotTrusted, match=reason):
        _command.run([str(path)])


@pytest.mark.skipif(not ROOT, reason="needs root to give a file to somebody else")
@pytest.mark.usefixtures("trust_in_tmp")
def test_the_interpreter_of_a_script_is_judged_too(tmp_path: pathlib.Path) -> None:
    interpreter = program(tmp_path / "interpreter")
    os.chown(interpreter, 65534, 65534)
    script = program(tmp_path / "script", f"#! {interpreter} -x\n")
    with pytest.raises(NotTrusted, match=r"script: its interpreter: "):
        _command.run([str(script)])


@pytest.mark.usefixtures("trust_in_tmp")
@pytest.mark.parametrize("text, reason", [("#!/no/such/interpreter\n", "interpreter"), ("\x7fELF?", "cannot be run")])
def test_what_cannot_be_started_is_an_error(tmp_path: pathlib.Path, text: str, reason: str) -> None:
    with pytest.raises(NettuneError, match=f"broken: .*{reason}"):
        _command.run([str(program(tmp_path / "broken", text))])


def test_what_is_missing_is_named() -> None:
    with pytest.raises(Unsupported, match="no-such-server is not installed"):
        _command.run(["no-such-server", "-t"])
    with pytest.raises(NettuneError, match="/nowhere/server"):
        _command.run(["/nowhere/server"])
    with pytest.raises(NettuneError, match=r"sh -c true sh: .* cannot be run"):
        shell("true", cwd="/nowhere")


HANGING = {
    "itself": "echo $$ >$1; exec sleep 60",
    "a child": "sleep 60 & echo $! >$1; wait",
    "one that ignores it": "trap '' TERM HUP INT; echo $$ >$1; while :; do sleep 1; done",
    "one in a session of its own": "setsid sh -c 'echo $$ >$0; exec sleep 60' $1 & wait; sleep 60",
    "one whose parent has ended": "(setsid sh -c 'echo $$ >$0; exec sleep 60' $1 &); sleep 60",
}


@pytest.mark.parametrize("case", HANGING)
def test_what_does_not_end_is_ended_with_all_that_it_has_started(tmp_path: pathlib.Path, case: str) -> None:
    with pytest.raises(NettuneError, match=r"did not end within 0\.3 seconds, and was ended with its") as caught:
        shell(f"echo said; {HANGING[case]}", str(tmp_path / "pid"), timeout=0.3)
    assert gone(tmp_path / "pid")
    assert caught.value.details == {"said": "said"}


def test_what_is_left_behind_is_ended(tmp_path: pathlib.Path) -> None:
    script = "(setsid sh -c 'echo $$ >$0; exec sleep 60' $1 &); while [ ! -s $1 ]; do sleep 0.01; done; exit 4"
    assert shell(script, str(tmp_path / "pid")).code == 4
    assert gone(tmp_path / "pid")


def test_a_program_ends_when_we_do(tmp_path: pathlib.Path) -> None:
    child = os.fork()
    if child == 0:
        shell(HANGING["a child"], str(tmp_path / "pid"))
        os._exit(0)
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert gone(tmp_path / "pid")


def test_of_a_flood_the_beginning_and_the_end_are_kept() -> None:
    outcome = shell("echo first; head -c 9000000 /dev/zero | tr '\\0' x; echo; echo last; echo err >&2")
    assert not outcome.whole
    assert outcome.stdout.startswith("first\nxxx")
    assert outcome.stdout.endswith("xxx\nlast\n")
    assert len(outcome.stdout) < 2 * _command.MOST
    assert f"[{9000012 - _command.MOST} bytes are left out here]" in outcome.stdout
    assert outcome.stderr == "err\n"


def test_a_flood_without_end_is_ended() -> None:
    with pytest.raises(NettuneError, match="did not end within") as caught:
        shell("yes", timeout=0.3)
    assert len(str(caught.value.details["said"])) < 2 * _command.MOST
