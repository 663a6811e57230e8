# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges all hosts in a play at once, on the controller.  plugins/modules/audit.py documents it."""

from __future__ import annotations

import datetime
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase

from ansible_collections.nettune.tcp.plugins.plugin_utils._audit import failing, files, fleet, history, hosts, options
from ansible_collections.nettune.tcp.plugins.plugin_utils._audit.errors import AuditError
from ansible_collections.nettune.tcp.plugins.plugin_utils._audit.expressions import LibraryMissing
from ansible_collections.nettune.tcp.plugins.plugin_utils._report import terminal, text

Result = t.Dict[str, t.Any]
Variables = t.Dict[str, t.Any]

# Strategies under which a task runs for each host as soon as that host is ready.
_FREE = ("free", "host_pinned", "ansible.builtin.free", "ansible.builtin.host_pinned")


class ActionModule(ActionBase):
    """The task ``nettune.tcp.audit``."""

    _requires_connection = False
    TRANSFERS_FILES = False

    def run(self, tmp: t.Optional[str] = None, task_vars: t.Optional[Variables] = None) -> Result:
        """Validate, judge, compare with the previous report, write every format."""
        result: Result = super().run(tmp, task_vars)
        variables = task_vars or {}
        try:
            return {**result, **self._audit(variables)}
        except (AuditError, LibraryMissing) as exc:
            # Ansible would say what caused it a second time.
            raise AnsibleActionFail(f"nettune.tcp.audit: {exc}") from None

    def _audit(self, variables: Variables) -> Result:
        directory = self._directory(self._task.args.get("report_dir"))
        free = self._play().strategy in _FREE
        checks = boolean(self._task.args.get("validate_only", False), strict=False)
        if free and not checks and hosts.waiting(variables, str(self._task.args.get("registered"))):
            return {"changed": False, "skipped": True, "skip_reason": "another host in the play will do this"}
        self._task.args = {name: options.from_text(value) for name, value in self._task.args.items()}
        first = not free or variables["inventory_hostname"] == variables["ansible_play_hosts_all"][0]
        if directory and first and not boolean(self._task.args.get("validated", False), strict=False):
            # Invalid arguments, too, must not leave a report that looks new.
            files.set_aside(directory)
        validate: t.Any = self.validate_argument_spec
        _validated, arguments = validate(argument_spec=options.SPEC)
        asked = options.read(arguments, self._load, self._places())
        if directory and first:
            files.try_directory(directory)
        if arguments["validate_only"]:
            return {"changed": False, "rules": [rule.id for rule in asked.rules], "profiles": asked.profiles}
        return self._report(arguments, asked, variables, directory)

    def _load(self, path: Path) -> t.Any:
        try:
            # Shared with the cache of this process, and not copied, since it is only read.
            return self._loader.load_from_file(str(path), unsafe=True)
        except AnsibleError as exc:
            raise AuditError(f"{path} cannot be read: {exc}") from exc

    def _report(
        self, arguments: Variables, asked: options.Asked, variables: Variables, directory: t.Optional[Path]
    ) -> Result:
        request = fleet.Request(
            rules=asked.rules,
            about=self._about(arguments, asked, variables),
            generated=datetime.datetime.now(datetime.timezone.utc),
            waivers=asked.waivers,
            history=history.read(files.former(directory)) if directory else history.History(),
            max_age=arguments["max_age"],
        )
        registered = arguments["registered"]
        if not registered and not arguments["from_cache"]:
            raise AuditError("registered, the name of the result of tcp_facts, or from_cache is required")
        play = hosts.Play(variables, registered)
        report = fleet.audit(request, hosts.of_cache(variables) if arguments["from_cache"] else play)
        if arguments["profile"] == options.AUTO and not any(host["drift"] for host in report["hosts"]):
            report["profile"] = None
        written = files.write(directory, arguments["report_formats"], report) if directory else {}
        result = {"changed": bool(written), "summary": report["summary"], "reports": written}
        lines = terminal.render(report, list(written.values()))
        if play.waiting:  # a batch, and others are to come: the last one tells all
            return {
                **result,
                "lines": [f"yet to be judged, in later batches: {text.plural(play.waiting, 'host')}", lines[-1]],
            }
        return {**result, **self._outcome(arguments, report, lines)}

    @staticmethod
    def _outcome(arguments: Variables, report: fleet.Report, lines: t.List[str]) -> Result:
        why = failing.failure(report, arguments["fail_on"], unseen=arguments["fail_on_unseen"])
        if why:
            lines[-1] += f". The play fails for {why}"
            return {"lines": lines, "failed": True, "msg": lines[-1]}
        return {"lines": lines}

    def _about(self, arguments: Variables, asked: options.Asked, variables: Variables) -> Variables:
        pattern = self._play().hosts
        shown = pattern if isinstance(pattern, str) else ",".join(pattern)
        limit = variables.get("ansible_limit")
        return {
            "collection": options.collection(),
            "policy": asked.policy,
            "profile": "each host's own" if arguments["profile"] == options.AUTO else arguments["profile"] or None,
            "inventory": f"{shown}, limited to {limit}" if limit else shown,
            "check_mode": self._task.check_mode,
            "from_cache": arguments["from_cache"],
            "remediation": asked.remediation,
        }

    def _play(self) -> t.Any:
        return self._task.get_play()

    def _places(self) -> t.List[Path]:
        return [Path.cwd(), Path(self._loader.get_basedir())]

    def _directory(self, name: t.Any) -> t.Optional[Path]:
        return Path.cwd() / Path(str(name)).expanduser() if name else None
