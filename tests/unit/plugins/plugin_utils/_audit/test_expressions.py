# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.plugin_utils._audit import expressions, judge
from ansible_collections.nettune.tcp.tests.unit.plugins.plugin_utils.fleets import facts


@pytest.mark.parametrize(
    "expression, said",
    [
        ("liteners", "no fact 'liteners', did you mean 'listeners'"),
        ("listeners[?prot == `80`]", r"listeners\[\] has no 'prot', did you mean 'port'"),
        ("listeners[?port == `80`].adress", "did you mean 'address'"),
        ("listeners[].processes[].nofile.sotf", "did you mean 'soft'"),
        ('sysctls."net.core.somaxcon".runtime', "did you mean 'net.core.somaxconn'"),
        ('sysctls."net.core.somaxconn".runtme', "did you mean 'runtime'"),
        ("entries(sysctls)[?value.boot != value.runtim]", "did you mean 'runtime'"),
        ("entries(sysctls)[?kee == 'x']", "did you mean 'key'"),
        ("states.TIMEWAIT", "did you mean 'TIME_WAIT'"),
        ("rates.ListenOverflow", "did you mean 'ListenOverflows'"),
        ("uptime.seconds", "uptime is a number"),
        ("listeners.port", "listeners is a list"),
        ("max_by(listeners, &accept_que)", "did you mean 'accept_queue'"),
        ("sort_by(listeners, &backlg)[0]", "did you mean 'backlog'"),
        ("map(&prt, listeners)", "did you mean 'port'"),
        ("sort_by(listeners, &backlog)[0].prt", "has no 'prt'"),
        ("max_by(listeners, &backlog).prt", "has no 'prt'"),
        ("(listeners[0]).prt", "has no 'prt'"),
        ("listeners[0:2].prt", "has no 'prt'"),
        ("listeners | [0].prt", "has no 'prt'"),
        ("listeners[?a && port]", "no 'a'"),
        ("listeners[?port || b]", "no 'b'"),
        ("listeners[?!c]", "no 'c'"),
        ("listeners[].{x: d}", "no 'd'"),
        ("listeners[].[e]", "no 'e'"),
        ("listeners[].{x: port}[].y", "no fact 'y'"),
        ("[peers, peers][].prt", "has no 'prt'"),
        ("peers[].states.ESTABLISHD", "did you mean 'ESTABLISHED'"),
        ("values(sysctls)[].boots", "did you mean 'boot'"),
        ("sysctls.*.boots", "did you mean 'boot'"),
        ("length(listners)", "did you mean 'listeners'"),
        ("rates == nul", "no fact 'nul'"),
        ("a[", "Invalid jmespath"),
        ("nothing(@)", r"no function nothing\(\)"),
        ("uptime > $most", r"no threshold \$most"),
        ("", "empty"),
    ],
)
def test_a_typo_is_found_before_any_host_is_asked(expression: str, said: str) -> None:
    with pytest.raises(expressions.ExpressionError, match=said):
        expressions.parse(expression, {})


@pytest.mark.parametrize(
    "expression",
    [
        "rates != null",
        "rates != `null`",
        "sysctls.*.runtime",
        'sysctls."net.core.somaxconn".runtime[0].anything',
        "servers[].settings.option.value",
        'servers[].settings."timeout http-keep-alive".value',
        "entries(servers[0].settings)[].{setting: key, source: value.source}",
        "[listeners[].{a: port}, peers[].{a: total}][].a",
        "join(', ', listeners[].address)",
        "merge(states, counters)",
        "keys(sysctls)",
        "since_last.rates.ListenOverflows",
        "drift[].owner",
        "time_wait || peers",
        "@.uptime",
    ],
)
def test_what_the_facts_have_may_be_named(expression: str) -> None:
    assert expressions.parse(expression, {}).text == expression


@pytest.mark.parametrize(
    "expression, found",
    [
        ("uptime > $n", True),
        ("'$n'", "$n"),
        ('`"$n"`', "$n"),
        ('keys({"$n": uptime})[0]', "$n"),
        ("ratio(`1`, $n)", 0.5),
        ("ratio(`1`, `0`)", None),
        ("product($n, `3`)", 6),
        ("difference(`3`, $n)", 1),
        ("round(`2.345`, `1`)", 2.3),
        ('entries(`{"a": 1}`)', [{"key": "a", "value": 1}]),
        ("entries(null)", None),
        ("product(null, $n)", None),
        ("difference($n, null)", None),
        ("round(null, `1`)", None),
    ],
)
def test_thresholds_and_functions(expression: str, found: t.Any) -> None:
    assert expressions.parse(expression, {"n": 2}).search(judge.bring(facts())) == found


def test_what_does_not_fit_is_an_error_that_shows_the_expression() -> None:
    with pytest.raises(expressions.ExpressionError, match=r"in sum\(kernel\)"):
        expressions.parse("sum(kernel)", {}).search(judge.bring(facts()))


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expressions, "MISSING", "No module named 'jmespath'")
    with pytest.raises(expressions.LibraryMissing, match="jmespath is needed on the controller"):
        expressions.parse("uptime", {})
