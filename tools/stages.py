# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stages, in the order in which they are reported."""

import os
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from tools import ansible_test, artifact, audit
from tools import cores as releases
from tools import site as pages
from tools.environment import CHECKOUT, WORK, prepare, variables
from tools.stage import Log, Result, Stage, commands, counted

TYPED = ("ansible_collections.nettune.tcp.plugins", "ansible_collections.nettune.tcp.tests", "tools")


def mypy(log: Log) -> Result:
    """Type checks of what is imported by its full name, and of programs with what lies beside them."""
    programs = ["tests/integration/boot", *sorted(map(str, (CHECKOUT / "benchmarks").glob("*/*.py")))]
    calls = [[f"--package={name}" for name in TYPED], *([program] for program in programs)]
    return commands(*(["mypy", *arguments] for arguments in calls))(log)


def unit(log: Log) -> Result:
    """Unit tests on the Python of the environment."""
    junit = WORK / "logs" / "unit.xml"
    return counted(log.run("pytest", "tests/unit", f"--junit-xml={junit}"), [junit])


FLEET, ENGINES = "tests/integration/remediate", "tests/integration/engines"
MONITORING = "tests/integration/examples/test_monitoring.py"


def integration(log: Log) -> Result:
    """Tests on the real kernel, but for those of a fleet and of other engines."""
    return in_namespace(log, "integration", f"tests/integration --ignore={FLEET} --ignore={ENGINES}")


def fleet(log: Log) -> Result:
    """A remediation of many hosts, each a namespace behind SSH: the longest tests there are."""
    return in_namespace(log, "fleet", FLEET)


def engines(log: Log) -> Result:
    """Facts in Redis, and an alert of Prometheus that ansible-rulebook takes, with all that brings them."""
    return in_namespace(log, "engines", f"{ENGINES} {MONITORING}", variables(prepare("engines")))


def in_namespace(log: Log, name: str, paths: str, more: Mapping[str, str] | None = None) -> Result:
    """Run tests on the real kernel; the namespaces around them all keep a mistake of one away from this machine."""
    junit = WORK / "logs" / f"{name}.xml"
    tests = f"ip link set lo up && exec pytest {paths} --junit-xml={junit}"
    # Ansible does not ask HOME where the home is of the user it works as.
    settings = {"ANSIBLE_REMOTE_TMP": str(WORK / "ansible" / "tmp"), **(more or {})}
    return counted(log.run("unshare", "--net", "--mount", "sh", "-c", tests, env=settings), [junit])


APART = ("nofile", "pull", "remediate")  # scenarios that take so long that they run by their names only


def molecule(log: Log) -> Result:
    """The scenarios that SCENARIOS names, on containers that boot systemd; all but APART where it names none.

    They run side by side, each by a molecule of its own: what one of them does about its hosts is none of the others'
    business, and Molecule's own workers would all have the hosts that the scenario ``default`` creates.
    """
    settings = variables(prepare("molecule"))
    everything = sorted(path.parent.name for path in (CHECKOUT / "molecule").glob("*/molecule.yml"))
    daily = [name for name in everything if name not in APART]
    scenarios = os.environ.get("SCENARIOS", "").split() or daily
    logs = [Log(log.path.with_name(f"molecule-{name}.log")) for name in scenarios]

    def passes(name: str, own: Log) -> bool:
        return own.run("molecule", "test", "--scenario-name", name, env=settings)

    with ThreadPoolExecutor(side_by_side()) as pool:
        tests = list(pool.map(passes, scenarios, logs))
    for own in logs:
        log.write(own.text())
    return sum(map(Result.of, tests), Result()) if tests else Result(failed=1)


def side_by_side() -> int:
    """How many scenarios this machine can run at a time: one for each core, and for every 2 GiB of memory."""
    page, pages = (os.sysconf(name) for name in ("SC_PAGE_SIZE", "SC_PHYS_PAGES"))
    return max(1, min(len(os.sched_getaffinity(0)), page * pages >> 31))


def browser(log: Log) -> Result:
    """The HTML report in Chromium; what judges its accessibility comes from npm, as tests/browser locks it."""
    place = WORK / "browser"
    place.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(CHECKOUT / "tests" / "browser" / name, place)
    if not log.run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=place):
        return Result(failed=1)
    junit = WORK / "logs" / "browser.xml"
    return counted(log.run("pytest", "tests/browser", "--capture=no", f"--junit-xml={junit}"), [junit])


def vm(log: Log) -> Result:
    """Tests on virtual machines, one for each release of Debian that SUITES names: each has its own kernel."""
    total = Result()
    for suite in os.environ.get("SUITES", "").split() or ["trixie"]:
        junit = WORK / "logs" / f"vm-{suite}.xml"
        total += counted(log.run("pytest", "tests/vm", f"--junit-xml={junit}", env={"SUITES": suite}), [junit])
    return total


SERVERS = ("nginx", "apache2", "ab", "haproxy", "lighttpd", "sshd", "ssh-keygen")
KERNEL = ("root", "unshare", "nsenter", "setpriv", "ip", "sysctl", "systemctl", *SERVERS)
WATCHING = ("ssh", "redis-server", "java", "prometheus", "prometheus-alertmanager")
MACHINES = ("root", "mmdebstrap", "qemu-system-x86_64", "mke2fs", "ssh", "ssh-keygen")
CONTAINERS = ("root", "podman", "runc", "mmdebstrap")

STAGES = (
    Stage("ruff", "lint", commands(["ruff", "check"], ["ruff", "format", "--check"])),
    Stage("mypy", "lint", mypy),
    Stage("yamllint", "lint", commands(["yamllint", "--strict", "."])),
    Stage("ansible-lint", "lint", commands(["ansible-lint", "--offline", "--profile", "production"])),
    Stage("reuse", "lint", commands(["reuse", "lint", "--lines"])),
    Stage(
        "antsibull-docs",
        "docs",
        commands(["antsibull-docs", "lint-collection-docs", "--plugin-docs", "--validate-collection-refs=all", "."]),
    ),
    Stage("site", "docs", pages.site),
    Stage("changelog", "docs", commands(["antsibull-changelog", "lint"])),
    Stage("unit", "unit", unit),
    Stage("unit-pythons", "sanity", ansible_test.units),
    Stage("sanity", "sanity", ansible_test.sanity),
    Stage("cores", "cores", releases.cores, ("root", "unshare")),
    Stage("artifact", "build", artifact.artifact),
    Stage("importer", "build", artifact.importer),
    Stage("audit", "audit", audit.audit, ("make",), lane="machine"),
    Stage("browser", "browser", browser, ("chromium", "npm")),
    Stage("integration", "integration", integration, KERNEL, lane="machine"),
    Stage("molecule", "molecule", molecule, CONTAINERS, lane="machine"),
    Stage("fleet", "fleet", fleet, (*KERNEL, "ssh"), lane="machine", by_default=False),
    Stage("engines", "engines", engines, (*KERNEL, *WATCHING), lane="machine", by_default=False),
    Stage("vm", "vm", vm, MACHINES, lane="machine", by_default=False),
)
