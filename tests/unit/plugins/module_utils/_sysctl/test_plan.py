# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._errors import BadRequest
from ansible_collections.nettune.tcp.plugins.module_utils._sysctl import plan as planning
from ansible_collections.nettune.tcp.plugins.module_utils._sysctl.catalog import want_of
from ansible_collections.nettune.tcp.plugins.module_utils._sysctl.guards import TIMESTAMPS, TW_REUSE, Context
from ansible_collections.nettune.tcp.plugins.module_utils._sysctl.plan import KeyPlan, Observed
from ansible_collections.nettune.tcp.plugins.module_utils._sysctl.rivals import Rival
from ansible_collections.nettune.tcp.plugins.module_utils._want import parse_want

SOMAXCONN = "net.core.somaxconn"
RESERVED = "net.ipv4.ip_local_reserved_ports"
FILE_MAX = "fs.file-max"
ALLOWED = "net.ipv4.tcp_allowed_congestion_control"


def plan_one(key: str, raw: t.Any, observed: Observed, force: bool = False) -> KeyPlan:
    want = want_of(key, raw)
    return planning.plan_present({key: want}, {key: observed}, force=force).keys[key]


@pytest.mark.parametrize(
    "key, raw, observed, write, line",
    [
        pytest.param(SOMAXCONN, 8192, Observed("4096"), "8192", "8192", id="set"),
        pytest.param(SOMAXCONN, 4096, Observed("4096", boot="4096", own_line="4096"), None, "4096", id="already"),
        pytest.param(SOMAXCONN, {"at_least": 8192}, Observed("65535"), None, "65535", id="keep more, and pin it"),
        pytest.param(
            SOMAXCONN, {"at_least": 8192}, Observed("65535", own_line="8192"), None, "8192", id="line is enough"
        ),
        pytest.param(
            SOMAXCONN,
            {"at_least": 8192},
            Observed("4096", boot_of_others="65535"),
            "65535",
            "65535",
            id="another file has more",
        ),
        pytest.param(
            SOMAXCONN,
            {"at_least": 8192},
            Observed("4096", boot_of_others="rubbish"),
            "8192",
            "8192",
            id="rubbish in file",
        ),
        pytest.param(
            SOMAXCONN,
            {"at_least": 8192},
            Observed("4096", own_line="rubbish", boot_of_others="65535"),
            "65535",
            "65535",
            id="rubbish in our file",
        ),
        pytest.param(
            SOMAXCONN,
            {"at_least": 8192},
            Observed(None, module="x", boot_of_others="65535"),
            "65535",
            "65535",
            id="another file has more for a key that is to come",
        ),
        pytest.param(
            FILE_MAX,
            {"at_least": 1048576},
            Observed("9223372036854775807"),
            None,
            "9223372036854775807",
            id="systemd's file-max is not lowered at boot",
        ),
        pytest.param(RESERVED, {"covers": "8080"}, Observed("22-24"), "22-24,8080", "22-24,8080", id="merge ports"),
        pytest.param(RESERVED, "8080-8081", Observed("8080,8081"), None, "8080-8081", id="same ports"),
        pytest.param(
            "net.ipv4.ip_local_port_range", [1, 2], Observed("32768\t60999"), "1 2", "1 2", id="tabs mean nothing"
        ),
        pytest.param(ALLOWED, "reno", Observed("reno bbr"), "reno", "reno", id="fewer words"),
        pytest.param(ALLOWED, "bbr reno", Observed("reno bbr"), None, "bbr reno", id="the same words"),
        pytest.param(ALLOWED, ["reno", "bbr"], Observed("reno"), "bbr reno", "bbr reno", id="more words"),
        pytest.param("kernel.core_pattern", "|/x  %P %u", Observed("core"), "|/x  %P %u", "|/x  %P %u", id="arguments"),
        pytest.param("kernel.core_pattern", "", Observed("core"), "", "", id="an empty text"),
        pytest.param("kernel.domainname", "0042", Observed("42"), "0042", "0042", id="a text of digits"),
        pytest.param("kernel.domainname", 42, Observed("(none)"), "42", "42", id="a number for a text"),
        pytest.param("kernel.new", "a b", Observed("a"), "a b", "a b", id="a text that is not known"),
        pytest.param(SOMAXCONN, "0x2000", Observed("4096"), "8192", "8192", id="hexadecimal"),
        pytest.param("net.ipv4.tcp_fin_timeout", "030", Observed("24"), None, "24", id="octal"),
    ],
)
def test_what_is_written_to_the_kernel_and_to_the_file(
    key: str, raw: t.Any, observed: Observed, write: t.Optional[str], line: str
) -> None:
    entry = plan_one(key, raw, observed)
    assert (entry.write, entry.line, entry.status) == (write, line, "ok")


def test_a_missing_key_is_skipped_and_leaves_no_line() -> None:
    entry = plan_one("net.ipv4.tcp_tw_recycle", 1, Observed(None, absence="gone"))
    assert (entry.status, entry.write, entry.line) == ("skipped", None, None)
    assert entry.reason == "gone"


def test_a_key_that_cannot_be_written_is_told_but_still_persisted() -> None:
    entry = plan_one(SOMAXCONN, 8192, Observed("4096", read_only=True))
    assert (entry.status, entry.write, entry.line) == ("read_only", None, "8192")


def test_a_guard_refuses_and_force_lifts_it() -> None:
    assert plan_one(SOMAXCONN, 128, Observed("4096")).status == "refused"
    forced = plan_one(SOMAXCONN, 128, Observed("4096"), force=True)
    assert (forced.status, forced.write) == ("ok", "128")


def test_a_want_of_another_shape_names_key_and_value() -> None:
    with pytest.raises(BadRequest, match=r"net\.core\.somaxconn: .*yes") as caught:
        plan_one(SOMAXCONN, "yes", Observed("4096"))
    assert caught.value.details == {"key": SOMAXCONN, "value": "yes"}


@pytest.mark.parametrize(
    "observed, write, status",
    [
        (Observed("8192", original="4096"), "4096", "ok"),
        (Observed("4096", original="4096"), None, "ok"),
        (Observed("8192"), None, "ok"),
        (Observed(None, original="4096"), None, "ok"),
        (Observed("8192", original="4096", read_only=True), None, "read_only"),
    ],
)
def test_absent_gives_back_the_original(observed: Observed, write: t.Optional[str], status: str) -> None:
    entry = planning.plan_absent([SOMAXCONN], {SOMAXCONN: observed}).keys[SOMAXCONN]
    assert (entry.write, entry.status, entry.line) == (write, status, None)


def test_a_file_that_no_boot_reads_is_said() -> None:
    entry = KeyPlan(SOMAXCONN, parse_want(8192), line="8192")
    row = planning.verdict(entry, Observed("4096"), Observed("8192", own_line="8192"))
    assert row.status == "overridden"
    assert row.reason == "the next boot gives the kernel's default, because no file that is read then sets it"


@pytest.mark.parametrize(
    "after, status",
    [
        (Observed("4096", boot="4096", boot_source="/own:1", own_line="4096"), "ok"),
        (Observed("8192", boot="4096", boot_source="/own:1", own_line="4096"), "changed"),
        (Observed("4096", boot="128", boot_source="/etc/sysctl.d/zzz.conf:3", own_line="4096"), "overridden"),
        (Observed("4096", boot=None, own_line="4096"), "overridden"),
    ],
)
def test_the_verdict_comes_from_what_is_found_afterwards(after: Observed, status: str) -> None:
    before = Observed("4096", boot="4096", own_line="4096")
    row = planning.verdict(KeyPlan(SOMAXCONN, parse_want({"at_least": 4096}), line="4096"), before, after)
    assert (row.status, row.want) == (status, "at least 4096")
    assert status != "overridden" or (after.boot or "no file that is read then") in row.reason


def test_what_a_refused_run_left_alone_is_neither_changed_nor_overridden() -> None:
    keys = {
        SOMAXCONN: (128, Observed("4096")),
        FILE_MAX: (2000, Observed("1000", own_line=None)),
        "net.ipv4.tcp_fin_timeout": (30, Observed("30", boot="30", own_line="30")),
        "net.ipv4.tcp_syn_retries": (6, Observed("6", boot="5", boot_source="/zz:1", own_line="6")),
        "net.ipv4.tcp_tw_recycle": (0, Observed(None, absence="gone")),
    }
    observed = {key: observed for key, (_raw, observed) in keys.items()}
    present = planning.plan_present({key: want_of(key, raw) for key, (raw, _observed) in keys.items()}, observed)
    absent = {"net.ipv4.tcp_rfc1337": Observed("1", own_line="1", original="0")}
    plan = planning.Plan({**present.keys, **planning.plan_absent(absent, absent).keys})
    rows = planning.rows_of_refusal(plan, {**observed, **absent})
    assert {key: row.status for key, row in rows.items()} == {
        SOMAXCONN: "refused",
        FILE_MAX: "skipped",
        "net.ipv4.tcp_fin_timeout": "ok",
        "net.ipv4.tcp_syn_retries": "overridden",
        "net.ipv4.tcp_tw_recycle": "skipped",
        "net.ipv4.tcp_rfc1337": "skipped",
    }
    assert {rows[key].reason for key in (FILE_MAX, "net.ipv4.tcp_rfc1337")} == {
        "left as it is, since the run was refused for other keys"
    }
    assert (rows[FILE_MAX].runtime, rows[FILE_MAX].boot, rows["net.ipv4.tcp_tw_recycle"].reason) == (1000, None, "gone")


@pytest.mark.parametrize(
    "raw, text, expected",
    [
        ({"at_least": 8}, "8", True),
        ({"at_least": 8}, "7", False),
        ({"at_least": 8}, None, False),
        ({"at_least": 8}, "rubbish", False),
        ({"at_least": 8}, "8 9", False),
        (8, "", False),
    ],
)
def test_what_cannot_be_compared_is_not_what_is_wanted(raw: t.Any, text: t.Optional[str], expected: bool) -> None:
    assert planning.satisfied(SOMAXCONN, want_of(SOMAXCONN, raw), text) is expected


def test_nobody_is_a_rival_for_a_key_that_is_not_wanted() -> None:
    assert planning.rivalry(KeyPlan(SOMAXCONN, None), Rival("tuned sets it")) == ""


def test_what_is_no_longer_wanted_has_a_row_without_a_want() -> None:
    assert planning.verdict(KeyPlan(SOMAXCONN, None), Observed("4096"), Observed("4096")).want is None


@pytest.mark.parametrize(
    "key, text, expected",
    [
        ("net.ipv4.ip_local_port_range", "32768\t60999", "32768 60999"),
        (SOMAXCONN, "4096", "4096"),
        ("kernel.domainname", "a.b", "a.b"),
        (RESERVED, "8081,8080", "8080-8081"),
        (SOMAXCONN, None, "None"),
    ],
)
def test_the_same_value_has_one_spelling(key: str, text: t.Optional[str], expected: str) -> None:
    assert planning.data_text(key, text) == expected


def test_result_data() -> None:
    assert planning.data("kernel.domainname", "42") == "42"
    assert planning.data(SOMAXCONN, "4096") == 4096
    assert planning.data("net.ipv4.tcp_rmem", "4096\t131072\t6291456") == [4096, 131072, 6291456]
    assert planning.data(RESERVED, "8080,9000-9001") == "8080,9000-9001"
    assert planning.data(RESERVED, "rubbish") == "rubbish"
    assert planning.data(SOMAXCONN, None) is None


def test_a_capacity_is_not_lowered_at_boot_either() -> None:
    observed = Observed("4096", boot="65535", boot_source="/etc/sysctl.d/50-x.conf:1", boot_of_others="65535")
    entry = plan_one(SOMAXCONN, 8192, observed)
    assert (entry.status, entry.line) == ("refused", None)
    assert "/etc/sysctl.d/50-x.conf:1" in entry.reason
    assert plan_one(SOMAXCONN, 8192, observed, force=True).line == "8192"
    # A line that is there already is no change, whatever others say.
    assert plan_one(SOMAXCONN, 4096, replace(observed, own_line="4096")).status == "ok"


def test_guards_see_what_the_other_keys_will_be() -> None:
    wants = {TW_REUSE: parse_want(1), TIMESTAMPS: parse_want(1)}
    observed = {TW_REUSE: Observed("0"), TIMESTAMPS: Observed("0")}
    context = Context(running={TIMESTAMPS: (0,)})
    assert planning.plan_present(wants, observed, context=context).keys[TW_REUSE].status == "ok"
    alone = planning.plan_present({TW_REUSE: parse_want(1)}, observed, context=context)
    assert alone.keys[TW_REUSE].status == "refused"


def test_in_a_namespace_nothing_is_persisted_and_the_host_left_alone() -> None:
    wants = {SOMAXCONN: parse_want(8192), FILE_MAX: parse_want(1)}
    observed = {SOMAXCONN: Observed("4096"), FILE_MAX: Observed("1000", host_wide=True)}
    plan = planning.plan_present(wants, observed, force=True, persist=False)
    assert (plan.keys[SOMAXCONN].write, plan.keys[SOMAXCONN].line) == ("8192", None)
    assert (plan.keys[FILE_MAX].status, plan.writes) == ("refused", {SOMAXCONN: "8192"})
    row = planning.verdict(plan.keys[SOMAXCONN], observed[SOMAXCONN], Observed("8192"))
    assert (row.status, row.boot) == ("changed", None)


def test_a_key_that_comes_with_its_module_gets_what_is_wanted() -> None:
    entry = plan_one("net.netfilter.nf_conntrack_max", {"at_least": 262144}, Observed(None, module="nf_conntrack"))
    assert (entry.status, entry.write, entry.line) == ("ok", "262144", "262144")
    assert "nf_conntrack" in entry.reason


def test_only_what_changes_is_looked_into() -> None:
    wants = {SOMAXCONN: parse_want(8192), FILE_MAX: parse_want(1000)}
    observed = {SOMAXCONN: Observed("4096", own_line="8192"), FILE_MAX: Observed("1000", own_line="1000")}
    assert planning.plan_present(wants, observed, force=True).changing(observed) == {SOMAXCONN}


@pytest.mark.parametrize("value, told", [(None, True), ("128", True), ("8192", False), (">8192", True)])
def test_a_rival_is_told_unless_it_wants_the_same(value: t.Optional[str], told: bool) -> None:
    entry = KeyPlan(SOMAXCONN, parse_want(8192), line="8192")
    assert bool(planning.rivalry(entry, Rival("tuned sets it", value))) == told
    assert planning.rivalry(replace(entry, status="skipped"), Rival("tuned sets it")) == ""
    assert planning.rivalry(entry, None) == ""
    row = planning.verdict(entry, Observed("8192"), Observed("8192", boot="8192"), "tuned sets it")
    assert row.reason == "tuned sets it"
