# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nginx's language, rule by rule as ngx_conf_read_token has it; integration tests let nginx judge the same texts."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._servers.nginx.syntax import (
    Directive,
    SyntaxFault,
    parse,
    words,
)

LUA = b"""
http {
  init_by_lua_block {
    -- a comment with a } brace and a "quote
    --[[ a long one }
         server { listen 1; } ]]
    local a = "} \\" {"  local b = '}'
    local c = [==[ } ]] server { listen 2; } ]==]
    if t[1] == "x" then t = { { 1 }, { [2] = 3 } } end
    local d = a - b
  }
  server { listen 80; location / { content_by_lua_block { ngx.say("}") } } }
}
"""


def flat(directives: t.Sequence[Directive]) -> t.Iterator[t.Tuple[str, ...]]:
    """Every kept directive with its words, depth first."""
    for directive in directives:
        yield tuple(word.decode() for word in (directive.name, *directive.words))
        yield from flat(directive.block or ())


def in_server(text: str) -> t.List[t.Tuple[str, ...]]:
    """What is kept of a server with this text."""
    return list(flat(parse(f"http {{ server {{ {text} }} }}".encode())))[2:]


@pytest.mark.parametrize(
    "text, expected",
    [
        ("listen 80;", [("listen", "80")]),
        ("listen\t80\n  default_server\r\n;", [("listen", "80", "default_server")]),
        ("listen 80 # the port; and { more\n backlog=1;", [("listen", "80", "backlog=1")]),
        ("listen \"80\" 'backlog=1';", [("listen", "80", "backlog=1")]),
        ('listen "a b\\"c";', [("listen", 'a b"c')]),
        ("listen a\\ b;", [("listen", "a\\ b")]),
        ("listen a#b;", [("listen", "a#b")]),
        ("listen a}b;", [("listen", "a}b")]),
        ("listen ${x}y;", [("listen", "${x}y")]),
        ("# listen 80;\nlisten 81;", [("listen", "81")]),
        ("set $a 'listen 80;'; listen 81;", [("listen", "81")]),
        ('set $a "listen 80;{"; listen 81;', [("listen", "81")]),
        ("set $a \\;; listen 81;", [("listen", "81")]),
        ("set $a ${b}; listen 81;", [("listen", "81")]),
        ("set $a x'y;listen 81;set $b y'z;", [("listen", "81")]),
        ('return 200 "a\\\\"; listen 81;', [("listen", "81")]),
        ("location ~ \\.php$ { listen 1; } listen 81;", [("listen", "81")]),
        ("location ~ ^/(a|b)$ { if ($x) { listen 1; } } listen 81;", [("listen", "81")]),
        ('location ~ "^/[0-9]{2}$" { listen 1; } listen 81;', [("listen", "81")]),
        ("if ($a = '}') { listen 1; } listen 81;", [("listen", "81")]),
        ('if ($a = "x"){ listen 1; } listen 81;', [("listen", "81")]),
        (
            "listen 80; include a.conf ; include 'b c.conf';",
            [("listen", "80"), ("include", "a.conf"), ("include", "b c.conf")],
        ),
        ("server_name listen; listening 80; listen 81;", [("listen", "81")]),
        ("location / { proxy_pass http://[::1]:80; } listen 81;", [("listen", "81")]),
    ],
)
def test_words_as_nginx_reads_them(text: str, expected: t.List[t.Tuple[str, ...]]) -> None:
    assert in_server(text) == expected


def test_lua_blocks_are_skipped_by_the_rules_of_lua() -> None:
    assert list(flat(parse(LUA))) == [("http",), ("server",), ("listen", "80")]


@pytest.mark.parametrize(
    "text, line, words_of_it",
    [
        ("http {\n server {\n", 2, "this block is never closed"),
        ("http {\n location {\n", 2, "this block is never closed"),
        ("http {\n}\n}\n", 3, 'unexpected "}"'),
        ("http {\n listen 80\n}\n", 3, 'unexpected "}"'),
        ("listen 80\n", 2, "unexpected end of file"),
        ("http {\n set $a 'x\n;}\n", 2, "quote is not closed"),
        ("http {\n listen 'x'y;}\n", 2, "after a closing quote"),
        ("http {\n;\n}", 2, 'unexpected ";"'),
        ("http {\n{ }\n}", 2, 'unexpected "{"'),
        ("http {\n a_by_lua_block { [[ \n }", 2, "long bracket"),
        ("http {\n a_by_lua_block { { }\n", 2, "this Lua block is never closed"),
    ],
)
def test_what_nginx_would_not_read_is_a_fault_with_its_line(text: str, line: int, words_of_it: str) -> None:
    with pytest.raises(SyntaxFault, match=words_of_it) as caught:
        parse(text.encode())
    assert caught.value.line == line


def test_places_are_those_of_the_words_in_the_file() -> None:
    content = b"http { server {\n  listen '80' # note\n   default_server;\n} }"
    [server] = parse(content)[0].block or ()
    [listen] = server.block or ()
    assert (listen.line, content[listen.start : listen.end]) == (2, b"listen '80' # note\n   default_server;")
    assert [content[word.start : word.end] for word in words(content, listen.start)] == [
        b"listen",
        b"'80'",
        b"default_server",
    ]
    assert content[server.end - 1 : server.end] == b"{"


def test_lines_are_counted_in_every_order_of_blocks() -> None:
    content = b"http {\n" + b"server {\n listen 80;\n}\n" * 3 + b"}\n"
    [http] = parse(content)
    assert http.line == 1
    assert [server.line for server in http.block or ()] == [2, 5, 8]
    assert [(server.block or ())[0].line for server in http.block or ()] == [3, 6, 9]


@pytest.mark.parametrize("size", [20000])
def test_an_unclosed_quote_costs_no_more_than_its_length(size: int) -> None:
    with pytest.raises(SyntaxFault):
        parse(b'http { set $a "' + b"x" * size)
    with pytest.raises(SyntaxFault):
        parse(b"http { set a " + b"\\x" * size)
