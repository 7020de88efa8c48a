// The guard table of one instance: each guard, what it said, and the fact it read.

import { h, prose, said, visible } from "../element.js";
import { chosenLanguage, t } from "../preferences.js";
import { meaning, reasonOf } from "../verdicts.js";

const SIGNS = { passed: "✓", failed: "✕", overridden: "!", not_reached: "–" };

export function guardTable(table) {
  return h("table", { className: "guards" },
    h("thead", {}, h("tr", {}, ["guard", "outcome", "fact"].map((one) => h("th", { scope: "col" }, t(one))))),
    h("tbody", {}, table.rows.map(row)));
}

function row(one) {
  const outcome = one.outcome === "failed" ? t("failed_guard") : t(one.outcome);
  const fact = one.objection
    ? [h("strong", {}, reasonOf(one.code, one.objection)), h("br", {}), h("small", {}, factOf(one))]
    : one.fact ? factOf(one) : h("small", { className: "reads" }, prose(one.reads));
  return h("tr", { dataset: { outcome: one.outcome } },
    h("th", { scope: "row" }, h("code", {}, one.code), h("small", {}, t(one.kind), " · ", t("objects", { why: meaning(one.code) }))),
    h("td", { className: "outcome" }, h("span", { "aria-hidden": "true" }, SIGNS[one.outcome]), " ", outcome),
    h("td", {}, fact));
}

// In Chinese with the original on hover.
function factOf({ fact, fact_zh: chinese }) {
  return chosenLanguage() === "en" ? said(fact) : h("span", { title: visible(fact) }, said(chinese));
}
