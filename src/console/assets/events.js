// The events sent so far, the latest first; one of them is shown in full.

import { ask } from "./api.js";
import { fill, h, said } from "./element.js";
import { t, tOr } from "./preferences.js";
import { Story } from "./story.js";

const LISTED = 60;
const LOOKS_PER_SECOND = 4;

export class Events {
  #known = new Map();
  #chosen = 0;
  #looking = false;
  #again = false;

  constructor({ nameOf }) {
    this.list = h("ol", { className: "events", onkeydown: (event) => this.#move(event) });
    this.more = h("p", { className: "hint" });
    this.story = new Story(nameOf);
    this.heading = h("h2", { id: "events-title" });
    this.element = h("section", { className: "panel story-panel", "aria-labelledby": "events-title" },
      h("div", { className: "panel-head" }, this.heading), this.list, this.more, this.story.element);
  }

  replace(summaries) {
    this.#known = new Map(summaries.map((one) => [one.number, one]));
    this.#chosen = summaries.at(-1)?.number ?? 0;
    this.#draw();
    this.#look();
  }

  update(summaries) {
    for (const one of summaries) this.#known.set(one.number, one);
    this.#draw();
    if (summaries.some((one) => one.number === this.#chosen)) this.#look();
  }

  choose(number) {
    if (!number) return;
    this.#chosen = number;
    this.#draw();
    this.#look();
  }

  translate() {
    this.heading.textContent = t("events");
    this.#draw();
    this.story.draw();
  }

  #draw() {
    const listed = [...this.#known.values()].sort((one, other) => other.number - one.number);
    const focused = this.list.contains(document.activeElement) ? document.activeElement.dataset.number : "";
    fill(this.list, ...listed.slice(0, LISTED).map((one) => this.#row(one)));
    this.more.textContent = listed.length > LISTED ? t("more_events", { n: listed.length - LISTED }) : "";
    this.list.hidden = !listed.length;
    if (focused) this.list.querySelector(`[data-number="${focused}"]`)?.focus();
    if (!listed.length) this.story.show(null);
  }

  #row(one) {
    const state = one.outcome || one.status;
    return h("li", {}, h("button", { type: "button", "aria-current": one.number === this.#chosen ? "true" : null,
      tabIndex: one.number === this.#chosen || !this.#known.has(this.#chosen) ? 0 : -1,
      dataset: { number: one.number }, onclick: () => this.choose(one.number) },
      h("span", { className: "number" }, `#${one.number}`), said(one.title, "title"),
      one.dry_run ? h("span", { className: "chip" }, t("dry_run")) : null,
      h("span", { className: "codes" }, said(one.codes.slice(0, 3).join(", "))),
      h("span", { className: "chip", dataset: { state } }, tOr(state, state))));
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
    this.choose(Number(next.dataset.number));
  }
}
