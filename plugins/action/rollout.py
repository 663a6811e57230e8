# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps of a remediation that consider all hosts at once.  plugins/modules/rollout.py documents them."""

from __future__ import annotations

import datetime
import secrets
import typing as t
from dataclasses import replace
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.nettune.tcp.plugins.plugin_utils._remediate import options, record, rollout, survey, telling
from ansible_collections.nettune.tcp.plugins.plugin_utils._remediate.errors import RemediateError
from ansible_collections.nettune.tcp.plugins.plugin_utils._remediate.record import Record

Result = t.Dict[str, t.Any]
Variables = t.Dict[str, t.Any]

_LINEAR = ("linear", "ansible.builtin.linear", "debug", "ansible.builtin.debug")

# What the role registers.
_SURVEYED = _TUNED = "tcp_tuning_result"
_SAMPLES = ("__tcp_remediate_start", "__tcp_remediate_before", "__tcp_remediate_since")
_CHECKS = ("__tcp_remediate_command", "__tcp_remediate_url")
_CONFIRMED, _ROLLED_BACK = "__tcp_remediate_confirmed", "__tcp_remediate_rolled_back"


class ActionModule(ActionBase):
    """The task ``nettune.tcp.rollout``."""

    _requires_connection = False
    TRANSFERS_FILES = False

    def run(self, tmp: t.Optional[str] = None, task_vars: t.Optional[Variables] = None) -> Result:
        """One step of the run."""
        result: Result = super().run(tmp, task_vars)
        variables = task_vars or {}
        try:
            self._task.args = {name: options.from_text(value) for name, value in self._task.args.items()}
            validate: t.Any = self.validate_argument_spec
            _validated, arguments = validate(argument_spec=options.SPEC)
            step = getattr(self, f"_{arguments['step']}")
            return {**result, "changed": False, **step(arguments, variables)}
        except RemediateError as exc:
            # Ansible would say what caused it a second time.
            raise AnsibleActionFail(f"nettune.tcp.remediate: {exc}") from None

    def _check(self, arguments: Variables, variables: Variables) -> Result:
        """Errors are reported before any host is contacted."""
        options.read(arguments)
        options.check_slices(variables)
        play: t.Any = self._task.get_play()
        if play.strategy not in _LINEAR:
            raise RemediateError(
                f"the strategy {play.strategy} lets hosts run ahead of the gate between batches: use linear"
            )
        if play.serial:
            raise RemediateError(
                "serial would give each group of hosts its own gate and canaries: use tcp_remediate_batches"
            )
        now = datetime.datetime.now(datetime.timezone.utc)
        return {"run": f"remediate-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"}

    def _plan(self, arguments: Variables, variables: Variables) -> Result:
        """Classify every host; those that are neither changed nor compared are no longer needed."""
        asked = options.read(arguments)
        names = variables["ansible_play_hosts_all"]
        groups = {name: set(self._raw(variables, name).get("group_names", ())) for name in names}
        new = Record(
            run=arguments["run"],
            started=_now(),
            fleet=len(names),
            budget=asked.budget.of(len(names)),
            hosts={name: survey.Host(name, survey.FAILED) for name in names},
        )
        surveyed = self._registered(variables, _SURVEYED, names)
        planned = rollout.plan(new, asked, surveyed, groups)
        if planned.verdict != record.RUNNING:
            planned = replace(planned, finished=_now())
        before = record.unfinished(self._directory(arguments))
        if not self._task.check_mode:
            record.save(self._directory(arguments), planned)
        involved = sorted({name for batch in planned.batches for name in (*batch.hosts, *batch.controls)})
        batches = [
            {"number": number, "name": one.name, "hosts": list(one.hosts), "all": [*one.hosts, *one.controls]}
            for number, one in enumerate(planned.batches)
        ]
        return {
            "lines": [*telling.unfinished(before), *telling.planned(planned)],
            "batches": batches,
            # Some host has to remain for the final step.
            "involved": involved or variables["ansible_play_hosts"][:1],
            **self._outcome(planned),
        }

    def _measure(self, _arguments: Variables, variables: Variables) -> Result:
        """A sample of the host's counters, not as facts: cached facts hold more than this."""
        asked = {"gather_subset": ["counters"]}
        found: t.Any = self._execute_module("nettune.tcp.tcp_facts", module_args=asked, task_vars=variables)
        tcp = (found.pop("ansible_facts", None) or {}).get("tcp", {})
        return {**found, **{name: tcp[name] for name in ("counters", "boot_id") if name in tcp}}

    def _judge(self, arguments: Variables, variables: Variables) -> Result:
        """The verdict on a batch."""
        asked, known, number = self._known(arguments)
        batch = known.batches[number]
        names = [*batch.hosts, *batch.controls]
        start, before, since = (self._registered(variables, name, names) for name in _SAMPLES)
        checks = [self._registered(variables, name, batch.hosts) for name in _CHECKS]
        tuned = self._registered(variables, _TUNED, batch.hosts)
        seen = rollout.Seen(start, before, since, tuned, checks)
        judged, decision = rollout.judge(known, number, asked, seen)
        record.save(self._directory(arguments), judged)
        now = judged.batches[number]
        return {
            "verdict": decision.verdict,
            "why": now.why,
            "numbers": now.numbers,
            "confirm": list(decision.confirm),
            "roll_back": list(decision.roll_back),
            "runs": {name: judged.hosts[name].run for name in decision.confirm},
        }

    def _settle(self, arguments: Variables, variables: Variables) -> Result:
        """The outcome of a batch, and whether another one may follow."""
        _asked, known, number = self._known(arguments)
        confirmed, rolled_back = (self._registered(variables, name, known.hosts) for name in (_CONFIRMED, _ROLLED_BACK))
        settled = rollout.settle(known, number, confirmed, rolled_back)
        return self._end(arguments, settled) if settled.verdict != record.RUNNING else self._go_on(arguments, settled)

    def _finish(self, arguments: Variables, _variables: Variables) -> Result:
        """The verdict on the run."""
        known = record.load(self._directory(arguments), arguments["run"])
        return self._end(arguments, rollout.finish(known))

    def _go_on(self, arguments: Variables, known: Record) -> Result:
        record.save(self._directory(arguments), known)
        return {"verdict": known.verdict}

    def _end(self, arguments: Variables, known: Record) -> Result:
        ended = replace(known, finished=_now())
        record.save(self._directory(arguments), ended)
        place = str(record.path(self._directory(arguments), ended.run))
        lines = [f"record: {place}", *telling.finished(ended)]
        return {"record": place, "lines": lines, "verdict": ended.verdict, **self._outcome(ended)}

    @staticmethod
    def _outcome(known: Record) -> Result:
        if known.verdict in (record.RUNNING, "pass"):
            return {}
        return {"failed": True, "msg": f"{known.run} {known.verdict}: {known.why}"}

    def _known(self, arguments: Variables) -> t.Tuple[options.Asked, Record, int]:
        known = record.load(self._directory(arguments), arguments["run"])
        return options.read(arguments), known, arguments["batch"]

    def _registered(self, variables: Variables, name: str, hosts: t.Iterable[str]) -> Result:
        return {host: self._raw(variables, host).get(name) for host in hosts}

    @staticmethod
    def _raw(variables: Variables, host: str) -> t.Any:
        # Without templating, which would take most of the time.
        return variables["hostvars"].raw_get(host)

    def _directory(self, arguments: Variables) -> Path:
        return Path.cwd() / Path(arguments["record_dir"] or "tcp-remediation").expanduser()


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
