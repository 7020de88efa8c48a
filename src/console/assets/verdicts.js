// What was decided, in the words of the function's own table of outcomes, which the server serves.

import { ask } from "./api.js";
import { h, said, visible } from "./element.js";
import { chosenLanguage, t } from "./preferences.js";

let outcomes = {};

export const VERDICTS = ["rebooted", "observed", "dry_run", "troubled", "skip"];

export async function learnOutcomes() {
  outcomes = await ask("outcomes");
}

// The meaning of a code in the chosen language; the code itself where the table has no row.
export function meaning(code) {
  return outcomes[code]?.[chosenLanguage()] ?? code;
}

export function outcomeOf(code) {
  return outcomes[code];
}

// A reason that the function wrote, in English. In another language the code's meaning, with the original on hover.
export function reasonOf(code, reason) {
  if (chosenLanguage() === "en" || !outcomes[code]) return said(reason);
  return h("span", { title: visible(reason || outcomes[code].en) }, meaning(code));
}

// One decision as a chip: what was decided, and its code.
export function verdictChip({ verdict, code }) {
  const word = chosenLanguage() === "en" ? code : meaning(code);
  const hover = chosenLanguage() === "en" ? meaning(code) : `${code}: ${outcomes[code]?.en ?? code}`;
  return h("span", { className: "chip verdict", dataset: { verdict, severity: outcomes[code]?.severity ?? "info" }, title: visible(hover) },
    h("b", {}, t(`verdict_${verdict}`)), " · ", said(word));
}

// "1 rebooted, 19 held back", in the order of importance.
export function tallyText(tally) {
  return VERDICTS.filter((one) => tally[one]).map((one) => t(`tally_${one}`, { n: tally[one] })).join(t("comma"));
}

export function added(tallies) {
  const sum = {};
  for (const tally of tallies) for (const [verdict, count] of Object.entries(tally)) sum[verdict] = (sum[verdict] ?? 0) + count;
  return sum;
}
