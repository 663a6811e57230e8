// Copyright (c) 2026, the nettune.tcp contributors
// GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Rules and settings against hosts. A thousand hosts are not a thousand rows: hosts with the same pattern share one.

const ROWS_BY = [["pattern", "hosts that look the same"], ["group", "groups"], ["host", "single hosts"]];
const MATRIX_PAGE = 40;

const KINDS = {
  rules: {
    noun: "Rules",
    counts: () => ruleCounts(data.hosts),
    off: (row) => (row.statuses.fail || 0) + (row.statuses.error || 0) + (row.statuses.unknown || 0) + (row.statuses.waived || 0),
    bad: (status) => status === "fail",
    key: (row) => row.rule.id,
    head: (row) => ruleLink(row.rule),
    of: (host) => host.results.map((result) => [result.rule.id, result.status]),
    columns: () => ruleColumns(),
    caption: "Rules and how many hosts pass them",
  },
  settings: {
    noun: "Settings",
    counts: () => settingCounts(data.hosts),
    off: (row) => row.off,
    bad: (status) => deviates({ status }),
    key: (row) => row.setting.key,
    head: (row) => settingLink(row.setting),
    of: (host) => host.drift.map((row) => [row.setting.key, row.status]),
    columns: () => settingColumns(),
    caption: "Settings of the profile and on how many hosts they are in force",
  },
};

function ruleColumns() {
  const columns = [
    { name: "Severity", cell: (row) => severityBadge(row.rule.severity, !row.statuses.fail) },
    { name: "Rule", header: true, cell: (row) => ruleLink(row.rule) },
    { name: "Failing", number: true, cell: (row) => (row.statuses.fail ? hostsFailing(row.rule, row.statuses.fail) : "0") },
    { name: "Hosts by status", kind: "spread", wide: true, cell: (row) => spread(row.statuses, STATUSES) },
  ];
  if (!data.about.previous) return columns;
  return columns.concat([
    { name: "New", number: true, wide: true, cell: (row) => (row.fresh ? `+${count(row.fresh)}` : "") },
    { name: "Fixed", number: true, wide: true, cell: (row) => (row.fixed ? count(row.fixed) : "") },
  ]);
}

function settingColumns() {
  const kinds = { sysctl: "sysctl", file_limit: "file limit", backlog: "backlog" };
  return [
    { name: "Setting", header: true, cell: (row) => settingLink(row.setting) },
    { name: "Kind", wide: true, cell: (row) => kinds[row.setting.kind] || row.setting.kind },
    { name: "Differ", number: true, cell: (row) => count(row.off) },
    { name: "Hosts by status", kind: "spread", cell: (row) => spread(row.statuses, DRIFTS) },
  ];
}

function matrixView(name, params) {
  const kind = KINDS[name];
  const rows = kind.counts();
  if (!rows.length) return make("section", {}, make("h2", {}, kind.noun), make("p", { class: "empty" }, "The hosts were not compared with a profile."));
  const place = make("div", {});
  const change = (key, value) => {
    if (value) params.set(key, value);
    else params.delete(key);
    rewrite(name, params);
    draw();
  };
  const draw = () => place.replaceChildren(matrix(kind, rows, params));
  draw();
  return [
    make("section", {}, make("h2", {}, kind.noun), paged(rows, kind.columns(), { caption: kind.caption, size: 100 })),
    make("section", { class: "matrix" }, make("h2", {}, `${kind.noun} \u00d7 hosts`),
      make("form", { class: "filters", onsubmit: (event) => event.preventDefault() },
        choice("Rows", "by", ROWS_BY, params.get("by") || "pattern", change),
        choice("Hosts", "hosts", [["", "with findings"], ["all", "all that were seen"]], params.get("hosts") || "", change),
        choice("Columns", "columns", [["", `with findings (${rows.filter(kind.off).length})`], ["all", `all (${rows.length})`]], params.get("columns") || "", change)),
      legend(rows), place),
  ];
}

function legend(rows) {
  const used = new Set(rows.flatMap((row) => Object.keys(row.statuses)));
  return make("p", { class: "legend" }, [...STATUSES, ...DRIFTS].filter((status, at, all) => used.has(status) && all.indexOf(status) === at).map((status) => badge(status)));
}

function matrix(kind, counted, params) {
  const columns = counted.filter((row) => params.get("columns") === "all" || kind.off(row));
  const cells = new Map();
  const by = params.get("by") || "pattern";
  const everybody = by === "group" || params.get("hosts") === "all";
  const hosts = data.hosts.filter((host) => {
    const pairs = kind.of(host);
    cells.set(host, new Map(pairs));
    return pairs.length && (everybody || pairs.some(([, status]) => kind.bad(status)));
  }).sort(byWorst);
  if (!hosts.length || !columns.length) return make("p", { class: "empty" }, "There is nothing to show.");
  if (by === "group") return board(kind, columns, groupRows(kind, columns, hosts, cells), "Groups");
  const fine = new Set(["pass", "skip", "compliant", "skipped", undefined]);
  const pattern = (host) => columns.map((row) => cells.get(host).get(kind.key(row))).map((status) => (fine.has(status) ? "" : status)).join();
  const rows = (by === "host" ? hosts.map((host) => ({ hosts: [host] })) : grouped(hosts, pattern)).map((group) => ({
    head: hostList(group.hosts), cells: columns.map((row) => statusCell(cells.get(group.hosts[0]).get(kind.key(row)))),
  }));
  return board(kind, columns, rows, "Hosts");
}

const statusCell = (status) => make("td", { class: status ? tone(status) : null }, status ? badge(status, true) : "");

function groupRows(kind, columns, hosts, cells) {
  const members = new Map();
  for (const host of hosts) {
    for (const name of host.groups.length ? host.groups : ["ungrouped"]) {
      if (!members.has(name)) members.set(name, []);
      members.get(name).push(host);
    }
  }
  return [...members].sort((a, b) => b[1].length - a[1].length).map(([name, group]) => ({
    head: [link(`#hosts?group=${encodeURIComponent(name)}`, name), make("span", { class: "groups" }, plural(group.length, "host"))],
    cells: columns.map((row) => {
      const bad = group.filter((host) => { const status = cells.get(host).get(kind.key(row)); return status && kind.bad(status); }).length;
      const share = bad / group.length;
      return make("td", { class: `share ${bad ? `heat${Math.ceil(share * 4)}` : ""}` }, bad ? count(bad) : "");
    }),
  }));
}

function board(kind, columns, rows, corner) {
  const pages = make("div", {});
  let first = 0;
  const draw = () => {
    const head = make("tr", {}, make("th", { scope: "col", class: "corner" }, corner),
      columns.map((row) => make("th", { scope: "col", class: "turned" }, make("span", {}, kind.head(row)))));
    const body = rows.slice(first, first + MATRIX_PAGE).map((row) => make("tr", {}, make("th", { scope: "row" }, row.head), row.cells));
    const table = make("table", { class: "board" }, make("caption", { class: "hidden" }, `${kind.noun} by ${corner.toLowerCase()}`),
      make("thead", {}, head), make("tbody", {}, body));
    pages.replaceChildren(make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${kind.noun} by ${corner.toLowerCase()}` }, table),
      rows.length > MATRIX_PAGE ? pager() : "");
  };
  const step = (name, to) => make("button", { type: "button", disabled: to < 0 || to >= rows.length, onclick: () => { first = to; draw(); pages.querySelector(".scroll").focus(); } }, name);
  const pager = () => make("div", { class: "pager" }, step("Previous", first - MATRIX_PAGE),
    make("span", { role: "status" }, `rows ${count(first + 1)}\u2013${count(Math.min(first + MATRIX_PAGE, rows.length))} of ${count(rows.length)}`), step("Next", first + MATRIX_PAGE));
  draw();
  return pages;
}
