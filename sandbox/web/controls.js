// The world's own controls: time, people, groups, mishaps, Kassör's process.
import { post } from "./api.js";
import { el, newId, toast } from "./dom.js";
import { icon } from "./icons.js";
import { locale, t } from "./words.js";

// What can go wrong: [label, where the order goes and what it says]. {times} is added.
const MISHAPS = [
  ["faultRate", { kind: "rate_limited", method: "*" }], ["faultBefore", { kind: "timeout_before", method: "chat.postMessage" }],
  ["faultAfter", { kind: "timeout_after", method: "chat.postMessage" }], ["faultError", { kind: "error", method: "*" }],
  ["faultEventDrop", { kind: "drop", method: "event:*" }], ["faultEventTwice", { kind: "duplicate", method: "event:*" }],
  ["faultEventLate", { kind: "late", method: "event:*" }], ["faultDecline", { at: "stripe", kind: "decline_next_renewal" }],
  ["faultHookDrop", { at: "stripe", kind: "drop" }], ["faultHookTwice", { at: "stripe", kind: "duplicate" }],
  ["faultHookOrder", { at: "stripe", kind: "reorder" }], ["faultApi", { at: "stripe", kind: "api_error" }],
];

export class Controls {
  constructor(world) {
    this.world = world;
    this.node = el("div", { class: "controls" });
    this.drawn = "";
  }

  // Drawn anew only when something it shows is another; what is half filled in stays.
  refresh() {
    const state = this.world.state;
    const key = JSON.stringify([locale(), this.world.me().id, this.world.workspace(), state.faults, state.kassor, state.now.slice(0, 13), Boolean(state.moving)]);
    if (key === this.drawn) return;
    const focused = this.node.contains(document.activeElement) ? document.activeElement.dataset.keep : null;
    const chosen = new Map([...this.node.querySelectorAll("select[data-keep],input[data-keep]")].map((each) => [each.dataset.keep, each.value]));
    this.drawn = key;
    this.node.replaceChildren(...[this.time(), this.people(), this.groups(), this.mishaps(), this.kassor()].filter(Boolean));
    for (const each of this.node.querySelectorAll("select[data-keep],input[data-keep]")) {
      const was = chosen.get(each.dataset.keep);
      if (was !== undefined && (each.tagName === "INPUT" || [...each.options].some((one) => one.value === was))) each.value = was;
    }
    if (focused) this.node.querySelector(`[data-keep="${focused}"]`)?.focus();
  }

  section(title, ...rest) {
    const id = newId();
    return el("section", { "aria-labelledby": id }, el("h3", { id }, t(title)), ...rest);
  }

  press(label, work, kind = "") {
    const run = async (event) => {
      const button = event.currentTarget;
      button.disabled = true;
      const drawer = this.node.closest("#drawer");
      drawer.setAttribute("aria-busy", "true");
      try { await work(); } catch (error) { toast(`${t("failed")}: ${error.message}`, "bad"); }
      drawer.removeAttribute("aria-busy");
      button.disabled = false;
      await this.world.refresh();
      if (button.isConnected) button.focus();
    };
    return el("button", { type: "button", class: `action ${kind}`, onclick: run, dataset: { keep: label } }, t(label));
  }

  pick(label, name, options) {
    const id = newId();
    return el("p", { class: "field" }, el("label", { for: id }, t(label)), el("select", { id, dataset: { keep: name } }, options.map(([value, text]) => el("option", { value }, text))));
  }

  value(name) { return this.node.querySelector(`[data-keep="${name}"]`).value; }

  event(type, more) { return post("/control/event", { type, workspace: this.world.workspace().id, ...more() }); }

  time() {
    const now = new Intl.DateTimeFormat(locale(), { dateStyle: "full", timeStyle: "short", timeZone: this.world.me().tz }).format(new Date(this.world.state.now));
    const move = (label, wish) => this.press(label, () => post("/control/clock", wish));
    return this.section("time", el("p", { class: "soft" }, `${t("now")} ${now}`), el("div", { class: "actions" },
      move("hours", { days: 0.25 }), move("day", { days: 1 }), move("week", { days: 7 }), move("renewal", { until: "next_renewal" }), move("year", { days: 365 })),
      this.world.state.moving ? el("p", { class: "soft", role: "status" }, t("moving")) : null);
  }

  people() {
    const humans = this.world.workspace().users.filter((each) => !each.is_bot);
    const said = (each) => each.real_name + (each.deleted ? ` (${t("gone")})` : each.is_restricted ? ` (${t("guest")})` : "");
    const name = newId();
    const who = () => ({ user: this.value("who") });
    return this.section("people",
      this.pick("person", "who", humans.map((each) => [each.id, said(each)])),
      el("div", { class: "actions" }, this.press("deactivate", () => this.event("deactivated", who)), this.press("reactivate", () => this.event("reactivated", who)),
        this.press("makeGuest", () => this.event("became_guest", who)), this.press("makeMember", () => this.event("became_member", who))),
      el("p", { class: "field" }, el("label", { for: name }, t("newName")), el("input", { id: name, maxlength: 80, dataset: { keep: "newcomer" } })),
      el("div", { class: "actions" }, this.press("join", () => this.event("member_joined", () => ({ name: this.value("newcomer") || undefined, locale: this.world.me().locale })))));
  }

  groups() {
    const groups = this.world.workspace().usergroups.filter((each) => !each.disabled);
    if (!groups.length) return null;
    const who = () => this.value("who");
    const which = () => ({ usergroup: this.value("group") });
    return this.section("groups",
      this.pick("group", "group", groups.map((each) => [each.id, `@${each.handle} (${each.users.length})`])),
      el("div", { class: "actions" }, this.press("addToGroup", () => this.event("team_changed", () => ({ ...which(), add: [who()] }))),
        this.press("takeFromGroup", () => this.event("team_changed", () => ({ ...which(), remove: [who()] }))), this.press("disableGroup", () => this.event("group_disabled", which))));
  }

  mishaps() {
    const times = newId(), { slack, stripe } = this.world.state.faults;
    const order = () => ({ ...MISHAPS[Number(this.value("fault"))][1], times: Number(this.value("times")) });
    const waiting = [...slack.map((each) => ({ ...each, text: `Slack · ${each.method} · ${each.kind}` })), ...stripe.map((each) => ({ ...each, at: "stripe", text: `Stripe · ${each.kind}` }))];
    const take = (each) => async () => {
      await post("/control/faults", { at: each.at, method: each.method, kind: each.kind, times: 0 });
      this.world.refresh();
    };
    return this.section("mishaps",
      this.pick("fault", "fault", MISHAPS.map(([label], index) => [index, t(label)])),
      el("p", { class: "field" }, el("label", { for: times }, t("howOften")), el("input", { id: times, type: "number", min: 1, max: 100, value: "1", dataset: { keep: "times" } })),
      el("div", { class: "actions" }, this.press("arrange", () => post("/control/faults", order()))),
      waiting.length ? el("ul", { class: "waiting", "aria-label": t("waiting") }, waiting.map((each) => el("li", {}, `${each.text} × ${each.times}`,
        el("button", { type: "button", class: "icon", "aria-label": `${t("takeBack")}: ${each.text}`, onclick: take(each) }, icon("cross", { decoration: true }))))) : null);
  }

  kassor() {
    const { pid, started_here: ours } = this.world.state.kassor, installed = this.world.workspace().installed;
    const app = installed ? this.press("uninstall", () => this.event("app_uninstalled", () => ({}))) : this.press("install", () => this.event("app_reinstalled", () => ({})));
    return this.section("kassor", el("p", { class: "soft" }, pid ? `${t("process")} ${pid}` : t(ours ? "starting" : "elsewhere")),
      el("div", { class: "actions" }, ours ? this.press("kill", () => post("/control/kassor", { do: "kill" }), "danger") : null, app));
  }
}
