// One event's way through the function: received, read, decided, called, changed, recorded.

import { fill, h, pair, prose, said, visible } from "../element.js";
import { t, tOr } from "../preferences.js";
import { clock } from "../times.js";
import { meaning, outcomeOf, reasonOf, tallyText, verdictChip } from "../verdicts.js";
import { Again } from "./again.js";
import { exhibitsOf } from "./exhibits.js";
import { guardTable } from "./guards.js";

const OPEN_TABLES = 1;
const STEPS = ["received", "read", "guards", "calls", "changes", "records"];

export class Story {
  #told = null;
  #instead = "";
  #sections = new Map(); // name -> {element, signature}
  #opened = new Map(); // key of a disclosure -> whether it is open

  constructor({ nameOf, sent, fail }) {
    this.nameOf = nameOf;
    this.again = new Again({ sent, fail });
    this.element = h("div", { className: "story" });
  }

  show(told, instead = "") {
    if (told?.number !== this.#told?.number) {
      this.#sections.clear();
      this.#opened.clear();
      this.element.replaceChildren();
    }
    this.#told = told;
    this.#instead = instead;
    this.draw();
  }

  draw() {
    const told = this.#told;
    if (!told) {
      this.#sections.clear();
      fill(this.element, h("p", { className: "nothing" }, this.#instead || t("no_events")), this.#instead ? null : outline());
      return;
    }
    this.element.classList.toggle("side-by-side", told.dry_run);
    this.#section("head", [told.title, told.outcome, told.status, told.decisions, told.reason, told.error, told.cold, told.seconds, told.calls_count, told.changes, told.records_count, told.guards.length, told.number], () => this.#head(told));
    this.#section("again", [told.number], () => this.again.show(told));
    this.#section("received", [told.event], () => this.#received(told));
    this.#section("read", [told.reading], () => this.#read(told));
    this.#section("guards", [told.guards, told.status], () => this.#guards(told));
    if (told.exhibits.length) this.#section("exhibits", [told.exhibits], () => this.#exhibits(told));
    this.#section("calls", [told.calls], () => this.#calls(told));
    this.#section("changes", [told.changes], () => this.#changes(told));
    this.#section("records", [told.records, told.log_store, told.logs], () => this.#records(told));
  }

  // A part of the story is drawn again only when what it shows has changed: whoever reads it keeps their place.
  #section(name, data, make) {
    const signature = JSON.stringify([document.documentElement.lang, data]);
    const known = this.#sections.get(name);
    if (known?.signature === signature) return;
    const element = make();
    element.classList.add(`step-${name}`);
    if (known) known.element.replaceWith(element);
    else this.element.append(element);
    this.#sections.set(name, { element, signature });
  }

  #step(name, timing, ...children) {
    return h("section", { className: "step", "aria-label": t(`step_${name}`) },
      h("h3", {}, t(`step_${name}`), " ", timing ? h("small", {}, timing) : null), children);
  }

  #disclosure(key, summary, body, open = false) {
    return h("details", { open: this.#opened.get(key) ?? open, ontoggle: (event) => this.#opened.set(key, event.target.open) },
      h("summary", {}, summary), body);
  }

  #head(told) {
    const state = told.outcome || told.status;
    const ran = told.status === "returned" || told.status === "raised"
      ? [t(told.cold ? "cold" : "warm"), " · ", duration(told.seconds * 1000)] : [];
    return h("header", { className: "story-head" },
      h("p", { className: "headline" }, h("span", { className: "number" }, `#${told.number}`), said(told.title, "title"),
        told.dry_run ? h("span", { className: "chip" }, t("dry_run")) : null,
        h("span", { className: "chip", dataset: { state } }, tOr(state, state)), h("small", {}, ran)),
      this.#decision(told),
      h("ol", { className: "flow" }, this.#flow(told).map((one) => h("li", {}, one))),
      told.error ? h("p", { className: "error" }, said(told.error)) : null);
  }

  // One decision in a sentence, with its cure where a person must act; several as a count.
  #decision(told) {
    if (told.decisions.length !== 1) {
      return told.decisions.length ? h("p", { className: "tally" }, tallyText(told.tally)) : told.reason ? h("p", { className: "reason" }, said(told.reason)) : null;
    }
    const [decision] = told.decisions;
    const outcome = outcomeOf(decision.code);
    return h("div", { className: "reason" },
      h("p", {}, verdictChip(decision), " ", h("strong", {}, meaning(decision.code)), outcome?.pages ? [" ", h("span", { className: "mark fault" }, t("pages"))] : null),
      told.reason ? h("p", {}, reasonOf(decision.code, told.reason)) : null,
      outcome?.cure ? h("p", {}, `${t("cure")}: `, prose(outcome.cure)) : null);
  }

  // The whole way in one line.
  #flow(told) {
    const actions = new Map();
    for (const { action } of told.guards) actions.set(action, (actions.get(action) ?? 0) + 1);
    const decided = [...actions].map(([action, count]) => `${count > 1 ? `${count} ` : ""}${t(`action_${action}`)}`).join(", ");
    const last = told.changes.at(-1);
    return [
      pair(t("step_read"), duration(told.reading_ms)),
      pair(t("step_guards"), decided || "–"),
      pair(t("step_calls"), String(told.calls_count)),
      last ? [`${t("step_changes")} `, h("span", { className: "chip", dataset: { status: last.to } }, tOr(last.to, last.to))] : pair(t("step_changes"), "–"),
      pair(t("step_records"), String(told.records_count)),
    ];
  }

  #received(told) {
    const size = new TextEncoder().encode(told.event).length;
    return this.#step("received", `${clock(told.received)} · ${t("bytes", { n: size })}`,
      this.#disclosure("event", t("raw_event"), h("pre", { tabIndex: 0 }, visible(told.event))));
  }

  #read(told) {
    const { trigger, fields, elements, count } = told.reading;
    return this.#step("read", t("took", { time: duration(told.reading_ms) }),
      h("p", {}, t("trigger"), ": ", said(trigger, "code")),
      h("table", { className: "fields" },
        h("thead", {}, h("tr", {}, ["what", "where", "value"].map((one) => h("th", { scope: "col" }, t(one))))),
        h("tbody", {}, fields.map((one) => h("tr", { dataset: { role: one.role } },
          h("td", {}, tOr(`field_${one.role}`, one.role)), h("td", {}, said(one.path || "·", "code")), h("td", {}, said(one.value, "code")))))),
      count > 1 ? h("p", {}, t("elements", { n: count })) : null,
      h("ul", { className: "verdicts" }, elements.map((one) => h("li", { dataset: { verdict: one.verdict } },
        h("strong", {}, tOr(`verdict_${one.verdict}`, one.verdict)), one.code === "request" ? null : [" ", said(one.code, "code")], " ",
        reasonOf(one.code, one.reason), " ", one.instance_ids.slice(0, 5).map((id) => [said(id, "id"), " "]),
        one.instance_ids.length > 5 ? `+${one.instance_ids.length - 5}` : null))));
  }

  #guards(told) {
    if (!told.guards.length) {
      const asked = told.reading.elements.some((one) => one.verdict === "rebootrequest");
      const pending = asked && (told.status === "queued" || told.status === "running");
      return this.#step("guards", "", h("p", { className: "hint" }, t(pending ? "guards_pending" : "guards_none")));
    }
    const title = told.dry_run ? t("explain") : "";
    return this.#step("guards", title, told.guards.map((table, place) => this.#disclosure(`guards ${table.instance_id}`,
      [said(table.name || table.instance_id, "name"), " ", h("span", { className: "chip", dataset: { action: table.action } }, t(`action_${table.action}`)),
        " ", said(table.code, "code"), h("span", { className: "sentence" }, reasonOf(table.code, table.reason))],
      guardTable(table), place < OPEN_TABLES)));
  }

  #exhibits(told) {
    return this.#step("exhibits", "", told.exhibits.map((one) => exhibitsOf(one, this.nameOf)));
  }

  #calls(told) {
    if (!told.calls.length) return this.#step("calls", told.dry_run ? t("dry_run_calls") : "", h("p", { className: "hint" }, t("no_calls")));
    const shown = told.calls_count > told.calls.length ? t("shown_of", { shown: told.calls.length, n: told.calls_count }) : "";
    return this.#step("calls", told.dry_run ? t("dry_run_calls") : shown,
      h("table", { className: "calls" },
        h("thead", {}, h("tr", {}, ["at", "call", "answer"].map((one) => h("th", { scope: "col" }, t(one))))),
        h("tbody", {}, together(told.calls).map((group, place) => this.#call(group, place)))));
  }

  #call(group, place) {
    const [one] = group;
    const good = one.http_status !== null && one.http_status < 300 && !one.code;
    const answer = one.http_status === null ? t("no_answer") : `${one.http_status}${one.code ? ` ${one.code}` : ""}`;
    const parameters = Object.entries(one.parameters).map(([name, value]) => h("div", {}, said(name, "code"), " = ", said(value, "code")));
    return h("tr", {}, h("td", { className: "at" }, offset(one.at_ms)),
      h("td", {}, this.#disclosure(`call ${place}`,
        [said(`${one.service} ${one.action}`, "code"), group.length > 1 ? h("small", {}, " ", t("repeated", { n: group.length })) : null,
          one.effect ? h("small", { className: "mark" }, t("effect")) : null],
        [parameters, h("div", {}, h("small", {}, t("request_id"), " ", said(one.request_id)))])),
      h("td", { dataset: { good: String(good) } }, said(answer), one.faults.map((kind) => h("span", { className: "mark fault" }, t("fault", { kind })))));
  }

  #changes(told) {
    if (!told.changes.length) return this.#step("changes", "", h("p", { className: "hint" }, t("no_changes")));
    const byInstance = new Map();
    for (const change of told.changes) byInstance.set(change.instance_id, [...(byInstance.get(change.instance_id) ?? []), change]);
    return this.#step("changes", "", h("ul", { className: "changes" }, [...byInstance].map(([id, changes]) => h("li", {},
      said(this.nameOf(id), "name"), " ", h("span", { className: "chip", dataset: { status: changes[0].from } }, tOr(changes[0].from, changes[0].from)),
      changes.map((one, place) => [h("span", { className: "arrow" }, h("small", {}, place ? duration(one.at_ms - changes[place - 1].at_ms) : offset(one.at_ms)), " → "),
        h("span", { className: "chip", dataset: { status: one.to } }, tOr(one.to, one.to))])))));
  }

  #records(told) {
    const store = told.log_store?.status;
    return this.#step("records", "",
      store ? h("p", { className: `store ${store}`, role: store === "failed" ? "alert" : null }, t(`store_${store}`),
        store === "failed" ? [" ", h("small", {}, said(told.log_store.message))] : null) : null,
      told.records.length ? null : h("p", { className: "hint" }, t("no_records")),
      told.records.map((record) => this.#disclosure(`record ${record.record_id}`,
        [said(this.nameOf(record.instance_id) || "·", "name"), " ",
          h("span", { className: "chip", dataset: { action: record.action } }, t(`action_${record.action}`)), " ",
          said(record.code, "code"), h("span", { className: "sentence" }, reasonOf(record.code, record.reason))],
        h("dl", { className: "record" }, Object.entries(record).filter(([, value]) => value !== "" && value !== null).map(([key, value]) =>
          [h("dt", {}, said(key)), h("dd", {}, said(typeof value === "string" ? value : JSON.stringify(value)))])))),
      told.logs ? this.#disclosure("logs", t("function_log"), h("pre", { tabIndex: 0 }, visible(told.logs))) : null);
  }
}

// What every event will show, before there is one.
function outline() {
  return h("ol", { className: "outline" }, STEPS.map((step) => h("li", {}, h("strong", {}, t(`step_${step}`)), " ", t(`about_${step}`))));
}

// Calls that are the same, with the same answer, one after another: watching an instance asks many times.
function together(calls) {
  const groups = [];
  let last = "";
  for (const call of calls) {
    const { at_ms: _at, request_id: _id, ...same } = call;
    const key = JSON.stringify(same);
    if (key === last) groups.at(-1).push(call);
    else groups.push([call]);
    last = key;
  }
  return groups;
}

function duration(milliseconds) {
  if (milliseconds >= 1000) return t("seconds", { n: (milliseconds / 1000).toFixed(1) });
  return t("milliseconds", { n: milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds) });
}

function offset(milliseconds) {
  return `+${duration(milliseconds)}`;
}
