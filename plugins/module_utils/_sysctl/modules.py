# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""Kernel modules that provide sysctls: loaded now, and early enough at boot.

systemd-sysctl.service runs after systemd-modules-load.service, and skips keys that do not exist yet.  A key of a
module that is loaded later, such as by the first firewall rule that tracks connections, loses its value at boot.
"""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass

from .. import _command, _files
from .._errors import KernelRefused, MissingRight, NettuneError, Unsupported
from .._kernel import proc_sys
from .._record import entries
from .._transaction import Replaced, Step

PATH = "/etc/modules-load.d/zz-nettune-tcp.conf"
_MARK = "# Managed by Ansible with nettune.tcp.sysctl"
_HEADER = f"{_MARK}: these modules bring keys that it sets.\n"
_LISTS = ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib")


@dataclass(frozen=True)
class Module:
    """``prefixes`` are those of its keys, ``sentinel`` is a key that exists whenever the module is loaded."""

    name: str
    prefixes: t.Tuple[str, ...]
    sentinel: str


_MODULES = (
    Module(
        "nf_conntrack",
        ("net.netfilter.nf_conntrack_", "net.nf_conntrack_max"),
        "net.netfilter.nf_conntrack_count",
    ),
    Module("br_netfilter", ("net.bridge.bridge-nf-",), "net.bridge.bridge-nf-call-iptables"),
)


def bringing(key: str) -> t.Optional[Module]:
    """The module a canonical key belongs to, None for a key of the kernel itself."""
    return next((module for module in _MODULES if key.startswith(module.prefixes)), None)


def missing(key: str) -> t.Optional[str]:
    """The name of the module that would have to be loaded for this key."""
    module = bringing(key)
    return module.name if module and proc_sys.read(module.sentinel) is None else None


def parse(content: t.Optional[bytes]) -> t.FrozenSet[str]:
    """The modules that a file of modules-load.d names."""
    lines = (content or b"").decode("utf-8", "replace").splitlines()
    names = (line.strip().replace("-", "_") for line in lines)
    return frozenset(name for name in names if name and not name.startswith(("#", ";")))


def read() -> t.FrozenSet[str]:
    """The modules in our file. Raises BadRequest if it is a link, or somebody else's."""
    return parse(_files.own(PATH, _MARK))


def compose(names: t.AbstractSet[str]) -> t.Optional[bytes]:
    """Our file of modules-load.d; None, meaning no file, if nothing is to be loaded."""
    return (_HEADER + "".join(f"{name}\n" for name in sorted(names))).encode() if names else None


def late_at_boot(names: t.Iterable[str]) -> t.Set[str]:
    """Those of the loaded modules that are neither part of the kernel nor loaded before sysctls are set."""
    late = {name for name in names if os.path.exists(f"/sys/module/{name}/initstate")}
    return late - _loaded_early() if late else late


def _loaded_early() -> t.Set[str]:
    early: t.Set[str] = set()
    directories = [f"{top}/modules-load.d" for top in _LISTS]
    listed = [
        f"{directory}/{name}" for directory in directories for name in _files.names(directory) if name.endswith(".conf")
    ]
    for path in ["/etc/modules", *listed]:
        try:
            early |= parse(_files.read(path, limit=_files.SMALL))
        except NettuneError:  # systemd does not read it either
            continue
    return early


def can_be_loaded(name: str) -> bool:
    """Whether modprobe knows the module, without loading it."""
    try:
        return _modprobe("--dry-run", "--quiet", name).code == 0
    except Unsupported:  # no modprobe, as in most containers
        return False


def check_right() -> None:
    """Raise MissingRight if we may not load a module."""
    if os.geteuid() != 0:
        raise MissingRight("loading a kernel module needs root (CAP_SYS_MODULE)")


def step(name: str) -> Step:
    """Loading the module, as a step that unloads it when undone."""
    return Step(
        f"load module {name}",
        lambda: load(name),
        lambda: unload(name),
        (Replaced(entries.MODULE, name, False, True),),
    )


def unload(name: str) -> None:
    """Unload a module. Raises KernelRefused if it is in use."""
    _run("--remove", "--", name)


def load(name: str) -> None:
    """Load a module. Raises KernelRefused if that is impossible."""
    _run("--", name)


def loaded(name: str) -> bool:
    """Whether the module is loaded."""
    return os.path.isdir(f"/sys/module/{name}")


def _run(*arguments: str) -> None:
    done = _modprobe(*arguments)
    if done.code != 0:
        raise KernelRefused(f"modprobe {' '.join(arguments)}: {done.stderr.strip() or done.code}")


def _modprobe(*arguments: str) -> _command.Outcome:
    return _command.run(["modprobe", *arguments])
