// The last hundred HTTP calls between Slack, Stripe and Kassör, newest first; each opens into what was asked and answered.
import { get } from "./api.js";
import { el, newId } from "./dom.js";
import { locale, t } from "./words.js";

const SHOWN = 100;
const NAMES = { kassor: "Kassör", slack: "Slack", stripe: "Stripe", browser: "Browser" };

// A body as people read it: JSON indented, a form one field a line.
function readable(body) {
  if (!body) return "–";
  try { return JSON.stringify(JSON.parse(body), null, 2); } catch { /* no JSON */ }
  if (!/^[\w.[\]%+-]+=/.test(body)) return body;
  return [...new URLSearchParams(body)].map(([name, value]) => {
    try { return `${name}: ${JSON.stringify(JSON.parse(value), null, 2)}`; } catch { return `${name}: ${value}`; }
  }).join("\n");
}

// What Slack's and Stripe's calls to Kassör are about, which their one address doesn't tell: an event's type, a command, an interaction.
function about(each) {
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

function call(each) {
  const path = each.url.replace(/^https?:\/\/[^/]+/, "");
  const when = new Intl.DateTimeFormat(locale(), { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(new Date(each.at * 1000));
  const bad = each.status === 0 || each.status >= 400 || /"ok": ?false/.test(each.response_body);
  const details = el("details", { class: `call ${bad ? "bad" : ""}`, dataset: { number: each.number }, ontoggle: () => {
    if (!details.open || details.querySelector("pre")) return;
    details.append(el("h4", {}, t("asked")), el("pre", {}, readable(each.request_body)), el("h4", {}, t("answered")), el("pre", {}, readable(each.response_body)));
  } }, el("summary", {},
    el("time", { class: "soft" }, when), el("span", { class: "ways" }, `${NAMES[each.caller] ?? each.caller} → ${NAMES[each.callee] ?? each.callee}`),
    el("b", {}, each.status || t("noAnswer")), el("span", { class: "soft" }, `${Math.round(each.seconds * 1000)} ms`),
    el("code", {}, `${each.method} ${path.length > 90 ? `${path.slice(0, 90)}…` : path}`), about(each) ? el("span", { class: "about" }, about(each)) : null, each.note ? el("span", { class: "tag" }, each.note) : null));
  return details;
}

export function traffic() {
  const list = el("div", { class: "calls" });
  let newest = 0, open = false, looking = false;
  const look = async () => {
    if (looking) return;
    looking = true;
    try {
      const { requests } = await get("/control/requests", { last: SHOWN });
      for (const each of requests.filter((one) => one.number > newest)) { list.prepend(call(each)); newest = each.number; }
      while (list.children.length > SHOWN) list.lastChild.remove();
    } finally { looking = false; }
  };
  return {
    refresh: () => { if (open) look().catch(() => {}); },
    node: () => {
      const title = newId();
      return el("section", { "aria-labelledby": title }, el("details", { class: "traffic", open, ontoggle: (event) => {
        open = event.currentTarget.open;
        if (open) look().catch(() => {});
      } }, el("summary", {}, el("h3", { id: title }, t("traffic"))), list));
    },
  };
}
