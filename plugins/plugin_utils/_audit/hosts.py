# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to nettune.tcp: do not import it from other collections.

"""What a play has of its hosts: the registered result of tcp_facts, or the facts of Ansible's cache."""

from __future__ import annotations

import collections.abc
import re
import typing as t

from ansible import constants
from ansible.plugins.loader import cache_loader

from .errors import AuditError
from .fleet import Seen

Variables = t.Mapping[str, t.Any]

# Hosts whose facts one instance of a cache plugin reads: it keeps all that it has read.
_AT_ONCE = 500
_NOT_GATHERED = "its facts were not gathered in this run"
_NO_PYTHON = re.compile(r"interpreter .*not found|python[\d.]*: .*not found|no python", re.IGNORECASE)


class Play:
    """The hosts of a play's pattern, also those that failed, by what was registered under that name for each.

    ``hostvars.raw_get`` gives a host's variables without templating them, which for facts would take most of the time;
    it copies them, and so is asked once for each.
    """

    def __init__(self, variables: Variables, registered: str) -> None:
        self._variables = variables
        self._registered = registered
        self.waiting = 0

    def __iter__(self) -> t.Iterator[Seen]:
        """Each host; afterwards ``waiting`` is the number of those that still take part and were not asked yet."""
        active = frozenset(self._variables["ansible_play_hosts"])
        for name in self._variables["ansible_play_hosts_all"]:
            raw = self._variables["hostvars"].raw_get(name)
            groups = raw.get("group_names", ())
            if self._registered in raw:
                yield _seen(name, groups, raw[self._registered])
            elif name in active:
                self.waiting += 1
                yield Seen(name, "missing", groups, _NOT_GATHERED)
            else:
                yield Seen(name, "failed", groups, "it failed, or could not be reached, earlier in the play")


def _seen(name: str, groups: t.Sequence[str], result: t.Any) -> Seen:
    if not isinstance(result, collections.abc.Mapping) or result.get("skipped"):
        return Seen(name, "missing", groups, _NOT_GATHERED)
    if result.get("unreachable"):
        return Seen(name, "unreachable", groups, _reason(result))
    if result.get("failed"):
        reason = _reason(result)
        return Seen(name, "no_python" if _NO_PYTHON.search(reason) else "failed", groups, reason)
    return _judged(name, groups, result.get("ansible_facts"))


def _judged(name: str, groups: t.Sequence[str], facts: t.Any) -> Seen:
    tcp = facts.get("tcp") if isinstance(facts, collections.abc.Mapping) else None
    if not isinstance(tcp, collections.abc.Mapping):
        return Seen(name, "missing", groups, "there are no facts of nettune.tcp.tcp_facts")
    return Seen(name, "judged", groups, facts=tcp)


def _reason(result: Variables) -> str:
    said = [str(result[field]).strip() for field in ("msg", "module_stderr", "stderr") if result.get(field)]
    # Of a traceback the last line says what it is.
    told = [text.splitlines()[-1] if text.startswith("Traceback ") else text for text in said]
    return ": ".join(text.removeprefix("Task failed: ").rstrip(".") for text in told) or "no reason was given"


def waiting(variables: Variables, registered: str) -> bool:
    """Whether the facts of a host that still takes part in the play are yet to come."""
    hosts = variables["hostvars"]
    # The last ones come last.
    return any(registered not in hosts.raw_get(name) for name in reversed(variables["ansible_play_hosts"]))


def of_cache(variables: Variables) -> t.Iterator[Seen]:
    """All hosts of the play's pattern, by Ansible's fact cache.  Raises AuditError where that keeps nothing."""
    groups = _groups(variables["groups"])
    names = variables["ansible_play_hosts_all"]
    for start in range(0, len(names), _AT_ONCE):
        cache = _cache()
        for name in names[start : start + _AT_ONCE]:
            yield _cached(cache, name, groups.get(name, ()))


def _cache() -> t.Any:
    cache: t.Any = cache_loader.get(constants.config.get_config_value("CACHE_PLUGIN"))
    if cache is None or not getattr(cache, "_persistent", True):
        raise AuditError("from_cache needs a persistent fact cache, such as fact_caching=jsonfile in ansible.cfg")
    return cache


def _cached(cache: t.Any, name: str, groups: t.Sequence[str]) -> Seen:
    try:
        return _judged(name, groups, cache.get(name))
    except KeyError:
        return Seen(name, "missing", groups, "it is not in the fact cache, or its entry has expired")
    except Exception as exc:  # noqa: BLE001 - a cache plugin raises what its own library does
        return Seen(name, "failed", groups, f"the fact cache cannot be read: {exc}")


def _groups(members: t.Mapping[str, t.Sequence[str]]) -> t.Mapping[str, t.List[str]]:
    found: t.Dict[str, t.List[str]] = {}
    for group in sorted(members):
        if group != "all":
            for name in members[group]:
                found.setdefault(name, []).append(group)
    return found
