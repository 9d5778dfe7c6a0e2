// What happens in the world, told in a line each, newest first: what Slack and Stripe say, what Kassör does and says, what goes wrong.
import { get } from "./api.js";
import { el } from "./dom.js";
import { icon } from "./icons.js";
import { mrkdwn } from "./mrkdwn.js";
import { about, failed } from "./traffic.js";
import { language, locale, t } from "./words.js";

const SHOWN = 200;
const QUIET = new Set(["users.info", "users.list", "users.conversations", "conversations.members", "conversations.info", "conversations.open", "usergroups.list", "usergroups.users.list",
  "team.info", "auth.test", "views.publish", "views.open", "views.update", "views.push", "files.getUploadURLExternal", "oauth.v2.access", "conversations.list", "app_home_opened"]);
// Stripe's events worth a line: [drawing, in English, in Swedish]; {sum} is the invoice's. The others stand under Calls.
const EVENTS = {
  "checkout.session.completed": ["credit_card", "The payment page is done", "Betalsidan är klar"],
  "checkout.session.expired": ["hourglass", "A payment page has closed", "En betalsida har stängts"],
  "customer.subscription.created": ["tada", "A subscription begins", "Ett abonnemang börjar"],
  "customer.subscription.updated": ["calendar", "A subscription changes", "Ett abonnemang ändras"],
  "customer.subscription.deleted": ["no_entry", "A subscription has ended", "Ett abonnemang har upphört"],
  "customer.subscription.trial_will_end": ["bell", "A trial ends soon", "En provtid går snart ut"],
  "invoice.upcoming": ["bell", "An invoice comes in a week: {sum}", "Om en vecka kommer en faktura: {sum}"],
  "invoice.finalized": ["page_facing_up", "An invoice is made: {sum}", "En faktura görs: {sum}"],
  "invoice.paid": ["receipt", "An invoice is paid: {sum}", "En faktura är betald: {sum}"],
  "invoice.payment_failed": ["x", "A payment failed: {sum}", "En betalning misslyckades: {sum}"],
  "invoice.voided": ["no_entry_sign", "An invoice is void: {sum}", "En faktura är makulerad: {sum}"],
  "payment_method.attached": ["credit_card", "A payment method is saved", "Ett betalsätt sparas"],
  "credit_note.created": ["receipt", "A credit note is made", "En kreditnota görs"],
};
// What Slack tells the app, likewise: [drawing, in English, in Swedish].
const TIDINGS = {
  team_join: ["wave", "is new here", "är ny här"], user_change: ["bust_in_silhouette", "is somebody a little different now", "är lite annorlunda nu"],
  app_uninstalled: ["no_entry", "The app is uninstalled", "Appen är avinstallerad"], tokens_revoked: ["lock", "A token is revoked", "En nyckel är återkallad"],
  subteam_updated: ["busts_in_silhouette", "A user group changes", "En användargrupp ändras"], subteam_members_changed: ["busts_in_silhouette", "A user group has other members", "En användargrupp har andra medlemmar"],
  team_rename: ["information_source", "The workspace has a new name", "Arbetsytan har ett nytt namn"],
};
// What goes wrong at Slack, as the controls call it.
const MISHAPS = { rate_limited: "faultRate", timeout_before: "faultBefore", timeout_after: "faultAfter", error: "faultError" };
const said = ([, english, swedish]) => (language() === "sv" ? swedish : english);

function money(object) {
  const amount = object?.total ?? object?.amount_due, code = object?.currency?.toUpperCase();
  if (amount === undefined || !code) return "";
  const format = new Intl.NumberFormat(locale(), { style: "currency", currency: code });
  return format.format(amount / 10 ** format.resolvedOptions().maximumFractionDigits);
}

const listed = (files) => (Array.isArray(files) ? files : parsed(files ?? "[]"));
function parsed(text) { try { return JSON.parse(text); } catch { return {}; } }

// A command, a press, or an event, and whose it is.
function tidings(each, world, wrong) {
  const what = about(each);
  if (!what || QUIET.has(what) || what.startsWith("block_suggestion")) return null;
  const again = Object.keys(each.request_headers).some((name) => name.toLowerCase() === "x-slack-retry-num") ? ` (${t("retry")})` : "";
  const form = new URLSearchParams(each.request_body.startsWith("{") ? "" : each.request_body), event = parsed(each.request_body).event;
  const id = form.get("user_id") ?? parsed(form.get("payload") ?? "{}").user?.id ?? event?.user?.id;
  const who = id ? world.find(id)?.real_name ?? event?.user?.real_name : null, known = TIDINGS[event?.type];
  const line = known ? (id ? `${who} ${said(known)}` : said(known)) : who ? `${who}: ${what}` : what;
  return [wrong ? "warning" : known?.[0] ?? "bust_in_silhouette", "slack", line + again + wrong];
}

// One exchange as something that happened: [drawing, who, what], or nothing when it is of no interest.
function told(each, world) {
  const method = each.url.split("/").pop().split("?")[0];
  const mishap = each.callee === "slack" && MISHAPS[each.note.replace("fault: ", "")];
  if (mishap) return ["warning", "slack", `${t("mishap")}: ${t(mishap).split(": ")[1]} (${method})`];
  if (each.note && each.caller !== "stripe") return ["warning", each.callee === "kassor" ? each.caller : each.callee, `${t("mishap")}: ${each.note}`];
  const wrong = failed(each) ? ` – ${each.status || t("noAnswer")}` : "";
  if (each.caller === "stripe") {
    const event = parsed(each.request_body), known = EVENTS[event.type];
    if (!event.type || (!known && !wrong)) return null;
    if (each.note.endsWith("fault: drop")) return ["warning", "stripe", `${t("mishap")}: ${t("faultHookDrop").split(": ")[1]} (${event.type})`];
    const again = each.note.includes("retry") ? ` (${t("retry")})` : "";
    return [wrong ? "warning" : known[0], "stripe", (known ? said(known).replace("{sum}", money(event.data?.object)) : event.type) + again + wrong];
  }
  if (each.caller === "slack") return tidings(each, world, wrong);
  if (each.callee === "slack" && !QUIET.has(method)) {
    if (failed(each)) return ["warning", "kassor", `${method}: ${parsed(each.response_body).error ?? (each.status || t("noAnswer"))}`];
    const form = new URLSearchParams(each.request_body), body = each.request_body.startsWith("{") ? parsed(each.request_body) : Object.fromEntries(form);
    const answer = parsed(each.response_body), place = answer.channel ?? body.channel ?? body.channel_id;
    if (method === "conversations.history") return ["search", "kassor", t("looks"), place];
    if (method === "chat.update") return ["envelope", "kassor", `${t("drawsAnew")} ${body.text ?? ""}`.trim(), place];
    if (method === "chat.postMessage") return ["envelope", "kassor", body.text ?? "", place];
    if (method === "files.completeUploadExternal") return ["page_facing_up", "kassor", `${t("sentFile")} ${listed(body.files)[0]?.title ?? ""} ${body.initial_comment ?? ""}`.trim(), place];
    return null;
  }
  if (each.callee === "stripe" && each.method === "POST" && !/create_preview|portal|search/.test(each.url)) return [failed(each) ? "warning" : "credit_card", "kassor", `${t("asksStripe")} ${each.url.replace(/^.*\/v1/, "")}`];
  return null;
}

const NAMES = { kassor: "Kassör", slack: "Slack", stripe: "Stripe" };

export class Feed {
  constructor(world) {
    this.world = world;
    this.newest = 0;
    this.list = el("ol", { class: "feed", "aria-live": "polite" });
    this.node = el("div", {});
  }

  place(id) {
    const dm = this.world.state.dms.find((each) => each.id === id || each.user === id);
    if (dm) return this.world.person(dm.user);
    const channel = this.world.state.workspaces.flatMap((each) => each.channels).find((each) => each.id === id);
    return channel ? `#${channel.name}` : null;
  }

  refresh() {
    if (this.node.dataset.made !== locale()) {
      this.node.dataset.made = locale();
      this.newest = 0;
      this.list.replaceChildren();
      this.list.setAttribute("aria-label", t("tab_feed"));
      this.node.replaceChildren(el("p", { class: "soft" }, t("feedIs")), this.list);
    }
    this.look().catch(() => {});
  }

  async look() {
    if (this.looking) return;
    this.looking = true;
    try {
      const { requests } = await get("/control/requests", { last: 2000, after: this.newest });
      for (const each of requests) {
        this.newest = each.number;
        const found = told(each, this.world);
        if (found) this.list.prepend(this.line(each, found));
      }
      while (this.list.children.length > SHOWN) this.list.lastChild.remove();
    } finally { this.looking = false; }
  }

  line(each, [drawing, who, what, to]) {
    const when = new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "short", timeZone: this.world.me().tz }).format(new Date(each.world || each.at * 1000));
    const place = to && this.place(to);
    return el("li", { class: `${who}${drawing === "warning" ? " bad" : ""}` }, icon(drawing, { decoration: true }), el("div", {},
      el("small", { class: "soft" }, `${when} · `, el("b", {}, NAMES[who] ?? who), place ? ` → ${place}` : ""),
      el("div", { class: "what" }, who === "kassor" && place ? mrkdwn(what, this.world) : what)));
  }
}
