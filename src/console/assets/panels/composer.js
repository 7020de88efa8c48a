// Writing and sending events: a sample or a text of one's own, aimed at the chosen instance.

import { ask } from "../api.js";
import { fill, h, visible } from "../element.js";
import { t } from "../preferences.js";

// What the samples name.
const SAMPLE_TARGET = { id: "i-bp1a2b3c4d5e6f7g8h9i", region: "cn-hangzhou", name: "web-01" };
const PLAIN_NAME = /^[\w.-]+$/; // means the same in JSON, in a form and in text
export const CPU_ALARM = { folder: "events", name: "alarm-firing.form.txt" };

export class Composer {
  #samples = {};
  #target = null;
  #aimed = SAMPLE_TARGET; // what the text in the editor names
  #edited = false;

  constructor({ sent, fail }) {
    this.sent = sent;
    this.fail = fail;
    this.sample = h("select", { id: "sample", onchange: () => this.#load() });
    this.text = h("textarea", { id: "event-text", rows: 6, spellcheck: "false", autocomplete: "off", dir: "ltr",
      oninput: () => { this.#edited = true; } });
    this.delivery = h("select", { id: "delivery" });
    this.count = h("input", { id: "storm-count", type: "number", min: 1, max: 500, value: 20 });
    this.hint = h("p", { className: "hint", role: "status" });
    this.element = h("section", { className: "panel composer", "aria-labelledby": "send-title" });
  }

  async begin() {
    this.#samples = await ask("samples");
    this.translate();
    this.sample.value = JSON.stringify(CPU_ALARM);
    await this.#load();
  }

  aim(instance) {
    this.#target = instance ?? null;
    this.#retarget();
  }

  translate() {
    const chosen = this.sample.value;
    const delivery = this.delivery.value || "direct";
    fill(this.sample, h("option", { value: "" }, t("own")), ...Object.entries(this.#samples).map(([folder, names]) =>
      h("optgroup", { label: t(`samples_${folder}`) }, names.map((name) => h("option", { value: JSON.stringify({ folder, name }) }, name)))));
    this.sample.value = chosen;
    fill(this.delivery, ...["direct", "http"].map((one) => h("option", { value: one }, t(`delivery_${one}`))));
    this.delivery.value = delivery;
    const field = (input, label) => h("div", { className: "field" }, h("label", { htmlFor: input.id }, t(label)), input);
    fill(this.element,
      h("div", { className: "panel-head" }, h("h2", { id: "send-title" }, t("send"))),
      h("div", { className: "row" }, field(this.sample, "sample"), field(this.delivery, "delivery")),
      field(this.text, "event"), this.hint,
      h("div", { className: "actions" },
        h("button", { type: "button", onclick: () => this.send(false) }, t("send_button")),
        h("button", { type: "button", onclick: () => this.send(true) }, t("dry_run_button")),
        h("span", { className: "storm" }, h("label", { htmlFor: "storm-count" }, t("storm_count")), this.count,
          h("button", { type: "button", onclick: () => this.#storm() }, t("storm_button")))));
    this.#showHint();
  }

  async send(dryRun) {
    await this.#post("events", { title: this.#title(), event: this.text.value, dry_run: dryRun, delivery: this.delivery.value });
  }

  // One CPU alarm at an instance, whatever is in the editor.
  async fire(instance) {
    try {
      const { text } = await ask(`sample?${new URLSearchParams(CPU_ALARM)}`);
      const event = aimedAt(text, SAMPLE_TARGET, instance);
      await this.#post("events", { title: `cpu-high → ${instance.name || instance.id}`, event, dry_run: false, delivery: "direct" });
    } catch (error) {
      this.fail(error);
    }
  }

  async #storm() {
    await this.#post("storm", { count: Number(this.count.value) });
  }

  async #post(path, body) {
    try {
      const { number, numbers } = await ask(path, body);
      this.sent(number ?? numbers?.[0]);
    } catch (error) {
      this.fail(error);
    }
  }

  async #load() {
    if (!this.sample.value) return;
    try {
      const { text } = await ask(`sample?${new URLSearchParams(JSON.parse(this.sample.value))}`);
      this.text.value = text;
      this.#aimed = SAMPLE_TARGET;
      this.#edited = false;
      this.#retarget();
    } catch (error) {
      this.fail(error);
    }
  }

  #retarget() {
    if (this.#target && this.text.value.includes(this.#aimed.id)) {
      this.text.value = aimedAt(this.text.value, this.#aimed, this.#target);
      this.#aimed = this.#target;
    }
    this.#showHint();
  }

  #showHint() {
    const name = visible(this.#target?.name || this.#target?.id || "");
    const key = this.text.value.includes(this.#target?.id) ? "aimed" : "no_target_in_text";
    this.hint.textContent = name ? t(key, { name }) : "";
  }

  #title() {
    const sample = this.sample.value ? JSON.parse(this.sample.value).name : "";
    if (!sample) return t("own_event");
    return this.#edited ? `${sample} *` : sample;
  }
}

function aimedAt(text, from, to) {
  let named = text.replaceAll(from.id, to.id);
  if (PLAIN_NAME.test(from.name) && PLAIN_NAME.test(to.name)) named = named.replaceAll(from.name, to.name);
  return from.region === to.region ? named : named.replaceAll(from.region, to.region);
}
