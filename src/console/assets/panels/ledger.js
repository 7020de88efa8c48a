// The ledger: what was done to which instance, as its tags or the rows of its table say it.

import { ask } from "../api.js";
import { calm, fill, h, prose, said, visible } from "../element.js";
import { t } from "../preferences.js";
import { clock, moment } from "../times.js";

export class Ledger {
  #rows = [];
  #store = "tags"; // where it is: tags, tablestore, or missing

  constructor({ nameOf, sent, fail }) {
    this.nameOf = nameOf;
    this.sent = sent;
    this.fail = fail;
    this.refresh = calm(300, () => this.#look());
    this.element = h("section", { className: "panel ledger", "aria-labelledby": "ledger-title" });
  }

  translate() {
    fill(this.element,
      h("div", { className: "panel-head" }, h("h2", { id: "ledger-title" }, t("ledger"))),
      h("p", { className: "hint" }, prose(t(`ledger_in_${this.#store}`))),
      this.#rows.length
        ? h("div", { className: "scroll", tabIndex: 0, role: "group", "aria-labelledby": "ledger-title" }, h("table", {},
          h("thead", {}, h("tr", {}, ["instance", "entry_state", "attempts", "cooldown_until"].map((one) => h("th", { scope: "col" }, t(one))), h("td", {}))),
          h("tbody", {}, this.#rows.map((one) => this.#row(one)))))
        : h("p", { className: "nothing" }, t("no_entries"), " ", h("a", { href: "#live" }, t("to_live"))));
  }

  #row(one) {
    const name = this.nameOf(one.instance_id);
    return h("tr", {},
      h("td", {}, said(name, "name"), h("br", {}), said(one.instance_id, "id")),
      h("td", { title: visible(one.entry) }, t(`entry_${one.state}`), one.force ? [" ", h("span", { className: "mark" }, t("field_force"))] : null, " ", one.at ? moment(one.at) : null),
      h("td", {}, String(one.attempts.length), one.exhausted ? [" ", h("span", { className: "mark fault" }, t("exhausted"))] : null),
      h("td", {}, one.cooldown_until ? t("until", { time: clock(one.cooldown_until) }) : "–"),
      h("td", {}, h("button", { type: "button", "aria-label": t("reset_entry_of", { name: visible(name) }), onclick: () => this.#reset(one) }, t("reset_entry"))));
  }

  // As a person does it: a request by hand, with a reason.
  async #reset({ instance_id: id, region }) {
    try {
      const event = JSON.stringify({ reset: [id], region_id: region, reason: "reset at the console" }, null, 2);
      const { number } = await ask("events", { title: "reset", event, dry_run: false });
      this.sent(number);
    } catch (error) {
      this.fail(error);
    }
  }

  async #look() {
    try {
      const { rows, store } = await ask("ledger");
      this.#rows = rows;
      this.#store = store;
    } catch (error) {
      this.fail(error);
    }
    this.translate();
  }
}
