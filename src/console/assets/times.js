// Times as text: all in one zone, which is said once, in the page's head, and chosen there.

import { h, visible } from "./element.js";
import { chosenZone } from "./preferences.js";

export function clock(time) {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return visible(time);
  return date.toLocaleTimeString("en-GB", { timeZone: chosenZone(), hour12: false });
}

// A time of day, with the original on hover.
export function moment(time) {
  return h("time", { datetime: visible(time), title: visible(time) }, clock(time));
}
