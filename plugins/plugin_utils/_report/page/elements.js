// Copyright (c) 2026, the nettune.tcp contributors
// GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Making elements. What hosts say gets into the page as text only, by the functions of this file.

const MARKS = {
  fail: "\u2715", error: "!", unknown: "?", waived: "\u2013", pass: "\u2713", skip: "\u00b7", unseen: "\u25cb",
  compliant: "\u2713", drift_runtime: "\u2260", drift_boot: "\u0394", overridden: "\u00bb", clamped: "\u2264",
  stale: "~", restart_required: "\u21bb", skipped: "\u00b7",
};

const WORDS = {
  unseen: "not seen", drift_runtime: "differs now", drift_boot: "differs at boot", restart_required: "restart required",
  no_python: "no Python", failed: "facts not gathered", missing: "not in this run",
};

// How a status is coloured: the colours are those of the results.
const TONES = {
  compliant: "pass", drift_runtime: "fail", drift_boot: "unknown", overridden: "fail", clamped: "fail", stale: "unknown",
  restart_required: "unknown", skipped: "skip", unreachable: "unseen", failed: "unseen", no_python: "unseen",
  missing: "unseen", inconclusive: "unknown", running: "unknown", not_started: "skip", new: "fail", fixed: "pass", persisting: "skip",
};

const word = (status) => WORDS[status] || String(status).replace(/_/g, " ");
const tone = (status) => TONES[status] || status;

/** An element; attributes that are null or false are left out, `on*` are listeners, children are nodes or text. */
function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

const count = (number) => Number(number || 0).toLocaleString("en");
const plural = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;

/** A status as an icon and its word; `short` keeps the word for screen readers. */
function badge(status, short) {
  const mark = make("span", { class: "mark", "aria-hidden": "true" }, MARKS[status] || MARKS[tone(status)] || "\u2022");
  const name = make("span", { class: short ? "hidden" : null }, word(status));
  return make("span", { class: `badge ${tone(status)}`, title: short ? word(status) : null }, mark, name);
}

const severityBadge = (severity, calm) => make("span", { class: `severity ${calm ? "" : severity}` }, severity);

function link(to, ...text) {
  return make("a", { href: to }, ...text);
}

/** A name that breaks after its dots and dashes, where it must. */
const breakable = (name) => String(name).split(/(?<=[.\-_:/])/).flatMap((part, at) => (at ? [make("wbr"), part] : [part]));

const hostLink = (host) => make("a", { href: `#host-${encodeURIComponent(host.name)}`, class: "name" }, breakable(host.name));
const ruleLink = (rule, text) => link(`#rule-${encodeURIComponent(rule.id)}`, text || rule.title);
const settingLink = (setting) => make("a", { href: `#setting-${encodeURIComponent(setting.key)}`, class: "code" }, breakable(setting.name));

/** A bar of parts `{kind, value, label}`, which is an image whose description says all it shows. */
function bar(parts, describe) {
  const shown = parts.filter((part) => part.value > 0);
  const text = describe || shown.map((part) => `${count(part.value)} ${part.label}`).join(", ") || "none";
  const box = make("span", { class: "bar", role: "img", "aria-label": text, title: text });
  for (const part of shown) {
    const piece = make("i", { class: part.kind });
    piece.style.flexGrow = part.value;
    box.append(piece);
  }
  return box;
}

/** How far something is filled, from 0 to 1 and beyond, with the words beside it. */
function gauge(share, label) {
  const level = share >= 1 ? "full" : share >= 0.8 ? "high" : "low";
  const filled = make("i", { class: level });
  filled.style.width = `${Math.min(share, 1) * 100}%`;
  return make("span", { class: "gauge" }, make("span", { class: "trough", "aria-hidden": "true" }, filled), label);
}

const percent = (share) => `${share > 0 && share < 0.01 ? "<1" : Math.round(share * 100)}\u00a0%`;

/** How full a queue is: the kernel lets one more wait than the backlog says. */
const fullness = (share) => (share >= 1 ? "full" : percent(share));

/** Seconds as people say them: `3 d 4 h`. */
function duration(seconds) {
  if (seconds === null || seconds === undefined) return "";
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  let first = units.findIndex(([, size]) => seconds >= size);
  if (first < 0) first = units.length - 1;
  const [unit, size] = units[first];
  const whole = Math.floor(seconds / size);
  const next = units[first + 1];
  const rest = next && first < 2 ? Math.floor((seconds % size) / next[1]) : 0;
  return `${count(whole)} ${unit}${rest ? ` ${rest} ${next[0]}` : ""}`;
}

const moment = (iso) => (iso ? `${String(iso).slice(0, 10)} ${String(iso).slice(11, 16)}` : "");

/** Text between `backticks` as code, all else as it is. */
function prose(text) {
  return String(text || "").split("`").map((part, at) => (at % 2 ? make("code", {}, part) : part));
}

/** Evidence: a table for a list of rows, terms and values for a dictionary, else text. */
function evidence(value) {
  if (value === null || value === undefined || (Array.isArray(value) && !value.length)) return null;
  if (Array.isArray(value) && value.every((row) => row && typeof row === "object" && !Array.isArray(row))) {
    return evidenceRows(value);
  }
  if (Array.isArray(value)) return make("code", { class: "evidence" }, value.map(scalar).join(", "));
  if (typeof value === "object") {
    const pairs = Object.entries(value).map(([name, each]) =>
      make("div", {}, make("dt", {}, name.replace(/_/g, " ")), make("dd", {}, scalar(each))));
    return make("dl", { class: "evidence" }, pairs);
  }
  return make("code", { class: "evidence" }, scalar(value));
}

function evidenceRows(rows) {
  const columns = [...new Set(rows.flatMap(Object.keys))];
  const head = make("tr", {}, columns.map((name) => make("th", { scope: "col" }, name.replace(/_/g, " "))));
  const body = rows.slice(0, 20).map((row) => make("tr", {}, columns.map((name) =>
    make("td", { class: typeof row[name] === "number" ? "number" : null }, scalar(row[name])))));
  const more = rows.length > 20 && make("p", { class: "note" }, `and ${count(rows.length - 20)} more`);
  return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Evidence" },
    make("table", { class: "evidence" }, make("thead", {}, head), make("tbody", {}, body)), more);
}

function scalar(value) {
  if (value === null || value === undefined) return "none";
  if (typeof value === "number") return Number.isInteger(value) ? value.toLocaleString("en", { useGrouping: value > 99999 }) : String(Math.round(value * 1000) / 1000);
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value)) return value.map(scalar).join(", ");
  return Object.entries(value).map(([name, each]) => `${name} ${scalar(each)}`).join(", ");
}
