# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module's body, called as a task would, and what is to be seen of it on the host."""

from __future__ import annotations

import pathlib
import subprocess
import typing as t

from ansible_collections.nettune.tcp.plugins.module_utils._errors import NettuneError
from ansible_collections.nettune.tcp.plugins.module_utils._kernel import proc_sys
from ansible_collections.nettune.tcp.plugins.module_utils._sysctl import apply

FILE = "/etc/sysctl.d/zz-nettune-tcp.conf"
SOMAXCONN = "net.core.somaxconn"
RANGE = "net.ipv4.ip_local_port_range"
RESERVED = "net.ipv4.ip_local_reserved_ports"
FIN_TIMEOUT = "net.ipv4.tcp_fin_timeout"
SYNCOOKIES = "net.ipv4.tcp_syncookies"
TW_BUCKETS = "net.ipv4.tcp_max_tw_buckets"

Result = t.Dict[str, t.Any]


def sysctl(settings: t.Mapping[str, t.Any], *, check_mode: bool = False, **options: t.Any) -> Result:
    """What a task of nettune.tcp.sysctl returns."""
    params = {
        "settings": settings,
        "file": FILE,
        "state": "present",
        "missing": "skip",
        "force": False,
        "purge": False,
        "load_modules": False,
        "netns": None,
        **options,
    }
    return apply.manage(apply.parse_request(params), check_mode=check_mode)


def failure(settings: t.Mapping[str, t.Any], **options: t.Any) -> Result:
    """What a task that must fail returns."""
    try:
        result = sysctl(settings, **options)
    except NettuneError as exc:
        return {"msg": str(exc), **exc.details}
    raise AssertionError(f"it should have failed, but gave {result}")


def row(result: Result, key: str) -> t.Any:
    """The row of one key."""
    return result["settings"][key]


def runtime(key: str) -> t.Optional[str]:
    """The running value as the kernel prints it."""
    return proc_sys.read(key)


def put(key: str, value: str) -> None:
    """Somebody else sets a running value."""
    proc_sys.write(key, value)


def text(path: str = FILE) -> t.Optional[str]:
    """A file's text, None when there is none."""
    file = pathlib.Path(path)
    return file.read_text(encoding="utf-8") if file.exists() else None


def write(path: str, content: str) -> None:
    """Somebody else writes a file."""
    pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path(path).write_text(content, encoding="utf-8")


def own_etc() -> None:
    """Make /etc the test's own, too; call this inside a sandbox."""
    pathlib.Path("/run/nettune-test").mkdir(exist_ok=True)
    mount("-t", "tmpfs", "-o", "mode=755", "none", "/run/nettune-test")
    layers = [pathlib.Path("/run/nettune-test", name) for name in ("upper", "work")]
    for layer in layers:
        layer.mkdir()
    mount("-t", "overlay", "-o", f"lowerdir=/etc,upperdir={layers[0]},workdir={layers[1]}", "none", "/etc")
    for name in ("sysctl.d", "modules-load.d"):
        mount("-t", "tmpfs", "none", f"/etc/{name}")


def mount(*arguments: str) -> None:
    """mount(8)."""
    subprocess.run(["mount", *arguments], check=True)
