// The chat as the people on call see it: what the notices said, the latest last.

import { admin } from "../api.js";
import { calm, fill, h, said } from "../element.js";
import { t } from "../preferences.js";
import { moment } from "../times.js";

export class Chat {
  #messages = [];

  constructor({ fail }) {
    this.fail = fail;
    this.refresh = calm(300, () => this.#look());
    this.element = h("section", { className: "panel chat", "aria-labelledby": "chat-title" });
  }

  translate() {
    fill(this.element,
      h("div", { className: "panel-head" }, h("h2", { id: "chat-title" }, t("chat"))),
      h("p", { className: "hint" }, t("chat_hint")),
      this.#messages.length
        ? h("ol", { className: "messages" }, this.#messages.map((one) => h("li", {},
          h("p", {}, h("strong", {}, said(one.title)), " ", h("small", {}, said(one.service), " ", moment(one.time))),
          String(one.text ?? "").split("\n").map((line) => h("p", {}, said(line))))))
        : h("p", { className: "nothing" }, t("no_messages"), " ", h("a", { href: "#live" }, t("to_live"))));
  }

  async #look() {
    try {
      const { messages } = await admin("GET", "chat");
      this.#messages = messages;
    } catch (error) {
      this.fail(error);
    }
    this.translate();
  }
}
