# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""JMESPath for rules: the language of their conditions, with the functions that rules need beyond its own."""

from __future__ import annotations

import functools
import typing as t

try:
    import jmespath
    from jmespath import exceptions, functions

    MISSING = None
except ImportError as exc:
    MISSING = str(exc)


class ExpressionError(Exception):
    """The expression cannot be read, or does not fit the data."""


class LibraryMissing(Exception):
    """The library is not installed on the controller."""


def search(expression: str, data: t.Any) -> t.Any:
    """What the expression finds in the data.  Raises ExpressionError, and LibraryMissing where it cannot be tried."""
    if MISSING is not None:
        raise LibraryMissing(f"the Python library jmespath is needed on the controller: {MISSING}")
    try:
        return jmespath.search(expression, data, options=_options())
    except exceptions.JMESPathError as exc:
        raise ExpressionError(str(exc)) from exc


@functools.lru_cache(maxsize=1)
def _options() -> jmespath.Options:
    class Functions(functions.Functions):
        """Found by their names: ``_func_ratio`` is ``ratio()``."""

        @functions.signature({"types": ["number", "null"]}, {"types": ["number", "null"]})
        def _func_ratio(self, part: t.Optional[float], whole: t.Optional[float]) -> t.Optional[float]:
            """``ratio(part, whole)``: null where either is null or the whole is zero."""
            return part / whole if part is not None and whole else None

        @functions.signature({"types": ["object", "null"]})
        def _func_entries(self, mapping: t.Optional[t.Mapping[str, t.Any]]) -> t.Optional[t.List[t.Dict[str, t.Any]]]:
            """``entries(object)``: a list of ``{key, value}``, because projections lose the keys."""
            return None if mapping is None else [{"key": key, "value": value} for key, value in mapping.items()]

    return jmespath.Options(custom_functions=Functions())
