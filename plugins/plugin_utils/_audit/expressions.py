# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""The language of rules: JMESPath over the facts, and ``$name`` for a threshold; checked before it is used."""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass

from .schema import facts

try:
    from jmespath import exceptions, parser

    from . import check, evaluate

    MISSING = None
except ImportError as exc:
    MISSING = str(exc)

# A text or a literal, which may have a $ of its own, or a threshold.
_TOKEN = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`|\$(\w+)""")


class ExpressionError(Exception):
    """The expression cannot be read, names what there is not, or does not fit the data."""


class LibraryMissing(Exception):
    """The library is not installed on the controller."""


@dataclass(frozen=True)
class Expression:
    """An expression that has been read and checked."""

    text: str
    evaluate: t.Callable[[t.Any], t.Any]

    def search(self, data: t.Any) -> t.Any:
        """What it finds in the facts, as ``schema`` has brought them.  Raises ExpressionError."""
        try:
            return self.evaluate(data)
        except exceptions.JMESPathError as exc:
            raise ExpressionError(f"{exc} in {self.text}") from exc


def parse(text: str, thresholds: t.Mapping[str, float]) -> Expression:
    """Raises ExpressionError, and LibraryMissing where it cannot be tried."""
    if MISSING is not None:
        raise LibraryMissing(f"the Python library jmespath is needed on the controller: {MISSING}")
    full = _TOKEN.sub(lambda match: _threshold(match, thresholds), text)
    try:
        tree: t.Any = parser.Parser().parse(full).parsed
        check.check(tree, facts())
        return Expression(text, evaluate.compile_node(tree))
    except (exceptions.JMESPathError, check.UnknownName) as exc:
        raise ExpressionError(f"{exc} in {text}") from exc


def _threshold(match: t.Match[str], thresholds: t.Mapping[str, float]) -> str:
    name = match[1]
    if name is None:
        return match[0]
    if name not in thresholds:
        raise ExpressionError(f"there is no threshold ${name}")
    return f"`{json.dumps(thresholds[name])}`"
