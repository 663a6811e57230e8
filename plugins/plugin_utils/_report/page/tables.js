// Copyright (c) 2026, the nettune.tcp contributors
// GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Tables that stay quick with ten thousand rows: a page of them at a time, columns that can be left out, sorting.

const PAGE = 50;

/**
 * A table of `rows`, one page at a time. Columns are `{name, cell(row), sort(a, b), number, wide, header}`: `wide` ones
 * are left out on narrow screens, the one that is `header` names its row.
 */
function paged(rows, columns, { caption, sorted, onsort, size = PAGE } = {}) {
  const box = make("div", { class: "paged" });
  let first = 0;
  function draw(focus) {
    const body = rows.slice(first, first + size).map((row) => make("tr", {}, columns.map((column) => cell(column, row))));
    const table = make("table", {}, make("caption", { class: "hidden" }, caption), heading(columns, sorted, onsort), make("tbody", {}, body));
    box.replaceChildren(table, rows.length > size ? pager() : "");
    if (focus) (box.querySelector(`[data-step="${focus}"]:not(:disabled)`) || box.querySelector("[data-step]:not(:disabled)")).focus();
  }
  function pager() {
    const step = (name, to) => make("button", {
      type: "button", "data-step": name, disabled: to < 0 || to >= rows.length, onclick: () => { first = to; draw(name); },
    }, name);
    const last = Math.min(first + size, rows.length);
    return make("div", { class: "pager" }, step("Previous", first - size),
      make("span", { role: "status" }, `${count(first + 1)}\u2013${count(last)} of ${count(rows.length)}`), step("Next", first + size));
  }
  draw();
  return box;
}

function cell(column, row) {
  const classes = [column.number && "number", column.wide && "wide", column.kind].filter(Boolean).join(" ") || null;
  return make(column.header ? "th" : "td", { class: classes, scope: column.header ? "row" : null }, column.cell(row));
}

function heading(columns, sorted, onsort) {
  const cells = columns.map((column) => {
    const classes = [column.number && "number", column.wide && "wide", column.kind].filter(Boolean).join(" ") || null;
    const current = sorted && sorted === column.key;
    const label = onsort && column.sort
      ? make("button", { type: "button", class: "sort", onclick: () => onsort(column.key) }, column.name,
        make("span", { "aria-hidden": "true" }, current ? " \u25be" : ""))
      : column.name;
    return make("th", { scope: "col", class: classes, "aria-sort": current ? column.order || "descending" : null }, label);
  });
  return make("thead", {}, make("tr", {}, cells));
}

/** A choice with a label: options are `[value, text]`. */
function choice(label, name, options, value, onchange) {
  const select = make("select", { id: `choice-${name}`, name, onchange: () => onchange(name, select.value) },
    options.map(([each, text]) => make("option", { value: each, selected: each === value }, text)));
  return make("div", { class: "field" }, make("label", { for: select.id }, label), select);
}

/** A field to search in, which asks after a short rest. */
function searchField(label, value, onchange) {
  let timer = 0;
  const input = make("input", {
    type: "search", id: "search", name: "q", value, autocomplete: "off", spellcheck: "false", placeholder: "host, group, kernel, rule  ( / )",
    oninput: () => { clearTimeout(timer); timer = setTimeout(() => onchange("q", input.value), 150); },
  });
  return make("div", { class: "field search" }, make("label", { for: input.id }, label), input);
}

/** How rules or settings stand in a fleet: a bar and the numbers, in words. */
function spread(statuses, order) {
  const parts = order.filter((status) => statuses[status]).map((status) =>
    ({ kind: tone(status), value: statuses[status], label: word(status) }));
  return bar(parts);
}
