# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build the documentation site from docs/, the profiles, and what the plugins and roles say of themselves."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

from tools.environment import CHECKOUT, WORK, prepare, variables
from tools.stage import Log, Result

DOCS = CHECKOUT / "docs"
PROFILES = CHECKOUT / "roles" / "tcp_tuning" / "profiles"
SITE = WORK / "site"
SOURCE = SITE / "source"
HTML = SITE / "html"

PAGE = """\
# Profiles

What the role `nettune.tcp.tcp_tuning` sets for each kind of server. A relation such as *at least* keeps what a host
has beyond it. Each value is tried on the real kernel by `tests/integration/evidence`, those of `fs.*` by `tests/vm`.
"""


def collect() -> None:
    """Put the pages together, with what is generated."""
    shutil.rmtree(SITE, ignore_errors=True)
    shutil.copytree(DOCS, SOURCE, ignore=shutil.ignore_patterns("examples", "site", "*.json"))
    reference = SOURCE / "collections"
    reference.mkdir(mode=0o700)
    (SOURCE / "profiles.md").write_text(profiles(), encoding="utf-8")


def profiles() -> str:
    """One table for each profile."""
    return PAGE + "".join(line for path in sorted(PROFILES.glob("*.yml")) for line in profile(path))


def profile(path: Path) -> Iterator[str]:
    """The lines about one profile."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    yield f"\n## {path.stem}\n\n{data['title']}.\n\n"
    yield "| setting | value | what for | what not | source |\n|---|---|---|---|---|\n"
    for key, row in sorted(sysctls(data).items()):
        cells = [f"`{key}`", want(row["want"]), *(str(row.get(name, "")) for name in ("why", "not", "source"))]
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def sysctls(data: dict[str, dict[str, dict[str, object]]]) -> dict[str, dict[str, object]]:
    return data["sysctls"]


def want(value: object) -> str:
    """A want as a person would say it."""
    if isinstance(value, dict):
        relation, operand = next(iter(value.items()))
        return f"{relation.replace('_', ' ')} {operand}"
    return str(value)


def site(log: Log) -> Result:
    """Build it; a warning is an error."""
    collect()
    environment = variables(prepare("site"))
    pages = ["antsibull-docs", "collection", "--use-current", "--squash-hierarchy", "--fail-on-error"]
    built = log.run(*pages, "--dest-dir", SOURCE / "collections", "nettune.tcp", env=environment) and log.run(
        "sphinx-build",
        "--fail-on-warning",
        "--keep-going",
        "--quiet",
        "-c",
        DOCS / "site",
        SOURCE,
        HTML,
        env=environment,
    )
    return Result.of(built)


def main() -> int:
    log = Log(WORK / "logs" / "site.log")
    if site(log).failed:
        print(log.text(), file=sys.stderr)
        return 1
    print((HTML / "index.html").relative_to(CHECKOUT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
