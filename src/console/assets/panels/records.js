// All records, searched as the log service would.

import { ask } from "../api.js";
import { calm, fill, h, said } from "../element.js";
import { t } from "../preferences.js";
import { moment } from "../times.js";
import { meaning, reasonOf } from "../verdicts.js";

export class Records {
  #told = { count: 0, not_stored: 0, records: [] };
  #error = "";

  constructor({ nameOf }) {
    this.nameOf = nameOf;
    this.refresh = calm(300, () => this.#look());
    this.query = h("input", { id: "query", type: "search", spellcheck: "false", oninput: () => this.refresh() });
    this.summary = h("p", { role: "status" });
    this.table = h("div", { className: "scroll" });
    this.export = h("a", { className: "button", download: "records.jsonl" });
    this.element = h("section", { className: "panel records", "aria-labelledby": "records-title" });
  }

  translate() {
    this.export.textContent = t("export");
    this.query.placeholder = t("search_hint");
    fill(this.element,
      h("div", { className: "panel-head" }, h("h2", { id: "records-title" }, t("records"))),
      h("div", { className: "row" }, h("div", { className: "field grow" }, h("label", { htmlFor: "query" }, t("search")), this.query), this.export),
      this.summary, this.table);
    this.#draw();
  }

  async #look() {
    const query = new URLSearchParams({ query: this.query.value });
    this.export.href = `api/records.jsonl?${query}`;
    try {
      this.#told = await ask(`records?${query}`);
      this.#error = "";
    } catch (error) {
      this.#error = error.message;
    }
    this.#draw();
  }

  #draw() {
    const { count, not_stored: missing, records } = this.#told;
    const told = [t("found", { n: count }), missing ? t("not_stored", { n: missing }) : "", records.length < count ? t("shown_first", { n: records.length }) : ""];
    this.summary.className = this.#error ? "error" : "hint";
    this.summary.textContent = this.#error || told.filter(Boolean).join(" · ");
    if (!records.length) {
      fill(this.table, h("p", { className: "nothing" }, t(this.query.value ? "no_match_of_query" : "no_records_at_all"), " ",
        h("a", { href: "#live" }, t("to_live"))));
      return;
    }
    fill(this.table, h("table", {},
      h("thead", {}, h("tr", {}, ["time", "instance", "action", "code", "reason", "stored"].map((one) => h("th", { scope: "col" }, t(one))))),
      h("tbody", {}, records.map((one) => this.#row(one)))));
  }

  #row(record) {
    return h("tr", {},
      h("td", { className: "at" }, moment(String(record.time))),
      h("td", {}, said(this.nameOf(record.instance_id) || "·", "name"), h("br", {}), said(record.instance_id, "id")),
      h("td", {}, h("span", { className: "chip", dataset: { action: record.action } }, t(`action_${record.action}`))),
      h("td", { title: meaning(record.code) }, said(record.code, "code")), h("td", {}, reasonOf(record.code, record.reason)),
      h("td", {}, h("span", { className: record.stored ? "mark" : "mark fault" }, t(record.stored ? "in_store" : "stdout_only"))));
  }
}
