// What an instance showed right before its reboot: its picture, and links to the rest. Loaded from the local bucket.

import { h, said } from "../element.js";
import { t } from "../preferences.js";

export function exhibitsOf({ instance_id: id, exhibits }, nameOf) {
  const screen = exhibits.find(({ name, key }) => name === "screen" && key);
  return h("figure", { className: "exhibits" },
    screen ? h("img", { src: address(screen.key), alt: t("exhibit_screen_of", { name: nameOf(id) }) }) : null,
    h("figcaption", {}, said(nameOf(id), "name"), exhibits.map((one) => [" · ", one.key
      ? h("a", { href: address(one.key), target: "_blank", rel: "noreferrer", title: `sha256 ${one.sha256}` }, t(`exhibit_${one.name}`))
      : h("span", { className: "soft" }, t(`exhibit_${one.name}`), ": ", said(one.error))])));
}

function address(key) {
  return `api/exhibit?key=${encodeURIComponent(key)}`;
}
