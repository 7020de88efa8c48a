// The one way to put anything on the page: elements from data, where text is always text and never markup.

const PROPERTIES = new Set(["value", "checked", "disabled", "open", "htmlFor", "className", "tabIndex", "selected"]);

export function h(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "dataset") Object.assign(element.dataset, value);
    else if (PROPERTIES.has(name)) element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  fill(element, children);
  return element;
}

// Puts children in place of those there; what is null, undefined or false is left out.
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(4).filter((child) => child !== null && child !== undefined && child !== false));
}

// Characters that reorder, hide or break what is around them are shown by their number.
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;
const LONGEST = 2000;

export function visible(text) {
  const said = String(text ?? "");
  const cut = said.length > LONGEST ? `${said.slice(0, LONGEST)}… (${said.length})` : said;
  return cut.replace(UNSEEN, (one) => `⟨U+${one.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
}

// A text that a stranger wrote: its direction stays inside.
export function said(text, className) {
  return h("bdi", { className: className ?? "" }, visible(text));
}

// A sentence with `code` in it.
export function prose(text) {
  return text.split("`").map((part, place) => (place % 2 ? h("code", {}, part) : part));
}

// Two texts in one line, the second set apart.
export function pair(label, value) {
  return [`${label} `, h("b", {}, value)];
}

// Calls a function once things have been quiet for a while.
export function calm(milliseconds, run) {
  let timer = 0;
  const soon = (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(...given), milliseconds);
  };
  soon.cancel = () => clearTimeout(timer);
  return soon;
}
