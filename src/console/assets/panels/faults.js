// Faults as switches.

import { admin, ask } from "../api.js";
import { fill, h, said } from "../element.js";
import { t, tOr } from "../preferences.js";

export class Faults {
  #state = { switches: [], others: [] };

  constructor({ fail }) {
    this.fail = fail;
    this.element = h("section", { className: "panel faults", "aria-labelledby": "faults-title" });
  }

  show(state) {
    this.#state = state;
    this.translate();
  }

  translate() {
    const focused = document.activeElement?.dataset?.fault;
    fill(this.element,
      h("div", { className: "panel-head" }, h("h2", { id: "faults-title" }, t("break"))),
      h("div", { className: "switches" }, this.#state.switches.map((one) => this.#switch(one))),
      this.#state.others.length ? h("h3", {}, t("other_faults")) : null,
      this.#state.others.map((one) => this.#other(one)));
    if (focused) this.element.querySelector(`[data-fault="${focused}"]`)?.focus();
  }

  #switch({ name, on, applied }) {
    return h("button", { type: "button", role: "switch", className: "switch", "aria-checked": String(on), dataset: { fault: name },
      onclick: () => this.#turn(name, !on) },
      h("span", { className: "knob", "aria-hidden": "true" }),
      h("span", { className: "switch-name" }, tOr(name, name), applied ? h("small", { className: "hits" }, t("applied", { n: applied })) : null),
      h("small", { className: "why" }, tOr(`${name}_why`, "")));
  }

  #other({ number, met, applied, ...fault }) {
    return h("p", { className: "other" }, said(JSON.stringify(fault), "code"), " ", t("applied", { n: applied }), " ",
      h("button", { type: "button", onclick: () => this.#withdraw(number) }, t("withdraw")));
  }

  async #turn(name, on) {
    try {
      this.show(await ask("switches", { name, on }));
    } catch (error) {
      this.fail(error);
    }
  }

  async #withdraw(number) {
    try {
      await admin("DELETE", `faults?number=${number}`);
    } catch (error) {
      this.fail(error);
    }
  }
}
