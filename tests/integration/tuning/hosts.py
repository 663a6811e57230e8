# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host of the test's own, all that can be seen of it, and the modules as tasks would call them."""

from __future__ import annotations

import os
import pathlib
import stat
import typing as t

from ansible_collections.nettune.tcp.plugins.module_utils._errors import NettuneError
from ansible_collections.nettune.tcp.plugins.module_utils._kernel import proc_sys
from ansible_collections.nettune.tcp.plugins.module_utils._rollback import apply as rolling
from ansible_collections.nettune.tcp.plugins.module_utils._tuning import apply as tuning_body
from ansible_collections.nettune.tcp.tests.integration.backlog.nginx import in_force

Result = t.Dict[str, t.Any]

FILE = "/etc/sysctl.d/zz-nettune-tcp.conf"
OPTIONS: t.Dict[str, t.Any] = {
    "sysctls": {},
    "file_limits": [],
    "backlogs": [],
    "exclude": [],
    "file": FILE,
    "missing": "skip",
    "force": False,
    "purge": False,
    "load_modules": False,
    "label": None,
}
PLACES = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/lib/sysctl.d")


def tuning(*, check_mode: bool = False, **options: t.Any) -> Result:
    """What a task of nettune.tcp.tuning returns."""
    return tuning_body.manage(tuning_body.parse_request({**OPTIONS, **options}), check_mode=check_mode)


def rollback(before: str, *, force: bool = False, check_mode: bool = False) -> Result:
    """What a task of nettune.tcp.rollback returns."""
    return rolling.manage(rolling.parse_request({"before": before, "force": force}), check_mode=check_mode)


def failure(task: t.Callable[..., Result], *arguments: t.Any, **options: t.Any) -> Result:
    """What a task that must fail returns."""
    try:
        result = task(*arguments, **options)
    except NettuneError as exc:
        return {"msg": str(exc), **exc.details}
    raise AssertionError(f"it should have failed, but gave {result}")


def everything(*directories: t.Union[str, pathlib.Path]) -> t.Dict[str, t.Any]:
    """All that can differ: files with their contents and attributes, values of the kernel, queues."""
    paths = (path for top in (*PLACES, *directories) for path in [pathlib.Path(top), *pathlib.Path(top).rglob("*")])
    return {
        "files": {str(path): _file(path) for path in paths if _stays(path)},
        "sysctls": _sysctls(),
        "queues": in_force(),
    }


def _stays(path: pathlib.Path) -> bool:
    return os.path.lexists(path) and not path.name.endswith((".log", "pid"))


def _file(path: pathlib.Path) -> t.Tuple[t.Any, ...]:
    found = path.lstat()
    content = path.read_bytes() if stat.S_ISREG(found.st_mode) else None
    if stat.S_ISLNK(found.st_mode):
        content = os.fsencode(os.readlink(path))
    names = os.listxattr(path, follow_symlinks=False)
    xattrs = {name: os.getxattr(path, name, follow_symlinks=False) for name in names}
    return content, found.st_mode, found.st_uid, found.st_gid, xattrs


def _sysctls() -> t.Dict[str, t.Optional[str]]:
    """Those that belong to the network namespace, and fs.nr_open."""
    top = pathlib.Path("/proc/sys/net")
    paths = [*(top / "ipv4").glob("*"), *(top / "core").glob("*"), pathlib.Path("/proc/sys/fs/nr_open")]
    keys = [str(path.relative_to("/proc/sys")).replace("/", ".") for path in paths if path.is_file()]
    return {key: proc_sys.read(key) for key in keys if os.access(proc_sys.path_of(key), os.R_OK)}
