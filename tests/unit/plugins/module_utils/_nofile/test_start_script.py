# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Debian's apachectl makes of the limit that systemd gives Apache."""

from __future__ import annotations

import typing as t
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._boot.unit_files import UnitFile, UnitFiles
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.rlimits import INFINITY, Limits, Rights
from ansible_collections.nettune.tcp.plugins.module_utils._nofile import plan, start_script, verdict
from ansible_collections.nettune.tcp.plugins.module_utils._nofile.limits import Ceiling, parse_limit
from ansible_collections.nettune.tcp.plugins.module_utils._nofile.observed import Default, Observed, View
from ansible_collections.nettune.tcp.plugins.module_utils._nofile.start_script import StartScript

UNIT = "apache2.service"
SCRIPT = """\
#!/bin/sh
test -z "$APACHE_ENVVARS" && APACHE_ENVVARS="$APACHE_CONFDIR/envvars"

ULIMIT_MAX_FILES="${APACHE_ULIMIT_MAX_FILES:-ulimit -n 8192}"
"""
VARIABLE = "APACHE_ULIMIT_MAX_FILES"
DROP_IN = "/etc/systemd/system/apache2.service.d/zz-nettune-tcp.conf"
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
    variable = VARIABLE if source.startswith("/s") else ""
    expected = None if number is None else StartScript(Limits(number, number), source, CURE, variable)
    assert start_script.parse(("/s", text), [("/e", variables)]) == expected


@pytest.mark.parametrize(
    "environment, number, source, variable",
    [
        ({}, 8192, "/s:4", VARIABLE),
        ({VARIABLE: ""}, 8192, "/s:4", VARIABLE),
        ({"ULIMIT": "true"}, 8192, "/s:4", VARIABLE),
        ({VARIABLE: "ulimit -n 65536"}, 65536, f"Environment={VARIABLE}", ""),
        ({VARIABLE: "true"}, None, "", ""),
    ],
)
def test_what_it_does_in_an_environment(
    environment: t.Mapping[str, str], number: t.Optional[int], source: str, variable: str
) -> None:
    script = start_script.parse(("/s", SCRIPT), [("/e", "")])
    expected = None if number is None else StartScript(Limits(number, number), source, CURE, variable)
    assert start_script.within(script, environment) == expected


def test_what_is_read_later_counts() -> None:
    later = [("/a", f"{VARIABLE}='ulimit -n 1'\n"), ("/b", f"{VARIABLE}='ulimit -n 2'\n"), ("/e", "")]
    script = start_script.parse(("/s", SCRIPT), later)
    assert script == StartScript(Limits(2, 2), "/b:1", CURE)
    assert start_script.within(script, {VARIABLE: "true"}) == script


@pytest.mark.parametrize(
    "lines, expected",
    [
        ([], {}),
        (["A=1 B=2", "B=3"], {"A": "1", "B": "3"}),
        (["'A=ulimit -n 1' word", 'B="a b"'], {"A": "ulimit -n 1", "B": "a b"}),
        (["A=1", "B='", "C=3"], {"A": "1", "C": "3"}),
    ],
)
def test_variables(lines: t.Sequence[str], expected: t.Mapping[str, str]) -> None:
    assert start_script.variables(lines) == expected


def test_an_empty_line_forgets_the_environment() -> None:
    files = _files("[Service]\nEnvironment=A=1\nEnvironment=\nEnvironment=B=2\n")
    assert start_script.environment_of(files) == {"B": "2"}


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
    found = start_script.find(
        unit, _files(f"[Service]\n{lines}ExecStart=/bin/true\nExecStart=-{tmp_path}/apachectl start\n")
    )
    assert found is not None
    assert found.source == f"{tmp_path}/apache2ctl:4"
    assert f"{directory}/envvars" in found.cure


@pytest.mark.parametrize("line", ["ExecStart=/usr/sbin/httpd -D FOREGROUND", "ExecStart=", ""])
def test_other_services_have_none(line: str) -> None:
    assert start_script.find(UNIT, _files(f"[Service]\n{line}\n")) is None


@pytest.mark.parametrize(
    "own, variable, wanted, may_raise, next_start, status",
    [
        # A file that is read later than the unit's environment has the last word.
        (8192, "", 65536, True, "8192:8192", "limited"),
        (8192, "", 8000, True, "8192:8192", "changed"),
        (65536, "", 65536, True, "65536:65536", "changed"),
        # What it may not raise stays as systemd has given it.
        (600000, "", 65536, False, "65536:524288", "changed"),
        # Its own default is turned off where it matters.
        (8192, VARIABLE, 65536, True, "65536:524288", "changed"),
        (8192, VARIABLE, 8000, True, "8192:8192", "changed"),
    ],
)
def test_the_row_tells_what_the_next_start_gives(
    own: int, variable: str, wanted: int, may_raise: bool, next_start: str, status: str
) -> None:
    script = StartScript(Limits(own, own), "/usr/sbin/apache2ctl:96", "do that", variable)
    before = _observed(script, may_raise=may_raise)
    want = parse_limit({"at_least": wanted})
    planned = plan.plan_present(want, before, live=True)
    after = before.with_drop_in(DROP_IN, planned.text)
    result = verdict.judge(want, before, after, planned.kept, acted=planned.reload)
    assert (str(after.at_start(after.subject)), result.status) == (next_start, status)
    if status == "limited":
        assert (
            result.reason == "/usr/sbin/apache2ctl:96 makes it 8192:8192 at each start, whatever the unit says: do that"
        )
    quiet = f"Environment={VARIABLE}=true\n"
    assert (quiet in (planned.text or "")) is bool(variable and wanted > own)
    assert (after.source(after.subject) == script.source) is (own < 600000 and quiet not in (planned.text or ""))
    assert plan.plan_present(want, after, live=True).text == planned.text


def test_what_turns_it_off_goes_with_the_drop_in() -> None:
    script = StartScript(Limits(8192, 8192), "/usr/sbin/apache2ctl:96", "do that", VARIABLE)
    before = _observed(script)
    want = parse_limit({"at_least": 65536})
    after = before.with_drop_in(DROP_IN, plan.plan_present(want, before, live=True).text)
    assert after.at_start(after.subject) == Limits(65536, 524288)
    gone = after.with_drop_in(DROP_IN, plan.plan_absent(after).text)
    # The unit's own 1024:524288 is no obstacle to the script.
    assert gone.at_start(gone.subject) == Limits(8192, 8192)


@pytest.mark.parametrize("loaded, reload", [({}, True), ({VARIABLE: "true"}, False)])
def test_what_turns_it_off_is_loaded(loaded: t.Mapping[str, str], reload: bool) -> None:
    """A run that was killed between the file and the daemon-reload leaves the next one something to do."""
    script = StartScript(Limits(8192, 8192), "/usr/sbin/apache2ctl:96", "do that", VARIABLE)
    want, before = parse_limit({"at_least": 65536}), _observed(script)
    after = before.with_drop_in(DROP_IN, plan.plan_present(want, before, live=True).text)
    killed = replace(after, subject=replace(after.subject, stale=True, environment=loaded))
    planned = plan.plan_present(want, killed, live=True)
    assert (planned.write, planned.reload) == (False, reload)


def test_another_drop_in_that_sets_it_is_left_alone() -> None:
    script = StartScript(Limits(8192, 8192), "/usr/sbin/apache2ctl:96", "do that", VARIABLE)
    line = f"Environment='{VARIABLE}=ulimit -n 9000'\n"
    before = _observed(script, f"[Service]\n{line}", {VARIABLE: "ulimit -n 9000"})
    want = parse_limit({"at_least": 65536})
    planned = plan.plan_present(want, before, live=True)
    after = before.with_drop_in(DROP_IN, planned.text)
    assert VARIABLE not in (planned.text or "")
    assert verdict.judge(want, before, after, {}, acted=True).reason.startswith(f"Environment={VARIABLE} makes it 9000")


def _observed(
    script: StartScript,
    text: str = "[Service]\n",
    environment: t.Optional[t.Mapping[str, str]] = None,
    *,
    may_raise: bool = True,
) -> Observed:
    limits = Limits(1024, 524288)
    return Observed(
        UNIT,
        "Service",
        View(UNIT, _files(text), limits, script=script, environment=environment or {}),
        Default(limits, "systemd"),
        Ceiling(1048576, INFINITY if may_raise else 524288, may_raise),
        Rights(raise_hard=True, any_process=True, any_user=True, uid=0, gid=0),
    )


def _files(text: str) -> UnitFiles:
    return UnitFiles(UnitFile(f"/usr/lib/systemd/system/{UNIT}", text), ("/etc/systemd/system/apache2.service.d",), ())
