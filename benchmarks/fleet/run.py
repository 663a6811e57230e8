# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an audit of a fleet costs its controller, beside a play that pings, and judging host by host in templates.

    python3 benchmarks/fleet/run.py [--hosts 1000] [--cached 10000] [--forks 20]

Needs ansible-playbook and jmespath in the Python that runs this. The hosts are a connection plugin that answers at
once, so that the controller alone is measured. Then the facts of --cached hosts are put into a fact cache of files, by
Ansible, and audited from there. CPU time is that of all processes, memory that of the largest one.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time
import typing as t
from dataclasses import dataclass

import yaml

HERE = pathlib.Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
SYSCTLS = 42
FORMATS = "html,json,csv,junit,markdown"

FILL = """\
import json, sys
sys.path.insert(0, {plugins!r})
import canned
from ansible import constants
from ansible.plugins.loader import cache_loader
cache = cache_loader.get(constants.CACHE_PLUGIN)
for number in range({hosts}):
    cache.set(f"h{{number}}", {{"tcp": canned.facts(f"h{{number}}")}})
"""

NAIVE: list[dict[str, object]] = [
    {"name": "Gather", "nettune.tcp.tcp_facts": None},
    {"name": "Load", "ansible.builtin.include_vars": {"file": "{{ policy }}", "name": "loaded"}},
    {"name": "Judge", "ansible.builtin.set_fact": {"results": "{{ ansible_facts.tcp | nettune.tcp.audit(loaded) }}"}},
    {
        "name": "Collect",
        "ansible.builtin.copy": {
            "content": "{{ dict(names | zip(names | map('extract', hostvars, 'results'))) }}",
            "dest": "{{ out }}/naive.json",
            "mode": "0644",
        },
        "vars": {"names": "{{ ansible_play_hosts_all }}"},
        "delegate_to": "localhost",
        "connection": "local",
        "run_once": True,
    },
]


@dataclass(frozen=True)
class Cost:
    """What a run took: seconds by the clock, CPU seconds, and MiB."""

    clock: float
    cpu: float
    memory: float

    def __str__(self) -> str:
        return f"{self.cpu:8.1f} {self.clock:8.1f} {self.memory:8.0f}"


def canned_facts() -> dict[str, t.Any]:
    """The samples of the documentation, with as many sysctls, peers and listeners as a busy host has: about 13 KB."""
    text = (CHECKOUT / "plugins/modules/tcp_facts.py").read_text(encoding="utf-8").split('RETURN = r"""')[1]
    returned = yaml.safe_load(text.split('"""')[0])["ansible_facts"]["contains"]["tcp"]["contains"]
    facts = {name: spec["sample"] for name, spec in returned.items() if "sample" in spec}
    sysctl = {"runtime": 4096, "boot": 4096, "source": "/etc/sysctl.d/zz-nettune-tcp.conf:2", "scope": "netns"}
    names = ("net.ipv4.tcp_syncookies", "net.ipv4.tcp_timestamps", *(f"net.ipv4.key{n}" for n in range(SYSCTLS)))
    facts["sysctls"] = {name: {**sysctl, "runtime": 1, "boot": 1} for name in names}
    for name, count in (("peers", 10), ("clients", 10), ("listeners", 6)):
        facts[name] = [{**facts[name][0], "port": 80 + number} for number in range(count)]
    facts["collected"]["at"] = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return facts


@dataclass(frozen=True)
class Bench:
    """A directory to work in, and how Ansible is called there."""

    place: pathlib.Path
    forks: int

    def run(self, *command: str) -> Cost:
        """Run a program to its end, which must be good."""
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        code = (
            "import os, resource, subprocess, sys\n"
            "done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)\n"
            "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
            "sys.stderr.buffer.write(done.stdout if done.returncode else b'')\n"
            "print(used.ru_maxrss)\n"
            "sys.exit(done.returncode)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, *command],
            cwd=self.place,
            env=self.environment(),
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Cost(time.monotonic() - start, cpu, int(done.stdout) / 1024)

    def environment(self) -> dict[str, str]:
        """Ansible's settings, and nothing of the user's."""
        return {
            **os.environ,
            "ANSIBLE_CONFIG": str(self.place / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(self.place / "collections"),
            "ANSIBLE_CONNECTION_PLUGINS": str(HERE / "plugins" / "connection"),
            "ANSIBLE_FORKS": str(self.forks),
            "ANSIBLE_HOME": str(self.place / "home"),
            "ANSIBLE_PIPELINING": "true",
            "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(self.place / "cache"),
            "CANNED_FACTS": str(self.place / "facts.json"),
            "PWD": str(self.place),
        }

    def play(self, tasks: t.Sequence[t.Mapping[str, t.Any]], hosts: int) -> Cost:
        """A play of these tasks over so many hosts."""
        path = self.place / "play.yml"
        path.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
        policy = CHECKOUT / "roles/tcp_audit/policies/baseline.yml"
        return self.playbook(str(path), hosts, "-e", f"policy={policy}", "-e", f"out={self.place}")

    def playbook(self, name: str, hosts: int, *options: str) -> Cost:
        """A playbook over so many hosts."""
        inventory = self.place / "hosts"
        settings = "ansible_connection=canned\nansible_python_interpreter=/usr/bin/python3\n"
        names = "\n".join(f"h{number}" for number in range(hosts))
        inventory.write_text(f"{names}\n[all:vars]\n{settings}", encoding="utf-8")
        return self.run(sys.executable, "-m", "ansible", "playbook", "-i", str(inventory), *options, name)


def report(place: pathlib.Path) -> str:
    """What the audit wrote: the verdict in its JSON, and how big each format is."""
    found = json.loads((place / "reports/tcp-audit.json").read_text(encoding="utf-8"))
    sizes = (
        f"{path.suffix} {path.stat().st_size / 1e6:.1f} MB"
        for path in sorted((place / "reports").glob("tcp-audit.[!p]*"))
    )
    hosts = found["summary"]["hosts"]
    return f"{hosts['judged']} of {hosts['total']} judged, {hosts['failing']} failing; {', '.join(sizes)}"


def measure(place: pathlib.Path, hosts: int, cached: int, forks: int) -> None:
    """Print a line for each way, and how they compare."""
    facts = json.dumps(canned_facts())
    (place / "facts.json").write_text(facts, encoding="utf-8")
    (place / "ansible.cfg").write_text("[defaults]\n", encoding="utf-8")
    (place / "collections/ansible_collections/nettune").mkdir(parents=True)
    (place / "collections/ansible_collections/nettune/tcp").symlink_to(CHECKOUT)
    bench = Bench(place, forks)
    print(f"{len(facts) / 1000:.1f} KB of facts a host, {forks} forks")
    print(f"{'':44} {'CPU s':>8} {'clock s':>8} {'MiB':>8}")

    def line(name: str, cost: Cost) -> Cost:
        print(f"{name:44} {cost}", flush=True)
        return cost

    ping = line(f"{hosts} hosts: ping", bench.play([{"ansible.builtin.ping": None}], hosts))
    audit = line(
        f"{hosts} hosts: nettune.tcp.audit, five formats",
        bench.playbook("nettune.tcp.audit", hosts, "-e", f"tcp_audit_report_formats={FORMATS}"),
    )
    print(f"  {report(place)}")
    naive = line(f"{hosts} hosts: filters for each host, JSON alone", bench.play(NAIVE, hosts))
    print(
        f"  CPU beside ping: audit {audit.cpu / ping.cpu:.2f} (target: at most 2), filters {naive.cpu / ping.cpu:.2f}"
    )

    os.environ["ANSIBLE_CACHE_PLUGIN"] = "jsonfile"
    fill = FILL.format(plugins=str(HERE / "plugins/connection"), hosts=cached)
    bench.run(sys.executable, "-c", fill)
    cost = line(
        f"{cached} hosts from the cache, html and json",
        bench.playbook("nettune.tcp.audit", cached, "-e", "tcp_audit_from_cache=true"),
    )
    print(f"  {report(place)}")
    print(f"  {cost.clock:.0f} s (target: under 60), {cost.memory:.0f} MiB (target: under 1000)")


def main() -> None:
    """Measure in a directory of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=1000)
    parser.add_argument("--cached", type=int, default=10000)
    parser.add_argument("--forks", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nettune-fleet-") as place:
        measure(pathlib.Path(place), options.hosts, options.cached, options.forks)


if __name__ == "__main__":
    main()
