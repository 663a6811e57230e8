// Copyright (c) 2026, the nettune.tcp contributors
// GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// The list of hosts: searched, filtered, sorted; failing ones first and, unless asked, only those.

const SHOWN = [
  ["fail", "failing"], ["unknown", "undecided"], ["unseen", "not seen"], ["waived", "with waivers"], ["drift", "with drift"],
  ["stale", "stale or incomplete"], ["pass", "passing"], ["all", "all hosts"],
];

const SHOW = {
  fail: (host) => host.fails > 0,
  unknown: (host) => host.status === "unknown",
  unseen: (host) => !host.seen,
  waived: (host) => host.waived,
  drift: (host) => host.drifts > 0,
  stale: (host) => host.stale || Boolean(host.limited && Object.keys(host.limited).length),
  pass: (host) => host.status === "pass",
  all: () => true,
};

const SORTS = {
  worst: byWorst,
  name: byName,
  news: (a, b) => b.news - a.news || byWorst(a, b),
  drift: (a, b) => b.drifts - a.drifts || byWorst(a, b),
  queue: (a, b) => b.fullest - a.fullest || byWorst(a, b),
  age: (a, b) => (b.age_s || 0) - (a.age_s || 0) || byWorst(a, b),
};

const HOST_COLUMNS = [
  { key: "status", name: "Status", cell: (host) => badge(host.seen ? host.status : host.outcome) },
  { key: "name", name: "Host", header: true, sort: true, order: "ascending", kind: "who", cell: hostCell },
  { key: "worst", name: "Findings", sort: true, cell: worstOf },
  { key: "why", name: "Worst rule not met", wide: true, cell: why },
  { key: "states", name: "Connections", kind: "states", wide: true, cell: statesBar },
  { key: "queue", name: "Fullest queue", kind: "gauged", sort: true, wide: true, cell: fullest },
  { key: "drift", name: "Drift", number: true, sort: true, wide: true, cell: (host) => (host.drift.length ? count(host.drifts) : "") },
  { key: "news", name: "New", number: true, sort: true, wide: true, cell: (host) => (host.news ? `+${host.news}` : "") },
  { key: "age", name: "Facts", number: true, sort: true, wide: true, cell: (host) => (host.stale ? [badge("stale"), " "] : []).concat(duration(host.age_s)) },
];
const leftOut = new Set();

function hostCell(host) {
  return [hostLink(host), host.groups.length ? make("span", { class: "groups" }, host.groups.join(" ")) : null];
}

function why(host) {
  if (!host.seen) return make("span", { class: "said" }, host.message || "");
  const [first] = host.results.filter((result) => result.status === "fail").sort((a, b) => bySeverity(a.rule, b.rule));
  return first ? ruleLink(first.rule) : "";
}

function statesBar(host) {
  if (!host.states.length) return "";
  return bar(stateParts(host));
}

const stateParts = (host) => data.states.map((name, at) => ({ kind: `state-${name}`, value: host.states[at], label: name }));

function haystack(host) {
  host.text = host.text || [host.name, ...host.groups, host.kernel, host.message,
    ...host.results.filter((result) => result.status === "fail").map((result) => `${result.rule.id} ${result.rule.title}`),
  ].join("\n").toLowerCase();
  return host.text;
}

function selected(params) {
  const words = (params.get("q") || "").toLowerCase().split(/\s+/).filter(Boolean);
  const rule = params.get("rule");
  const group = params.get("group");
  const severity = SEVERITIES.indexOf(params.get("severity"));
  const show = SHOW[params.get("show")] || SHOW.fail;
  const failing = (host, matches) => host.results.some((result) => result.status === "fail" && matches(result.rule));
  return data.hosts.filter((host) => show(host)
    && (!group || host.groups.includes(group))
    && (!rule || failing(host, (each) => each.id === rule))
    && (severity < 0 || failing(host, (each) => SEVERITIES.indexOf(each.severity) <= severity))
    && words.every((each) => haystack(host).includes(each)));
}

function hostsView(params) {
  const list = make("div", {});
  const say = make("p", { class: "found", role: "status" });
  const change = (name, value) => {
    if (value) params.set(name, value);
    else params.delete(name);
    rewrite("hosts", params);
    draw();
  };
  function draw() {
    const sorted = SORTS[params.get("sort")] ? params.get("sort") : "worst";
    const hosts = selected(params).sort(SORTS[sorted]);
    say.replaceChildren(`${plural(hosts.length, "host")} of ${count(data.hosts.length)}`);
    const columns = HOST_COLUMNS.filter((column) => !leftOut.has(column.key));
    list.replaceChildren(hosts.length
      ? paged(hosts, columns, { caption: "Hosts", sorted, onsort: (key) => { change("sort", key); refocus(list, key); } })
      : make("p", { class: "empty" }, "No host matches. ", make("button", { type: "button", onclick: () => go("#hosts?show=all") }, "Show all hosts")),
      hosts.length ? limitPattern(hosts) : "");
  }
  draw();
  return make("section", {}, make("h2", {}, "Hosts"), filters(params, change, draw), say, list);
}

function refocus(list, key) {
  const at = HOST_COLUMNS.filter((column) => !leftOut.has(column.key)).findIndex((column) => column.key === key);
  const button = list.querySelectorAll("thead th")[at].querySelector("button");
  if (button) button.focus();
}

function filters(params, change, draw) {
  const groups = grouped(data.hosts.flatMap((host) => host.groups), (name) => name).map((each) => [each.key, `${each.key} (${count(each.hosts.length)})`]);
  const rules = ruleCounts(data.hosts).filter((row) => row.statuses.fail).map((row) => [row.rule.id, row.rule.title]);
  const any = (label, options) => [["", label], ...options];
  const severity = SEVERITIES.slice(0, 4).map((each, at) => [each, at ? `${each} or worse` : each]);
  return make("form", { class: "filters", role: "search", "aria-label": "Hosts", onsubmit: (event) => event.preventDefault() },
    searchField("Search", params.get("q") || "", change),
    choice("Show", "show", SHOWN, params.get("show") || "fail", change),
    choice("Severity", "severity", any("any", severity), params.get("severity") || "", change),
    groups.length ? choice("Group", "group", any("any", groups), params.get("group") || "", change) : null,
    rules.length ? choice("Rule not met", "rule", any("any", rules), params.get("rule") || "", change) : null,
    columnChoice(draw));
}

function columnChoice(draw) {
  const boxes = HOST_COLUMNS.filter((column) => !column.header).map((column) => {
    const box = make("input", { type: "checkbox", checked: !leftOut.has(column.key), onchange: () => {
      if (box.checked) leftOut.delete(column.key);
      else leftOut.add(column.key);
      draw();
    } });
    return make("label", {}, box, " ", column.name);
  });
  return make("details", { class: "choose wide" }, make("summary", {}, "Columns"), make("div", {}, boxes));
}

/** The hosts of the list as a pattern for ansible-playbook --limit; names that would mean something else are left out. */
function limitPattern(hosts) {
  const safe = hosts.filter((host) => /^[\w.-]+$/.test(host.name));
  const box = make("details", { class: "limit", ontoggle: () => {
    if (box.open && !box.querySelector("textarea")) {
      box.append(make("textarea", { readonly: true, rows: 3, "aria-label": "Pattern for --limit" }, safe.map((host) => host.name).join(",")));
    }
  } }, make("summary", {}, `Use ${hosts.length === 1 ? "this host" : `these ${plural(safe.length, "host")}`} with --limit`));
  return box;
}
