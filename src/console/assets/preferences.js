// What this browser's user chose: language and theme.

import { LANGUAGES } from "./messages.js";

const THEMES = ["auto", "light", "dark"];
const OWN_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

// The zones to choose from: the browser's own, the one that most of the clouds' consoles show, and the records' own.
export const ZONES = [...new Set([OWN_ZONE, "UTC", "Asia/Shanghai"])];

function stored(key, allowed) {
  try {
    const value = localStorage.getItem(key);
    return allowed.includes(value) ? value : "";
  } catch {
    return ""; // storage may be switched off; then nothing is remembered
  }
}

function store(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // as above
  }
}

const listeners = [];
let language = stored("language", Object.keys(LANGUAGES)) || (navigator.language.startsWith("zh") ? "zh-CN" : "en");
let theme = stored("theme", THEMES) || "auto";
let zone = stored("zone", ZONES) || OWN_ZONE;

export const chosenLanguage = () => language;
export const chosenTheme = () => theme;
export const chosenZone = () => zone;

export function chooseZone(value) {
  zone = value;
  store("zone", value);
  for (const listener of listeners) listener();
}

export function chooseLanguage(value) {
  language = value;
  store("language", value);
  apply();
  for (const listener of listeners) listener();
}

export function nextTheme() {
  theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  store("theme", theme);
  apply();
  for (const listener of listeners) listener();
}

export function onChoice(listener) {
  listeners.push(listener);
}

export function apply() {
  document.documentElement.lang = language;
  document.documentElement.dataset.theme = theme;
}

// The text of a message in the chosen language, with {names} replaced.
export function t(key, values) {
  const text = LANGUAGES[language][key] ?? LANGUAGES.en[key] ?? key;
  return values ? text.replace(/\{(\w+)\}/g, (_, name) => values[name]) : text;
}

// The text of a message, or what stands in for it where there is none.
export function tOr(key, otherwise) {
  return LANGUAGES[language][key] ?? LANGUAGES.en[key] ?? otherwise;
}

// The text of a message in every language, for looking it up.
export function tInAll(key) {
  return Object.values(LANGUAGES).map((texts) => texts[key]).filter(Boolean);
}
