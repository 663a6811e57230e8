// Copyright (c) 2026, the nettune.tcp contributors
// GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// One host, one rule, one setting: each has an address of its own.

function hostView(name) {
  const host = data.hosts.find((each) => each.name === name);
  if (!host) return nothing("host", name, "#hosts");
  const failing = host.results.filter((result) => result.status === "fail").sort((a, b) => bySeverity(a.rule, b.rule));
  const open = host.results.filter((result) => ["error", "unknown", "waived"].includes(result.status));
  const fixed = host.results.filter((result) => result.history === "fixed");
  return make("article", { class: "host" }, back("hosts", "Hosts"),
    make("h2", { class: "title" }, make("span", { class: "name" }, host.name), badge(host.seen ? host.status : host.outcome)),
    aboutHost(host),
    host.seen ? null : make("p", { class: "said" }, host.message || "No reason given."),
    failing.length ? panel(`${plural(failing.length, "rule")} not met`, null, failing.map(resultBlock)) : null,
    open.length ? panel("Undecided or waived", null, open.map(resultBlock)) : null,
    make("div", { class: "columns" }, queues(host), connections(host)),
    driftPanel(host), passed(host, fixed));
}

function nothing(what, name, to) {
  return make("section", {}, make("h2", {}, `No such ${what}`), make("p", {}, `This report has no ${what} `, make("code", {}, name), ". ", link(to, "Back")));
}

function back(view, text) {
  return make("p", { class: "back" }, link(lastAddress(view), `\u2039 ${text}`));
}

function terms(pairs) {
  return make("dl", { class: "terms" }, pairs.filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== false)
    .map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
}

function aboutHost(host) {
  const limited = host.limited && Object.keys(host.limited).length ? scalar(host.limited) : null;
  return terms([
    ["groups", host.groups.join(", ")], ["kernel", host.kernel], ["up for", duration(host.uptime_s)],
    ["boot", host.boot_id && make("code", {}, host.boot_id)],
    ["facts from", host.collected && [moment(host.collected), host.stale ? [" ", badge("stale")] : null, host.age_s ? ` (${duration(host.age_s)} old)` : null]],
    ["facts incomplete", limited], ["remediation", remediated(host.name)],
  ]);
}

function resultBlock(result) {
  const { rule, waiver } = result;
  return make("div", { class: `result ${result.status}` },
    make("h3", {}, result.status === "fail" ? severityBadge(rule.severity) : badge(result.status), " ", ruleLink(rule),
      result.history ? make("span", { class: `since ${tone(result.history)}` }, result.history) : null),
    result.message ? make("p", { class: "said" }, result.message) : null,
    evidence(result.evidence),
    waiver ? terms([["waived because", waiver.reason], ["by", waiver.owner], ["until", waiver.expires]]) : null,
    result.status === "fail" ? cures(rule) : null);
}

function cures(rule) {
  return terms([["what helps", rule.remedy && prose(rule.remedy)], ["what does not", rule.not_remedy && prose(rule.not_remedy)]]);
}

function queues(host) {
  if (!host.listeners.length) return null;
  const columns = [
    { name: "Listener", header: true, cell: (each) => make("code", {}, `${each.address}:${each.port}`) },
    { name: "Accept queue", kind: "gauged", cell: (each) => queueGauge(each) },
    { name: "SYN_RECV", number: true, cell: (each) => count(each.syn_recv) },
    { name: "Process", wide: true, cell: (each) => each.processes || "" },
  ];
  const more = host.more_listeners ? make("p", { class: "note" }, `${count(host.more_listeners)} less full ones are in the JSON report.`) : null;
  return panel("Queues", null, paged(host.listeners, columns, { caption: "Listeners and their queues, the fullest first" }), more);
}

function queueGauge(listener) {
  const share = fill(listener);
  const numbers = `${count(listener.accept_queue)} of ${count(listener.backlog)}`;
  return share === null ? "not known" : gauge(share, `${numbers}, ${fullness(share)}`);
}

function connections(host) {
  if (!host.states.length) return null;
  const parts = stateParts(host);
  const rows = parts.filter((part) => part.value).sort((a, b) => b.value - a.value);
  const all = rows.reduce((sum, part) => sum + part.value, 0) || 1;
  const key = (part) => [make("i", { class: `key ${part.kind}`, "aria-hidden": "true" }), part.label];
  const columns = [
    { name: "State", header: true, cell: key },
    { name: "Connections", number: true, cell: (part) => count(part.value) },
    { name: "Share", number: true, cell: (part) => percent(part.value / all) },
  ];
  return panel("Connections", null, bar(parts), paged(rows, columns, { caption: "Connections by state" }));
}

const DRIFT_COLUMNS = [
  { name: "Status", cell: (row) => badge(row.status) },
  { name: "Wanted", kind: "code", cell: (row) => scalar(row.want) },
  { name: "Running", kind: "code", cell: (row) => scalar(row.runtime) },
  { name: "Next boot", kind: "code", wide: true, cell: (row) => scalar(row.boot) },
  { name: "Decided by", kind: "code", wide: true, cell: (row) => [row.source, row.owner && row.owner !== row.source ? ` (${row.owner})` : ""] },
  { name: "What to do", wide: true, cell: (row, hosts) => [row.reason ? make("span", { class: "said" }, row.reason) : null, row.remedy ? make("code", { class: "command" }, remedyFor(row, hosts)) : null] },
];

/** The columns for rows of which `of` has the setting and `on` the hosts. */
const driftColumns = (of, on) => DRIFT_COLUMNS.map((column) => ({ ...column, cell: (each) => column.cell(of(each), on(each)) }));

function driftPanel(host) {
  if (!host.drift.length) return null;
  const order = (row) => DRIFTS.indexOf(row.status);
  const rows = [...host.drift].sort((a, b) => order(a) - order(b));
  const off = rows.filter(deviates);
  const columns = [{ name: "Setting", header: true, cell: (row) => settingLink(row.setting) }, ...driftColumns((row) => row, () => [host])];
  const rest = rows.filter((row) => !off.includes(row));
  return panel("Settings", null,
    off.length ? paged(off, columns, { caption: "Settings that differ from the profile" }) : make("p", { class: "empty" }, "Every setting matches the profile."),
    rest.length ? folded(`${plural(rest.length, "setting")} as wanted, skipped or unknown`, () => paged(rest, columns, { caption: "Settings as wanted" })) : null);
}

function folded(title, content) {
  const box = make("details", { ontoggle: () => { if (box.open && box.children.length === 1) append(box, [content()]); } }, make("summary", {}, title));
  return box;
}

function passed(host, fixed) {
  const rest = host.results.filter((result) => ["pass", "skip"].includes(result.status));
  if (!rest.length) return null;
  const line = (result) => make("li", {}, badge(result.status), " ", ruleLink(result.rule), " ", evidence(result.evidence));
  return panel("Passed", null,
    fixed.length ? make("ul", { class: "lines" }, fixed.map((result) => make("li", {}, badge("pass"), " ", ruleLink(result.rule), make("span", { class: "since pass" }, "fixed")))) : null,
    folded(`${plural(rest.length, "rule")} passed or skipped`, () => [evidenceLeftOut(), make("ul", { class: "lines" }, rest.map(line))]));
}

/** Where the evidence of what is in order is, on the page of a large fleet. */
const evidenceLeftOut = () => (data.complete ? null
  : make("p", { class: "note" }, "In a fleet of this size the page shows no evidence for rules that pass. It is in the JSON report."));

function ruleView(id, params) {
  const rule = data.rules.get(id);
  if (!rule) return nothing("rule", id, "#rules");
  const found = data.hosts.flatMap((host) => host.results.filter((result) => result.rule === rule).map((result) => ({ host, result })));
  const statuses = Object.fromEntries(tally(found, (each) => each.result.status));
  const present = STATUSES.filter((status) => statuses[status]);
  const status = present.includes(params.get("status")) ? params.get("status") : present[0];
  const rows = found.filter((each) => each.result.status === status).sort((a, b) => byWorst(a.host, b.host));
  const address = `rule-${encodeURIComponent(id)}`;
  return make("article", { class: "rule" }, back("rules", "Rules"),
    make("h2", { class: "title" }, severityBadge(rule.severity), " ", rule.title), make("p", { class: "note" }, make("code", {}, rule.id)),
    rule.description ? make("p", { class: "prose" }, prose(rule.description)) : null, cures(rule),
    panel("Hosts", null, spread(statuses, STATUSES),
      make("ul", { class: "tabs" }, present.map((each) => make("li", {}, make("a", { href: `#${address}?status=${each}`, "aria-current": each === status ? "true" : null }, badge(each), ` ${count(statuses[each])}`)))),
      ["pass", "skip"].includes(status) ? evidenceLeftOut() : null,
      paged(rows, ruleHostColumns(rows), { caption: `Hosts with status ${word(status)}`, size: 25 })));
}

function ruleHostColumns(rows) {
  const columns = [
    { name: "Host", header: true, cell: (each) => hostLink(each.host) },
    { name: "Evidence", kind: "proof", cell: ({ result }) => [result.message ? make("p", { class: "said" }, result.message) : null, evidence(result.evidence),
      result.waiver ? terms([["waived because", result.waiver.reason], ["by", result.waiver.owner], ["until", result.waiver.expires]]) : null] },
  ];
  const dated = rows.some((each) => each.result.history);
  return dated ? [...columns, { name: "History", wide: true, cell: ({ result }) => result.history && make("span", { class: `since ${tone(result.history)}` }, result.history) }] : columns;
}

function settingView(key) {
  const which = data.settings.get(key);
  if (!which) return nothing("setting", key, "#settings");
  const pairs = data.hosts.flatMap((host) => host.drift.filter((row) => row.setting === which).map((row) => ({ row, host })));
  const rows = grouped(pairs, (pair) => pair.row).map((group) => ({ row: group.key, hosts: group.hosts.map((pair) => pair.host).sort(byName) }))
    .sort((a, b) => DRIFTS.indexOf(a.row.status) - DRIFTS.indexOf(b.row.status) || b.hosts.length - a.hosts.length);
  const columns = [{ name: "Hosts", header: true, cell: (each) => hostList(each.hosts) },
    ...driftColumns((each) => each.row, (each) => each.hosts)];
  return make("article", { class: "rule" }, back("settings", "Settings"), make("h2", { class: "title" }, make("code", {}, which.name)),
    paged(rows, columns, { caption: `What hosts have for ${which.name}` }));
}
