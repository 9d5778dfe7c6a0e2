// A conversation as people read it: days, who said what when, threads under what they answer, and how it begins.
import { message } from "./blocks.js";
import { el } from "./dom.js";
import { avatar, face } from "./frame.js";
import { icon } from "./icons.js";
import { locale, t } from "./words.js";

const TOGETHER = 5 * 60; // seconds within which the same person's next message needs no name again

function heading(found, world) {
  const bot = Boolean(found.bot_id), user = bot ? null : world.find(found.user);
  const slackbot = found.from_slackbot;
  return {
    picture: slackbot ? el("span", { class: "avatar slackbot", "aria-hidden": "true" }, "S") : bot ? face() : avatar(user),
    name: slackbot ? "Slackbot" : bot ? "Kassör" : user?.real_name ?? found.user,
    tag: bot && !slackbot ? el("span", { class: "tag" }, t("app")) : null,
  };
}

function stamp(found, world) {
  const time = new Date(Number(found.ts) * 1000);
  const shown = new Intl.DateTimeFormat(locale(), { hour: "2-digit", minute: "2-digit", timeZone: world.me().tz }).format(time);
  return el("time", { class: "soft", datetime: time.toISOString() }, shown);
}

function replies(list, hands, world) {
  const count = list.length === 1 ? t("oneReply") : `${list.length} ${t("replies")}`;
  const faces = [...new Set(list.map((each) => (each.bot_id ? "app" : each.user)))].slice(0, 3);
  return el("details", { class: "thread", open: list.length < 3 },
    el("summary", {}, faces.map((each) => (each === "app" ? face("tiny") : avatar(world.find(each), "tiny"))), el("b", {}, count)),
    el("ol", {}, list.map((each) => one(each, hands, world))));
}

function one(found, hands, world, { joined = false, thread = [] } = {}) {
  const { picture, name, tag } = heading(found, world);
  const said = el("div", { class: "said" },
    found.ephemeral ? el("small", { class: "soft private" }, icon("eye", { decoration: true }), ` ${t("only")}`) : null,
    joined ? null : el("div", { class: "who" }, el("b", {}, name), tag, stamp(found, world)),
    message(found, hands(found), world),
    found.edited && !found.bot_id ? el("small", { class: "soft" }, ` (${t("edited")})`) : null,
    thread.length ? replies(thread, hands, world) : null);
  return el("li", { class: `message${found.ephemeral ? " ephemeral" : ""}${joined ? " joined" : ""}`, dataset: { ts: found.ts } },
    joined ? el("span", { class: "when" }, el("span", { class: "unseen" }, `${name} `), stamp(found, world)) : picture, said);
}

// `hands(message)` gives what can be done with it; `start` is shown above the first message.
export function conversation(list, hands, start, world) {
  const under = new Map();
  const known = new Set(list.map((each) => each.ts));
  for (const each of list) {
    if (each.thread_ts && each.thread_ts !== each.ts && known.has(each.thread_ts)) under.set(each.thread_ts, [...(under.get(each.thread_ts) ?? []), each]);
  }
  const answers = new Set([...under.values()].flat());
  const items = [start];
  let day = "", last = null;
  for (const each of list) {
    if (answers.has(each)) continue;
    const here = new Intl.DateTimeFormat(locale(), { dateStyle: "full", timeZone: world.me().tz }).format(new Date(Number(each.ts) * 1000));
    if (here !== day) { items.push(el("li", { class: "day" }, el("span", {}, here))); last = null; }
    day = here;
    const joined = Boolean(last) && !last.ephemeral && !each.ephemeral && last.user === each.user && !under.has(last.ts) && Number(each.ts) - Number(last.ts) < TOGETHER;
    items.push(one(each, hands, world, { joined, thread: under.get(each.ts) }));
    last = each;
  }
  return el("ol", { class: "messages", "aria-label": t("messages") }, items);
}

// The beginning of a conversation; with Kassör it offers what to try first, and one press sends it.
export function beginning(place, world, send) {
  const li = (picture, title, text, ...more) => el("li", { class: "beginning" }, picture, el("h3", {}, title), el("p", { class: "soft" }, text), ...more);
  if (place.kind === "app") {
    const tries = world.me().locale.startsWith("sv") ? ["/uppgradera", "/fakturering", "/fakturering hjälp"] : ["/upgrade", "/billing", "/billing help"];
    return li(face("large"), "Kassör", t("beginApp"), el("div", { class: "actions" }, tries.map((each) => el("button", { type: "button", class: "action try", onclick: () => send(each) }, el("code", {}, each)))));
  }
  if (place.kind === "talk") {
    const user = world.find(place.id);
    return li(avatar(user, "large"), user.real_name, place.id === world.me().id ? t("beginSelf") : t("beginTalk"));
  }
  const channel = world.workspace().channels.find((each) => each.id === place.id);
  return li(el("span", { class: "avatar large sign", "aria-hidden": "true" }, icon(channel.is_private ? "lock" : "hash", { decoration: true })), channel.name, channel.purpose || t("beginChannel"));
}

// The third tab of an app: what it is and what can be written to it.
export function about(world) {
  return el("div", { class: "home about" }, face("large"), el("h3", {}, "Kassör"), el("p", {}, t("aboutApp")),
    el("h4", {}, t("commands")), el("dl", {}, world.commands().map((each) => [
      el("dt", {}, el("code", {}, each.command), el("span", { class: "soft" }, ` ${each.usage_hint}`)), el("dd", {}, each.description)])));
}

