# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The functions of rules: those of JMESPath, and what it lacks."""

from __future__ import annotations

import typing as t

_Method = t.TypeVar("_Method", bound=t.Callable[..., t.Any])


def _unchecked(*_types: t.Any) -> t.Callable[[_Method], _Method]:
    """Stands in for the library's ``signature`` where that is missing."""
    return lambda function: function


_Base: t.Any
_signature: t.Callable[..., t.Callable[[_Method], _Method]]
try:
    from jmespath import functions
except ImportError:  # expressions.py says so to whoever asks for a rule
    _Base, _signature = object, _unchecked
else:
    _Base, _signature = functions.Functions, functions.signature

Number = t.Optional[float]

_NUMBER: t.Any = {"types": ["number", "null"]}
_OBJECT: t.Any = {"types": ["object", "null"]}


class Functions(_Base):  # type: ignore[misc]
    """Found by their names: ``_func_ratio`` is ``ratio()``.  Where an argument is null, so is the result."""

    @_signature(_NUMBER, _NUMBER)
    def _func_ratio(self, part: Number, whole: Number) -> Number:
        """``ratio(part, whole)``: null also where the whole is zero."""
        return part / whole if part is not None and whole else None

    @_signature(_NUMBER, _NUMBER)
    def _func_product(self, one: Number, other: Number) -> Number:
        """``product(one, other)``."""
        return None if one is None or other is None else one * other

    @_signature(_NUMBER, _NUMBER)
    def _func_difference(self, one: Number, other: Number) -> Number:
        """``difference(one, other)``: one less the other."""
        return None if one is None or other is None else one - other

    @_signature(_NUMBER, _NUMBER)
    def _func_round(self, number: Number, digits: Number) -> Number:
        """``round(number, digits)``: for evidence that people read."""
        return None if number is None else round(number, int(digits or 0))

    @_signature(_OBJECT)
    def _func_entries(self, mapping: t.Optional[t.Mapping[str, t.Any]]) -> t.Optional[t.List[t.Dict[str, t.Any]]]:
        """``entries(object)``: a list of ``{key, value}``, because projections lose the keys."""
        return None if mapping is None else [{"key": key, "value": value} for key, value in mapping.items()]
