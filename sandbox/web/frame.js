// What stands around the conversation: the sidebar, who one is, and the clock.
import { post } from "./api.js";
import { el, toast } from "./dom.js";
import { icon } from "./icons.js";
import { locale, t } from "./words.js";

export function avatar(user, size = "") {
  return el("span", { class: `avatar ${size}`, style: `background:${user?.avatar_color ?? "#1f6f54"}`, "aria-hidden": "true" }, user?.initials ?? "K");
}

export function sidebar(world, place, unread, go) {
  const item = (kind, id, label, badge) => el("li", {},
    el("button", { type: "button", "aria-current": place.kind === kind && place.id === id ? "page" : null, onclick: () => go({ kind, id }) },
      label, badge ? el("span", { class: "badge" }, String(badge)) : null));
  const channels = world.workspace().channels.filter((each) => each.members.includes(world.me().id));
  return [
    el("h1", {}, world.workspace().name),
    el("h2", {}, t("apps")),
    el("ul", {}, item("home", "home", [el("span", { class: "avatar small app", "aria-hidden": "true" }, "K"), `Kassör · ${t("home")}`]),
      item("dm", "dm", [el("span", { class: "avatar small app", "aria-hidden": "true" }, "K"), `Kassör · ${t("messages")}`], unread)),
    el("h2", {}, t("channels")),
    el("ul", {}, channels.map((each) => item("channel", each.id, [el("span", { class: "hash" }, icon(each.is_private ? "lock" : "hash", { decoration: !each.is_private })), each.name]))),
    el("p", { class: "foot" }, el("a", { href: world.state.urls.stripe, target: "_blank", rel: "noopener" }, t("stripe"), " ", icon("out"))),
  ];
}

export function person(world, become) {
  const me = world.me();
  const language = (user) => (user.locale.startsWith("sv") ? t("swedish") : t("english"));
  const choice = (user) => el("li", {}, el("button", {
    type: "button", "aria-current": user.id === me.id ? "true" : null, onclick: () => { details.open = false; become(user.id); },
  }, avatar(user, "small"), el("span", {}, user.real_name, user.is_restricted ? ` (${t("guest")})` : ""), el("small", {}, language(user))));
  const details = el("details", { class: "person" },
    el("summary", { title: t("switch") }, avatar(me, "small"), el("span", {}, el("small", {}, t("you")), el("b", {}, me.real_name)), el("small", { class: "tag" }, language(me))),
    el("div", { class: "menu" }, world.state.workspaces.map((workspace) => [
      el("h2", {}, workspace.name),
      el("ul", {}, workspace.users.filter((user) => !user.is_bot && !user.deleted).map(choice)),
    ])));
  return details;
}

export function clock(world) {
  const now = new Date(world.state.now);
  const shown = new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "short", timeZone: world.me().tz }).format(now);
  const label = el("time", { datetime: world.state.now }, shown);
  const move = (wish) => async () => {
    box.classList.add("busy");
    label.textContent = t("moving");
    try { await post("/control/clock", wish); } catch (error) { toast(`${t("failed")}: ${error.message}`, "bad"); }
    box.classList.remove("busy");
    world.refresh();
  };
  const button = (text, wish) => el("button", { type: "button", onclick: move(wish) }, text);
  const box = el("div", { class: "clock" }, label,
    el("div", { class: "steps" }, button(t("day"), { days: 1 }), button(t("week"), { days: 7 }), button(t("renewal"), { until: "next_renewal" })));
  return box;
}
