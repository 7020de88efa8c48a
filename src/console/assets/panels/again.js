// Running a kept event once more: as it is, or under settings that hold for that run alone.

import { ask } from "../api.js";
import { fill, h, visible } from "../element.js";
import { t } from "../preferences.js";

export class Again {
  #number = 0;

  constructor({ sent, fail }) {
    this.sent = sent;
    this.fail = fail;
    this.settings = h("textarea", { id: "again-settings", rows: 3, spellcheck: "false", autocomplete: "off", placeholder: "GRACE_SECONDS=0", dir: "ltr" });
    this.dryRun = h("input", { id: "again-dry-run", type: "checkbox" });
    this.problem = h("p", { className: "error", role: "alert" });
    this.form = h("form", { className: "again-form", hidden: true, onsubmit: (event) => { event.preventDefault(); this.#run(true); } });
    this.toggle = h("button", { type: "button", "aria-expanded": "false", onclick: () => this.#open(this.form.hasAttribute("hidden")) });
    this.same = h("button", { type: "button", onclick: () => this.#run(false) });
    this.element = h("div", { className: "again" });
  }

  show(told) {
    if (told.number !== this.#number) {
      this.#number = told.number;
      this.settings.value = Object.entries(told.settings).map(([name, value]) => `${name}=${value}`).join("\n");
      this.dryRun.checked = told.dry_run;
      this.#open(false);
    }
    this.same.textContent = t("again");
    this.toggle.textContent = t("again_otherwise");
    fill(this.form, h("label", { htmlFor: "again-settings" }, t("again_settings")), this.settings,
      h("label", {}, this.dryRun, " ", t("dry_run")), this.problem, h("button", { type: "submit" }, t("again_run")));
    fill(this.element, h("p", { className: "actions" }, this.same, this.toggle), this.form);
    return this.element;
  }

  #open(open) {
    this.form.toggleAttribute("hidden", !open);
    this.toggle.setAttribute("aria-expanded", String(open));
    this.problem.textContent = "";
    if (open) this.settings.focus();
  }

  async #run(otherwise) {
    const lines = this.settings.value.split("\n").map((line) => line.trim()).filter(Boolean);
    const settings = Object.fromEntries(lines.map((line) => [line.split("=")[0].trim(), line.split("=").slice(1).join("=")]));
    try {
      const { number, mistakes } = await ask("again", otherwise ? { number: this.#number, settings, dry_run: this.dryRun.checked } : { number: this.#number });
      if (mistakes) this.problem.textContent = mistakes.map((one) => visible(`${one.variable}=${one.value}: ${one.remedy}`)).join("; ");
      else this.sent(number);
    } catch (error) {
      if (otherwise) this.problem.textContent = visible(error.message);
      else this.fail(error);
    }
  }
}
