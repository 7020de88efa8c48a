// What changes everything, above all views: modes that are on, faults, and regions that are held back.

import { admin, ask } from "../api.js";
import { fill, h, visible } from "../element.js";
import { t, tOr } from "../preferences.js";
import { clock } from "../times.js";

export class Banners {
  #standing = { regions: [] };
  #faults = { switches: [], others: [] };

  constructor({ sent, fail }) {
    this.sent = sent;
    this.fail = fail;
    this.element = h("div", { className: "banners", role: "region" });
  }

  standing(standing) {
    this.#standing = standing;
    this.translate();
  }

  faults(faults) {
    this.#faults = faults;
    this.translate();
  }

  translate() {
    const focused = this.element.contains(document.activeElement) ? document.activeElement.dataset.key : "";
    const { dry_run: dryRun, observe, paused, regions } = this.#standing;
    const on = this.#faults.switches.filter((one) => one.on).map((one) => tOr(one.name, one.name));
    if (this.#faults.others.length) on.push(t("others", { n: this.#faults.others.length }));
    this.element.setAttribute("aria-label", t("in_force"));
    fill(this.element,
      dryRun ? banner("dry_run", t("banner_dry_run"), settingsLink("DRY_RUN")) : null,
      observe ? banner("observe", t("banner_observe"), settingsLink("MODE")) : null,
      paused ? banner("paused", t("banner_paused", { why: visible(paused) }), settingsLink("PAUSED")) : null,
      on.length ? banner("faults", t("banner_faults", { which: on.join(t("comma")) }),
        h("button", { type: "button", dataset: { key: "faults" }, onclick: () => this.#withdrawFaults() }, t("withdraw_all"))) : null,
      regions.filter((one) => one.suspended || one.storm_until).map((one) => this.#region(one)));
    this.element.hidden = !this.element.childElementCount;
    if (focused) this.element.querySelector(`[data-key="${focused}"]`)?.focus();
  }

  #region({ region, suspended, down_in_a_row: down, storm_until: until }) {
    const text = suspended ? t("banner_suspended", { region, n: down }) : t("banner_storm", { region, until: clock(until) });
    return banner(suspended ? "suspended" : "storm", text,
      h("button", { type: "button", dataset: { key: region }, onclick: () => this.#resume(region) }, t("resume", { region })));
  }

  // As a person does it: a request by hand, with a reason.
  async #resume(region) {
    try {
      const event = JSON.stringify({ resume: true, region_id: region, reason: "resumed at the console" }, null, 2);
      const { number } = await ask("events", { title: `resume ${region}`, event, dry_run: false });
      this.sent(number);
    } catch (error) {
      this.fail(error);
    }
  }

  async #withdrawFaults() {
    try {
      await admin("DELETE", "faults");
    } catch (error) {
      this.fail(error);
    }
  }
}

function banner(kind, text, action) {
  return h("div", { className: "banner", dataset: { kind } }, h("p", {}, text), action);
}

function settingsLink(name) {
  return h("a", { className: "button", href: "#settings", dataset: { key: name } }, t("change_setting", { name }));
}
