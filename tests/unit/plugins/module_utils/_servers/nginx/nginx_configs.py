# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Legal nginx configurations of all sorts, for hypothesis."""

from __future__ import annotations

import typing as t

from hypothesis import strategies as st

NOISE = (
    "",
    "# listen 1; {\n",
    "root '/a b';\n",
    'add_header X "a;}\\"{";\n',
    "location / { try_files $uri =404; }\n",
    "location ~ \\.php$ { fastcgi_pass unix:/run/php.sock; }\r\n",
    "set $a $uri; set $b ${a}c;",
    "if ($uri ~ \"^a{2}\") { return 200 'x'; }\t",
    "location ~ ^/(a|b)$ { return 200 x'y; }",
)
LUA = ('content_by_lua_block { ngx.say("}") -- listen 1;\n }\n',)

_PLAIN_OPTIONS = ("", " ssl", "\tproxy_protocol", " # note ;\n proxy_protocol")
_SOCKET_OPTIONS = ("", "", " backlog=77", " reuseport", " 'backlog=5' deferred", " so_keepalive=on")
_BESIDE_WILDCARDS = ("127.0.0.2:", "[::1]:")
_NAMES = st.sampled_from(
    [f"{host}{port}" for host in ("", "*:", "[::]:", *_BESIDE_WILDCARDS) for port in (8080, 8081, 8082)]
    + [f"127.0.0.1:{port}" for port in (8090, 8091)]
)

_Draw = t.Callable[[st.SearchStrategy[t.Any]], t.Any]


@st.composite
def configurations(draw: _Draw, noise: t.Sequence[str], ssl: bool = True) -> str:
    """The text of some servers.

    No server listens twice on an address and port, only the first line for one has options of the socket, and none has
    them for an address beside a wildcard of the same port, which Linux would not bind.
    """
    two_noises = st.lists(st.sampled_from(noise), min_size=2, max_size=2, unique=True)
    options = st.sampled_from([option for option in _PLAIN_OPTIONS if ssl or "ssl" not in option])
    seen: t.Set[str] = set()
    blocks: t.List[str] = []
    for _server in range(draw(st.integers(1, 5))):
        names = draw(st.lists(_NAMES, min_size=1, max_size=3, unique_by=_address))
        before, after = draw(two_noises)
        lines = [before]
        for name in names:
            alone = _address(name) not in seen and not name.startswith(_BESIDE_WILDCARDS)
            extra = draw(st.sampled_from(_SOCKET_OPTIONS)) if alone else ""
            seen.add(_address(name))
            lines.append(f"listen {name}{draw(options)}{extra};{draw(st.sampled_from(['', ' ', chr(10)]))}")
        blocks.append(f"server {{ {''.join(lines)}{after} }}\n")
    return "".join(blocks)


def _address(name: str) -> str:
    return name.replace("*:", "")
