# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import fnmatch
import re

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from ansible_collections.nettune.tcp.plugins.module_utils._boot import sysctl_globs as globs


@pytest.mark.parametrize(
    "pattern, path, expected",
    [
        ("*", "abc", True),
        ("*", "a/b", False),
        ("a*c", "abc", True),
        ("a*c", "ac", True),
        ("a*b*c", "aXbYbZc", True),
        ("a*b*c", "aXbYbZ", False),
        ("*a", "banana", True),
        ("*an", "banana", False),
        ("?", "", False),
        ("[ab]", "b", True),
        ("[!ab]", "b", False),
        ("[^ab]", "c", True),
        ("[a-c]", "b", True),
        ("[c-a]", "b", False),
        ("[]]", "]", True),
        ("[a-]", "-", True),
        ("[!a-c]", "b", False),
        ("[!c-a]", "b", True),
        ("[!]a]", "]", False),
        ("[^]a]", "b", True),
        ("[!]", "[!]", True),
        ("[-a]", "-", True),
        ("[a-c-e]", "-", True),
        ("[a-c-e]", "d", False),
        ("[[a]", "[", True),
        ("[a\\]b]", "]", True),
        ("[a\\]b]", "b", True),
        ("[\\a-c]", "b", True),
        ("[a\\", "[a\\", True),
        ("[", "[", True),
        ("[a", "[a", True),
        ("a[b/c]d", "a[b/c]d", True),
        ("a[b/c]d", "abd", False),
        ("\\*", "*", True),
        ("\\*", "a", False),
        ("a\\", "a\\", True),
        ("a//*", "a/b", True),
        ("{a,b}*", "bc", True),
        ("{a,{b,c}}d", "cd", True),
        ("{a}", "{a}", True),
        ("{,x}a", "a", True),
    ],
)
def test_globs(pattern: str, path: str, expected: bool) -> None:
    assert globs.glob_matcher(pattern, braces=True)(path) is expected


@pytest.mark.parametrize(
    "kind, inside, outside",
    [
        ("alnum", "09AZaz", "/:@[`{"),
        ("alpha", "AZaz", "0@[`{"),
        ("blank", " \t", "\n\v\u00a0"),
        ("cntrl", "\x00\x1f\x7f", " ~"),
        ("digit", "09", "/:a\u0663"),
        ("graph", "!~", " \x7f"),
        ("lower", "az", "A`{\u00e9"),
        ("print", " ~", "\x1f\x7f"),
        ("punct", "!/:@[\\]^_`{~", " 0Aaz"),
        ("space", " \t\n\v\f\r", "a\x08\x0e\u00a0"),
        ("upper", "AZ", "a@["),
        ("xdigit", "09AFaf", "GgXx"),
    ],
)
def test_character_classes(kind: str, inside: str, outside: str) -> None:
    matches, others = (globs.fnmatcher(f"[{sign}[:{kind}:]]") for sign in ("", "!"))
    assert [matches(one) for one in inside] == [True] * len(inside)
    assert [matches(one) for one in outside] == [False] * len(outside)
    assert [others(one) for one in inside + outside] == [False] * len(inside) + [True] * len(outside)


@pytest.mark.parametrize(
    "pattern, name, expected",
    [
        ("[[:lower:][:digit:]_]", "_", True),
        ("[[:lower:]-]", "-", True),
        ("x[[:none:]x]", "xx", False),
        ("x[![:none:]]", "xx", False),
        ("[[:lower]", ":", True),
        ("[[:lower]]", "l]", True),
        ("[[:lower:]", "[a", False),
        ("[[:lower:]", "[l", True),
        ("[a-[:lower:]]", "b", False),
        ("[[.f.]-[.k.]]", "g", True),
        ("[[.f.]-[.k.]]", ".", False),
        ("[[.].]]", "]", True),
    ],
)
def test_what_stands_in_brackets(pattern: str, name: str, expected: bool) -> None:
    assert globs.fnmatcher(pattern)(name) is expected


def test_no_pattern_takes_long() -> None:
    assert not globs.fnmatcher("*a" * 200 + "b")("a" * 2000)
    assert not globs.glob_matcher("{a,b}" * 40, braces=True)("c")


def test_without_braces() -> None:
    assert not globs.glob_matcher("{a,b}", braces=False)("a")
    assert globs.glob_matcher("{a,b}", braces=False)("{a,b}")


def test_fnmatch_crosses_slashes() -> None:
    assert globs.fnmatcher("net/*/tag")("net/ipv4/conf/all/tag")


@given(st.text(st.sampled_from("ab*?[]!-"), max_size=8), st.text(st.sampled_from("ab!-]["), max_size=6))
def test_globs_are_those_of_python(pattern: str, name: str) -> None:
    try:
        expected = fnmatch.fnmatchcase(name, pattern)
    except re.error:  # Python 3.8 itself stumbles over ranges such as [?--]
        reject()
    assert globs.glob_matcher(pattern, braces=False)(name) == expected
