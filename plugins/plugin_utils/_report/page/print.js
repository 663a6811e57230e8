// Copyright (c) 2026, the nettune.tcp contributors
// GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// What is printed of a whole fleet: a few pages, not one for each host. A host's or a rule's own view prints as it is.

const PRINTED_PATTERNS = 300;

function printed() {
  const rules = ruleCounts(data.hosts).filter((row) => row.statuses.fail);
  const settings = settingCounts(data.hosts).filter((row) => row.off);
  return [
    rules.length ? panel("Findings", null, history(), printedTable("Findings", ["Severity", "Hosts", "Finding", "What helps"], rules.map((row) =>
      [severityBadge(row.rule.severity), count(row.statuses.fail), row.rule.title, prose(row.rule.remedy)]))) : null,
    settings.length ? panel("Settings that differ", null, printedTable("Settings", ["Setting", "Hosts", "How"], settings.map((row) =>
      [make("code", {}, row.setting.name), count(row.off), DRIFTS.filter((status) => row.statuses[status]).map((status) => `${count(row.statuses[status])} ${word(status)}`).join(", ")]))) : null,
    printedHosts("Not seen", data.hosts.filter((host) => !host.seen), (host) => `${word(host.outcome)}: ${host.message || "no reason given"}`),
    printedHosts("Failing hosts", data.hosts.filter((host) => host.fails).sort(byWorst), printedPattern),
  ];
}

const printedPattern = (host) => host.results.filter((result) => result.status === "fail").map((result) => result.rule)
  .sort(bySeverity).map((rule) => rule.id).join(", ");

function printedTable(caption, names, rows, kind) {
  return make("table", { class: kind }, make("caption", { class: "hidden" }, caption),
    make("thead", {}, make("tr", {}, names.map((name) => make("th", { scope: "col" }, name)))),
    make("tbody", {}, rows.map((row) => make("tr", {}, row.map((value) => make("td", {}, value))))));
}

function printedHosts(title, hosts, key) {
  if (!hosts.length) return null;
  const groups = grouped(hosts, key);
  const rows = groups.slice(0, PRINTED_PATTERNS).map((group) => [count(group.hosts.length), group.key, printedNames(group.hosts)]);
  const left = groups.slice(PRINTED_PATTERNS).reduce((sum, group) => sum + group.hosts.length, 0);
  return panel(title, null, printedTable(title, ["Hosts", "Why", "Names"], rows, "named"),
    left ? make("p", { class: "note" }, `${plural(left, "more host")} are in the report on screen and in its JSON.`) : null);
}

function printedNames(hosts) {
  const names = hosts.slice(0, 150).map((host) => [make("bdi", {}, host.name), " "]);
  return hosts.length > 150 ? [names, `and ${count(hosts.length - 150)} more`] : names;
}
