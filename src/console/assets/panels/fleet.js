// The fleet: how many instances stand how, those that are looked for, and the one that was chosen.

import { calm, fill, h, said, visible } from "../element.js";
import { t, tInAll } from "../preferences.js";
import { FleetList } from "./fleet_list.js";

const OPTED_IN = "ecs-reboot";
const TAIL = 6; // letters at the end of a long name that are always shown
const SHORT = 14; // letters that need no cut

// What a tile says beside the status.
const BADGES = {
  locked: (one) => one.locks.length > 0,
  not_opted_in: (one) => one.tags[OPTED_IN] !== "enabled",
  hidden: (one) => !one.visible,
};

export class Fleet {
  #instances = new Map(); // instance ID -> instance
  #chosen = "";
  #only = new Map([["status", ""], ["badge", ""]]); // what is looked for beside the text

  constructor({ choose, fire, announce }) {
    this.choose = choose;
    this.announce = announce;
    this.fire = fire;
    this.heading = h("h2", { id: "fleet-title" });
    this.counts = h("p", { className: "counts", role: "group" });
    this.filter = h("input", { type: "search", oninput: calm(100, () => this.#list()) });
    this.found = h("p", { className: "hint", role: "status" });
    this.list = new FleetList({ dress, pick: (id) => this.pick(id) });
    this.details = h("div", { className: "chosen" });
    this.element = h("section", { className: "panel fleet", "aria-labelledby": "fleet-title" },
      h("div", { className: "panel-head" }, this.heading, this.counts, this.filter), this.found, this.list.element, this.details);
  }

  get chosen() {
    return this.#instances.get(this.#chosen);
  }

  replace(instances) {
    this.#instances = new Map(instances.map((one) => [one.id, one]));
    this.#list();
    this.#showCounts();
    this.#showChosen();
  }

  update(instances) {
    let moved = false;
    for (const instance of instances) {
      const before = this.#instances.get(instance.id);
      if (before && before.status !== instance.status && instances.length <= 20) {
        this.announce(t("changed", { name: visible(instance.name || instance.id), status: t(instance.status) }));
      }
      moved ||= !before || this.#wanted(before) !== this.#wanted(instance);
      this.#instances.set(instance.id, instance);
      this.list.change(instance);
    }
    if (moved) this.#list();
    this.#showCounts();
    if (instances.some((one) => one.id === this.#chosen)) this.#showChosen();
  }

  translate() {
    this.heading.textContent = t("fleet");
    this.filter.placeholder = t("filter");
    this.filter.setAttribute("aria-label", t("filter"));
    this.counts.setAttribute("aria-label", t("filter_counts"));
    this.list.translate();
    this.#list();
    this.#showCounts();
    this.#showChosen();
  }

  showRegions(standing) {
    this.list.showRegions(standing);
  }

  pick(id) {
    this.#chosen = id === this.#chosen ? "" : id;
    this.list.press(this.#chosen);
    this.#showChosen();
    this.choose(this.chosen);
  }

  #list() {
    const wanted = [...this.#instances.values()].filter((one) => this.#wanted(one));
    this.list.show(wanted);
    const looked = this.filter.value.trim() || this.#only.get("status") || this.#only.get("badge");
    this.found.textContent = looked ? t("instances_found", { n: wanted.length, of: this.#instances.size }) : "";
  }

  // Words of either language: whoever knows the console in one may look with the words of the other.
  #wanted(one) {
    const status = this.#only.get("status");
    const badge = this.#only.get("badge");
    if ((status && one.status !== status) || (badge && !BADGES[badge](one))) return false;
    const words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) return true;
    const tags = Object.entries(one.tags).map(([key, value]) => `${key}=${value}`);
    const badges = badgesOf(one).flatMap(tInAll);
    const text = [one.name, one.id, one.region, one.status, ...tInAll(one.status), ...tags, ...badges].join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  }

  // How many there are of each status and badge; each count is a button that shows these alone.
  #showCounts() {
    const statuses = new Map();
    const badges = new Map();
    for (const one of this.#instances.values()) {
      statuses.set(one.status, (statuses.get(one.status) ?? 0) + 1);
      for (const badge of badgesOf(one)) badges.set(badge, (badges.get(badge) ?? 0) + 1);
    }
    for (const [kind, there] of [["status", statuses], ["badge", badges]]) {
      const only = this.#only.get(kind);
      if (only && !there.has(only)) there.set(only, 0);
    }
    const focused = this.counts.contains(document.activeElement) ? document.activeElement.dataset.key : "";
    fill(this.counts, [...statuses].map(([one, n]) => this.#count("status", one, n)), [...badges].map(([one, n]) => this.#count("badge", one, n)));
    if (focused) this.counts.querySelector(`[data-key="${focused}"]`)?.focus();
  }

  #count(kind, one, n) {
    return h("button", { type: "button", className: "count", dataset: { key: one, [kind]: one }, "aria-pressed": String(this.#only.get(kind) === one),
      onclick: () => {
        this.#only.set(kind, this.#only.get(kind) === one ? "" : one);
        this.#list();
        this.#showCounts();
      } }, `${n} ${t(one)}`);
  }

  #showChosen() {
    const instance = this.chosen;
    if (!instance) {
      fill(this.details, h("p", { className: "hint" }, t("fleet_hint")));
      return;
    }
    const tags = Object.entries(instance.tags).map(([key, value]) => h("li", {}, said(`${key}=${value}`)));
    const name = visible(instance.name || instance.id);
    fill(this.details,
      h("p", {}, h("strong", {}, said(name)), " ", said(instance.id, "id"), " ",
        h("span", { className: "chip", dataset: { status: instance.status } }, t(instance.status))),
      h("ul", { className: "tags", "aria-label": t("tags") }, tags,
        instance.locks.map((lock) => h("li", { className: "locked" }, `${t("locks")}: ${lock}`))),
      h("p", { className: "actions" },
        h("button", { type: "button", className: "primary", "aria-label": t("fire_alarm_at", { name }),
          onclick: () => this.fire(instance) }, t("fire_alarm")),
        h("button", { type: "button", onclick: () => this.pick(instance.id) }, t("unchoose"))));
  }
}

function badgesOf(instance) {
  return Object.keys(BADGES).filter((badge) => BADGES[badge](instance));
}

function dress(tile, instance) {
  const badges = badgesOf(instance);
  tile.dataset.status = instance.status;
  const words = [instance.name || instance.id, instance.id, t(instance.status), ...badges.map((badge) => t(badge))];
  tile.title = visible(words.filter(Boolean).join(" · "));
  tile.setAttribute("aria-label", tile.title);
  fill(tile, cut(visible(instance.name || instance.id)),
    h("span", { className: "below" }, h("span", { className: "status" }, t(instance.status)),
      badges.map((badge) => h("span", { className: "mark", dataset: { badge } }, t(badge)))));
}

// A name that is too long loses its middle: what tells instances apart stands at its end.
function cut(name) {
  if (name.length <= SHORT) return said(name, "name");
  return h("bdi", { className: "name cut" }, h("span", { className: "front" }, name.slice(0, -TAIL)), h("span", {}, name.slice(-TAIL)));
}
