# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Debian's apachectl makes of the limit that systemd gives Apache."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._boot.unit_files import UnitFile, UnitFiles
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.rlimits import INFINITY, Limits, Rights
from ansible_collections.nettune.tcp.plugins.module_utils._nofile import plan, start_script, verdict
from ansible_collections.nettune.tcp.plugins.module_utils._nofile.limits import Ceiling, parse_limit
from ansible_collections.nettune.tcp.plugins.module_utils._nofile.observed import Default, Observed, StartScript, View

UNIT = "apache2.service"
SCRIPT = """\
#!/bin/sh
test -z "$APACHE_ENVVARS" && APACHE_ENVVARS="$APACHE_CONFDIR/envvars"

ULIMIT_MAX_FILES="${APACHE_ULIMIT_MAX_FILES:-ulimit -n 8192}"
"""
CURE = "APACHE_ULIMIT_MAX_FILES='ulimit -n N' in /e changes that"


@pytest.mark.parametrize(
    "text, variables, number, source",
    [
        (SCRIPT, "", 8192, "/s:4"),
        (SCRIPT, "#APACHE_ULIMIT_MAX_FILES='ulimit -n 65536'\n", 8192, "/s:4"),
        (SCRIPT, "\nAPACHE_ULIMIT_MAX_FILES='ulimit -n 65536'\n", 65536, "/e:2"),
        (SCRIPT, 'export APACHE_ULIMIT_MAX_FILES="ulimit -n 65536"\n', 65536, "/e:1"),
        (SCRIPT, "APACHE_ULIMIT_MAX_FILES='ulimit -n 1'\nAPACHE_ULIMIT_MAX_FILES='ulimit -n 2'\n", 2, "/e:2"),
        (SCRIPT, "APACHE_ULIMIT_MAX_FILES=''\n", 8192, "/s:4"),
        (SCRIPT, "APACHE_ULIMIT_MAX_FILES=true\n", None, ""),
        (SCRIPT, "APACHE_ULIMIT_MAX_FILES='ulimit -n unlimited'\n", None, ""),
        ("#!/bin/sh\nexec httpd\n", "APACHE_ULIMIT_MAX_FILES='ulimit -n 65536'\n", None, ""),
        ("", "", None, ""),
    ],
)
def test_what_the_script_does(text: str, variables: str, number: t.Optional[int], source: str) -> None:
    expected = None if number is None else StartScript(Limits(number, number), source, CURE)
    assert start_script.parse("/s", text, "/e", variables) == expected


@pytest.mark.parametrize(
    "lines, instance, directory",
    [
        ("", "", "etc/apache2"),
        ("Environment=APACHE_STARTED_BY_SYSTEMD=true\n", "", "etc/apache2"),
        ("Environment=APACHE_CONFDIR=/etc/apache2-%i APACHE_STARTED_BY_SYSTEMD=true\n", "@x", "/etc/apache2-x"),
    ],
)
def test_which_variables_it_reads(lines: str, instance: str, directory: str, tmp_path: Path) -> None:
    (tmp_path / "apache2ctl").write_text(SCRIPT, encoding="utf-8")
    (tmp_path / "apachectl").symlink_to("apache2ctl")
    unit = f"apache2{instance}.service"
    found = start_script.find(unit, _files(f"[Service]\n{lines}ExecStart=-{tmp_path}/apachectl start\n"))
    assert found is not None
    assert found.source == f"{tmp_path}/apache2ctl:4"
    assert f"{directory}/envvars" in found.cure


@pytest.mark.parametrize("line", ["ExecStart=/usr/sbin/httpd -D FOREGROUND", "ExecStart=", ""])
def test_other_services_have_none(line: str) -> None:
    assert start_script.find(UNIT, _files(f"[Service]\n{line}\n")) is None


@pytest.mark.parametrize(
    "own, wanted, may_raise, next_start, status",
    [
        (8192, 65536, True, "8192:8192", "limited"),
        (8192, 8000, True, "8192:8192", "changed"),
        (65536, 65536, True, "65536:65536", "changed"),
        # What it may not raise stays as systemd has given it.
        (600000, 65536, False, "65536:524288", "changed"),
    ],
)
def test_the_row_tells_what_the_next_start_gives(
    own: int, wanted: int, may_raise: bool, next_start: str, status: str
) -> None:
    script = StartScript(Limits(own, own), "/usr/sbin/apache2ctl:96", "do that")
    limits = Limits(1024, 524288)
    before = Observed(
        UNIT,
        "Service",
        View(UNIT, _files("[Service]\n"), limits, script=script),
        Default(limits, "systemd"),
        Ceiling(1048576, INFINITY if may_raise else 524288, may_raise),
        Rights(raise_hard=True, any_process=True, any_user=True, uid=0, gid=0),
    )
    want = parse_limit({"at_least": wanted})
    planned = plan.plan_present(want, before, live=True)
    after = before.with_drop_in("/etc/systemd/system/apache2.service.d/zz-nettune-tcp.conf", planned.text)
    result = verdict.judge(want, before, after, planned.kept, acted=planned.reload)
    assert (str(after.at_start(after.subject)), result.status) == (next_start, status)
    if status == "limited":
        assert (
            result.reason == "/usr/sbin/apache2ctl:96 makes it 8192:8192 at each start, whatever the unit says: do that"
        )
    assert (after.source(after.subject) == script.source) is (own < 600000)


def _files(text: str) -> UnitFiles:
    return UnitFiles(UnitFile(f"/usr/lib/systemd/system/{UNIT}", text), ("/etc/systemd/system/apache2.service.d",), ())
