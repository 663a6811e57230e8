# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way from an accept queue that overflows to its remedy, by the documented alerts, routes and rulebook."""

from __future__ import annotations

import json
import time
import typing as t
import urllib.error
import urllib.request

import pytest

from ansible_collections.nettune.tcp.tests.integration.engines import watching
from ansible_collections.nettune.tcp.tests.integration.remediate.fleet import PORT, Fleet, Host

pytestmark = pytest.mark.skipif(bool(watching.lacking()), reason=f"not installed: {watching.lacking()}")

SOMAXCONN = "net.core.somaxconn"
SHORT = f"sysctl -q -w {SOMAXCONN}=4"
ENOUGH = 300  # overflows in the three hours of the alert, of which it wants 180
LIMIT = 60.0  # seconds from the overflow in the metrics to the remedy
WANTED: t.Dict[str, t.Any] = {
    "tcp_tuning_profile": "",
    "tcp_tuning_settings": {SOMAXCONN: {"at_least": 4096}},
    "tcp_tuning_backlogs": [{"server": "any", "listen": [f"127.0.0.1:{PORT}"], "backlog": 64}],
    "tcp_remediate_interval": 2,
}


def audit(fleet: Fleet, limit: str) -> None:
    code, printed = fleet.play(
        "nettune.tcp.audit", "--limit", limit, tcp_audit_report_formats=["openmetrics"], tcp_audit_report_dir="reports"
    )
    assert code == 0, printed


def overflows(host: Host) -> int:
    """How often the accept queue of the host was full."""
    names, values = (line.split() for line in host.run("head", "-n", "2", "/proc/net/netstat").splitlines())
    return int(dict(zip(names, values, strict=True))["ListenOverflows"])


def send(token: str, labels: t.Mapping[str, str], status: str = "firing") -> int:
    """Post what Alertmanager would; the status of the answer."""
    labels = {"alertname": "TcpAcceptQueueOverflows", **labels}
    body = {"version": "4", "status": status, "commonLabels": labels, "alerts": [{"status": status, "labels": labels}]}
    request = urllib.request.Request(
        f"http://127.0.0.1:{watching.RULEBOOK}/endpoint",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def wait(until: t.Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if until():
            return True
        time.sleep(0.2)
    return False


def test_an_overflow_is_remedied_on_that_host_and_once() -> None:
    hosts = [Host(name, setup=SHORT, variables=WANTED) for name in ("web1", "web2")]
    with Fleet(hosts) as fleet, watching.Watching(fleet.directory) as engines:
        untouched = fleet.hosts["web2"].everything()
        audit(fleet, "web1")
        before = overflows(fleet.hosts["web1"])
        assert wait(lambda: overflows(fleet.hosts["web1"]) > before + ENOUGH, LIMIT)
        audit(fleet, "web1")
        begun = time.monotonic()
        remedied = wait(lambda: fleet.hosts["web1"].sysctl(SOMAXCONN) == "4096", LIMIT)
        took = time.monotonic() - begun
        assert remedied, "\n".join(engines.said(name) for name in ("alertmanager", "rulebook"))
        assert took < LIMIT
        assert wait(lambda: [record["verdict"] for record in engines.records()] == ["pass"], LIMIT)
        assert [host["name"] for host in engines.records()[0]["hosts"]] == ["web1"]
        remedied_at = overflows(fleet.hosts["web1"])

        # Once more, and what no alert may do.
        assert send(watching.TOKEN, {"host": "web1"}) == 200
        assert send(watching.TOKEN, {"host": "web2"}, "resolved") == 200
        assert send(watching.TOKEN, {"host": "web2", "alertname": "Another"}) == 200
        assert send(watching.TOKEN, {"host": "all"}) == 200
        assert send("wrong", {"host": "web2"}) == 401
        assert wait(lambda: "no hosts matched" in engines.said("rulebook"), LIMIT)
        assert fleet.hosts["web2"].everything() == untouched
        assert len(engines.records()) == 1
        assert overflows(fleet.hosts["web1"]) == remedied_at
