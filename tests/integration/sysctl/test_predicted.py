# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check mode tells exactly what a run then does, whatever is asked for, and on whatever host."""

from __future__ import annotations

import typing as t

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.nettune.tcp.plugins.module_utils._errors import NettuneError
from ansible_collections.nettune.tcp.plugins.module_utils._kernel import proc_sys
from ansible_collections.nettune.tcp.tests.integration.sysctl import calls
from ansible_collections.nettune.tcp.tests.integration.sysctl.calls import sysctl

if t.TYPE_CHECKING:
    from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox

NUMBERS = (
    st.integers(1, 120) | st.integers(-2, 70000) | st.sampled_from([0, 1, 2, 65535, 2**31 - 1, 2**31, 2**32, 2**63])
)
PORTS = st.integers(1, 65535) | st.integers(-1, 66000)
RANGES = st.tuples(PORTS, PORTS).map(sorted) | st.tuples(PORTS, PORTS).map(list)
PORT_LISTS = st.lists(PORTS, max_size=4)
BUFFERS = st.lists(st.integers(0, 2**27), min_size=3, max_size=3)
RUBBISH = st.sampled_from(["", "yes", "1 2", "4096 x", True, [1, 2, 3, 4], "cubic"])

SCALARS = (
    "net.core.somaxconn",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_max_syn_backlog",
    "net.ipv4.tcp_max_tw_buckets",
    "net.ipv4.tcp_notsent_lowat",
    "net.ipv4.tcp_syn_retries",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_timestamps",
    "net.ipv4.tcp_tw_reuse",
    "net.netfilter.nf_conntrack_tcp_timeout_established",
)
MISSING = ("net.ipv4.tcp_tw_recycle", "net.ipv4.tcp_mem", "net.ipv4.conf.eth9.rp_filter", "net.ipv4.tcp_no_such_key")
RELATIONS = st.sampled_from(["exactly", "at_least", "at_most", "covers"])


def wants(values: st.SearchStrategy[t.Any], *relations: str) -> st.SearchStrategy[t.Any]:
    """Mostly what makes sense for a key."""
    sensible = values | st.builds(lambda relation, value: {relation: value}, st.sampled_from(relations), values)
    senseless = RUBBISH | st.dictionaries(RELATIONS, values | RUBBISH, max_size=2)
    return st.integers(0, 19).flatmap(lambda chance: senseless if chance == 0 else sensible)


ASKED = {
    **dict.fromkeys(SCALARS + MISSING, wants(NUMBERS, "exactly", "at_least", "at_most")),
    "net.ipv4.ip_local_port_range": wants(RANGES, "covers", "exactly"),
    "net.ipv4.ip_local_reserved_ports": wants(PORT_LISTS, "covers", "exactly"),
    "net.ipv4.tcp_rmem": wants(BUFFERS, "at_least", "exactly"),
    "net.ipv4.tcp_congestion_control": st.sampled_from(["cubic", "reno", "no-such", "bbr"]),
}
SETTINGS = st.lists(st.sampled_from(sorted(ASKED)), unique=True, min_size=1, max_size=5).flatmap(
    lambda keys: st.fixed_dictionaries({key: ASKED[key] for key in keys})
)
CONTENTS = st.dictionaries(st.sampled_from(SCALARS), st.integers(0, 70000), max_size=3)
FILES = st.dictionaries(
    st.sampled_from(["/etc/sysctl.d/10-a.conf", "/etc/sysctl.d/zzz.conf", "/usr/lib/sysctl.d/zz.conf"]),
    CONTENTS.map(lambda lines: "".join(f"{key} = {value}\n" for key, value in lines.items())),
    max_size=2,
)
OPTIONS = st.fixed_dictionaries(
    {
        "force": st.sampled_from([True, True, False]),
        "purge": st.booleans(),
        "missing": st.sampled_from(["skip", "skip", "skip", "fail"]),
    }
)
BENIGN = st.dictionaries(st.sampled_from(SCALARS[:6]), st.integers(1, 1024), max_size=3)

Outcome = t.Tuple[str, t.Any]


def outcome(wanted: t.Mapping[str, t.Any], **options: t.Any) -> Outcome:
    """What a person would compare: the rows and the diff, or the error."""
    try:
        result = sysctl(wanted, **options)
    except NettuneError as exc:
        return "failed", (str(exc), exc.details.get("settings"))
    return "done", {key: result[key] for key in ("changed", "settings", "diff", "warnings")}


def everything() -> t.Dict[str, t.Optional[str]]:
    return {
        **{key: proc_sys.read(key) for key in SCALARS},
        "file": calls.text(),
        "originals": calls.text("/var/lib/nettune-tcp/originals.json"),
    }


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(earlier=BENIGN, running=BENIGN, files=FILES, wanted=SETTINGS, options=OPTIONS)
def test_check_mode_predicts_the_run(
    on_fresh_host: Sandbox,
    earlier: t.Dict[str, int],
    running: t.Dict[str, int],
    files: t.Dict[str, str],
    wanted: t.Dict[str, t.Any],
    options: t.Dict[str, t.Any],
) -> None:
    def body() -> t.Tuple[t.Any, ...]:
        sysctl(earlier, force=True)
        for key, value in running.items():
            proc_sys.write(key, str(value))
        for path, content in files.items():
            calls.write(path, content)
        before = everything()
        predicted = outcome(wanted, check_mode=True, **options)
        between = everything()
        done = outcome(wanted, **options)
        after = everything()
        again = outcome(wanted, **options)
        return before, predicted, between, done, after, again

    before, predicted, between, done, after, again = on_fresh_host(body)
    assert before == between
    assert predicted == done
    if done[0] == "failed":
        assert after == before
    else:
        assert again[0] == "done"
        assert not again[1]["changed"]
