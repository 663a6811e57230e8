// Copyright (c) 2026, the nettune.tcp contributors
// GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Addresses, views, keys. Everything is made when it is looked at.

const VIEWS = [["overview", "Overview"], ["hosts", "Hosts"], ["rules", "Rules"], ["settings", "Settings"]];
const OLD = 26 * 3600; // seconds: a daily report that was not renewed
const content = document.getElementById("content");
const addresses = new Map();

/** The address as view, name and parameters: `#host-web1`, `#hosts?show=fail`. */
function address() {
  const [path, query] = location.hash.slice(1).split("?");
  const params = new URLSearchParams(query || "");
  const named = /^(host|rule|setting)-(.*)$/s.exec(path);
  if (!named) return { view: VIEWS.some(([view]) => view === path) ? path : "overview", params };
  return { view: named[1], name: decoded(named[2]), params };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Keep what was chosen in the address, so that it can be sent to somebody. */
function rewrite(view, params) {
  const query = params.toString();
  window.history.replaceState(null, "", `#${view}${query ? `?${query}` : ""}`);
  addresses.set(view, location.hash);
}

const lastAddress = (view) => addresses.get(view) || `#${view}`;
const go = (to) => { location.hash = to; };

function build({ view, name, params }) {
  switch (view) {
    case "hosts": return hostsView(params);
    case "rules": case "settings": return matrixView(view, params);
    case "host": return hostView(name);
    case "rule": return ruleView(name, params);
    case "setting": return settingView(name);
    default: return overview();
  }
}

function show(focus) {
  if (location.hash === "#content") return;
  const at = address();
  if (!at.name) addresses.set(at.view, location.hash || "#overview");
  content.replaceChildren();
  append(content, [build(at)]);
  document.body.dataset.view = at.view;
  navigate(at.view);
  document.title = `${at.name || VIEWS.find(([view]) => view === at.view)[1]} \u2013 ${title}`;
  if (!focus) return;
  const heading = content.querySelector("h2");
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
  content.scrollIntoView({ block: at.view === "overview" ? "nearest" : "start" });
}

function navigate(view) {
  const parents = { host: "hosts", rule: "rules", setting: "settings" };
  const current = parents[view] || view;
  document.getElementById("views").replaceChildren(make("ul", {}, VIEWS.map(([each, text]) =>
    make("li", {}, make("a", { href: `#${each}`, "aria-current": each === current ? "page" : null }, text)))));
}

/** A report that could not be renewed must not be taken for a new one. */
function tellAge() {
  const seconds = (Date.now() - Date.parse(data.about.generated)) / 1000;
  const note = document.getElementById("age");
  if (!(seconds > OLD)) return;
  note.hidden = false;
  note.classList.add("old");
  note.textContent = `This report is ${duration(seconds)} old. The hosts may have changed since.`;
}

function onkey(event) {
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  if (!content.querySelector("input[type=search]")) {
    window.history.pushState(null, "", lastAddress("hosts"));
    show(false);
  }
  content.querySelector("input[type=search]").focus();
}

function beforePrint() {
  const fleet = !address().name;
  document.body.classList.toggle("fleet-printed", fleet);
  const place = document.getElementById("printed");
  place.replaceChildren();
  if (fleet) append(place, [printed()]);
}

const title = document.title;
document.documentElement.classList.add("scripted");
tellAge();
show(false);
window.addEventListener("hashchange", () => show(true));
window.addEventListener("beforeprint", beforePrint);
window.addEventListener("afterprint", () => document.getElementById("printed").replaceChildren());
document.addEventListener("keydown", onkey);
document.querySelector(".jump").addEventListener("click", (event) => { event.preventDefault(); content.focus(); });
