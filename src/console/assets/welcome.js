// The first view: what this page is, in one sentence, and one button that starts the story.

import { fill, h, visible } from "./element.js";
import { t } from "./preferences.js";

const OPTED_IN = "ecs-reboot";

export class Welcome {
  #hero = null; // the instance that the story begins with

  constructor({ begin }) {
    this.begin = begin;
    this.element = h("section", { className: "panel welcome", "aria-labelledby": "welcome-title" });
  }

  show(instances, fresh) {
    this.#hero = instances.find(canBeRebooted) ?? instances.find((one) => one.visible) ?? null;
    this.#appear(fresh);
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
        : h("p", { className: "hint" }, t("no_instances")));
  }

  #appear(fresh) {
    this.element.hidden = !fresh;
  }
}

function canBeRebooted({ visible: seen, status, locks, tags }) {
  return seen && status === "Running" && !locks.length && tags[OPTED_IN] === "enabled";
}
