// The first view: what this page is, in one sentence, and one button that starts the story.

import { fill, h, visible } from "../element.js";
import { t } from "../preferences.js";

const OPTED_IN = "ecs-reboot";

export class Welcome {
  #hero = null; // the instance that the story begins with
  #loaded = false;
  #cutOff = false; // nobody answers at this address

  constructor({ begin }) {
    this.begin = begin;
    this.element = h("section", { className: "panel welcome", "aria-labelledby": "welcome-title" });
  }

  show(instances, fresh) {
    this.#loaded = true;
    this.#hero = instances.find(canBeRebooted) ?? instances.find((one) => one.visible) ?? null;
    this.#appear(fresh);
    this.translate();
  }

  line(up) {
    this.#cutOff = !up;
    this.translate();
  }

  update(fresh) {
    this.#appear(fresh);
  }

  translate() {
    const name = visible(this.#hero?.name || this.#hero?.id || "");
    fill(this.element, h("h2", { id: "welcome-title" }, t("welcome")), h("p", {}, t("what_this_is")),
      this.#hero
        ? h("button", { type: "button", className: "primary", onclick: () => this.begin(this.#hero) }, t("begin_story", { name }))
        : h("p", { className: "hint", role: "status" }, t(this.#missing())));
  }

  #missing() {
    if (this.#loaded) return "no_instances";
    return this.#cutOff ? "no_connection" : "loading";
  }

  #appear(fresh) {
    this.element.hidden = !fresh;
  }
}

function canBeRebooted({ visible: seen, status, locks, tags }) {
  return seen && status === "Running" && !locks.length && tags[OPTED_IN] === "enabled";
}
