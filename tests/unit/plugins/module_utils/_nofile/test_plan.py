# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan and verdict: what is done about a unit, and what is said of it, for hosts that are only data."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._boot.unit_files import (
    UnitFile,
    UnitFiles,
    drop_in_directories,
)
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.cgroups import Member
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.rlimits import Ids, Limits, Rights
from ansible_collections.nettune.tcp.plugins.module_utils._nofile import drop_in, plan, verdict
from ansible_collections.nettune.tcp.plugins.module_utils._nofile.limits import Ceiling, parse_limit
from ansible_collections.nettune.tcp.plugins.module_utils._nofile.observed import Default, Observed, View

UNIT = "nginx.service"
PATH = drop_in.path_of(UNIT)
DEFAULT = Default(Limits(1024, 524288), "DefaultLimitNOFILE of systemd")
HOST = Ceiling(nr_open=1048576, manager_hard=1048576, manager_may_raise=True)
CONTAINER = Ceiling(nr_open=1048576, manager_hard=20000, manager_may_raise=False)
ROOT = Rights(raise_hard=True, any_process=True, any_user=True, uid=0, gid=0)
CONFINED = Rights(raise_hard=False, any_process=False, any_user=True, uid=0, gid=0)
MASTER, WORKER, SETUID = Ids((0,) * 3, (0,) * 3), Ids((33,) * 3, (33,) * 3), Ids((33, 0, 0), (0,) * 3)
AT_LEAST = {"at_least": 65536}
CHANGED_AT = 100.0
OLD, NEW = CHANGED_AT - 1, CHANGED_AT + 1


def unit_files(**drop_ins: str) -> UnitFiles:
    """nginx with drop-ins by name, each the value of LimitNOFILE."""
    return UnitFiles(
        UnitFile(f"/usr/lib/systemd/system/{UNIT}", "[Service]\nExecStart=/usr/sbin/nginx\n"),
        tuple(drop_in_directories(["/etc/systemd/system"], [UNIT])),
        tuple(
            UnitFile(f"/etc/systemd/system/{UNIT}.d/{name}.conf", f"[Service]\nLimitNOFILE={value}\n")
            for name, value in drop_ins.items()
        ),
        CHANGED_AT,
    )


def process(pid: int, soft: int = 1024, hard: int = 524288, **more: t.Any) -> Member:
    return Member(**{"pid": pid, "name": "nginx", "limits": Limits(soft, hard), "used": 10, "started": OLD, **more})


def nginx(*members: Member, files: t.Optional[UnitFiles] = None, **more: t.Any) -> Observed:
    """A host where nginx runs with these processes, the first of them its master."""
    files = files or unit_files()
    view = View(UNIT, files, DEFAULT.limits, main_pid=members[0].pid if members else 0, members=members)
    declared = view.declared("Service", DEFAULT).limits
    ids = {member.pid: WORKER if place else MASTER for place, member in enumerate(members)}
    given = {"ceiling": HOST, "rights": ROOT, "ids": ids, "directory_exists": True, **more}
    return Observed(UNIT, "Service", replace(view, loaded=declared), DEFAULT, **given)


def in_container(*members: Member, **more: t.Any) -> Observed:
    return nginx(*members, ceiling=CONTAINER, rights=CONFINED, **more)


def with_ours(observed: Observed, limits: Limits) -> Observed:
    """The same where our drop-in is there already and systemd has read it."""
    text = drop_in.compose(limits, "Service", own_directory=False)
    ours = observed.with_drop_in(PATH, text)
    files = replace(ours.subject.files, changed=CHANGED_AT)
    return replace(ours, subject=replace(ours.subject, files=files))


def outcome(raw: t.Any, before: Observed, *, live: bool = True) -> t.Tuple[plan.Plan, verdict.Verdict]:
    """Plan, do it to the data, and judge."""
    want = parse_limit(raw)
    planned = plan.plan_present(want, before, live=live)
    after = (before.with_drop_in(PATH, planned.text) if planned.reload else before).with_limits(planned.live)
    return planned, verdict.judge(want, before, after, planned.kept, acted=planned.reload)


def statuses(result: verdict.Verdict) -> t.List[str]:
    return [row.status for row in result.rows]


def test_unit_and_processes_are_raised() -> None:
    planned, result = outcome(AT_LEAST, nginx(process(1), process(2)))
    assert planned.text == drop_in.compose(Limits(65536, 524288), "Service", own_directory=False)
    assert (planned.write, planned.reload) == (True, True)
    assert planned.live == {1: Limits(65536, 524288), 2: Limits(65536, 524288)}
    assert (result.status, result.reason, result.restart_required) == ("changed", "", False)
    assert [(row.before, row.after, row.status) for row in result.rows] == [
        (Limits(1024, 524288), Limits(65536, 524288), "changed")
    ] * 2


def test_second_run_does_nothing() -> None:
    host = with_ours(nginx(process(1, 65536), process(2, 65536)), Limits(65536, 524288))
    planned, result = outcome(AT_LEAST, host)
    assert (planned.write, planned.reload, planned.live) == (False, False, {})
    assert (result.status, statuses(result)) == ("ok", ["ok", "ok"])


@pytest.mark.parametrize(
    "raw, drop_ins, expected",
    [
        pytest.param(AT_LEAST, {"a": "100000"}, None, id="more than enough from others"),
        pytest.param(AT_LEAST, {"a": "4096:8192"}, Limits(65536, 65536), id="others have less"),
        pytest.param(AT_LEAST, {"a": "4096:infinity"}, Limits(65536, 2**64 - 1), id="the hard limit of others is kept"),
        pytest.param(AT_LEAST, {"a": "1:2x"}, Limits(65536, 524288), id="a line that systemd ignores"),
        pytest.param(65536, {"a": "100000"}, Limits(65536, 65536), id="exactly"),
        pytest.param({"at_most": 4096}, {"a": "100000"}, Limits(4096, 4096), id="at most"),
        pytest.param({"at_most": 600000}, {}, None, id="at most, and it has less"),
    ],
)
def test_what_is_declared(raw: t.Any, drop_ins: t.Dict[str, str], expected: t.Optional[Limits]) -> None:
    planned, _result = outcome(raw, nginx(files=unit_files(**drop_ins)))
    assert drop_in.limits_in(planned.text, PATH, "Service") == expected
    assert planned.write is (expected is not None)


def test_a_floor_keeps_what_others_gave_before_we_lowered_it() -> None:
    planned, _result = outcome(AT_LEAST, with_ours(nginx(), Limits(1000, 1000)))
    assert drop_in.limits_in(planned.text, PATH, "Service") == Limits(65536, 524288)


def test_a_floor_never_lowers_our_own_line() -> None:
    host = with_ours(nginx(files=unit_files(zzz="1024")), Limits(100000, 524288))
    planned, result = outcome(AT_LEAST, host)
    assert (planned.write, result.status) == (False, "overridden")
    assert result.reason == f"/etc/systemd/system/{UNIT}.d/zzz.conf:2 sets 1024:1024, and systemd has 1024:1024"


@pytest.mark.parametrize("exists", [True, False])
def test_remembers_whose_directory_it_is(exists: bool) -> None:
    planned, _result = outcome(AT_LEAST, nginx(directory_exists=exists))
    assert drop_in.owns_directory(planned.text) is not exists
    again = replace(nginx().with_drop_in(PATH, planned.text), directory_exists=True)
    planned, _result = outcome({"at_least": 70000}, again)
    assert drop_in.owns_directory(planned.text) is not exists


def test_systemd_has_not_read_the_files() -> None:
    host = with_ours(nginx(process(1, 65536)), Limits(65536, 524288))
    stale = replace(host, subject=replace(host.subject, loaded=DEFAULT.limits, stale=True))
    planned, result = outcome(AT_LEAST, stale)
    assert (planned.write, planned.reload, result.status) == (False, True, "changed")


def test_systemd_has_not_read_a_file_that_does_not_matter() -> None:
    host = with_ours(nginx(), Limits(65536, 524288))
    planned, result = outcome(AT_LEAST, replace(host, subject=replace(host.subject, stale=True)))
    assert (planned.reload, result.status) == (False, "ok")


@pytest.mark.parametrize(
    "raw, member, target, reason",
    [
        pytest.param(AT_LEAST, process(1, 70000), Limits(70000, 524288), "", id="has more"),
        pytest.param({"at_least": 600000}, process(1), Limits(600000, 600000), "", id="hard too"),
        pytest.param(512, process(1, used=500), Limits(512, 512), "", id="lowered as asked"),
        pytest.param(512, process(1, used=512), Limits(512, 512), "", id="lowered to what is open"),
        pytest.param(
            512,
            process(1, used=513),
            Limits(1024, 524288),
            "513 files are open, so its limit cannot become 512:512",
        ),
        pytest.param(
            512,
            process(1, used=None),
            Limits(1024, 524288),
            "an unknown number of files are open, so its limit cannot become 512:512",
        ),
        pytest.param(2048, process(1, used=None), Limits(2048, 2048), "", id="raised, though nobody knows"),
        pytest.param(2048, process(1, used=4000, soft=1024), Limits(2048, 2048), "", id="raised, though more are open"),
    ],
)
def test_live(raw: t.Any, member: Member, target: Limits, reason: str) -> None:
    (process,) = nginx(member).processes()
    assert plan.live_target(parse_limit(raw), process) == (target, reason)


@pytest.mark.parametrize(
    "raw, members, after, status, kept",
    [
        pytest.param(
            {"at_least": 15000}, [process(1, hard=20000)], Limits(15000, 20000), "changed", "", id="soft only"
        ),
        pytest.param(
            AT_LEAST,
            [process(1, hard=20000)],
            Limits(20000, 20000),
            "limited",
            "its hard limit 20000 cannot be raised without CAP_SYS_RESOURCE",
            id="as far as the hard limit",
        ),
        pytest.param(
            {"at_least": 15000},
            [process(1, 10, 20)],
            Limits(20, 20),
            "restart_required",
            "its hard limit 20 cannot be raised without CAP_SYS_RESOURCE",
            id="a restart gives it",
        ),
    ],
)
def test_confined(raw: t.Any, members: t.List[Member], after: Limits, status: str, kept: str) -> None:
    _planned, result = outcome(raw, in_container(*members))
    assert [(row.after, row.status, row.reason) for row in result.rows] == [(after, status, kept)]
    assert result.status == status
    assert result.restart_required is (status == "restart_required")


def test_confined_systemd_gives_less_than_declared() -> None:
    _planned, result = outcome(AT_LEAST, in_container())
    assert (result.status, result.restart_required) == ("limited", False)
    assert result.reason == (
        "systemd gives 20000:20000 where 65536:524288 is declared: its own hard limit is 20000, "
        "and it may not exceed that without CAP_SYS_RESOURCE"
    )


def test_processes_that_may_not_be_touched() -> None:
    host = in_container(process(1, hard=20000))
    planned, result = outcome({"at_least": 15000}, replace(host, ids={1: SETUID}))
    assert planned.live == {}
    assert (result.status, result.restart_required) == ("restart_required", True)
    assert result.reason == "nginx (pid 1): its limits may be changed only with CAP_SYS_RESOURCE"


def test_without_live_a_restart_is_required() -> None:
    planned, result = outcome(AT_LEAST, nginx(process(1), process(2, 70000)), live=False)
    assert (planned.live, planned.write) == ({}, True)
    assert (result.status, statuses(result)) == ("restart_required", ["restart_required", "ok"])
    assert result.reason == "nginx (pid 1): live is off"


def test_worker_with_a_limit_of_its_own_is_raised_and_told() -> None:
    # worker_rlimit_nofile 4096
    _planned, result = outcome(AT_LEAST, nginx(process(1), process(2, 4096, 4096)))
    assert statuses(result) == ["changed", "changed"]
    assert result.rows[1].reason == (
        "it has set its own limit 4096:4096, which may come back when it reloads or restarts"
    )
    assert result.reason == f"nginx (pid 2): {result.rows[1].reason}"


def test_own_limit_that_a_restart_would_not_mend() -> None:
    host = with_ours(nginx(process(1, 65536, started=NEW), process(2, 4096, 4096, started=NEW)), Limits(65536, 524288))
    _planned, result = outcome(AT_LEAST, host, live=False)
    assert (result.status, result.restart_required) == ("own_limit", False)
    assert result.reason == "nginx (pid 2): live is off; it has set its own limit 4096:4096"
    assert plan.to_restart(parse_limit(AT_LEAST), host) == []


def test_process_of_a_manager_within_the_unit() -> None:
    host = nginx(process(1), process(2, 4096, 4096, below="app.slice/dev.service"))
    _planned, result = outcome(AT_LEAST, host)
    assert result.rows[1].reason.startswith(
        "app.slice/dev.service is managed within the unit and got the limit 4096:4096 there, which may come back"
    )


@pytest.mark.parametrize(
    "members, expected",
    [
        pytest.param([process(1)], [UNIT], id="started before the files changed"),
        pytest.param([process(1, 65536)], [], id="has it already"),
        pytest.param([process(1, started=NEW)], [], id="was given it, and set another one"),
        pytest.param([], [], id="does not run"),
    ],
)
def test_to_restart(members: t.List[Member], expected: t.List[str]) -> None:
    host = with_ours(nginx(*members), Limits(65536, 524288))
    assert plan.to_restart(parse_limit(AT_LEAST), host) == expected


def test_nothing_is_restarted_for_less_than_wanted() -> None:
    assert plan.to_restart(parse_limit(AT_LEAST), in_container(process(1, hard=20000))) == []


def test_refusal_names_the_number_needed() -> None:
    assert plan.refusal(parse_limit({"at_least": 2000000}), nginx()) == (
        "nginx.service: at least 2000000 needs fs.nr_open >= 2000000, it is 1048576; systemd would silently give less"
    )
    assert plan.refusal(parse_limit({"at_least": 1048576}), nginx()) is None


def test_absent() -> None:
    host = with_ours(nginx(process(1, 65536)), Limits(65536, 524288))
    planned = plan.plan_absent(host)
    assert (planned.text, planned.write, planned.reload, planned.live) == (None, True, True, {})
    after = host.with_drop_in(PATH, None)
    result = verdict.judge_absent(host, after, removed=True)
    assert after.subject.loaded == DEFAULT.limits
    assert (result.status, result.restart_required) == ("changed", False)
    assert result.rows[0].reason == "keeps 65536:524288 until it is restarted"
    planned = plan.plan_absent(after)
    assert (planned.write, planned.reload) == (False, False)
    assert verdict.judge_absent(after, after, removed=False).status == "ok"


def test_instances_of_a_template() -> None:
    directories = tuple(drop_in_directories(["/etc/systemd/system"], ["app@1.service"]))
    special = UnitFile("/etc/systemd/system/app@1.service.d/zzz.conf", "[Service]\nLimitNOFILE=2000\n")
    files = UnitFiles(None, directories, ())
    one = View(
        "app@1.service", replace(files, candidates=(special,)), Limits(2000, 2000), members=(process(1, 2000, 2000),)
    )
    two = View("app@2.service", files, DEFAULT.limits, members=(process(2),))
    probe = View("app@nettune.service", files, DEFAULT.limits)
    host = Observed(
        "app@.service", "Service", probe, DEFAULT, HOST, ROOT, (one, two), {1: MASTER, 2: WORKER}, directory_exists=True
    )
    want = parse_limit(AT_LEAST)
    planned = plan.plan_present(want, host, live=False)
    after = host.with_drop_in(drop_in.path_of("app@.service"), planned.text)
    result = verdict.judge(want, host, after, planned.kept, acted=True)
    assert [(row.unit, row.status) for row in result.rows] == [
        ("app@1.service", "overridden"),
        ("app@2.service", "restart_required"),
    ]
    assert result.status == "overridden"
    assert plan.to_restart(want, after) == ["app@2.service"]


def test_diff_and_data() -> None:
    before = nginx(process(1))
    _planned, result = outcome(AT_LEAST, before)
    after = before.with_drop_in(PATH, drop_in.compose(Limits(65536, 2**64 - 1), "Service", own_directory=False))
    assert verdict.diff(before, after, result.rows) == {
        "before_header": "nofile",
        "after_header": "nofile",
        "before": "nginx.service declared: 1024:524288\nnginx.service nginx (pid 1): 1024:524288\n",
        "after": "nginx.service declared: 65536:infinity\nnginx.service nginx (pid 1): 65536:524288\n",
    }
    assert verdict.row_as_data(result.rows[0]) == {
        "pid": 1,
        "name": "nginx",
        "unit": UNIT,
        "before": {"soft": 1024, "hard": 524288},
        "after": {"soft": 65536, "hard": 524288},
        "used": 10,
        "status": "changed",
        "reason": "",
    }
    assert verdict.limits_as_data(after.subject.loaded) == {"soft": 65536, "hard": "infinity"}
    assert verdict.limits_as_data(None) is None
