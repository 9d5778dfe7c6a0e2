// A workspace to try Kassör in: everything shown comes from the control handles, and is fetched again when it has changed.
import { get, live, post } from "./api.js";
import { blocks, message } from "./blocks.js";
import { Composer } from "./composer.js";
import { el, toast, redraw } from "./dom.js";
import { Drawer } from "./drawer.js";
import { avatar, clock, person, sidebar } from "./frame.js";
import { icon } from "./icons.js";
import { Modal } from "./modal.js";
import { locale, speak, t } from "./words.js";

const remember = (key, value) => { try { localStorage.setItem(key, value); } catch { /* private mode */ } };
const recall = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
const $ = (id) => document.getElementById(id);

const world = {
  state: null, user: recall("user"), refresh: (anew) => { if (anew) drawn = ""; return refresh(); },
  all: () => world.state.workspaces.flatMap((each) => each.users),
  me: () => world.all().find((each) => each.id === world.user) ?? world.state.workspaces[0].users.find((each) => !each.is_bot && !each.deleted),
  workspace: () => world.state.workspaces.find((each) => each.users.includes(world.me())),
  find: (id) => world.all().find((each) => each.id === id),
  person: (id) => (id === world.workspace().app.user_id ? "Kassör" : world.find(id)?.real_name ?? id),
  channel: (id) => world.workspace().channels.find((each) => each.id === id)?.name ?? id,
  group: (id) => world.workspace().usergroups.find((each) => each.id === id)?.handle ?? id,
  people: () => world.workspace().users.filter((each) => !each.deleted).map((each) => [each.id, each.real_name]),
  // Public channels, and with `all` also the private ones one is in.
  channels: (all) => world.workspace().channels
    .filter((each) => !each.is_archived && (!each.is_private || (all && each.members.includes(world.me().id)))).map((each) => [each.id, `#${each.name}`]),
  handles: () => [
    ...world.workspace().users.filter((each) => !each.deleted).map((each) => [each.name, each.real_name]),
    ...world.workspace().usergroups.filter((each) => !each.disabled).map((each) => [each.handle, each.name]),
  ],
  commands: () => world.state.app.commands,
  plainMentions: (text) => text.replace(/<@([UW][A-Z0-9]+)>/g, (_, id) => `@${world.person(id)}`),
};
let place = { kind: recall("kind") ?? "home", id: recall("place") ?? "home" };
const read = JSON.parse(recall("read") ?? "{}"); // per person: how many of the app's messages have been seen

const modal = new Modal({
  act: (view, element, block, value) => act(element, block, value, { view_id: view.id }),
  submit: (view, values) => post("/control/submit", { user: world.me().id, view_id: view.id, values }).then(refresh),
  close: (view, all) => post("/control/close", { user: world.me().id, view_id: view.id, all }).then(refresh),
  suggest: (view, element, block, value) =>
    post("/control/suggest", { user: world.me().id, view_id: view.id, action_id: element.action_id, block_id: block.block_id, value }),
});
const drawer = new Drawer(world);
const composer = new Composer(world, async (text) => {
  const channel = place.kind === "channel" ? place.id : "dm";
  if (place.kind === "home") go({ kind: "dm", id: "dm" });
  const [command, ...rest] = text.split(/\s+/);
  if (command.startsWith("/")) await post("/control/command", { user: world.me().id, channel, command, text: rest.join(" ") });
  else await post("/control/message", { user: world.me().id, channel, text });
  await refresh();
});

async function act(element, block, value, where) {
  await post("/control/action", { user: world.me().id, action_id: element.action_id, block_id: block.block_id, value, ...where });
  await refresh();
}

function pressed(where) {
  return {
    act: (element, block, value, button) => guarded(() => act(element, block, value, where), button),
    suggest: (element, block, value) => post("/control/suggest", { user: world.me().id, action_id: element.action_id, block_id: block.block_id, value, ...where }),
  };
}

async function guarded(work, button) {
  if (button) { button.disabled = true; button.classList.add("busy"); }
  try { await work(); } catch (error) { toast(`${t("failed")}: ${error.message}`, "bad"); }
  if (button) { button.disabled = false; button.classList.remove("busy"); }
}

function go(next) {
  place = next;
  remember("kind", next.kind);
  remember("place", next.id);
  document.body.classList.remove("menu");
  if (next.kind === "home") post("/control/open_home", { user: world.me().id }).then(refresh, () => {});
  refresh();
}

function become(id) {
  world.user = id;
  remember("user", id);
  if (place.kind === "channel" && !world.workspace().channels.some((each) => each.id === place.id && each.members.includes(id))) place = { kind: "dm", id: "dm" };
  go(place);
}

function one(found, channel) {
  const bot = Boolean(found.bot_id);
  const user = bot ? null : world.find(found.user);
  const time = new Date(Number(found.ts) * 1000);
  const when = new Intl.DateTimeFormat(locale(), { hour: "2-digit", minute: "2-digit", timeZone: world.me().tz }).format(time);
  const shown = pressed({ channel, message_ts: found.ts });
  return el("li", { class: `message ${found.ephemeral ? "ephemeral" : ""}`, dataset: { ts: found.ts } },
    bot ? el("span", { class: "avatar app", "aria-hidden": "true" }, "K") : avatar(user),
    el("div", { class: "said" },
      found.ephemeral ? el("small", { class: "soft" }, icon("eye", { decoration: true }), ` ${t("only")}`) : null,
      el("div", { class: "who" }, el("b", {}, bot ? "Kassör" : user?.real_name ?? found.user), bot ? el("span", { class: "tag" }, t("app")) : null,
        el("time", { class: "soft", datetime: time.toISOString() }, when)),
      message(found, shown, world)));
}

function conversation(list, channel, empty) {
  const items = [];
  let day = "";
  for (const each of list) {
    const here = new Intl.DateTimeFormat(locale(), { dateStyle: "full", timeZone: world.me().tz }).format(new Date(Number(each.ts) * 1000));
    if (here !== day) items.push(el("li", { class: "day" }, el("span", {}, here)));
    day = here;
    items.push(one(each, channel));
  }
  if (!items.length) items.push(el("li", { class: "empty" }, empty));
  return el("ol", { class: "messages", "aria-live": "polite", "aria-label": t("messages") }, items);
}

let drawn = "";
function draw(data) {
  const key = JSON.stringify([data, place, world.user, world.workspace(), world.state.now.slice(0, 16)]);
  speak(world.me().locale);
  modal.show(data.stack, world);
  drawer.refresh();
  if (key === drawn) return;
  drawn = key;
  composer.relabel();
  const seen = read[world.me().id] ?? 0;
  const told = data.dm.filter((each) => each.bot_id && !each.ephemeral).length;
  if (place.kind === "dm") { read[world.me().id] = told; remember("read", JSON.stringify(read)); }
  const unread = place.kind === "dm" ? 0 : Math.max(0, told - seen);
  const menu = el("button", { type: "button", class: "icon burger", "aria-label": t("menu"), onclick: () => document.body.classList.toggle("menu") }, icon("menu", { decoration: true }));
  if (!$("top").querySelector("details[open]")) redraw($("top"), menu, clock(world), drawer.button, person(world, become));
  redraw($("side"), ...sidebar(world, place, unread, go));
  const channel = place.kind === "channel" ? world.workspace().channels.find((each) => each.id === place.id) : null;
  const title = channel ? [icon(channel.is_private ? "lock" : "hash", { decoration: !channel.is_private }), ` ${channel.name}`] : place.kind === "home" ? `Kassör · ${t("home")}` : "Kassör";
  const head = el("header", { class: "title" }, el("h2", {}, title), channel?.purpose ? el("small", { class: "soft" }, channel.purpose) : null);
  const had = document.activeElement === composer.field;
  const bottom = $("main").querySelector(".scroller");
  const stick = !bottom || bottom.scrollHeight - bottom.scrollTop - bottom.clientHeight < 80 || bottom.dataset.place !== place.id + world.user;
  const scroller = el("div", { class: "scroller", dataset: { place: place.id + world.user } }, place.kind === "home"
    ? el("div", { class: "home" }, data.home ? blocks(data.home.blocks, { ...pressed({ view_id: data.home.id }), state: data.home.state?.values }, world) : el("p", { class: "empty" }, t("homeEmpty")))
    : conversation(channel ? data.channel : data.dm, channel ? place.id : "dm", channel ? t("emptyChannel") : t("empty")));
  const top = bottom?.scrollTop ?? 0;
  $("main").replaceChildren(head, scroller, place.kind === "home" ? "" : composer.node);
  if (place.kind !== "home") scroller.scrollTop = stick ? scroller.scrollHeight : top;
  else scroller.scrollTop = stick ? 0 : top;
  if (had) composer.field.focus();
  document.title = `${unread ? `(${unread}) ` : ""}Kassör · ${world.workspace().name}`;
}

let running = null, again = false;
function refresh() {
  if (running) { again = true; return running; }
  running = (async () => {
    try {
      world.state = await get("/control/state");
      const user = world.me().id;
      const wanted = place.kind === "channel" ? get("/control/messages", { user, channel: place.id }).catch(() => { place = { kind: "dm", id: "dm" }; }) : null;
      const [views, dm, channel] = await Promise.all([get("/control/views", { user }), get("/control/messages", { user, channel: "dm" }), wanted]);
      draw({ stack: views.stack, home: views.home, dm: dm.messages, channel: channel?.messages ?? [] });
    } catch (error) {
      if (!world.state) $("main").replaceChildren(el("p", { class: "empty" }, "The sandbox is starting…"));
      console.warn(error);
    }
    running = null;
    if (again) { again = false; refresh(); }
  })();
  return running;
}

await refresh();
if (world.state && place.kind === "home") post("/control/open_home", { user: world.me().id }).then(refresh, () => {});
live(refresh);
setInterval(refresh, 30000); // the clock's minutes, and a net under the socket
