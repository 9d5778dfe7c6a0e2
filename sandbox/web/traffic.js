// The inspector: the last HTTP calls between Slack, Stripe and Kassör, newest first, and one of them whole beside the list.
import { get } from "./api.js";
import { el, newId } from "./dom.js";
import { icon } from "./icons.js";
import { locale, t } from "./words.js";

const SHOWN = 100;
const NAMES = { kassor: "Kassör", slack: "Slack", stripe: "Stripe", browser: "Browser" };
const SIGNED = ["x-slack-signature", "stripe-signature"];

// A body as people read it: JSON indented, a form one field a line.
export function readable(body) {
  if (!body) return "–";
  try { return JSON.stringify(JSON.parse(body), null, 2); } catch { /* no JSON */ }
  if (!/^[\w.[\]%+-]+=/.test(body)) return body;
  return [...new URLSearchParams(body)].map(([name, value]) => {
    try { return `${name}: ${JSON.stringify(JSON.parse(value), null, 2)}`; } catch { return `${name}: ${value}`; }
  }).join("\n");
}

// What Slack's and Stripe's calls to Kassör are about, which their one address doesn't tell: an event's type, a command, an interaction.
export function about(each) {
  if (each.callee !== "kassor") return "";
  try {
    if (each.request_body.startsWith("{")) {
      const body = JSON.parse(each.request_body);
      return body.event?.type ?? body.type ?? "";
    }
    const form = new URLSearchParams(each.request_body);
    if (form.has("command")) return `${form.get("command")} ${form.get("text") ?? ""}`.trim();
    const payload = JSON.parse(form.get("payload") ?? "{}");
    return [payload.type, payload.actions?.[0]?.action_id ?? payload.view?.callback_id].filter(Boolean).join(" · ");
  } catch { return ""; } // a body cut short
}

export const failed = (each) => each.status === 0 || each.status >= 400 || /"ok": ?false/.test(each.response_body);
const header = (each, name) => Object.entries(each.request_headers).find(([known]) => known.toLowerCase() === name)?.[1];
const path = (each) => each.url.replace(/^https?:\/\/[^/]+/, "");
const clock = (each) => new Intl.DateTimeFormat(locale(), { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(new Date(each.at * 1000));

// What a row says beside its address: a retry and why, a fault, a signature.
function marks(each) {
  const retry = header(each, "x-slack-retry-num"), reason = header(each, "x-slack-retry-reason");
  return [
    retry ? `${t("retry")} ${retry}${reason ? ` · ${reason}` : ""}` : null,
    each.note.replace(about(each), "").replace(/^, /, "") || null,
    SIGNED.some((name) => header(each, name)) ? t("signed") : null,
    header(each, "idempotency-key") ? t("keyed") : null,
  ].filter(Boolean);
}

export class Traffic {
  constructor() {
    this.calls = []; // oldest first
    this.newest = 0;
    this.chosen = null;
    this.list = el("ol", { class: "calls" });
    this.whole = el("div", { class: "whole", hidden: true, tabindex: "-1" });
    this.filters = { way: "", wrong: false, text: "" };
    this.node = el("div", { class: "traffic" });
    this.node.dataset.made = "";
  }

  refresh() {
    if (this.node.dataset.made !== locale()) this.make();
    this.look().catch(() => {});
  }

  make() {
    this.node.dataset.made = locale();
    const ways = [["", t("everyCall")], ...[["slack", "kassor"], ["kassor", "slack"], ["stripe", "kassor"], ["kassor", "stripe"]].map(([from, to]) => [`${from}>${to}`, `${NAMES[from]} → ${NAMES[to]}`])];
    const set = (name, read) => (event) => { this.filters[name] = read(event.target); this.paint(); };
    this.node.replaceChildren(
      el("div", { class: "filters" },
        el("select", { "aria-label": t("way"), onchange: set("way", (each) => each.value) }, ways.map(([value, text]) => el("option", { value, selected: value === this.filters.way }, text))),
        el("input", { type: "search", placeholder: t("filter"), "aria-label": t("filter"), value: this.filters.text, oninput: set("text", (each) => each.value.trim().toLowerCase()) }),
        el("label", {}, el("input", { type: "checkbox", checked: this.filters.wrong, onchange: set("wrong", (each) => each.checked) }), ` ${t("onlyWrong")}`)),
      el("div", { class: "panes" }, this.list, this.whole));
    this.paint();
  }

  async look() {
    if (this.looking) return;
    this.looking = true;
    try {
      const { requests } = await get("/control/requests", { last: SHOWN, after: this.newest });
      if (!requests.length) return;
      this.newest = requests.at(-1).number;
      this.calls = [...this.calls, ...requests].slice(-SHOWN);
      this.paint();
    } finally { this.looking = false; }
  }

  wanted(each) {
    const { way, wrong, text } = this.filters;
    return (!way || way === `${each.caller}>${each.callee}`) && (!wrong || failed(each))
      && (!text || `${each.method} ${each.url} ${about(each)} ${each.request_body} ${each.response_body}`.toLowerCase().includes(text));
  }

  paint() {
    const held = this.list.contains(document.activeElement) ? document.activeElement.dataset.number : null;
    const shown = this.calls.filter((each) => this.wanted(each)).reverse();
    this.list.setAttribute("aria-label", t("traffic"));
    this.list.replaceChildren(...(shown.length ? shown.map((each) => this.row(each)) : [el("li", { class: "soft" }, t("noCalls"))]));
    if (held) this.list.querySelector(`[data-number="${held}"]`)?.focus({ preventScroll: true });
  }

  row(each) {
    const address = path(each), said = about(each);
    return el("li", { class: `call${failed(each) ? " bad" : ""}` }, el("button", { type: "button", dataset: { number: each.number }, "aria-current": each.number === this.chosen ? "true" : null, onclick: () => this.choose(each) },
      el("span", { class: "first" }, el("time", { class: "soft" }, clock(each)), el("span", { class: "ways" }, NAMES[each.caller] ?? each.caller, " → ", NAMES[each.callee] ?? each.callee),
        el("b", { class: "status" }, String(each.status || t("noAnswer"))), el("span", { class: "soft" }, `${Math.round(each.seconds * 1000)} ms`)),
      el("span", { class: "second" }, said ? el("b", {}, said) : null, el("code", {}, `${each.method} ${address.length > 80 ? `${address.slice(0, 80)}…` : address}`)),
      marks(each).length ? el("span", { class: "marks" }, marks(each).map((mark) => el("span", { class: "tag" }, mark))) : null));
  }

  choose(each) {
    this.chosen = each.number;
    const id = newId(), back = el("button", { type: "button", class: "icon", "aria-label": t("close"), onclick: () => { this.whole.hidden = true; this.chosen = null; this.paint(); this.list.querySelector(`[data-number="${each.number}"]`)?.focus(); } }, icon("cross", { decoration: true }));
    const part = (title, body) => [el("h4", {}, title), el("pre", { tabindex: "0" }, body)];
    this.whole.hidden = false;
    this.whole.setAttribute("role", "region");
    this.whole.setAttribute("aria-labelledby", id);
    this.whole.replaceChildren(
      el("div", { class: "name" }, el("h3", { id }, about(each) || path(each)), back),
      el("dl", { class: "facts" }, [[t("way"), `${NAMES[each.caller] ?? each.caller} → ${NAMES[each.callee] ?? each.callee}`], [t("address"), `${each.method} ${each.url}`], [t("answered"), each.status || t("noAnswer")],
        [t("took"), `${Math.round(each.seconds * 1000)} ms`], [t("worldTime"), each.world ? new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "medium" }).format(new Date(each.world)) : "–"],
        ...(marks(each).length ? [[t("marks"), marks(each).join(", ")]] : [])].map(([name, value]) => [el("dt", {}, name), el("dd", {}, String(value))])),
      ...part(t("asked"), readable(each.request_body)), ...part(t("answered"), readable(each.response_body)),
      ...part(t("headers"), Object.entries(each.request_headers).map(([name, value]) => `${name}: ${value}`).join("\n") || "–"));
    this.paint();
    this.whole.scrollTop = 0;
    if (matchMedia("(max-width:1000px)").matches) this.whole.focus();
  }
}
