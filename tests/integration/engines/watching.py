# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prometheus, Alertmanager and ansible-rulebook on loopback, with the files of the documented examples."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import typing as t

import yaml

from ansible_collections.nettune.tcp.tests.integration.plays import COLLECTIONS

EXAMPLES = pathlib.Path(__file__).parents[3] / "docs" / "examples"
TOKEN = "a-token-of-the-test"
METRICS, PROMETHEUS, ALERTMANAGER, RULEBOOK = 9101, 9090, 9093, 5000
PROGRAMS = ("prometheus", "prometheus-alertmanager", "java", "ansible-rulebook")


def lacking() -> str:
    """The programs that are not here, by name."""
    return ", ".join(name for name in PROGRAMS if shutil.which(name) is None)


class Watching:
    """All of it, over the inventory and the reports in a directory.

    What they need lies below it: ansible-rulebook copies all that is beside a playbook.
    """

    def __init__(self, above: pathlib.Path) -> None:
        self.place = above / "watching"
        self.inventory = above / "inventory.json"
        self.reports = above / "reports"
        self.processes: t.List[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Watching:
        try:
            self._start_all()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            process.wait()

    def said(self, name: str) -> str:
        """What a program has printed so far."""
        return (self.place / f"{name}.log").read_text(errors="replace")

    def records(self) -> t.List[t.Dict[str, t.Any]]:
        """Those of all remediations that the rulebook has started."""
        return [json.loads(path.read_text()) for path in (self.place / "tcp-remediation").glob("*.json")]

    def _start_all(self) -> None:
        for place in (self.place, self.reports):
            place.mkdir()
        for example, names in {"monitoring": ["alerts.yml"], "events": ["rulebook.yml", "remedy.yml"]}.items():
            for name in names:
                shutil.copy(EXAMPLES / example / name, self.place)
        self._configure()
        self._start_rulebook()
        web = ["-m", "http.server", "--bind", "127.0.0.1", "--directory", str(self.reports), str(METRICS)]
        self._start("metrics", METRICS, sys.executable, *web)
        self._start(
            "alertmanager",
            ALERTMANAGER,
            "prometheus-alertmanager",
            "--config.file=alertmanager.yml",
            "--storage.path=alertmanager",
            f"--web.listen-address=127.0.0.1:{ALERTMANAGER}",
            "--cluster.listen-address=",
        )
        self._start(
            "prometheus",
            PROMETHEUS,
            "prometheus",
            "--config.file=prometheus.yml",
            "--storage.tsdb.path=prometheus",
            f"--web.listen-address=127.0.0.1:{PROMETHEUS}",
        )

    def _configure(self) -> None:
        (self.place / "token").write_text(TOKEN)
        (self.place / "secrets.yml").write_text(yaml.safe_dump({"alertmanager_token": TOKEN}))
        text = (EXAMPLES / "events" / "alertmanager.yml").read_text()
        (self.place / "alertmanager.yml").write_text(text.replace("/etc/prometheus/remedies.token", "token"))
        prometheus = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["alerts.yml"],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{ALERTMANAGER}"]}]}]},
            "scrape_configs": [
                {
                    "job_name": "audit",
                    "metrics_path": "/tcp-audit.prom",
                    "static_configs": [{"targets": [f"127.0.0.1:{METRICS}"]}],
                    "honor_labels": True,
                }
            ],
        }
        (self.place / "prometheus.yml").write_text(yaml.safe_dump(prometheus))

    def _start_rulebook(self) -> None:
        java = pathlib.Path(shutil.which("java") or "/").resolve()
        self._start(
            "rulebook",
            RULEBOOK,
            "ansible-rulebook",
            "--rulebook=rulebook.yml",
            f"--inventory={self.inventory}",
            "--vars=secrets.yml",
            "--print-events",
            JAVA_HOME=str(java.parents[1]),
            ANSIBLE_COLLECTIONS_PATH=str(COLLECTIONS),
            ANSIBLE_NOCOLOR="1",
            ANSIBLE_REMOTE_TMP="/run/ansible",
            PWD=str(self.place),
        )

    def _start(self, name: str, port: int, *command: str, **environment: str) -> None:
        with (self.place / f"{name}.log").open("w") as log:
            process = subprocess.Popen(
                command,
                cwd=self.place,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        for _try in range(600):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            if process.poll() is not None:
                break
            time.sleep(0.1)
        raise RuntimeError(f"{name} does not answer: {self.said(name)}")
