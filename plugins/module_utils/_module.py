# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The one place where results and errors leave a module."""

from __future__ import annotations

import typing as t

from . import _archive
from ._errors import Changed, NettuneError, from_os

if t.TYPE_CHECKING:  # pragma: no cover
    from ansible.module_utils.basic import AnsibleModule

# A module imports this file before any other of ours.
_archive.import_faster()

Result = t.Dict[str, t.Any]


def run(module: AnsibleModule, body: t.Callable[[], Result]) -> t.NoReturn:
    """Exit with what ``body`` returns, or fail with what it raises.

    Its ``warnings`` are shown to the user; its ``diff`` is kept only if requested.
    """
    try:
        result = _whatever_others_do(body)
    except OSError as exc:
        error = from_os(exc)
        module.fail_json(msg=str(error), **error.details)
    except NettuneError as exc:
        module.fail_json(msg=str(exc), **exc.details)
    for warning in result.pop("warnings", ()):
        module.warn(warning)
    if not module._diff:
        result.pop("diff", None)
    module.exit_json(**result)


def _whatever_others_do(body: t.Callable[[], Result]) -> Result:
    """Start over, once, if somebody else changed a file in the meantime and everything could be restored."""
    try:
        return body()
    except Changed as exc:
        if exc.details.get("not_restored"):
            raise
    return body()
