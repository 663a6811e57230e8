# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts that lack what others have: a module works there, or says in one message what is in its way, and where."""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import pathlib
import platform
import re
import shutil
import struct
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils import _module
from ansible_collections.nettune.tcp.plugins.module_utils._facts.gather import gather
from ansible_collections.nettune.tcp.plugins.module_utils._facts.request import parse_request
from ansible_collections.nettune.tcp.plugins.module_utils._record import store
from ansible_collections.nettune.tcp.tests.integration.faults import hosts
from ansible_collections.nettune.tcp.tests.integration.sysctl import calls
from ansible_collections.nettune.tcp.tests.integration.tuning.hosts import rollback, tuning

if t.TYPE_CHECKING:
    from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox

Result = t.Dict[str, t.Any]

PLACE = pathlib.Path("/run/nettune-test")  # a file system of the test's own, where own_etc() has been
FLOCK = 73  # of x86_64
# Of <linux/seccomp.h>, <linux/filter.h> and <linux/prctl.h>.
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_SET_SECCOMP, _FILTER, _NO_NEW_PRIVS = 22, 2, 38


class _Ended(Exception):
    """A module has ended, with this message where it failed."""


class _Module:
    """As much of an AnsibleModule as ends a run."""

    _diff = False

    def exit_json(self, **_result: object) -> t.NoReturn:
        raise _Ended("")

    def fail_json(self, msg: str, **_details: object) -> t.NoReturn:
        raise _Ended(msg)

    def warn(self, _warning: str) -> None:
        """Nobody listens."""


def said(body: t.Callable[[], Result]) -> str:
    """Why a module fails, empty where it does not; what would be a traceback of it is one of the test."""
    try:
        _module.run(t.cast("t.Any", _Module()), body)
    except _Ended as ended:
        return str(ended)


def _facts() -> Result:
    params = {"gather_subset": ["all"], "top": 10, "interval": 0, "netns": None}
    return {"ansible_facts": {"tcp": gather(parse_request(params))}}


def _tuning() -> Result:
    backlog = {"server": "nginx", "config": "/srv/nettune-test/nginx.conf", "backlog": 4096}
    return tuning(sysctls={calls.FIN_TIMEOUT: 30}, backlogs=[backlog])


MODULES: t.Mapping[str, t.Callable[[hosts.Host], Result]] = {
    "sysctl": lambda _host: calls.sysctl({calls.FIN_TIMEOUT: 30}),
    "nofile": lambda host: host.run(),
    "listen_backlog": lambda host: host.run(),
    "tuning": lambda _host: _tuning(),
    "rollback": lambda _host: rollback("last"),
    "tcp_facts": lambda _host: _facts(),
}


def refuse_flock(error: int) -> None:
    """Have flock(2) fail by a filter of system calls."""
    code = [(_LOAD, 0, 0, 0), (_JUMP_IF_EQUAL, 0, 1, FLOCK), (_RETURN, 0, 0, _ERRNO | error), (_RETURN, 0, 0, _ALLOW)]
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *one) for one in code))
    found = ctypes.create_string_buffer(struct.pack("@HP", len(code), ctypes.addressof(program)))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    assert libc.prctl(_SET_SECCOMP, _FILTER, found, 0, 0) == 0, os.strerror(ctypes.get_errno())


def make_sysctl_d_a_file() -> None:
    """In the test's own /etc, and nowhere else."""
    assert os.path.ismount("/etc")
    (PLACE / "sysctl.d").mkdir()
    calls.mount("--move", "/etc/sysctl.d", str(PLACE / "sysctl.d"))
    shutil.rmtree("/etc/sysctl.d")
    pathlib.Path("/etc/sysctl.d").touch()


def make_records_a_file() -> None:
    """Where they are kept."""
    store.ROOT = str(PLACE / "records")
    pathlib.Path(store.ROOT).touch()


def mount_proc(options: str) -> None:
    """Another /proc."""
    calls.mount("-t", "proc", "-o", options, "none", "/proc")


CHANGING = tuple(name for name in MODULES if name != "tcp_facts")
NO_SYSCTLS = dict.fromkeys(MODULES, "/proc/sys is not there: /proc is not mounted here")
# What is done to the host, and what which module says of it; the others work.
SURROUNDINGS: t.Mapping[str, t.Tuple[t.Callable[[], None], t.Mapping[str, str]]] = {
    "nothing": (lambda: None, {}),
    "flock forbidden": (
        functools.partial(refuse_flock, errno.EPERM),
        dict.fromkeys(CHANGING, "/srv/nettune-test-lock cannot be locked: Operation not permitted"),
    ),
    "no locks left": (
        functools.partial(refuse_flock, errno.ENOLCK),
        dict.fromkeys(CHANGING, "/srv/nettune-test-lock cannot be locked: No locks available"),
    ),
    "sysctl.d is a file": (
        make_sysctl_d_a_file,
        dict.fromkeys(("sysctl", "tuning"), "zz-nettune-tcp.conf cannot be written: /etc/sysctl.d is not a directory"),
    ),
    "the records are a file": (
        make_records_a_file,
        dict.fromkeys(CHANGING, "/run/nettune-test/records/runs cannot be listed: Not a directory"),
    ),
    "processes of others are hidden": (functools.partial(mount_proc, "hidepid=2"), {}),
    "/proc has nothing but processes": (functools.partial(mount_proc, "subset=pid"), NO_SYSCTLS),
    "no /proc": (lambda: calls.mount("-t", "tmpfs", "none", "/proc"), NO_SYSCTLS),
}


@pytest.mark.skipif(platform.machine() != "x86_64", reason="system calls have other numbers here")
@pytest.mark.parametrize("surroundings", SURROUNDINGS)
@pytest.mark.parametrize("name", MODULES)
def test_it_works_or_says_why_not(name: str, surroundings: str, on_fresh_host: Sandbox) -> None:
    spoil, expected = SURROUNDINGS[surroundings]

    def body() -> t.Tuple[str, bool]:
        calls.own_etc()
        hosts.own_places()
        calls.sysctl({calls.SOMAXCONN: 8192})  # for a rollback
        host = hosts.NoFile() if name == "nofile" else hosts.ListenBacklog()
        directories = ("/etc", "/srv", str(PLACE), store.ROOT)
        try:
            spoil()
            before = hosts.read_all(directories)
            return said(lambda: MODULES[name](host)), hosts.read_all(directories) == before
        finally:
            host.end()

    message, untouched = on_fresh_host(body)
    wanted = expected.get(name, "")
    assert re.search(wanted, message) if wanted else not message, message
    assert untouched or not message
