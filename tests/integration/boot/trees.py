# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random trees of sysctl.d files, as orderly and as odd as administrators, packages and editors make them.

Standard library only and Python 3.8: this also runs in the containers of the distributions.
"""

from __future__ import annotations

import dataclasses
import os
import random
import typing as t

DIRECTORIES = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d")
SYSCTL_CONF = "/etc/sysctl.conf"
# A line of so many bytes ends the reading of systemd.
LONG_LINE = 1 << 20
DROP_IN = "/etc/sysctl.d/zz-nettune-tcp.conf"

# Keys of the own network namespace that take any number from 1000 to 9999.
PLAIN_KEYS = (
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_max_syn_backlog",
    "net.ipv4.tcp_max_tw_buckets",
)
COMMON_VALUES = ("901", "902")
PER_INTERFACE = ("tag", "medium_id")

_NAMES = [
    "10-a.conf",
    "20-b.conf",
    "50-default.conf",
    "9.conf",
    "99-sysctl.conf",
    "99-tune.conf",
    "Z.conf",
    "a-tune.conf",
    "zz-nettune-tcp.conf",
    "50-é.conf",
    ".hidden.conf",
    "README",
    "b.conf~",
    "c.conf.dpkg-old",
    ".conf",
]

_GLOBS = (
    "net.ipv4.tcp_keepalive_*",
    "net.ipv4.tcp_*_timeout",
    "net.ipv4.tcp_max_*s",
    "net.ipv4.tcp_[fk]*",
    "net.ipv4.tcp_[!a-k]*",
    "net.ipv4.tcp_[[:lower:]]*",
    "net.ipv4.tcp_[[:upper:]k]*",
    "net.ipv4.tcp_[![:space:]f]*",
    "net.ipv4.tcp_[[:none:]f]*",
    "net.ipv4.tcp_[[.f.]-[.k.]]*",
    "net.ipv4.tcp_[a\\]f]*",
    "net.ipv4.tcp_[[:lower]*",
    "net.ipv4.tcp_[^m]*",
    "net.*.tcp_fin_timeout",
    "*.*.tcp_fin_timeout",
    "net.ipv4.tcp_fin_timeou?",
    "net.ipv4.{tcp,udp}_fin_*",
    "net.ipv4.*.tag",
    "net.ipv4.conf.*.tag",
    "net.ipv4.conf.*.medium_id",
    "net.ipv4.conf.*.*",
    "net.ipv4.conf.[a-d]*.tag",
    "net.ipv4.conf.*l*.tag",
    "net.ipv4.conf.eth0/*.tag",
    "net.ipv4.conf.{all,lo}.ta[g]",
    "net/ipv4/conf/eth0.?/tag",
    "net/ipv4/conf/*/tag",
    "net/ipv4/conf/*.*/tag",
    "net/ipv4//conf/*/tag",
    "net.ipv4.tcp_fin\\_*",
    "net.ipv4.tcp_fin_[",
)


@dataclasses.dataclass(frozen=True)
class Entry:
    """One entry of a directory: ``kind`` is file, link or directory; ``data`` its bytes or where the link leads."""

    path: str
    kind: str
    data: bytes = b""


def keys_for(interfaces: t.Sequence[str]) -> list[str]:
    """All keys the trees set, canonical dotted names."""
    names = [name.replace(".", "/") for name in interfaces]
    return [*PLAIN_KEYS, *(f"net.ipv4.conf.{name}.{leaf}" for name in names for leaf in PER_INTERFACE)]


def generate(seed: int, keys: t.Sequence[str], directories: t.Sequence[str]) -> list[Entry]:
    """The tree of a seed."""
    return _Generator(random.Random(seed), keys, directories).tree()


class _Generator:
    def __init__(self, rng: random.Random, keys: t.Sequence[str], directories: t.Sequence[str]) -> None:
        self._rng = rng
        self._directories = directories
        # Few keys and globs, so that lines fight over them.
        self._keys = rng.sample(list(keys), rng.randint(1, 4))
        self._globs = rng.sample(_GLOBS, rng.randint(1, 6))
        self._next_value = rng.randint(1000, 5000)
        # In some trees, globs fight over keys that nothing else sets, with the same few values.
        self._mostly_globs = self._one_in(5)

    def tree(self) -> list[Entry]:
        entries = [
            self._entry(f"{directory}/{name}")
            for directory in self._directories
            for name in self._rng.sample(_NAMES, self._rng.choice((0, 1, 2, 3, 5)))
        ]
        if self._one_in(2):
            entries.append(Entry("/etc/sysctl.conf", "file", self._text()))
            if self._one_in(2):
                entries = [entry for entry in entries if entry.path != "/etc/sysctl.d/99-sysctl.conf"]
                entries.append(Entry("/etc/sysctl.d/99-sysctl.conf", "link", b"../sysctl.conf"))
        elif self._one_in(4):
            entries.append(Entry("/etc/sysctl.conf", "link", b"sysctl.d/99-tune.conf"))
        return entries

    def _entry(self, path: str) -> Entry:
        kind = self._rng.random()
        if kind < 0.06:
            return Entry(path, "link", b"/dev/null")
        if kind < 0.09:
            return Entry(path, "link", self._rng.choice((b"/nowhere", b"20-b.conf", b"/usr/lib/sysctl.d/9.conf")))
        if kind < 0.12:
            return Entry(path, "link", self._rng.choice((os.path.basename(path).encode(), b"/etc/passwd/below")))
        if kind < 0.14:
            return Entry(path, "directory")
        if kind < 0.18:
            return Entry(path, "file")
        return Entry(path, "file", self._text())

    def _text(self) -> bytes:
        text = b"\xef\xbb\xbf" if self._one_in(30) else b""
        for _line in range(self._rng.randint(1, 7)):
            text += (self._long_comment() if self._one_in(300) else self._line()) + self._rng.choice(
                (b"\n",) * 20 + (b"\r\n", b"\r\n", b"\n\n", b"\r", b"\0", b"\n\r", b" \\\n")
            )
        return text.rstrip(b"\n") if self._one_in(10) else text

    def _line(self) -> bytes:
        kind = self._rng.random()
        if kind < (0.05 if self._mostly_globs else 0.62):
            return self._assignment(self._spelled(self._rng.choice(self._keys)))
        if kind < 0.80:
            return self._assignment(self._rng.choice(self._globs))
        if kind < 0.90:
            key = self._rng.choice(self._globs) if self._one_in(4) else self._spelled(self._rng.choice(self._keys))
            return (f"{self._blank()}-{self._odd_blank()}{key}{self._blank()}").encode()
        return self._junk()

    def _long_comment(self) -> bytes:
        """As long as a line may be, and a byte longer: a letter of two bytes counts as two."""
        return b"#" + b"x" * (LONG_LINE - 4 + self._rng.randint(0, 1)) + "\u00e9".encode()

    def _assignment(self, key: str) -> bytes:
        sign = self._rng.choice(("",) * 12 + ("-", "-", "- ", "--"))
        blanks = [self._blank() for _place in range(4)]
        line = f"{blanks[0]}{sign}{key}{blanks[1]}={blanks[2]}{self._value()}{blanks[3]}"
        return line.encode()

    def _value(self) -> str:
        """Mostly a number that tells which line won; sometimes a common one; rarely one the kernel refuses."""
        if self._mostly_globs or self._one_in(4):
            return self._rng.choice(COMMON_VALUES)
        self._next_value += 1
        if self._one_in(40):
            return self._rng.choice(("{} # why", "{:#x}", "0{:o}\t0", "{}x", "{}\v", "{}\u00a0", "\u00a0{}")).format(
                self._next_value
            )
        return str(self._next_value)

    def _spelled(self, key: str) -> str:
        style = self._rng.random()
        if style < 0.6:
            return key
        path = key.replace(".", "\0").replace("/", ".").replace("\0", "/")
        if style < 0.8:
            return path
        first, rest = path.split("/", 1)
        odd = ("/" + path, first + "//" + rest, first + "/./" + rest, "./" + path, path + "/")
        return self._rng.choice((*odd, "." + key, "/" + key, key.replace(".", "/", 1), key.replace("/", ".")))

    def _blank(self) -> str:
        return self._rng.choice(("", "", " ", "\t", "  "))

    def _odd_blank(self) -> str:
        return self._rng.choice(("",) * 8 + (" ", "\v"))

    def _junk(self) -> bytes:
        key = self._rng.choice(self._keys).encode()
        return self._rng.choice(
            (
                *(
                    b"",
                    b"   ",
                    b"-",
                    b"=5",
                    b"nonsense",
                    b"#" + key + b"=3",
                    b" ; " + key + b"=3",
                    b"\v# " + key + b"=3",
                ),
                *(key, key + b" 1", key + b"=", b"\xff\xfe" + key + b"=3", b"# \xe9", b"net.ipv4.no_such_key=1"),
            )
        )

    def _one_in(self, count: int) -> bool:
        return self._rng.randrange(count) == 0
