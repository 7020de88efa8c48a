// A list of tiles by region, of which only those in view are on the page: thousands of instances stay quick.

import { fill, h, said, visible } from "../element.js";
import { t } from "../preferences.js";

const NARROWEST = 160; // a status and the longest badge beside it
const HEIGHT = 56;
const GAP = 6;
const BEYOND = 200; // pixels above and below the view that are made too

export class FleetList {
  #groups = new Map(); // region ID -> {element, grid, title, gauge, instances}
  #tiles = new Map(); // instance ID -> {instance, tile}, those that are on the page
  #instances = new Map(); // instance ID -> {region, place}, those that are listed
  #standing = new Map(); // region ID -> its blast radius
  #columns = 1;
  #current = ""; // the one tile that Tab reaches
  #pressed = "";
  #waiting = false;

  // `dress` fills a tile with what an instance shows; `pick` gets the one that was chosen.
  constructor({ dress, pick }) {
    this.dress = dress;
    this.pick = pick;
    this.element = h("div", { className: "regions", onkeydown: (event) => this.#move(event), onscroll: () => this.#soon() });
    new ResizeObserver(() => this.#layOut()).observe(this.element);
  }

  // Lists these instances, in the order of their regions.
  show(instances) {
    const byRegion = new Map();
    for (const one of instances) {
      if (!byRegion.has(one.region)) byRegion.set(one.region, []);
      byRegion.get(one.region).push(one);
    }
    this.#instances.clear();
    for (const [region, members] of byRegion) members.forEach((one, place) => this.#instances.set(one.id, { region, place }));
    for (const [region, members] of byRegion) this.#group(region).instances = members;
    for (const region of [...this.#groups.keys()]) if (!byRegion.has(region)) this.#remove(region);
    const elements = [...this.#groups.values()].map(({ element }) => element);
    if (elements.some((one, place) => this.element.children[place] !== one)) this.element.replaceChildren(...elements);
    if (!this.#instances.has(this.#current)) this.#current = instances[0]?.id ?? "";
    for (const region of byRegion.keys()) this.#title(region);
    this.#layOut();
  }

  // Shows an instance as it is now; it stays at its place.
  change(instance) {
    const listed = this.#instances.get(instance.id);
    if (!listed) return;
    this.#groups.get(listed.region).instances[listed.place] = instance;
    const known = this.#tiles.get(instance.id);
    if (!known) return;
    known.instance = instance;
    this.dress(known.tile, instance);
  }

  press(id) {
    const before = this.#tiles.get(this.#pressed);
    this.#pressed = id;
    for (const known of [before, this.#tiles.get(id)]) {
      known?.tile.setAttribute("aria-pressed", String(known.instance.id === id));
    }
  }

  showRegions(standing) {
    this.#standing = new Map(standing.map((one) => [one.region, one]));
    for (const region of this.#groups.keys()) this.#gauge(region);
  }

  translate() {
    for (const { tile, instance } of this.#tiles.values()) this.dress(tile, instance);
    for (const region of this.#groups.keys()) this.#title(region);
  }

  #group(region) {
    if (!this.#groups.has(region)) {
      const gauge = h("span", { className: "gauge" });
      const count = h("small", {});
      const grid = h("div", { className: "tiles", role: "group", "aria-label": visible(region) });
      const element = h("div", { className: "region" }, h("h3", {}, said(region), " ", count, gauge), grid);
      this.#groups.set(region, { element, grid, count, gauge, instances: [] });
    }
    return this.#groups.get(region);
  }

  #remove(region) {
    this.#groups.get(region).element.remove();
    for (const { id } of this.#groups.get(region).instances) if (!this.#instances.has(id)) this.#tiles.delete(id);
    this.#groups.delete(region);
  }

  #title(region) {
    const { count, instances } = this.#groups.get(region);
    count.textContent = t(instances.length === 1 ? "instance_1" : "instances", { n: instances.length });
    this.#gauge(region);
  }

  // How much of the blast radius is used.
  #gauge(region) {
    const { gauge } = this.#groups.get(region);
    const one = this.#standing.get(region);
    if (!one) {
      fill(gauge);
      return;
    }
    const minutes = Math.round(one.window_seconds / 60);
    const text = one.limit === null ? t("gauge_off", { n: one.rebooted, minutes }) : t("gauge", { n: one.rebooted, limit: one.limit, minutes });
    fill(gauge, one.limit === null ? null : h("meter", { min: 0, max: one.limit, value: Math.min(one.rebooted, one.limit),
      high: one.limit - 0.5, optimum: 0, "aria-label": text }), h("small", {}, text));
  }

  // Gives each region its height. What is in it is made when it comes into view.
  #layOut() {
    const width = this.element.clientWidth;
    if (!width) return; // another view is shown
    this.#columns = Math.max(1, Math.floor((width + GAP) / (NARROWEST + GAP)));
    for (const { grid, instances } of this.#groups.values()) {
      grid.style.height = `${Math.ceil(instances.length / this.#columns) * (HEIGHT + GAP)}px`;
    }
    this.#make();
  }

  #soon() {
    if (this.#waiting) return;
    this.#waiting = true;
    requestAnimationFrame(() => {
      this.#waiting = false;
      this.#make();
    });
  }

  // Makes the tiles in view, and takes those away that are not. A tile that stays is not touched.
  #make() {
    const { scrollTop, clientHeight, clientWidth } = this.element;
    const width = (clientWidth - 4 - GAP * (this.#columns - 1)) / this.#columns;
    const wanted = new Set();
    for (const { grid, instances } of this.#groups.values()) {
      const above = scrollTop - grid.offsetTop;
      const first = Math.max(0, Math.floor((above - BEYOND) / (HEIGHT + GAP))) * this.#columns;
      const last = Math.ceil((above + clientHeight + BEYOND) / (HEIGHT + GAP)) * this.#columns;
      for (let place = first; place < Math.min(last, instances.length); place += 1) {
        wanted.add(instances[place].id);
        const tile = this.#tile(instances[place]);
        tile.style.width = `${width}px`;
        tile.style.left = `${(place % this.#columns) * (width + GAP)}px`;
        tile.style.top = `${Math.floor(place / this.#columns) * (HEIGHT + GAP)}px`;
        const before = grid.children[place - first];
        if (before !== tile) grid.insertBefore(tile, before ?? null);
      }
    }
    for (const [id, { tile }] of this.#tiles) {
      // What has the focus keeps it, also out of view.
      if (wanted.has(id) || (tile === document.activeElement && this.#instances.has(id))) continue;
      tile.remove();
      this.#tiles.delete(id);
    }
  }

  #tile(instance) {
    const known = this.#tiles.get(instance.id);
    if (known) {
      if (known.instance !== instance) {
        known.instance = instance;
        this.dress(known.tile, instance);
      }
      return known.tile;
    }
    const { id } = instance;
    const tile = h("button", { type: "button", className: "tile", "aria-pressed": String(id === this.#pressed),
      tabIndex: id === this.#current ? 0 : -1, onclick: () => { this.#focusable(id); this.pick(id); } });
    tile.style.height = `${HEIGHT}px`;
    this.#tiles.set(id, { instance, tile });
    this.dress(tile, instance);
    return tile;
  }

  #focusable(id) {
    const before = this.#tiles.get(this.#current);
    if (before) before.tile.tabIndex = -1;
    this.#current = id;
    const now = this.#tiles.get(id);
    if (now) now.tile.tabIndex = 0;
  }

  #move(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: "down", ArrowUp: "up", Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined || !event.target.classList.contains("tile")) return;
    event.preventDefault();
    const all = [...this.#groups.values()].flatMap(({ instances }) => instances);
    const here = all.findIndex((one) => one.id === this.#current);
    const next = typeof step === "number" ? all[Math.min(Math.max(here + step, 0), all.length - 1)] : this.#vertical(all[here], step);
    if (!next) return;
    const { region, place } = this.#instances.get(next.id);
    const top = this.#groups.get(region).grid.offsetTop + Math.floor(place / this.#columns) * (HEIGHT + GAP);
    const { scrollTop, clientHeight } = this.element;
    if (top < scrollTop) this.element.scrollTop = top - HEIGHT;
    else if (top + HEIGHT > scrollTop + clientHeight) this.element.scrollTop = top + 2 * HEIGHT - clientHeight;
    this.#make();
    this.#focusable(next.id);
    this.#tiles.get(next.id).tile.focus({ preventScroll: true });
  }

  // The instance below or above, in the next region where this one ends.
  #vertical(from, way) {
    const { region, place } = this.#instances.get(from.id);
    const column = place % this.#columns;
    const step = way === "down" ? this.#columns : -this.#columns;
    const { instances } = this.#groups.get(region);
    if (instances[place + step]) return instances[place + step];
    const lastRow = Math.floor((instances.length - 1) / this.#columns);
    if (way === "down" && Math.floor(place / this.#columns) < lastRow) return instances.at(-1);
    const regions = [...this.#groups.keys()];
    const other = this.#groups.get(regions[regions.indexOf(region) + (way === "down" ? 1 : -1)])?.instances;
    if (!other) return null;
    if (way === "down") return other[Math.min(column, other.length - 1)];
    const row = Math.floor((other.length - 1) / this.#columns) * this.#columns;
    return other[Math.min(row + column, other.length - 1)];
  }
}
