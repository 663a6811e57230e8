# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet of every kind of host: what is tuned, what is left alone, what is taken back, and who is named."""

from __future__ import annotations

import typing as t

from ansible_collections.nettune.tcp.plugins.module_utils._sysctl import drop_in
from ansible_collections.nettune.tcp.tests.integration.remediate.fleet import PORT, Fleet, Host

FIN_TIMEOUT = "net.ipv4.tcp_fin_timeout"
WANTED = {FIN_TIMEOUT: 30, "net.ipv4.tcp_slow_start_after_idle": 0}
DROP_IN = "/etc/sysctl.d/zz-nettune-tcp.conf"
AS_WANTED = "\n".join(
    [
        *(f"sysctl -q -w {key}={value}" for key, value in WANTED.items()),
        f"cat > {DROP_IN} << 'END'\n{drop_in.compose({key: str(value) for key, value in WANTED.items()})}END",
    ]
)
READ_ONLY = "mount --bind /proc/sys /proc/sys; mount -o remount,bind,ro /proc/sys"
ANOTHER = f"echo '{FIN_TIMEOUT} = 99' > /etc/sysctl.d/zzz-another.conf"
ASKED: t.Dict[str, t.Any] = {
    "tcp_tuning_profile": "",
    "tcp_remediate_batches": [1, "30%", "100%"],
    "tcp_remediate_controls": 4,
    "tcp_remediate_interval": 2,
    "tcp_remediate_min_connections": 20,
    "tcp_remediate_cooldown": 0,
}
BAD = {**ASKED, "tcp_tuning_backlogs": [{"server": "any", "listen": [f"127.0.0.1:{PORT}"], "backlog": 1}]}


def hosts(prefix: str, number: int, **options: t.Any) -> t.List[Host]:
    return [
        Host(f"{prefix}{one}", **{"variables": {"tcp_tuning_settings": WANTED}, **options})
        for one in range(1, number + 1)
    ]


def names(found: t.Iterable[t.Mapping[str, t.Any]], state: str) -> t.Set[str]:
    return {host["name"] for host in found if host["state"] == state}


def test_a_fleet_of_every_kind() -> None:
    old = {"variables": {"tcp_tuning_settings": {**WANTED, "net.ipv4.tcp_of_a_later_kernel": 1}}}
    fleet = Fleet(
        [
            *hosts("drifted", 12),
            *hosts("fine", 8, setup=AS_WANTED),
            *hosts("readonly", 3, setup=READ_ONLY),
            *hosts("away", 3, absent=True),
            *hosts("another", 2, setup=ANOTHER),
            *hosts("old", 2, **old),
            *hosts("oldfine", 2, setup=AS_WANTED, **old),
        ]
    )
    with fleet:
        pristine = fleet.everything()

        code, printed = fleet.play("nettune.tcp.remediate", "--check", **ASKED)
        assert code == 0, printed
        assert f"drifted1: sysctl {FIN_TIMEOUT}: runtime 60 -> 30, boot unset -> 30" in printed
        assert fleet.everything() == pristine

        code, printed = fleet.play("nettune.tcp.remediate", **BAD)
        assert code != 0, printed
        record = fleet.record()
        assert (record["verdict"], record["batches"][0]["hosts"]) == ("fail", ["drifted1"]), printed
        assert names(record["hosts"], "rolled_back") == {"drifted1"}
        assert record["batches"][0]["numbers"]["overflow"]["batch"] > 0.05
        assert "drifted1: overflow" in printed
        assert all(batch["verdict"] == "" for batch in record["batches"][1:])
        assert fleet.everything() == pristine

        code, printed = fleet.play("nettune.tcp.remediate", **ASKED)
        assert code != 0, printed
        record = fleet.record()
        found = record["hosts"]
        assert [batch["verdict"] for batch in record["batches"]] == ["pass"] * len(record["batches"]), record
        assert names(found, "tuned") == {*(f"drifted{one}" for one in range(1, 13)), "old1", "old2"}
        assert names(found, "unreachable") == {"away1", "away2", "away3"}
        assert names(found, "contested") == {"another1", "another2"}
        assert names(found, "converged") == {host.name for host in fleet.hosts.values() if host.name[:4] in _CONVERGED}
        assert all(away in printed.partition("FAIL: ")[2] for away in ("away1", "away2", "away3"))
        assert all(f"readonly{one} converged: {FIN_TIMEOUT} is read_only" in printed for one in (1, 2, 3))
        assert all(f"another{one} contested: {FIN_TIMEOUT}" in printed for one in (1, 2))
        assert {fleet.hosts[name].sysctl(FIN_TIMEOUT) for name in names(found, "tuned")} == {"30"}
        untouched = {name for name in pristine if name not in names(found, "tuned")}
        assert {name: fleet.everything()[name] for name in untouched} == {name: pristine[name] for name in untouched}

        code, printed = fleet.play("nettune.tcp.rollback", before=record["run"])
        assert fleet.everything() == pristine, printed


_CONVERGED = ("fine", "read", "oldf")
