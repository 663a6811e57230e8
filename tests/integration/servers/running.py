# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real web servers in the network namespace of the caller, and what the kernel says of their sockets.

Run as a program, it tries every server that is installed and prints what it found: the same proof inside of a
container, where there is no pytest.  The namespace must be the caller's own: ``unshare --net``.  With a number, it
tries as many random configurations of each server instead, beginning with the seed that may follow.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.nettune.tcp.plugins.module_utils import _files
from ansible_collections.nettune.tcp.plugins.module_utils._backlog import service
from ansible_collections.nettune.tcp.plugins.module_utils._errors import NettuneError
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.sock_diag import SockDiag, listener_of, mask
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.tcp_socket import LISTEN
from ansible_collections.nettune.tcp.plugins.module_utils._servers.apache import adapter as apache
from ansible_collections.nettune.tcp.plugins.module_utils._servers.haproxy import adapter as haproxy
from ansible_collections.nettune.tcp.plugins.module_utils._servers.lighttpd import adapter as lighttpd
from ansible_collections.nettune.tcp.plugins.module_utils._servers.server import Adapter, Config, ConfigError, Listen
from ansible_collections.nettune.tcp.tests.integration.apache import APACHE
from ansible_collections.nettune.tcp.tests.integration.servers import generate

SOMAXCONN = 3000
PATIENCE = 20.0  # seconds until a server must have opened its sockets

Key = t.Tuple[str, str, int]


@dataclass(frozen=True)
class Case:
    """A server, its configuration by file name, the main file first, and how it is run in the foreground."""

    adapter: Adapter
    files: t.Mapping[str, str]
    command: t.Sequence[str]
    numbers: t.Sequence[int]
    added: str  # what opens port 8099 when it is appended, so that a reload can be seen
    since: t.Tuple[int, ...] = ()  # the first version that knows this configuration
    braces: bool = True  # whether a brace is written as two

    def program(self) -> t.Optional[str]:
        """The server's path, None where it is not installed or too old."""
        path = shutil.which(self.command[0], path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if path and self.since:
            printed = subprocess.run([path, "-v"], capture_output=True, text=True, check=True).stdout
            version = re.search(r"([0-9]+)\.([0-9]+)\.([0-9]+)", printed)
            return path if version and tuple(map(int, version.groups())) >= self.since else None
        return path


_APACHE = f"{APACHE}Define PORT 8002\n"
_HAPROXY = """\
global
    maxconn 700
    master-worker
defaults
    mode http
    timeout connect 1s
    timeout client 1s
    timeout server 1s
"""
_LIGHTTPD = 'server.document-root = "{root}"\nserver.errorlog = "{root}/log"\n'

CASES: t.Mapping[str, Case] = {
    "apache, appended": Case(
        apache.ADAPTER,
        {
            "httpd.conf": _APACHE + "Listen 8001\nListen \\\n 127.0.0.1:${{PORT}}\nListen [::1]:8003 https\n"
            "Listen localhost:8006\n"
        },
        ("apache2", "-f", "{main}", "-D", "FOREGROUND"),
        (1000, 2000),
        "Listen 8099\n",
    ),
    "apache, a snippet": Case(
        apache.ADAPTER,
        {
            "httpd.conf": _APACHE + "IncludeOptional conf.d/*.conf\nListen 0.0.0.0:8001\nListen [::]:8001\n",
            "conf.d/z.conf": "<IfModule mpm_event_module>\r\n  Listen 8002\r\n</IfModule>\r\n",
            "conf.d/.hidden.conf": "Listen 8003\n",
        },
        ("apache2", "-f", "{main}", "-D", "FOREGROUND"),
        (4000, 800),
        "Listen 8099\n",
    ),
    "apache, edited": Case(
        apache.ADAPTER,
        {
            "httpd.conf": _APACHE
            + "ListenBacklog 100\nListen 8001\nInclude more\n<IfDefine X>\nListen 8009\n</IfDefine>\n",
            "more/b": "Listen 8004\nListenBacklog 300 \n",
            "more/a": "ListenBacklog 200\nListen 127.0.0.2:8005\n",
        },
        ("apache2", "-f", "{main}", "-D", "FOREGROUND"),
        (900, 901),
        "Listen 8099\n",
    ),
    "haproxy, lines": Case(
        haproxy.ADAPTER,
        {
            "a.cfg": _HAPROXY
            + """\
frontend one
    bind :8001,127.0.0.1:8011-8013 # the first
    bind "[::1]:8002" backlog 12 maxconn 5
    bind ipv6@:8003 v6only name backlog
frontend two
    backlog 33
    bind localhost:8004 maxconn 6
    bind ::1:8005 backlog '7' tfo
frontend off
    disabled
    bind :8009
"""
        },
        ("haproxy", "-W", "-db", "-f", "{main}"),
        (1500, 1600, 1700, 1800, 1900),
        "frontend added\n    bind :8099\n",
    ),
    "haproxy, sections": Case(
        haproxy.ADAPTER,
        {
            "a.cfg": _HAPROXY
            + """\
frontend one
    bind *:8001
    bind [::]:8001 v6only
    bind {root}/socket
    bind unix@{root}/other mode 600

defaults named
    mode http
    backlog 44
    timeout connect 1s
    timeout client 1s
    timeout server 1s
listen two from named
    bind 127.0.0.1:8002
    bind abns@nettune-test
"""
        },
        ("haproxy", "-W", "-db", "-f", "{main}"),
        (5000,),
        "frontend added\n    bind :8099\n",
        since=(2, 4, 0),
    ),
    "lighttpd, global": Case(
        lighttpd.ADAPTER,
        {
            "lighttpd.conf": _LIGHTTPD
            + """\
server.port = 8001
include_shell "echo '$SERVER[\\"socket\\"] == \\"[::]:8001\\" {{ }}'"
include "more/*.conf"
$SERVER["socket"] == "127.0.0.1:" + "8002" {{ }}
$HTTP["host"] == "x" {{ server.document-root = "/x" }}
""",
            "more/b.conf": '$SERVER["socket"] == "[::1]:8003" {{\n}}\n',
        },
        ("lighttpd", "-D", "-f", "{main}"),
        (1100,),
        '$SERVER["socket"] == ":8099" { }\n',
    ),
    "lighttpd, blocks": Case(
        lighttpd.ADAPTER,
        {
            "lighttpd.conf": _LIGHTTPD
            + """\
server.bind = "127.0.0.1"
server.port = 8001
server.listen-backlog = 50
port = 8002
$SERVER["socket"] == ":" + port {{}}
$SERVER["socket"] == "[::1]:8003" {{ # comment
    server.use-ipv6 = "enable"
    server.listen-backlog = 40 + 5
}} else $SERVER["socket"] == "127.0.0.1:8001" {{
    server.listen-backlog := 60
}}
"""
        },
        ("lighttpd", "-D", "-f", "{main}"),
        (1200, 1300, 1400),
        '$SERVER["socket"] == ":8099" { }\n',
    ),
    "lighttpd, without a port": Case(
        lighttpd.ADAPTER,
        {"lighttpd.conf": _LIGHTTPD},
        ("lighttpd", "-D", "-f", "{main}"),
        (2900,),
        '$SERVER["socket"] == ":8099" { }\n',
    ),
}


def kernel() -> t.List[t.Tuple[Key, int]]:
    """Every listening TCP socket of this namespace and its backlog."""
    with SockDiag() as diag:
        found = [listener_of(message) for message in diag.messages(mask(LISTEN))]
    return sorted(((one.family, one.address, one.port), one.backlog or 0) for one in found)


def unix_kernel() -> t.List[t.Tuple[Key, int]]:
    """Every listening unix socket that can be seen here and its backlog, as ss tells; others of the host included."""
    lines = subprocess.run(["ss", "-Hlxn"], capture_output=True, text=True, check=True).stdout.splitlines()
    # HAProxy renames a socket once it listens, and pads abstract names; the kernel keeps what was bound.
    return [(("unix", re.sub(r"\.[0-9]+\.tmp$|@+$", "", line.split()[4]), 0), int(line.split()[3])) for line in lines]


def expected(listens: t.Iterable[Listen]) -> t.List[t.Tuple[Key, int]]:
    """What the kernel has to say when the server does what the adapter reports."""
    rows = [((one.family, one.address, one.port), min(one.asked, SOMAXCONN)) for one in listens]
    return sorted(row for row in rows if row[0][0] != "unix")


def missing_unix(listens: t.Iterable[Listen]) -> t.List[t.Tuple[Key, int]]:
    """The unix sockets that the adapter reports and that the kernel does not have with that backlog."""
    rows = [((one.family, one.address, one.port), min(one.asked, SOMAXCONN)) for one in listens if one.family == "unix"]
    have = unix_kernel() if rows else []
    return [row for row in rows if row not in have]


def lay_out(case: Case, root: Path) -> str:
    """Write the configuration below ``root``; the path of its main file."""
    for name, text in case.files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = text.replace("{root}", str(root))
        if case.braces:
            content = content.replace("{{", "{").replace("}}", "}")
        path.write_bytes(content.encode())
    return str(root / next(iter(case.files)))


@contextlib.contextmanager
def started(case: Case, main: str) -> t.Iterator[subprocess.Popen[bytes]]:
    """The server in the foreground, ended at the end."""
    command = [word.replace("{main}", main) for word in (case.program() or "", *case.command[1:])]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        wait_for([])


def wait_for(rows: t.Sequence[t.Tuple[Key, int]]) -> t.List[t.Tuple[Key, int]]:
    """What the kernel has once it has this, or when patience ends."""
    end = time.monotonic() + PATIENCE
    while kernel() != rows and time.monotonic() < end:
        time.sleep(0.05)
    return kernel()


def write(config: Config, replaced: t.Mapping[str, t.Optional[bytes]]) -> None:
    """Put an edit on disk."""
    for path, content in replaced.items():
        _files.replace(path, content)
    assert replaced, f"nothing was changed in {config.main}"


def checked(case: Case, config: Config) -> None:
    """Let the server judge its configuration."""
    service.check(case.adapter.check(config), None, config.main)


def prove(case: Case) -> t.Dict[str, t.Any]:
    """The kernel has what the adapter says, as the configuration is and edited; what a reload does to the queues."""
    Path("/proc/sys/net/core/somaxconn").write_text(str(SOMAXCONN))
    with tempfile.TemporaryDirectory(prefix="nettune-") as directory:
        os.chmod(directory, 0o755)
        main = lay_out(case, Path(directory))
        before = case.adapter.read(main, None)
        as_found = case.adapter.listens(before)
        checked(case, before)
        with started(case, main):
            same(wait_for(expected(as_found)), expected(as_found))
            same(missing_unix(as_found), [])
        wanted = _wanted(case, before, as_found)
        write(before, case.adapter.edit(before, wanted))
        after = case.adapter.read(main, None)
        found = case.adapter.listens(after)
        same([one.asked for one in found], [wanted[one] for one in as_found])
        checked(case, after)
        with started(case, main) as process:
            same(wait_for(expected(found)), expected(found))
            same(missing_unix(found), [])
            changed = _reload(case, main, process, found)
    return {"sockets": len(as_found), "asked": [one.asked for one in found], "changed_by_reload": changed}


def same(left: object, right: object) -> None:
    """Fail, showing both, if they differ."""
    if left != right:
        raise AssertionError(f"{left} is not {right}")


def _wanted(case: Case, config: Config, listens: t.Sequence[Listen]) -> t.Dict[Listen, int]:
    """Other numbers: one for each socket if that can be, else for each directive, else one for all."""
    if case.adapter.one_number:
        return dict.fromkeys(listens, case.numbers[0])
    each = {one: case.numbers[min(place, len(case.numbers) - 1)] for place, one in enumerate(listens)}
    with contextlib.suppress(ConfigError):
        case.adapter.edit(config, each)
        return each
    lines = list(dict.fromkeys((one.file, one.line) for one in listens))
    return {one: case.numbers[min(lines.index((one.file, one.line)), len(case.numbers) - 1)] for one in listens}


def _reload(case: Case, main: str, process: subprocess.Popen[bytes], found: t.Sequence[Listen]) -> t.List[Key]:
    """The sockets whose queue a reload with other numbers in the configuration changes."""
    before = kernel()
    # httpd reads its files once more after it has opened its sockets, and HAProxy's master loses a signal that comes
    # before it waits for its workers.
    time.sleep(1)
    config = case.adapter.read(main, None)
    write(config, case.adapter.edit(config, {one: one.asked + 77 for one in found}))
    with open(main, "a", encoding="utf-8") as file:
        file.write(f"\n{case.added}")
    os.kill(process.pid, getattr(signal, str(case.adapter.reload_signal)))
    keys = [key for key, _ in before]
    end = time.monotonic() + PATIENCE
    after: t.List[t.Tuple[Key, int]] = []
    while [key for key, _ in after] != keys and time.monotonic() < end:
        time.sleep(0.2)
        rows = kernel()
        after = [row for row in rows if row[0][2] != 8099] if any(row[0][2] == 8099 for row in rows) else []
    same([key for key, _ in after], keys)
    same(process.poll(), None)
    then = dict(before)
    return [key for key, number in after if number != then[key]]


RANDOM: t.Mapping[str, t.Tuple[t.Callable[[random.Random], t.Dict[str, str]], str]] = {
    "apache": (generate.apache, "apache, edited"),
    "haproxy": (generate.haproxy, "haproxy, sections"),
    "lighttpd": (generate.lighttpd, "lighttpd, global"),
}


def random_case(name: str, seed: int) -> Case:
    """A random configuration of a server, to be run and reloaded like that of a case that is written down."""
    make, like = RANDOM[name]
    chance = random.Random(seed)
    files = make(chance)
    numbers = [chance.randint(1, 4000) for _ in range(20)]
    return dataclasses.replace(CASES[like], files=files, numbers=numbers, braces=False)


def trials(count: int, seed: int) -> t.Iterator[t.Tuple[str, Case]]:
    """As many random cases of each server that is installed."""
    for name in RANDOM:
        for number in range(seed, seed + count):
            case = random_case(name, number)
            if case.program():
                yield f"{name}, seed {number}", case


def installed() -> t.List[str]:
    """The names of the cases whose server is here."""
    return [name for name, case in CASES.items() if case.program()]


def main(arguments: t.Sequence[int]) -> int:
    """Prove the cases that are written down, or as many random ones; the exit code."""
    count, seed = [*arguments, 0, 0][:2]
    cases = trials(count, seed) if count else ((name, CASES[name]) for name in installed())
    failed = 0
    for name, case in cases:
        try:
            print(json.dumps({name: prove(case)}), flush=True)
        except (AssertionError, NettuneError) as exc:
            failed += 1
            print(f"{name}: {exc!r}", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main([int(argument) for argument in sys.argv[1:]]))
