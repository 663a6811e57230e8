# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The request to the module, checked before anything is observed."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._errors import BadRequest
from .._kernel import proc_sys
from .._want import Want
from .catalog import want_of


@dataclass(frozen=True)
class Request:
    """The request: canonical keys, parsed wants (None with ``absent``).

    ``file`` is None if nothing is to be persisted, as in another network namespace.
    """

    wants: t.Mapping[str, t.Optional[Want]]
    file: t.Optional[str]
    absent: bool = False
    missing: str = "skip"
    force: bool = False
    purge: bool = False
    load_modules: bool = False
    netns: t.Optional[str] = None


def parse_request(params: t.Mapping[str, t.Any]) -> Request:
    """Turn module parameters into a request.  Raises BadRequest naming the key and the value."""
    absent, purge, netns = params["state"] == "absent", params["purge"], params["netns"]
    if netns is not None and (absent or purge):
        raise BadRequest(
            "netns sets running values only, no originals are recorded there: state=absent and purge have no meaning"
        )
    if not params["file"].startswith("/"):
        raise BadRequest(f"file must be an absolute path, got {params['file']!r}")
    return Request(
        wants=dict(_wants(params["settings"], absent)),
        file=params["file"] if netns is None else None,
        absent=absent,
        missing=params["missing"],
        force=params["force"],
        purge=purge,
        load_modules=params["load_modules"],
        netns=netns,
    )


def _wants(settings: t.Mapping[str, t.Any], absent: bool) -> t.Iterator[t.Tuple[str, t.Optional[Want]]]:
    seen: t.Dict[str, str] = {}
    for name, raw in settings.items():
        key = proc_sys.canonical(name)
        if key in seen:
            raise BadRequest(f"{key} is given twice, as {seen[key]} and as {name}", key=key)
        seen[key] = name
        try:
            yield key, None if absent else want_of(key, raw)
        except BadRequest as exc:
            raise BadRequest(f"{key}: {exc}", key=key, value=str(raw)) from exc
