// The events sent so far, the latest first, each with what was decided. One of them is shown in full and has an address.

import { ask } from "../api.js";
import { calm, fill, h, said, visible } from "../element.js";
import { t, tOr } from "../preferences.js";
import { moment } from "../times.js";
import { added, meaning, outcomeOf, tallyText, VERDICTS, verdictChip } from "../verdicts.js";
import { Story } from "./story.js";

const LISTED = 60;
const LOOKS_PER_SECOND = 4;
const FINISHED = new Set(["returned", "raised", "not_started"]);
const ADDRESS = /^#event\/(\d{1,9})$/;

export const addressOf = (number) => `#event/${number}`;

export class Events {
  #known = new Map();
  #open = new Set(); // storms and batches that are unfolded
  #chosen = 0;
  #looking = false;
  #again = false;

  constructor({ nameOf, fail }) {
    this.nameOf = nameOf;
    this.list = h("ol", { className: "events", onkeydown: (event) => this.#move(event) });
    this.more = h("p", { className: "hint" });
    this.verdict = h("select", { id: "verdict-filter", onchange: () => this.#draw() });
    this.instance = h("input", { id: "instance-filter", type: "search", autocomplete: "off", oninput: calm(100, () => this.#draw()) });
    this.filters = h("p", { className: "row filters" }, this.verdict, this.instance);
    this.story = new Story({ nameOf, fail, sent: (number) => this.choose(number) });
    this.heading = h("h2", { id: "events-title" });
    this.element = h("section", { className: "panel story-panel", "aria-labelledby": "events-title" },
      h("div", { className: "panel-head" }, this.heading), this.filters, this.list, this.more, this.story.element);
  }

  get empty() {
    return !this.#known.size;
  }

  replace(summaries) {
    const forgotten = this.#known.size && !summaries.length; // a reset: the address names an event that is gone for good
    if (forgotten && addressed()) history.replaceState(null, "", "#live");
    this.#known = new Map(summaries.map((one) => [one.number, one]));
    this.#chosen = addressed() || (summaries.at(-1)?.number ?? 0);
    this.#draw();
    if (this.#known.has(this.#chosen)) this.#look();
    else if (this.#chosen) this.story.show(null, t("gone"));
  }

  update(summaries) {
    for (const one of summaries) this.#known.set(one.number, one);
    this.#draw();
    if (summaries.some((one) => one.number === this.#chosen)) this.#look();
  }

  // Shows an event, whose address is then that of the page.
  choose(number) {
    if (!number) return;
    if (location.hash === addressOf(number)) this.#show(number);
    else location.hash = addressOf(number); // followAddress comes of it
  }

  followAddress() {
    const number = addressed();
    if (number && number !== this.#chosen) this.#show(number);
  }

  translate() {
    this.heading.textContent = t("events");
    this.instance.placeholder = t("filter_events");
    this.instance.setAttribute("aria-label", t("filter_events"));
    this.verdict.setAttribute("aria-label", t("filter_verdict"));
    this.#draw();
    this.story.draw();
  }

  #show(number) {
    this.#chosen = number;
    this.#draw();
    this.#look();
  }

  #draw() {
    this.#offerVerdicts();
    const entries = folded([...this.#known.values()].filter((one) => this.#wanted(one)));
    const focused = this.list.contains(document.activeElement) ? document.activeElement.dataset.key : "";
    fill(this.list, ...entries.slice(0, LISTED).map((entry) => this.#entry(entry)));
    if (!this.list.querySelector("button[tabindex='0']")) this.list.querySelector("button")?.setAttribute("tabindex", "0");
    this.more.textContent = !entries.length && this.#known.size ? t("no_event_found")
      : entries.length > LISTED ? t("more_events", { n: entries.length - LISTED }) : "";
    this.list.hidden = !entries.length;
    this.filters.hidden = !this.#known.size;
    if (focused) this.list.querySelector(`[data-key="${focused}"]`)?.focus();
    if (!this.#known.size && !this.#chosen) this.story.show(null);
  }

  // The verdicts and codes that there are; what was chosen stays chosen.
  #offerVerdicts() {
    const codes = new Set();
    for (const one of this.#known.values()) for (const { code } of one.decisions) codes.add(code);
    const offered = [...codes].sort().join();
    if (this.verdict.dataset.offered === `${document.documentElement.lang} ${offered}`) return;
    this.verdict.dataset.offered = `${document.documentElement.lang} ${offered}`;
    const chosen = this.verdict.value;
    fill(this.verdict, h("option", { value: "" }, t("all_verdicts")),
      VERDICTS.map((one) => h("option", { value: one }, t(`verdict_${one}`))),
      h("optgroup", { label: t("code") }, [...codes].sort().map((code) => h("option", { value: `code ${code}` },
        outcomeOf(code) ? `${code} – ${meaning(code)}` : visible(code)))));
    this.verdict.value = chosen;
  }

  #wanted(one) {
    const [kind, code] = this.verdict.value.split(" ");
    const words = this.instance.value.toLowerCase().split(/\s+/).filter(Boolean);
    const named = (id) => words.every((word) => `${id} ${this.nameOf(id)}`.toLowerCase().includes(word));
    const decided = one.decisions.filter(({ instance_id: id }) => !words.length || named(id));
    if (kind && !decided.some((decision) => (code ? decision.code === code : decision.verdict === kind))) return false;
    return !words.length || decided.length > 0 || one.targets.some(named);
  }

  #entry({ key, members }) {
    const [first] = members;
    if (members.length > 1 || first.group) return this.#storm(key, members);
    return first.decisions.length > 1 ? this.#batch(first) : h("li", {}, this.#row(first));
  }

  #storm(key, members) {
    const open = this.#open.has(key);
    const done = members.filter((one) => FINISHED.has(one.status)).length;
    const told = tallyText(added(members.map((one) => one.tally)));
    const going = done < members.length;
    return h("li", { className: "fold" },
      h("button", { type: "button", "aria-expanded": String(open), dataset: { key, current: String(members.some((one) => one.number === this.#chosen)) },
        tabIndex: -1, onclick: () => this.#toggle(key) },
        h("span", { className: "title" }, t("storm_of", { n: members.length })),
        going ? h("progress", { max: members.length, value: done, "aria-label": t("progress", { n: done, of: members.length }) }) : null,
        h("span", { className: "tally", role: going ? null : "status" }, going ? `${t("progress", { n: done, of: members.length })}${told ? ` · ${told}` : ""}` : told),
        moment(members.at(-1).received)),
      open ? h("ol", { className: "inside" }, members.map((one) => h("li", {}, this.#row(one)))) : null);
  }

  #batch(one) {
    const key = `batch-${one.number}`;
    const open = this.#open.has(key);
    return h("li", { className: "fold" },
      this.#row(one, { "aria-expanded": String(open), onclick: () => { this.#toggle(key); this.choose(one.number); } }),
      open ? h("ol", { className: "inside" }, one.decisions.map((decision) => h("li", { className: "decision" },
        said(this.nameOf(decision.instance_id) || "·", "title"), verdictChip(decision)))) : null);
  }

  #row(one, more = {}) {
    const ids = one.decisions.length ? one.decisions.map((decision) => decision.instance_id).filter(Boolean) : one.targets;
    const current = one.number === this.#chosen;
    return h("button", { type: "button", "aria-current": current ? "true" : null, tabIndex: current ? 0 : -1,
      dataset: { key: String(one.number), number: one.number }, title: visible(one.title), onclick: () => this.choose(one.number), ...more },
      h("span", { className: "number" }, `#${one.number}`),
      h("span", { className: "title" }, ids.length ? said(this.nameOf(ids[0]), "name") : null, ids.length > 1 ? ` +${ids.length - 1}` : null,
        ids.length ? " " : null, said(one.title, "soft")),
      one.again_of ? h("span", { className: "mark" }, `↻ #${one.again_of}`) : null,
      Object.keys(one.settings).length ? h("span", { className: "mark" }, t("own_settings")) : null,
      one.dry_run ? h("span", { className: "chip", dataset: { verdict: "dry_run" } }, t("dry_run")) : null,
      this.#verdict(one), moment(one.received));
  }

  #verdict(one) {
    if (one.decisions.length === 1) return verdictChip(one.decisions[0]);
    if (new Set(one.decisions.map(({ code }) => code)).size === 1) return [verdictChip(one.decisions[0]), h("span", { className: "soft" }, `×${one.decisions.length}`)];
    if (one.decisions.length > 1) return h("span", { className: "tally" }, tallyText(one.tally));
    const state = one.outcome || one.status;
    return h("span", { className: "chip", dataset: { state } }, tOr(state, state));
  }

  #toggle(key) {
    if (!this.#open.delete(key)) this.#open.add(key);
    this.#draw();
  }

  // One look at a time, and not more often than is worth it while things move fast.
  async #look() {
    if (this.#looking) {
      this.#again = true;
      return;
    }
    if (!this.#chosen) return;
    this.#looking = true;
    const number = this.#chosen;
    try {
      this.story.show(await ask(`event?number=${number}`));
    } catch {
      this.story.show(null, t("gone"));
    }
    await new Promise((resolve) => setTimeout(resolve, number === this.#chosen ? 1000 / LOOKS_PER_SECOND : 0));
    this.#looking = false;
    if (this.#again || number !== this.#chosen) {
      this.#again = false;
      this.#look();
    }
  }

  #move(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const buttons = [...this.list.querySelectorAll("button")];
    const next = buttons[buttons.indexOf(document.activeElement) + step];
    if (!next) return;
    next.focus();
    if (next.dataset.number) this.choose(Number(next.dataset.number));
  }
}

function addressed() {
  return Number(ADDRESS.exec(location.hash)?.[1] ?? 0);
}

// The latest first; the events of one storm make one entry, at the place of its latest.
function folded(events) {
  const entries = new Map();
  for (const one of events.sort((some, other) => other.number - some.number)) {
    const key = one.group || String(one.number);
    if (!entries.has(key)) entries.set(key, { key, members: [] });
    entries.get(key).members.push(one);
  }
  return [...entries.values()];
}
