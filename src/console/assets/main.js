// The page: its views, what the cloud tells, and who is told of it.

import { admin, listen } from "./api.js";
import { fill, h, visible } from "./element.js";
import { apply, chooseLanguage, chosenLanguage, chooseZone, chosenTheme, chosenZone, nextTheme, onChoice, t, ZONES } from "./preferences.js";
import { learnOutcomes } from "./verdicts.js";
import { Banners } from "./panels/banners.js";
import { Chat } from "./panels/chat.js";
import { Composer } from "./panels/composer.js";
import { Events } from "./panels/events.js";
import { Faults } from "./panels/faults.js";
import { Fleet } from "./panels/fleet.js";
import { Ledger } from "./panels/ledger.js";
import { Records } from "./panels/records.js";
import { Settings } from "./panels/settings.js";
import { Welcome } from "./panels/welcome.js";

const VIEWS = ["live", "records", "ledger", "chat", "settings"];
const LANGUAGES = { en: "English", "zh-CN": "中文" };

const names = new Map();
const nameOf = (id) => names.get(id) || id || "";
const announcements = document.getElementById("announcements");
const announce = (text) => { announcements.textContent = text; };
const problem = h("p", { className: "problem", role: "alert", hidden: true });
let problemTimer = 0;
let alive = null; // whether the line is up; null while nobody has answered
let timeScale = 1;

function fail(error) {
  problem.textContent = visible(error.message);
  problem.hidden = false;
  clearTimeout(problemTimer);
  problemTimer = setTimeout(() => { problem.hidden = true; }, 10_000);
}

const events = new Events({ nameOf, fail });
const composer = new Composer({ sent: (number) => events.choose(number), fail });
const fleet = new Fleet({ choose: (instance) => composer.aim(instance), fire: (instance) => composer.fire(instance), announce });
const welcome = new Welcome({ begin: beginStory });
const faults = new Faults({ fail });
const banners = new Banners({ sent: (number) => events.choose(number), fail });
const records = new Records({ nameOf });
const ledger = new Ledger({ nameOf, sent: (number) => events.choose(number), fail });
const chat = new Chat({ fail });
const settings = new Settings({ fail });

const views = {
  live: h("div", { className: "view live" }, welcome.element, h("div", { className: "column" }, fleet.element, composer.element, faults.element), events.element),
  records: h("div", { className: "view" }, records.element),
  ledger: h("div", { className: "view" }, ledger.element),
  chat: h("div", { className: "view" }, chat.element),
  settings: h("div", { className: "view" }, settings.element),
};

function beginStory(instance) {
  if (fleet.chosen?.id !== instance.id) fleet.pick(instance.id);
  composer.fire(instance);
}

function view() {
  const asked = location.hash.slice(1);
  return VIEWS.includes(asked) ? asked : "live";
}

function showView() {
  const shown = views[view()];
  if (!shown.isConnected) fill(document.getElementById("main"), problem, banners.element, shown);
  refreshView();
  drawHeader();
}

// What a view shows beyond what the cloud tells by itself is asked for.
function refreshView() {
  ({ records, ledger, chat })[view()]?.refresh();
}

function drawHeader() {
  const focused = document.activeElement?.id;
  const reset = h("button", { type: "button", id: "reset", onclick: () => askReset(reset) }, t("reset"));
  const language = h("select", { id: "language", "aria-label": t("language"), onchange: () => chooseLanguage(language.value) },
    Object.entries(LANGUAGES).map(([value, name]) => h("option", { value, lang: value, selected: value === chosenLanguage() }, name)));
  const zone = h("select", { id: "zone", "aria-label": t("zone"), onchange: () => chooseZone(zone.value) },
    ZONES.map((one) => h("option", { value: one, selected: one === chosenZone() }, t("times_in", { zone: one }))));
  fill(document.getElementById("header"),
    h("p", { className: "brand" }, h("img", { src: "icon.svg", alt: "", width: 24, height: 24 }), h("strong", {}, "ecs-reboot"), " ",
      h("small", {}, t("local_cloud"))),
    h("nav", {}, VIEWS.map((one) => h("a", { href: `#${one}`, "aria-current": one === view() ? "page" : null }, t(one)))),
    h("p", { className: "tools" },
      timeScale === 1 ? null : h("span", { className: "chip" }, t("fast", { n: timeScale })),
      h("span", { className: `line ${alive ? "up" : "down"}`, id: "line" }, t(alive === null ? "loading" : alive ? "connected" : "disconnected")),
      language, zone,
      h("button", { type: "button", id: "theme", onclick: nextTheme }, `${t("theme")}: ${t(`theme_${chosenTheme()}`)}`),
      reset));
  if (focused) document.getElementById(focused)?.focus();
}

// Asked twice on the same button: a dialog would be more than the question is worth.
async function askReset(button) {
  if (button.dataset.sure) {
    delete button.dataset.sure;
    button.textContent = t("reset");
    await admin("POST", "reset").catch(fail);
    return;
  }
  button.dataset.sure = "true";
  button.textContent = t("reset_sure");
  setTimeout(() => { delete button.dataset.sure; button.textContent = t("reset"); }, 3000);
}

function translate() {
  document.querySelector(".skip").textContent = t("skip");
  for (const part of [welcome, fleet, composer, faults, events, banners, records, ledger, chat, settings]) part.translate();
  drawHeader();
}

function tell(message) {
  if (message.kind === "everything") {
    names.clear();
    for (const one of message.instances) names.set(one.id, one.name);
    timeScale = message.time_scale;
    fleet.replace(message.instances);
    events.replace(message.invocations);
    welcome.show(message.instances, events.empty);
    drawHeader();
  } else {
    if (message.instances) fleet.update(message.instances);
    if (message.invocations) events.update(message.invocations);
    welcome.update(events.empty);
  }
  if (message.faults) {
    faults.show(message.faults);
    banners.faults(message.faults);
  }
  if (message.standing) {
    banners.standing(message.standing);
    fleet.showRegions(message.standing.regions);
  }
  if (message.settings) settings.show(message.settings);
  if (message.invocations || message.instances) refreshView();
}

apply();
translate();
showView();
window.addEventListener("hashchange", () => {
  showView();
  events.followAddress();
});
onChoice(translate);
await learnOutcomes().catch(fail);
await composer.begin().catch(fail);
listen(tell, (up) => {
  if (up !== alive) {
    alive = up;
    welcome.line(up);
    drawHeader();
  }
});
document.documentElement.dataset.ready = "true";
