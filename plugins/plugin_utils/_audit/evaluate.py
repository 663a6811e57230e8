# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""JMESPath in three values: true, false, and unknown for want of a fact.

The library parses.  The tree becomes a function here, once a rule, and that is called for each host.  Where all facts
are there it gives what JMESPath gives.  Where one is not, the answer is Unknown unless it does not depend on that fact:
``false && unknown`` is false, and a list with one offender is not empty, whatever the others are.
"""

from __future__ import annotations

import typing as t

from . import calls, conditions, paths
from .paths import Children, Evaluate, Node

Compiler = t.Callable[[Node, Children], Evaluate]


def compile_node(node: Node) -> Evaluate:
    """The function from facts to what the parsed expression finds in them; it raises JMESPathError."""
    # Those of a slice are numbers.
    children = [compile_node(child) for child in node["children"] if isinstance(child, dict)]
    return _COMPILERS[node["type"]](node, children)


_COMPILERS: t.Mapping[str, Compiler] = {
    "and_expression": conditions.conjunction,
    "comparator": conditions.comparator,
    "current": paths.current,
    "expref": calls.expression,
    "field": paths.field,
    "filter_projection": paths.filter_projection,
    "flatten": paths.flatten,
    "function_expression": calls.function,
    "identity": paths.current,
    "index": paths.index,
    "index_expression": paths.chain,
    "key_val_pair": paths.chain,
    "literal": paths.literal,
    "multi_select_dict": paths.multi_select_dict,
    "multi_select_list": paths.multi_select_list,
    "not_expression": conditions.negation,
    "or_expression": conditions.disjunction,
    "pipe": paths.chain,
    "projection": paths.projection,
    "slice": paths.cut,
    "subexpression": paths.chain,
    "value_projection": paths.value_projection,
}
