# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What keys held before they were first managed here, kept on the host so that they can be given back."""

from __future__ import annotations

import json
import typing as t

from .._errors import NettuneError

PATH = "/var/lib/nettune-tcp/sysctl-originals.json"


def parse(content: t.Optional[bytes]) -> t.Dict[str, str]:
    """The recorded runtime texts by key; a record that cannot be read is an error, never silently forgotten."""
    if content is None:
        return {}
    try:
        originals = json.loads(content)["originals"]
        return {str(key): str(text) for key, text in originals.items()}
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        raise NettuneError(f"{PATH} is damaged ({exc}): repair or remove it", path=PATH) from exc


def compose(originals: t.Mapping[str, str]) -> t.Optional[bytes]:
    """The record as file content; None, meaning no file, when nothing is managed any more."""
    if not originals:
        return None
    return json.dumps({"originals": dict(originals)}, indent=2, sort_keys=True).encode() + b"\n"
