# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Audits from facts that Ansible keeps in a real Redis."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.nettune.tcp.tests.integration.audit.test_plays import HOSTS, OUTCOMES, fixture_place, run

redis = pytest.importorskip("redis")
pytestmark = pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")

PORT = 6390
FROM_CACHE = ("-e", "tcp_audit_from_cache=true", "-e", "tcp_audit_report_formats=json,markdown")
AGE = """
import sys
from ansible.plugins.loader import cache_loader, init_plugin_loader
init_plugin_loader()
cache = cache_loader.get("community.general.redis")
facts = cache.get(sys.argv[1])
facts["tcp"]["collected"]["at"] = sys.argv[2]
cache.set(sys.argv[1], facts)
"""
__all__ = ["fixture_place"]


@pytest.fixture(name="server")
def fixture_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[t.Any]:
    """A Redis of its own, which Ansible uses; its client."""
    place = tmp_path / "redis"
    place.mkdir()
    options = ("--bind", "127.0.0.1", "--port", str(PORT), "--dir", str(place), "--save", "", "--appendonly", "no")
    monkeypatch.setenv("ANSIBLE_CACHE_PLUGIN", "community.general.redis")
    monkeypatch.setenv("ANSIBLE_CACHE_PLUGIN_CONNECTION", f"127.0.0.1:{PORT}:0")
    with (place / "log").open("w") as log:
        process = subprocess.Popen(["redis-server", *options], stdout=log, stderr=log)
    try:
        with redis.Redis(host="127.0.0.1", port=PORT) as client:
            _wait_for(client)
            yield client
    finally:
        process.kill()
        process.wait()


def _wait_for(client: t.Any) -> None:
    for _try in range(100):
        try:
            client.ping()
        except redis.exceptions.ConnectionError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("redis-server does not answer")


def age(host: str, moment: str) -> None:
    """Let the facts of a host be of another time, by Ansible's own means: what is where is its business."""
    subprocess.run([sys.executable, "-c", AGE, host, moment], check=True)


def test_no_host_is_asked_and_the_age_of_facts_is_told(server: t.Any, place: Path) -> None:
    assert run(place).code == 0
    judged = {name for name, outcome in OUTCOMES.items() if outcome == "judged"}
    assert len(list(server.scan_iter("ansible_facts*"))) == len(judged)
    age("good2", "2026-01-01T00:00:00Z")
    offline = {"all": {"hosts": dict.fromkeys(HOSTS, HOSTS["gone"])}}
    (place / "hosts.yml").write_text(yaml.safe_dump(offline), encoding="utf-8")

    ran = run(place, *FROM_CACHE)
    assert ran.code == 0, ran.text
    assert ran.outcomes() == {name: "judged" if name in judged else "missing" for name in OUTCOMES}
    hosts = {host["name"]: host for host in ran.report()["hosts"]}
    assert {name for name, host in hosts.items() if host["stale"]} == {"good2"}
    assert hosts["good2"]["age_s"] > 86400 > hosts["good1"]["age_s"] > 0
    assert ran.report()["summary"]["hosts"]["stale"] == 1
    assert "1 with stale facts" in ran.text
    assert "Gather the TCP facts" not in ran.text


def test_without_the_cache_there_is_no_new_report_and_its_address_is_told(server: t.Any, place: Path) -> None:
    """Ansible itself asks the cache for every host, before any task of ours: as docs/guides/prove.md says."""
    before = run(place, "--limit", "good1").report()
    server.shutdown(nosave=True)
    ran = run(place, *FROM_CACHE)
    assert ran.code == 250
    assert f"connecting to 127.0.0.1:{PORT}" in ran.text
    assert ran.report() == before
