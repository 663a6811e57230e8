// Copyright (c) 2026, the nettune.tcp contributors
// GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// The first screen: what is wrong, where it is worst, who was not seen, and who owns what differs.

const TOP = 9;

function overview() {
  return make("div", { class: "overview" },
    remediation(data.about.remediation),
    make("div", { class: "columns" }, findings(), worstHosts()),
    make("div", { class: "columns" }, driftByOwner(), unseen()));
}

function panel(title, more, ...content) {
  return make("section", {}, make("h2", {}, title, more && make("span", { class: "more" }, more)), content);
}

function findings() {
  const rows = ruleCounts(data.hosts).filter((row) => row.statuses.fail);
  if (!rows.length) return panel("Findings", null, make("p", { class: "empty" }, "No rule fails on any host that was seen."));
  const judgedHosts = data.hosts.filter((host) => host.seen).length || 1;
  const columns = [
    { name: "Severity", cell: (row) => severityBadge(row.rule.severity) },
    { name: "Rule not met", header: true, cell: (row) => ruleLink(row.rule) },
    { name: "Hosts", number: true, cell: (row) => hostsFailing(row.rule, row.statuses.fail) },
    { name: "Share", kind: "gauged", wide: true, cell: (row) => gauge(row.statuses.fail / judgedHosts, percent(row.statuses.fail / judgedHosts)) },
  ];
  if (data.about.previous) columns.push({ name: "New", number: true, wide: true, cell: (row) => (row.fresh ? `+${count(row.fresh)}` : "") });
  return panel("Findings", rows.length > TOP && link("#rules", `all ${rows.length}`),
    history(), paged(rows.slice(0, TOP), columns, { caption: "The most severe and most frequent findings" }));
}

const hostsFailing = (rule, number) => link(`#hosts?rule=${encodeURIComponent(rule.id)}`, count(number));

function history() {
  const changes = data.about.summary.history;
  if (!data.about.previous || !changes) return null;
  const parts = ["new", "fixed", "persisting"].filter((kind) => changes[kind] !== undefined);
  return make("p", { class: "history" }, `Since ${moment(data.about.previous)}: `,
    parts.map((kind, at) => [at ? ", " : "", make("b", {}, count(changes[kind])), ` ${kind}`]), ".");
}

function worstHosts() {
  const rows = data.hosts.filter((host) => host.fails).sort(byWorst);
  if (!rows.length) return panel("Worst hosts", null, make("p", { class: "empty" }, "No host that was seen fails a rule."));
  const columns = [
    { name: "Host", header: true, cell: hostLink },
    { name: "Findings", cell: worstOf },
    { name: "Fullest queue", kind: "gauged", wide: true, cell: fullest },
  ];
  return panel("Worst hosts", rows.length > TOP && link("#hosts?show=fail", `all ${count(rows.length)}`),
    paged(rows.slice(0, TOP), columns, { caption: "The hosts with the most severe findings" }));
}

function severities(host) {
  const shown = SEVERITIES.filter((severity) => host.severities.get(severity));
  return shown.map((severity) => make("span", { class: `severity ${severity}` }, `${host.severities.get(severity)} ${severity}`));
}

/** The two worst severities with their numbers, and how many findings are left. */
function worstOf(host) {
  const shown = severities(host);
  const left = host.fails - SEVERITIES.filter((severity) => host.severities.get(severity)).slice(0, 2)
    .reduce((sum, severity) => sum + host.severities.get(severity), 0);
  return [shown.slice(0, 2), left ? make("span", { class: "note nowrap" }, `+${left}`) : null];
}

const fullest = (host) => (host.listeners.length ? gauge(host.fullest, fullness(host.fullest)) : "");

function unseen() {
  const hosts = data.hosts.filter((host) => !host.seen);
  if (!hosts.length) return panel("Not seen", null, make("p", { class: "empty" }, "Every host in the inventory was seen."));
  const groups = grouped(hosts, (host) => `${host.outcome}\n${host.message || ""}`);
  const columns = [
    { name: "Outcome", cell: (group) => badge(group.hosts[0].outcome) },
    { name: "Why", cell: (group) => make("span", { class: "said" }, group.hosts[0].message || "no reason given") },
    { name: "Hosts", header: true, cell: (group) => hostList(group.hosts) },
  ];
  return panel("Not seen", link("#hosts?show=unseen", `all ${count(hosts.length)}`), paged(groups, columns, { caption: "Hosts not seen, by reason", size: TOP }));
}

/** One host by name, or how many there are with the names behind it. */
function hostList(hosts) {
  if (hosts.length === 1) return hostLink(hosts[0]);
  const names = make("div", { class: "names" });
  const fillIn = () => {
    if (names.childNodes.length) return;
    append(names, hosts.slice(0, 200).map((host, at) => [at ? " " : "", hostLink(host)]));
    if (hosts.length > 200) append(names, [` and ${count(hosts.length - 200)} more`]);
  };
  return make("details", { ontoggle: fillIn }, make("summary", {}, plural(hosts.length, "host")), names);
}

function driftByOwner() {
  const rows = new Map();
  for (const host of data.hosts) {
    for (const drift of host.drift) {
      if (!deviates(drift)) continue;
      const key = owner(drift);
      if (!rows.has(key)) rows.set(key, { owner: key, hosts: new Set(), settings: new Map() });
      const row = rows.get(key);
      row.hosts.add(host);
      row.settings.set(drift.setting, (row.settings.get(drift.setting) || 0) + 1);
    }
  }
  const some = data.hosts.some((host) => host.drift.length);
  if (!rows.size) {
    const none = some ? "Every setting matches the profile." : "The hosts were not compared with a profile.";
    return panel("Drift by owner", null, make("p", { class: "empty" }, none));
  }
  const sorted = [...rows.values()].sort((a, b) => b.hosts.size - a.hosts.size);
  const columns = [
    { name: "Decided by", header: true, cell: (row) => make("code", {}, row.owner) },
    { name: "Settings", cell: (row) => settingNames(row.settings) },
    { name: "Hosts", number: true, cell: (row) => count(row.hosts.size) },
  ];
  return panel("Drift by owner", link("#settings", "all settings"), paged(sorted, columns, { caption: "Settings that differ from the profile, by who decides them", size: TOP }));
}

function settingNames(settings) {
  const names = [...settings].sort((a, b) => b[1] - a[1]).map(([each]) => each);
  const shown = names.slice(0, 3).map((each) => make("span", { class: "setting" }, settingLink(each)));
  return names.length > 3 ? [shown, make("span", { class: "note" }, `and ${names.length - 3} more`)] : shown;
}
