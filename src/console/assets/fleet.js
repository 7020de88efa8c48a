// The fleet as tiles by region. A tile is made once and then only changed, so that thousands of them stay quick.

import { calm, fill, h, said, visible } from "./element.js";
import { t } from "./preferences.js";

const AT_ONCE = 250; // tiles made in one go; the rest in the frames that follow
const DENSE = 120; // with more instances than this, tiles are small
const OPTED_IN = "ecs-reboot";

export class Fleet {
  #tiles = new Map(); // instance ID -> {instance, tile}
  #regions = new Map(); // region ID -> {grid, title, count}
  #standing = new Map(); // region ID -> its blast radius
  #queue = [];
  #chosen = "";
  #current = ""; // the one tile that Tab reaches

  constructor({ choose, fire, announce }) {
    this.choose = choose;
    this.announce = announce;
    this.heading = h("h2", {});
    this.counts = h("p", { className: "counts" });
    this.filter = h("input", { type: "search", oninput: calm(100, () => this.#filterTiles()) });
    this.body = h("div", { className: "regions", onkeydown: (event) => this.#move(event) });
    this.details = h("div", { className: "chosen" });
    this.fire = fire;
    this.element = h("section", { className: "panel fleet", "aria-labelledby": "fleet-title" },
      h("div", { className: "panel-head" }, this.heading, this.counts, this.filter), this.body, this.details);
    this.heading.id = "fleet-title";
  }

  get chosen() {
    return this.#tiles.get(this.#chosen)?.instance;
  }

  replace(instances) {
    this.#tiles.clear();
    this.#regions.clear();
    this.body.replaceChildren();
    this.body.classList.toggle("dense", instances.length > DENSE);
    this.#queue = [...instances];
    this.#current = instances[0]?.id ?? "";
    this.#makeSome();
    this.#showCounts(instances);
    this.#showChosen();
  }

  update(instances) {
    for (const instance of instances) {
      const known = this.#tiles.get(instance.id);
      if (!known) {
        const waiting = this.#queue.findIndex((one) => one.id === instance.id);
        if (waiting >= 0) this.#queue[waiting] = instance;
        continue;
      }
      if (known.instance.status !== instance.status && instances.length <= 20) {
        this.announce(t("changed", { name: visible(instance.name || instance.id), status: t(instance.status) }));
      }
      known.instance = instance;
      this.#paint(known);
    }
    this.#showCounts();
    if (instances.some((one) => one.id === this.#chosen)) this.#showChosen();
  }

  translate() {
    this.heading.textContent = t("fleet");
    this.filter.placeholder = t("filter");
    this.filter.setAttribute("aria-label", t("filter"));
    for (const known of this.#tiles.values()) this.#paint(known);
    for (const [id, region] of this.#regions) {
      this.#countRegion(region);
      this.#gauge(id, region);
    }
    this.#showCounts();
    this.#showChosen();
  }

  showRegions(standing) {
    this.#standing = new Map(standing.map((one) => [one.region, one]));
    for (const [id, region] of this.#regions) this.#gauge(id, region);
  }

  pick(id) {
    const before = this.#tiles.get(this.#chosen);
    this.#chosen = id === this.#chosen ? "" : id;
    for (const known of [before, this.#tiles.get(this.#chosen)]) {
      known?.tile.setAttribute("aria-pressed", String(known.instance.id === this.#chosen));
    }
    this.#showChosen();
    this.choose(this.chosen);
  }

  #makeSome() {
    const some = this.#queue.splice(0, AT_ONCE);
    const fragments = new Map();
    for (const instance of some) {
      if (!this.#regions.has(instance.region)) this.#makeRegion(instance.region);
      const tile = h("button", { type: "button", className: "tile", "aria-pressed": "false", tabIndex: -1,
        onclick: () => { this.#focusable(instance.id); this.pick(instance.id); } });
      const known = { instance, tile };
      this.#tiles.set(instance.id, known);
      this.#paint(known);
      if (!fragments.has(instance.region)) fragments.set(instance.region, document.createDocumentFragment());
      fragments.get(instance.region).append(tile);
      this.#regions.get(instance.region).count += 1;
    }
    for (const [region, fragment] of fragments) {
      this.#regions.get(region).grid.append(fragment);
      this.#countRegion(this.#regions.get(region));
    }
    this.#focusable(this.#current);
    if (this.#queue.length) requestAnimationFrame(() => this.#makeSome());
    else if (this.filter.value) this.#filterTiles();
  }

  #makeRegion(id) {
    const gauge = h("span", { className: "gauge" });
    const title = h("h3", {}, said(id), " ", h("small", {}), gauge);
    const grid = h("div", { className: "tiles", role: "group", "aria-label": visible(id) });
    this.#regions.set(id, { grid, title, gauge, count: 0 });
    this.#gauge(id, this.#regions.get(id));
    this.body.append(h("div", { className: "region" }, title, grid));
  }

  // How much of the blast radius is used.
  #gauge(id, { gauge }) {
    const one = this.#standing.get(id);
    if (!one) {
      fill(gauge);
      return;
    }
    const minutes = Math.round(one.window_seconds / 60);
    const text = one.limit === null ? t("gauge_off", { n: one.rebooted, minutes }) : t("gauge", { n: one.rebooted, limit: one.limit, minutes });
    fill(gauge, one.limit === null ? null : h("meter", { min: 0, max: one.limit, value: Math.min(one.rebooted, one.limit),
      high: one.limit - 0.5, optimum: 0, "aria-label": text }), h("small", {}, text));
  }

  #countRegion({ title, count }) {
    title.querySelector("small").textContent = t(count === 1 ? "instance_1" : "instances", { n: count });
  }

  #paint({ instance, tile }) {
    tile.dataset.status = instance.status;
    const optedIn = instance.tags[OPTED_IN] === "enabled";
    const marks = [
      instance.locks.length ? h("span", { className: "mark locked" }, t("locked")) : null,
      optedIn ? null : h("span", { className: "mark" }, t("not_opted_in")),
      instance.visible ? null : h("span", { className: "mark" }, t("hidden")),
    ];
    const words = [instance.name || instance.id, instance.id, t(instance.status), ...marks.map((one) => one?.textContent)];
    tile.title = visible(words.filter(Boolean).join(" · "));
    tile.setAttribute("aria-label", tile.title);
    fill(tile, said(instance.name || instance.id, "name"), h("span", { className: "status" }, t(instance.status)),
      h("span", { className: "marks" }, marks));
  }

  #showCounts(instances = [...this.#tiles.values()].map((known) => known.instance).concat(this.#queue)) {
    const counted = new Map();
    for (const { status } of instances) counted.set(status, (counted.get(status) ?? 0) + 1);
    fill(this.counts, ...[...counted].map(([status, count]) =>
      h("span", { className: "count", dataset: { status } }, `${count} ${t(status)}`)));
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

  #focusable(id) {
    const before = this.#tiles.get(this.#current);
    if (before) before.tile.tabIndex = -1;
    this.#current = id;
    const now = this.#tiles.get(id);
    if (now) now.tile.tabIndex = 0;
  }

  #filterTiles() {
    const words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const { instance, tile } of this.#tiles.values()) {
      const tags = Object.entries(instance.tags).map(([key, value]) => `${key}=${value}`).join(" ");
      const text = `${instance.name} ${instance.id} ${instance.status} ${instance.region} ${tags}`.toLowerCase();
      tile.hidden = !words.every((word) => text.includes(word));
    }
  }

  #move(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 0, ArrowUp: 0, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined || !event.target.classList.contains("tile")) return;
    event.preventDefault();
    const tiles = [...this.body.querySelectorAll(".tile:not([hidden])")];
    const here = tiles.indexOf(event.target);
    const next = step === 0 ? this.#vertical(tiles, here, event.key === "ArrowDown") : Math.min(Math.max(here + step, 0), tiles.length - 1);
    const id = [...this.#tiles.values()].find((known) => known.tile === tiles[next])?.instance.id;
    if (!id) return;
    this.#focusable(id);
    tiles[next].focus();
  }

  #vertical(tiles, here, down) {
    const { left, top } = tiles[here].getBoundingClientRect();
    const step = down ? 1 : -1;
    for (let place = here + step; place >= 0 && place < tiles.length; place += step) {
      const box = tiles[place].getBoundingClientRect();
      const beyond = down ? box.top > top : box.top < top;
      if (beyond && (down ? box.left >= left - 1 : box.left <= left + 1)) return place;
    }
    return here;
  }
}
