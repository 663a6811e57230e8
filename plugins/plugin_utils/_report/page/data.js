// Copyright (c) 2026, the nettune.tcp contributors
// GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// The report's data, unpacked, and what is counted over it. The opposite of packing.py.

const SEVERITIES = ["critical", "high", "medium", "low", "info"];
const STATUSES = ["fail", "error", "unknown", "waived", "pass", "skip"];
const DRIFTS = ["drift_runtime", "overridden", "clamped", "drift_boot", "stale", "restart_required", "unknown", "skipped", "compliant"];
const WEIGHTS = { critical: 1000, high: 100, medium: 10, low: 1, info: 0 };

const data = unpack(JSON.parse(document.getElementById("report").textContent));

function unpack(packed) {
  const row = (kind, values) => Object.fromEntries(packed.fields[kind].map((field, at) => [field, values[at]]));
  const value = (number) => packed.values[number || 0];
  const rules = new Map(packed.rules.map((rule) => [rule.id, { ...rule, severity: rule.severity || "info" }]));
  const named = (kind) => (values) => {
    const read = row(kind, values || []);
    for (const field of Object.keys(read)) read[field] = value(read[field]);
    return read;
  };
  const results = packed.results.map(named("result"));
  for (const result of results) result.rule = rules.get(result.rule);
  const settings = new Map();
  const drift = packed.drift.map(named("drift"));
  for (const each of drift.slice(1)) each.setting = setting(settings, each);
  const hosts = packed.hosts.map((values) => {
    const host = row("host", values);
    for (const field of ["groups", "outcome", "message", "stale", "limited", "kernel"]) host[field] = value(host[field]);
    host.groups = host.groups || [];
    host.results = host.results.map((number) => results[number]);
    host.drift = host.drift.map((number) => drift[number]);
    host.listeners = host.listeners.map((listener) => {
      const read = row("listener", listener);
      return { ...read, address: value(read.address), processes: value(read.processes) };
    });
    return judged(host);
  });
  return { about: packed.about, states: packed.states, complete: packed.evidence_of_passes, rules, settings, hosts };
}

function setting(settings, row) {
  const key = `${row.kind}:${row.name}`;
  if (!settings.has(key)) settings.set(key, { key, kind: row.kind, name: row.name });
  return settings.get(key);
}

/** What the lists need of a host, counted once. */
function judged(host) {
  const failing = host.results.filter((result) => result.status === "fail");
  host.seen = host.outcome === "judged";
  host.severities = tally(failing, (result) => result.rule.severity);
  host.fails = failing.length;
  host.open = host.results.filter((result) => result.status === "unknown" || result.status === "error").length;
  host.waived = host.results.some((result) => result.status === "waived");
  host.drifts = host.drift.filter(deviates).length;
  host.news = host.results.filter((result) => result.history === "new").length;
  host.fixed = host.results.filter((result) => result.history === "fixed").length;
  host.status = !host.seen ? "unseen" : host.fails ? "fail" : host.open ? "unknown" : "pass";
  host.worst = SEVERITIES.find((severity) => host.severities.get(severity)) || null;
  host.weight = failing.reduce((sum, result) => sum + WEIGHTS[result.rule.severity], 0);
  host.fullest = host.listeners.reduce((most, each) => Math.max(most, fill(each) || 0), 0);
  return host;
}

/** Whether a setting is another than the profile wants. */
function deviates(row) {
  return !["unknown", "skipped", "compliant"].includes(row.status);
}

/** What mends a setting, for these hosts. */
const remedyFor = (row, hosts) => row.remedy && row.remedy.replaceAll("{host}", hosts.length > 5 ? "HOSTS" : hosts.map((host) => host.name).join(","));

/** How full a listener's accept queue is; null where the kernel did not say. */
function fill(listener) {
  if (listener.backlog === null || listener.accept_queue === null) return null;
  return listener.accept_queue / Math.max(listener.backlog, 1);
}

function tally(items, key) {
  const counts = new Map();
  for (const item of items) {
    const name = key(item);
    counts.set(name, (counts.get(name) || 0) + 1);
  }
  return counts;
}

const byWorst = (a, b) =>
  ["fail", "unknown", "unseen", "pass"].indexOf(a.status) - ["fail", "unknown", "unseen", "pass"].indexOf(b.status)
  || b.weight - a.weight || b.fails - a.fails || b.open - a.open || byName(a, b);
const byName = (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
const bySeverity = (a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity);

/** For each rule: how many hosts have which status, and in how many it is new or fixed. */
function ruleCounts(hosts) {
  const rows = new Map([...data.rules.values()].map((rule) => [rule.id, { rule, statuses: {}, fresh: 0, fixed: 0 }]));
  for (const host of hosts) {
    for (const result of host.results) {
      const row = rows.get(result.rule.id);
      row.statuses[result.status] = (row.statuses[result.status] || 0) + 1;
      if (result.history === "new") row.fresh += 1;
      if (result.history === "fixed") row.fixed += 1;
    }
  }
  const failing = (row) => row.statuses.fail || 0;
  return [...rows.values()].sort((a, b) =>
    (failing(b) > 0) - (failing(a) > 0) || bySeverity(a.rule, b.rule) || failing(b) - failing(a));
}

/** For each setting: how many hosts have which status, the worst first. */
function settingCounts(hosts) {
  const rows = new Map([...data.settings.values()].map((each) => [each.key, { setting: each, statuses: {}, off: 0 }]));
  for (const host of hosts) {
    for (const drift of host.drift) {
      const row = rows.get(drift.setting.key);
      row.statuses[drift.status] = (row.statuses[drift.status] || 0) + 1;
      if (deviates(drift)) row.off += 1;
    }
  }
  return [...rows.values()].sort((a, b) => b.off - a.off || (a.setting.name < b.setting.name ? -1 : 1));
}

/** Hosts grouped by a key, the largest group first: `[{key, hosts}]`. */
function grouped(hosts, key) {
  const groups = new Map();
  for (const host of hosts) {
    const name = key(host);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(host);
  }
  return [...groups].map(([name, members]) => ({ key: name, hosts: members })).sort((a, b) => b.hosts.length - a.hosts.length);
}

const owner = (row) => row.owner || (row.source ? String(row.source) : "no known file or tool");
