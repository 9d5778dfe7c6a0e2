// What stands around the conversation: the workspaces, the sidebar, who one is, and the clock.
import { post } from "./api.js";
import { el, toast } from "./dom.js";
import { icon } from "./icons.js";
import { locale, t } from "./words.js";

const FEW = 5; // colleagues shown before "everybody"

export function avatar(user, size = "") {
  return el("span", { class: `avatar ${size}`, style: `background:${user?.avatar_color ?? "#1f6f54"}`, "aria-hidden": "true" }, user?.initials ?? "K");
}

// Kassör's own face: a till's receipt, drawn.
export function face(size = "") {
  return el("span", { class: `avatar app ${size}`, "aria-hidden": "true" }, icon("till", { decoration: true }));
}

export function rail(world, become) {
  return world.state.workspaces.map((workspace) => {
    const here = workspace === world.workspace();
    const first = workspace.users.find((each) => !each.is_bot && !each.deleted);
    return el("button", { type: "button", class: "workspace", title: workspace.name, "aria-label": workspace.name, "aria-current": here ? "true" : null,
      onclick: () => { if (!here) become(first.id); } }, workspace.name.slice(0, 1));
  });
}

export function sidebar(world, place, unread, go) {
  const item = (kind, id, label, { badge = 0, fresh = false } = {}) => {
    const here = place.kind === kind && place.id === id;
    return el("li", {}, el("button", { type: "button", class: fresh && !here ? "fresh" : "", "aria-current": here ? "page" : null, onclick: () => go({ kind, id }) },
      label, fresh && !here ? el("span", { class: "unseen" }, ` (${t("unread")})`) : null,
      badge ? el("span", { class: "badge", "aria-label": `${badge} ${t("unread")}` }, String(badge)) : null));
  };
  const me = world.me(), colleagues = world.workspace().users.filter((each) => !each.is_bot && !each.deleted && each.id !== me.id);
  const channels = world.workspace().channels.filter((each) => each.members.includes(me.id) && !each.is_archived);
  const spoken = new Set(world.talks().map((each) => each.with));
  const near = [...colleagues.filter((each) => spoken.has(each.id)), ...colleagues.filter((each) => !spoken.has(each.id))];
  const shown = Math.max(FEW, spoken.size);
  const colleague = (each) => item("talk", each.id, [avatar(each, "small"), el("span", { class: "name" }, each.real_name)], { fresh: world.fresh(each.id) });
  const app = place.kind === "app";
  const more = near.slice(shown);
  const open = more.some((each) => place.kind === "talk" && place.id === each.id) || document.querySelector("#side details")?.open;
  return [
    el("h1", {}, world.workspace().name),
    el("h2", {}, t("apps")),
    el("ul", {}, el("li", {}, el("button", { type: "button", "aria-current": app ? "page" : null, onclick: () => go({ kind: "app", id: unread ? "messages" : app ? place.id : "home" }) },
      face("small"), el("span", { class: "name" }, "Kassör"), unread ? el("span", { class: "badge", "aria-label": `${unread} ${t("unread")}` }, String(unread)) : null))),
    el("h2", {}, t("channels")),
    el("ul", {}, channels.map((each) => item("channel", each.id,
      [el("span", { class: "hash" }, icon(each.is_private ? "lock" : "hash", { decoration: !each.is_private })), el("span", { class: "name" }, each.name)], { fresh: world.fresh(each.id) }))),
    el("h2", {}, t("direct")),
    el("ul", {}, item("talk", me.id, [avatar(me, "small"), el("span", { class: "name" }, me.real_name), el("small", {}, t("yourself"))]), near.slice(0, shown).map(colleague)),
    more.length ? el("details", { open }, el("summary", {}, `${t("everybody")} (${more.length})`), el("ul", {}, more.map(colleague))) : null,
    el("p", { class: "foot" }, el("a", { href: world.state.urls.stripe, target: "_blank", rel: "noopener" }, icon("card", { decoration: true }), ` ${t("stripe")} `, icon("out"))),
  ];
}

export function person(world, become) {
  const me = world.me();
  const language = (user) => (user.locale.startsWith("sv") ? t("swedish") : t("english"));
  const choice = (user) => el("li", {}, el("button", {
    type: "button", "aria-current": user.id === me.id ? "true" : null, onclick: () => { details.open = false; become(user.id); },
  }, avatar(user, "small"), el("span", {}, user.real_name, user.is_restricted ? ` (${t("guest")})` : ""), el("small", {}, language(user))));
  const details = el("details", { class: "person", onkeydown: (event) => {
    if (event.key !== "Escape" || !details.open) return;
    details.open = false;
    details.querySelector("summary").focus();
  } },
    el("summary", { title: t("switch") }, avatar(me, "small"), el("span", {}, el("small", {}, t("you")), el("b", {}, me.real_name)), el("small", { class: "tag" }, language(me))),
    el("div", { class: "menu" }, world.state.workspaces.map((workspace) => [
      el("h2", {}, workspace.name),
      el("ul", {}, workspace.users.filter((user) => !user.is_bot && !user.deleted).map(choice)),
    ])));
  return details;
}

// Where time is on its way, 0 to 1.
export function progress(world) {
  const { moving, now } = world.state;
  if (!moving) return 0;
  const [from, to] = [Date.parse(moving.from), Date.parse(moving.to)];
  return to > from ? Math.min(1, Math.max(0, (Date.parse(now) - from) / (to - from))) : 1;
}

export function clock(world) {
  const shown = new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "short", timeZone: world.me().tz }).format(new Date(world.state.now));
  const moving = Boolean(world.state.moving);
  const label = el("time", { datetime: world.state.now }, shown);
  const move = (wish) => async () => {
    box.classList.add("busy");
    try { await post("/control/clock", wish); } catch (error) { toast(`${t("failed")}: ${error.message}`, "bad"); }
    box.classList.remove("busy");
    world.refresh();
  };
  const button = (text, wish, title) => el("button", { type: "button", onclick: move(wish), title: title ?? null }, text);
  const box = el("div", { class: `clock${moving ? " busy" : ""}` }, icon("clock", { decoration: true }), label,
    moving ? el("progress", { value: String(progress(world)), max: "1", "aria-label": t("moving") }) : null,
    el("div", { class: "steps" }, button(t("day"), { days: 1 }), button(t("week"), { days: 7 }), button(t("renewal"), { until: "next_renewal" }), button(t("year"), { days: 365 })));
  return box;
}
