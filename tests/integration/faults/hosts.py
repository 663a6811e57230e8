# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One host for each changing module: what it is like before, what is asked of it, and what is to be seen of it."""

from __future__ import annotations

import abc
import json
import os
import pathlib
import resource
import shutil
import signal
import stat
import time
import typing as t

from ansible_collections.nettune.tcp.plugins.module_utils import _lock
from ansible_collections.nettune.tcp.plugins.module_utils._backlog import apply as backlog
from ansible_collections.nettune.tcp.plugins.module_utils._backlog import host as backlog_host
from ansible_collections.nettune.tcp.plugins.module_utils._backlog import request as backlog_request
from ansible_collections.nettune.tcp.plugins.module_utils._backlog import service
from ansible_collections.nettune.tcp.plugins.module_utils._boot import systemd as sd
from ansible_collections.nettune.tcp.plugins.module_utils._kernel import cgroups
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.cgroups import Member
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.rlimits import Limits
from ansible_collections.nettune.tcp.plugins.module_utils._nofile import apply as nofile
from ansible_collections.nettune.tcp.plugins.module_utils._nofile import limits
from ansible_collections.nettune.tcp.plugins.module_utils._record import store
from ansible_collections.nettune.tcp.tests.integration.sysctl import calls

Files = t.Dict[str, t.Tuple[int, bytes]]
State = t.Dict[str, t.Any]
TEMPORARY = (".nettune-", ".nettune-new")


def read_all(directories: t.Iterable[str]) -> Files:
    """Every file below them, with its mode."""
    found = (path for directory in directories for path in pathlib.Path(directory).rglob("*") if path.is_file())
    return {str(path): (path.stat().st_mode & 0o7777, path.read_bytes()) for path in found}


def write_all(directories: t.Iterable[str], files: Files) -> None:
    """These files and no others below them."""
    for directory in directories:
        for entry in pathlib.Path(directory).iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    for name, (mode, content) in files.items():
        path = pathlib.Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)


def _nothing(*_arguments: t.Any, **_options: t.Any) -> None:
    """In the place of what is not tried here."""


class Host(abc.ABC):
    """``directories`` are all that is written to; what is recorded of runs is not part of the state."""

    name: str
    directories: t.Tuple[str, ...]

    def __init__(self) -> None:
        self.prepare()
        self._start = read_all([*self.directories, store.ROOT])

    @abc.abstractmethod
    def prepare(self) -> None:
        """Bring the host to where the run starts."""

    @abc.abstractmethod
    def run(self) -> t.Dict[str, t.Any]:
        """The run."""

    def reset(self) -> None:
        """The start once more."""
        write_all([*self.directories, store.ROOT], self._start)

    def state(self) -> State:
        """All that the run may change."""
        return dict(read_all(self.directories))

    def is_untouched(self) -> bool:
        """Whether the host is as it was at the start, records included."""
        return read_all([*self.directories, store.ROOT]) == self._start

    def end(self) -> None:  # noqa: B027 - most have nothing to do
        """Leave nothing behind."""

    def temporary(self) -> t.List[str]:
        """Files that are nobody's."""
        files = read_all([*self.directories, store.ROOT])
        return [path for path in files if os.path.basename(path).startswith(".nettune-") or path.endswith("-new")]


class Sysctl(Host):
    """A purge, a new value, a changed one, and a module to load at boot."""

    name = "sysctl"
    directories = ("/etc/sysctl.d",)
    keys = (calls.FIN_TIMEOUT, calls.RANGE, calls.SOMAXCONN, calls.SYNCOOKIES)

    def prepare(self) -> None:
        """Two keys are tuned."""
        calls.sysctl({calls.FIN_TIMEOUT: 30, calls.SOMAXCONN: 8192})
        self._values = self._runtime()

    def run(self) -> t.Dict[str, t.Any]:
        """One goes, one changes, one is new."""
        return calls.sysctl({calls.SOMAXCONN: 16384, calls.RANGE: "15000 60999"}, purge=True)

    def reset(self) -> None:
        super().reset()
        for key, value in self._values.items():
            calls.put(key, value)

    def state(self) -> State:
        return {**super().state(), **self._runtime()}

    def is_untouched(self) -> bool:
        return super().is_untouched() and self._runtime() == self._values

    def _runtime(self) -> t.Dict[str, str]:
        return {key: str(calls.runtime(key)) for key in self.keys}


class SysctlAbsent(Sysctl):
    """All of it is taken back."""

    name = "sysctl absent"

    def run(self) -> t.Dict[str, t.Any]:
        """Both keys go."""
        return calls.sysctl(dict.fromkeys((calls.FIN_TIMEOUT, calls.SOMAXCONN)), state="absent")


class ListenBacklog(Host):
    """nginx with a socket in each of two files, and not running."""

    name = "listen_backlog"
    directories = ("/srv/nettune-test",)

    def prepare(self) -> None:
        """As it is installed."""
        place = self.directories[0]
        setattr(service, "check", _nothing)  # noqa: B010 - nothing but files is tried
        setattr(backlog_host, "_CHANGING", 0.0)  # noqa: B010 - nobody passes sockets on
        inner = b"server { listen 127.0.0.1:65001; }\n"
        files = {"nginx.conf": b"http { server { listen 127.0.0.1:65000; } include d/*.conf; }\n", "d/a.conf": inner}
        write_all(self.directories, {f"{place}/{name}": (0o640, content) for name, content in files.items()})

    def run(self) -> t.Dict[str, t.Any]:
        """A longer queue for both."""
        params = {
            "server": "nginx",
            "backlog": 4096,
            "config": f"{self.directories[0]}/nginx.conf",
            "listen": [],
            "state": "present",
        }
        request = backlog_request.parse_request({**params, "unit": None, "apply": "auto"})
        return backlog.manage(request, check_mode=False)


class NoFile(Host):
    """A unit with a process, and a systemd that is a file."""

    name = "nofile"
    directories = ("/etc/systemd/system", "/srv/nettune-test")
    unit = "web.service"

    def prepare(self) -> None:
        """The unit has a limit of its own, and its process has it too."""
        self._pid = os.fork()
        if self._pid == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            time.sleep(600)
            os._exit(0)
        setattr(sd, "check_booted", _nothing)  # noqa: B010
        setattr(cgroups, "members", lambda _paths: {"/web": (self._member(),)})  # noqa: B010
        setattr(cgroups, "runs", lambda _member: True)  # noqa: B010
        place = pathlib.Path(self.directories[0])
        (place / self.unit).write_text("[Service]\nExecStart=/bin/true\nLimitNOFILE=1024\n", encoding="utf-8")
        self._systemctl(["daemon-reload"])
        self._old = (512, 1024)
        self._give()

    def run(self) -> t.Dict[str, t.Any]:
        """A higher limit, for the process too."""
        params = {"unit": self.unit, "limit": 2048, "live": True, "restart": False, "state": "present"}
        return nofile.manage(nofile.parse_request(params), check_mode=False, manager=sd.Systemd(self._systemctl))

    def reset(self) -> None:
        super().reset()
        self._give()

    def state(self) -> State:
        return {**super().state(), "limit": self._given()}

    def is_untouched(self) -> bool:
        return super().is_untouched() and self._given() == self._old

    def end(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)

    def _given(self) -> t.Tuple[int, int]:
        return resource.prlimit(self._pid, resource.RLIMIT_NOFILE)

    def _give(self) -> None:
        resource.prlimit(self._pid, resource.RLIMIT_NOFILE, self._old)

    def _member(self) -> Member:
        soft, hard = resource.prlimit(self._pid, resource.RLIMIT_NOFILE)
        return Member(self._pid, "web", Limits(soft, hard), 5, 1.0)

    def _declared(self) -> Limits:
        found = sorted(pathlib.Path(self.directories[0]).rglob("*.conf"))
        files = [path for path in found if stat.S_ISREG(path.lstat().st_mode) and path.stat().st_size < 1 << 20]
        lines = [line for path in files for line in path.read_text(encoding="utf-8").splitlines()]
        values = [line.partition("=")[2] for line in lines if line.startswith("LimitNOFILE=")]
        declared = limits.parse_directive(values[-1]) if values else None
        return declared or Limits(1024, 1024)

    def _systemctl(self, arguments: t.Sequence[str]) -> str:
        told = pathlib.Path(self.directories[1], "loaded")
        if arguments[0] == "daemon-reload":
            told.write_text(json.dumps(self._declared()), encoding="utf-8")
        if arguments[0] != "show":
            return ""
        if "--" not in arguments:
            return "UnitPath=/etc/systemd/system\nDefaultLimitNOFILE=524288\nDefaultLimitNOFILESoft=1024\n"
        loaded = Limits(*json.loads(told.read_text(encoding="utf-8")))
        rows = {
            "Id": self.unit,
            "Names": self.unit,
            "LoadState": "loaded",
            "LoadError": "",
            "FragmentPath": f"/etc/systemd/system/{self.unit}",
            "ControlGroup": "/web",
            "MainPID": str(self._pid),
            "LimitNOFILE": str(loaded.hard),
            "LimitNOFILESoft": str(loaded.soft),
            "NeedDaemonReload": "yes" if loaded != self._declared() else "no",
            "Triggers": "",
        }
        return "".join(f"{name}={value}\n" for name, value in rows.items())


def own_places() -> None:
    """Make the places of units and of configurations, and the lock, the test's own; call this inside a sandbox."""
    for place in ("/srv", "/etc/systemd/system", "/etc/modules-load.d"):
        pathlib.Path(place).mkdir(parents=True, exist_ok=True)
        calls.mount("-t", "tmpfs", "-o", "mode=755", "none", place)
    pathlib.Path("/srv/nettune-test").mkdir()
    _lock.PATH = "/srv/nettune-test-lock"
