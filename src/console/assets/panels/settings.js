// The function's variables, checked by the function's own rules as they are typed.

import { ask } from "../api.js";
import { calm, fill, h, prose, said, visible } from "../element.js";
import { chosenLanguage, t, tOr } from "../preferences.js";

export class Settings {
  #told = { groups: [], fixed: {} };
  #typed = new Map(); // name -> text, where it differs from what is in force
  #others = "";
  #inputs = new Map(); // name -> {input, message}
  #asked = 0; // only the answer to the latest question counts
  #outcome = null; // [message, count of mistakes]

  constructor({ fail }) {
    this.fail = fail;
    this.check = calm(200, () => this.#post(false));
    this.result = h("p", { role: "status" });
    this.element = h("section", { className: "panel settings", "aria-labelledby": "settings-title" });
  }

  show(told) {
    this.#told = told;
    this.translate();
  }

  translate() {
    const focused = this.element.contains(document.activeElement) ? document.activeElement.id : "";
    this.#inputs.clear();
    this.#showOutcome();
    const others = h("textarea", { id: "others", rows: 2, spellcheck: "false", value: this.#others,
      oninput: () => { this.#others = others.value; this.check(); } });
    const message = h("p", { className: "error", id: "others-message" });
    this.#inputs.set("", { input: others, message });
    fill(this.element,
      h("div", { className: "panel-head" }, h("h2", { id: "settings-title" }, t("settings"))),
      h("p", { className: "hint" }, t("settings_hint")),
      h("form", { onsubmit: (event) => { event.preventDefault(); this.#post(true); } },
        h("div", { className: "bar" }, h("button", { type: "submit", className: "primary" }, t("apply")),
          h("button", { type: "button", onclick: () => this.#reset() }, t("back")),
          h("button", { type: "button", onclick: () => this.#defaults() }, t("to_defaults")), this.result),
        this.#told.groups.map((group) => h("fieldset", {}, h("legend", {}, group[chosenLanguage()]),
          h("div", { className: "variables" }, group.fields.map((one) => this.#field(one))))),
        h("div", { className: "variable" }, h("label", { htmlFor: "others" }, t("other_variables")), others, message)),
      h("h3", {}, t("fixed_variables")),
      h("dl", { className: "record" }, Object.entries(this.#told.fixed).map(([name, value]) => [h("dt", {}, h("code", {}, name)), h("dd", {}, said(value, "code"))])));
    if (focused) document.getElementById(focused)?.focus();
  }

  #showOutcome() {
    const [message, mistakes] = this.#outcome ?? ["", 0];
    this.result.className = mistakes ? "error" : "good";
    this.result.textContent = message && t(message, { n: mistakes });
  }

  #field(one) {
    const id = `setting-${one.name}`;
    const message = h("p", { className: "error", id: `${id}-message` });
    const value = this.#typed.get(one.name) ?? one.value;
    const described = { id, "aria-describedby": `${id}-meaning ${id}-message`,
      oninput: () => { this.#typed.set(one.name, input.value); this.check(); } };
    const input = one.choices.length
      ? h("select", described, choices(one, value).map((choice) => h("option", { value: choice, selected: choice === value }, choice)))
      : h("input", { ...described, type: one.secret ? "password" : "text", value,
        placeholder: one.secret && one.set ? t("secret_set") : one.default || t("empty"), autocomplete: "off", spellcheck: "false" });
    this.#inputs.set(one.name, { input, message });
    const english = chosenLanguage() === "en";
    return h("div", { className: "variable", dataset: { changed: String(one.set) } },
      h("label", { htmlFor: id }, h("code", {}, one.name)), input, message,
      h("p", { className: "hint", id: `${id}-meaning`, title: english ? null : one.meaning },
        english ? prose(one.meaning) : tOr(`setting_${one.name}`, one.meaning), " ",
        h("small", {}, t("default_is", { value: one.default || t("empty") }))));
  }

  get #fields() {
    return this.#told.groups.flatMap(({ fields }) => fields);
  }

  #values() {
    const values = Object.fromEntries(this.#fields.map((one) => [one.name, this.#typed.get(one.name) ?? one.value]));
    for (const line of this.#others.split("\n")) {
      const [name, ...rest] = line.split("=");
      if (name.trim()) values[name.trim()] = rest.join("=");
    }
    return values;
  }

  async #post(apply) {
    this.check.cancel();
    const asked = ++this.#asked;
    try {
      const { mistakes } = await ask("settings", { values: this.#values(), apply });
      if (asked !== this.#asked) return;
      this.#mark(mistakes);
      this.#outcome = [mistakes.length ? "mistakes" : apply ? "applied_now" : "all_good", mistakes.length];
      this.#showOutcome();
      if (apply && !mistakes.length) this.#typed.clear();
      if (apply && mistakes.length) (this.#inputs.get(mistakes[0].variable) ?? this.#inputs.get("")).input.focus();
    } catch (error) {
      this.fail(error);
    }
  }

  #mark(mistakes) {
    for (const { input, message } of this.#inputs.values()) {
      input.removeAttribute("aria-invalid");
      message.textContent = "";
    }
    for (const { variable, value, remedy } of mistakes) {
      const known = this.#inputs.has(variable);
      const { input, message } = this.#inputs.get(known ? variable : "");
      input.setAttribute("aria-invalid", "true");
      message.append(visible(known ? remedy : `${variable}=${value}: ${remedy}`), " ");
    }
  }

  #reset() {
    this.#typed.clear();
    this.#others = "";
    this.#outcome = null;
    this.translate();
  }

  #defaults() {
    for (const one of this.#fields) if (!one.secret) this.#typed.set(one.name, one.default);
    this.#others = "";
    this.translate();
    this.check();
  }
}

// What is in force stays a choice, also where it was set in another spelling.
function choices(one, value) {
  return one.choices.includes(value) ? one.choices : [value, ...one.choices];
}
