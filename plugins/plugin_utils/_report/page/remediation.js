// Copyright (c) 2026, the nettune.tcp contributors
// GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// The record of a remediation: its verdict, its batches, and the hosts that are not simply tuned.

const RUN_STATES = {
  unreachable: "fail", failed: "fail", rolled_back: "fail", unconfirmed: "fail", contested: "unknown", cooling: "skip",
  left: "unknown", drifted: "unknown", tuned: "pass", converged: "pass",
};
const RUN_ORDER = Object.keys(RUN_STATES);
const RUN_STILL = "It was still running when this report was made, or its controller died.";

function remediation(run) {
  if (!run) return null;
  const columns = [
    { name: "Batch", header: true, kind: "nowrap", cell: (batch) => batch.name },
    { name: "Hosts", cell: (batch) => hostNames(batch.hosts || []) },
    { name: "Verdict", cell: came },
  ];
  const why = run.why || (run.verdict === "running" ? RUN_STILL : "");
  return panel("Remediation", null,
    make("p", {}, badge(run.verdict), " run ", make("code", {}, run.run), `, started ${moment(run.started)}`, run.finished ? `, finished ${moment(run.finished)}` : null,
      why ? [": ", make("span", { class: "said" }, why)] : null),
    runCounts(run),
    (run.batches || []).length ? paged(run.batches, columns, { caption: "Batches of the remediation", size: TOP }) : null,
    runHosts(run.hosts || []));
}

/** What came of a batch: the verdict, why, what was done then, and the numbers behind it. */
function came(batch) {
  const said = [batch.why, batch.done].filter(Boolean).map((text) => make("span", { class: "groups said" }, text));
  const numbers = Object.keys(batch.numbers || {}).length;
  return [badge(batch.verdict || "not_started"), said, numbers ? folded("what was measured", () => measured(batch.numbers)) : null];
}

const stateBadge = (state) => make("span", { class: `badge ${RUN_STATES[state] || "unknown"}` },
  make("span", { class: "mark", "aria-hidden": "true" }, MARKS[RUN_STATES[state]] || "?"), String(state).replace(/_/g, " "));

function runCounts(run) {
  const states = Object.entries(run.states || {}).sort(([a], [b]) => RUN_ORDER.indexOf(a) - RUN_ORDER.indexOf(b));
  if (!states.length) return null;
  return make("p", { class: "legend" }, states.map(([state, number]) => make("span", {}, stateBadge(state), ` ${count(number)}`)));
}

function runHosts(hosts) {
  const rows = hosts.filter((host) => host.state !== "tuned").sort((a, b) => RUN_ORDER.indexOf(a.state) - RUN_ORDER.indexOf(b.state) || byName(a, b));
  if (!rows.length) return null;
  const groups = grouped(rows, (host) => `${host.state}\n${host.why}`).sort((a, b) => RUN_ORDER.indexOf(a.hosts[0].state) - RUN_ORDER.indexOf(b.hosts[0].state));
  const columns = [
    { name: "State", cell: (group) => stateBadge(group.hosts[0].state) },
    { name: "Why", cell: (group) => make("span", { class: "said" }, group.hosts[0].why) },
    { name: "Hosts", header: true, cell: (group) => hostNames(group.hosts.map((host) => host.name)) },
  ];
  return folded(`${plural(rows.length, "host")} not tuned by this run`, () => paged(groups, columns, { caption: "Hosts that the remediation has not tuned", size: TOP }));
}

/** What a verdict stands on: a row for each thing that was measured. */
function measured(numbers) {
  const rows = Object.entries(numbers || {});
  if (rows.some(([, values]) => !values || typeof values !== "object")) return evidence(numbers);
  const names = [...new Set(rows.flatMap(([, values]) => Object.keys(values)))];
  const table = printedTable("What was measured", ["measure", ...names.map((name) => name.replace(/_/g, " "))],
    rows.map(([name, values]) => [name.replace(/_/g, " "), ...names.map((each) => (each in values ? scalar(values[each]) : ""))]), "evidence");
  return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "What was measured" }, table);
}

/** What a remediation has to say of one host. */
function remediated(name) {
  const run = data.about.remediation;
  const host = run && (run.hosts || []).find((each) => each.name === name);
  if (!host) return null;
  return make("div", {}, stateBadge(host.state), host.batch ? ` in ${host.batch}` : "", host.why ? [": ", make("span", { class: "said" }, host.why)] : null);
}

function hostNames(names) {
  const known = new Map(data.hosts.map((host) => [host.name, host]));
  return hostList(names.map((name) => known.get(name) || { name }));
}
