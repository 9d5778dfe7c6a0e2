// A workspace to try Kassör in: everything shown comes from the control handles, and is fetched again when it has changed.
import { get, live, post } from "./api.js";
import { blocks } from "./blocks.js";
import { caption } from "./caption.js";
import { Composer } from "./composer.js";
import { el, toast, redraw } from "./dom.js";
import { Drawer } from "./drawer.js";
import { avatar, clock, face, person, progress, rail, sidebar } from "./frame.js";
import { icon } from "./icons.js";
import { Modal } from "./modal.js";
import { Switcher } from "./switcher.js";
import { about, beginning, conversation } from "./talk.js";
import { speak, t } from "./words.js";

const remember = (key, value) => { try { localStorage.setItem(key, value); } catch { /* private mode */ } };
const recall = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
const $ = (id) => document.getElementById(id);
const HOME = { kind: "app", id: "home" }, MESSAGES = { kind: "app", id: "messages" };

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
  // One's conversations with colleagues: with whom, and when something was said last.
  talks: () => world.state.talks.filter((each) => each.users.includes(world.me().id))
    .map((each) => ({ with: each.users.find((one) => one !== world.me().id) ?? world.me().id, latest: each.latest })),
  latest: (id) => world.workspace().channels.find((each) => each.id === id)?.latest ?? world.talks().find((each) => each.with === id)?.latest ?? "",
  fresh: (id) => Number(world.latest(id)) > Number(read[world.me().id]?.[id] ?? 0),
  say: (text) => say(text),
  write: (text) => { go(MESSAGES); composer.begin(text); },
};
let place = { kind: recall("kind") ?? "app", id: recall("place") ?? "home" };
if (!["app", "channel", "talk"].includes(place.kind)) place = HOME;
const read = JSON.parse(recall("seen") ?? "{}"); // per person and conversation: up to where it has been read

function saw(id, upTo) {
  const mine = (read[world.me().id] ??= {});
  if (Number(mine[id] ?? 0) >= Number(upTo || 0)) return;
  mine[id] = upTo;
  remember("seen", JSON.stringify(read));
}

const modal = new Modal({
  act: (view, element, block, value) => act(element, block, value, { view_id: view.id }),
  submit: (view, values) => post("/control/submit", { user: world.me().id, view_id: view.id, values }).then(refresh),
  close: (view, all) => post("/control/close", { user: world.me().id, view_id: view.id, all }).then(refresh),
  suggest: (view, element, block, value) =>
    post("/control/suggest", { user: world.me().id, view_id: view.id, action_id: element.action_id, block_id: block.block_id, value }),
});
const drawer = new Drawer(world);
const composer = new Composer(world, say);
const switcher = new Switcher(world, go, become);
const where = () => (place.kind === "app" ? "dm" : place.id); // as the control handles call it

async function say(text) {
  if (place.kind === "app") go(MESSAGES);
  const [command, ...rest] = text.split(/\s+/);
  if (command.startsWith("/")) await post("/control/command", { user: world.me().id, channel: where(), command, text: rest.join(" ") });
  else await post("/control/message", { user: world.me().id, channel: where(), text });
  await refresh();
}

async function act(element, block, value, at) {
  await post("/control/action", { user: world.me().id, action_id: element.action_id, block_id: block.block_id, value, ...at });
  await refresh();
}

function pressed(at) {
  return {
    act: (element, block, value, button) => guarded(() => act(element, block, value, at), button),
    suggest: (element, block, value) => post("/control/suggest", { user: world.me().id, action_id: element.action_id, block_id: block.block_id, value, ...at }),
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
  if (next.kind === "app" && next.id === "home") post("/control/open_home", { user: world.me().id }).then(refresh, () => {});
  refresh();
}

function become(id) {
  world.user = id;
  remember("user", id);
  const lost = place.kind === "channel" && !world.workspace().channels.some((each) => each.id === place.id && each.members.includes(id));
  if (lost || place.kind === "talk") place = MESSAGES;
  go(place);
}

// Who acts in a guided walk is whom the page shows, where they act.
function follow(id, channel) {
  const there = channel && world.workspace().channels.some((each) => each.id === channel);
  const next = there ? { kind: "channel", id: channel } : channel === "home" ? HOME : MESSAGES;
  if (id === world.user && next.id === place.id) return;
  world.user = id;
  remember("user", id);
  go(next);
}

function title() {
  if (place.kind === "app") {
    const tab = (id, name) => el("button", { type: "button", "aria-current": place.id === id ? "page" : null, onclick: () => go({ kind: "app", id }) }, t(name));
    return el("header", { class: "title app" }, el("div", {}, face("small"), el("h2", {}, "Kassör"), el("span", { class: "tag" }, t("app"))),
      el("nav", { class: "tabs", "aria-label": "Kassör" }, tab("home", "home"), tab("messages", "messages"), tab("about", "about")));
  }
  if (place.kind === "talk") return el("header", { class: "title" }, avatar(world.find(place.id), "small"), el("h2", {}, world.person(place.id)));
  const channel = world.workspace().channels.find((each) => each.id === place.id);
  const people = channel.members.map(world.find).filter((each) => each && !each.is_bot);
  return el("header", { class: "title" }, el("h2", {}, icon(channel.is_private ? "lock" : "hash", { decoration: !channel.is_private }), ` ${channel.name}`),
    channel.purpose ? el("small", { class: "soft purpose" }, channel.purpose) : null,
    el("span", { class: "pile" }, people.slice(0, 3).map((each) => avatar(each, "tiny")), el("small", { class: "soft" }, `${people.length} ${t("members")}`)));
}

function content(data) {
  if (place.kind === "app" && place.id === "home") {
    return el("div", { class: "home" }, data.home ? blocks(data.home.blocks, { ...pressed({ view_id: data.home.id }), state: data.home.state?.values }, world) : el("p", { class: "empty" }, t("homeEmpty")));
  }
  if (place.kind === "app" && place.id === "about") return about(world);
  const list = place.kind === "app" ? data.dm : data.here;
  const channel = data.ids[place.kind === "app" ? "dm" : "here"];
  return conversation(list, (found) => pressed({ channel, message_ts: found.ts }), beginning(place, world, (text) => guarded(() => say(text))), world);
}

// What is new where one already was is said to those who listen to the page; the list itself is drawn anew each time.
let heard = "";
function tellAloud(last, scroller) {
  const now = scroller.querySelector(".messages > .message:last-child")?.dataset.ts ?? "";
  if (last && Number(now) > Number(heard || 0)) $("news").textContent = last.innerText;
  heard = now;
}

let drawn = "";
function draw(data) {
  const key = JSON.stringify([data, place, world.user, world.workspace(), world.state.talks, world.state.now.slice(0, 16), Boolean(world.state.moving)]);
  speak(world.me().locale);
  document.body.style.setProperty("--progress", String(progress(world)));
  document.body.classList.toggle("moving", Boolean(world.state.moving));
  modal.show(data.stack, world);
  caption(world, $("caption"), follow);
  drawer.refresh();
  if (key === drawn) return;
  drawn = key;
  composer.relabel(place, world);
  const told = data.dm.filter((each) => each.bot_id && !each.ephemeral);
  if (place.kind === "app" && place.id === "messages") saw("dm", told.at(-1)?.ts);
  else if (place.kind !== "app") saw(place.id, world.latest(place.id));
  const unread = told.filter((each) => Number(each.ts) > Number(read[world.me().id]?.dm ?? 0)).length;
  const menu = el("button", { type: "button", class: "icon burger", "aria-label": t("menu"), onclick: () => document.body.classList.toggle("menu") }, icon("menu", { decoration: true }));
  if (!$("top").querySelector("details[open]")) redraw($("top"), menu, switcher.button(), clock(world), drawer.button, person(world, become));
  $("rail").setAttribute("aria-label", t("workspaces"));
  redraw($("rail"), ...rail(world, become));
  $("side").setAttribute("aria-label", t("conversations"));
  redraw($("side"), ...sidebar(world, place, unread, go));
  const had = document.activeElement === composer.field;
  const bottom = $("main").querySelector(".scroller"), spot = `${place.kind}/${place.id}/${world.me().id}`;
  const same = bottom?.dataset.place === spot;
  const stick = !same || bottom.scrollHeight - bottom.scrollTop - bottom.clientHeight < 80;
  const top = bottom?.scrollTop ?? 0;
  const talk = place.kind !== "app" || place.id === "messages";
  const scroller = el("div", { class: "scroller", dataset: { place: spot }, tabindex: "0", role: "region", "aria-label": t("conversation") }, content(data));
  redraw($("main"), title(), scroller, talk ? composer.node : "");
  scroller.scrollTop = talk && stick ? scroller.scrollHeight : same ? top : 0;
  const above = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
  let end = talk && stick;
  scroller.addEventListener("scroll", () => { end = talk && above() < 80; });
  const grown = () => { if (end) scroller.scrollTop = scroller.scrollHeight; };
  scroller.addEventListener("grown", grown); // an invoice has been drawn
  scroller.addEventListener("load", grown, true); // a picture has come
  if (had && talk) composer.field.focus();
  tellAloud(same ? talk && scroller.querySelector(".messages > .message:last-child") : null, scroller);
  document.title = `${unread ? `(${unread}) ` : ""}Kassör · ${world.workspace().name}`;
}

// A page drawn anew between press and release would swallow the click: what comes meanwhile waits for the finger, a second at most.
let finger = null, lifted = () => {};
addEventListener("pointerdown", () => { finger = new Promise((resolve) => { lifted = resolve; setTimeout(resolve, 1000); }); }, true);
for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => setTimeout(() => lifted()), true);

const QUICKEST = 350; // ms between two looks while time passes: the world has other things to do
let running = null, again = false;
function refresh() {
  if (running) { again = true; return running; }
  running = (async () => {
    try {
      world.state = await get("/control/state");
      const user = world.me().id;
      const wanted = place.kind === "app" ? null : get("/control/messages", { user, channel: place.id }).catch(() => { place = MESSAGES; });
      const [views, dm, here] = await Promise.all([get("/control/views", { user }), get("/control/messages", { user, channel: "dm" }), wanted]);
      await finger;
      draw({ stack: views.stack, home: views.home, dm: dm.messages, here: here?.messages ?? [], ids: { dm: dm.channel, here: here?.channel } });
    } catch (error) {
      if (!world.state) $("main").replaceChildren(el("p", { class: "empty" }, "The sandbox is starting…"));
      console.warn(error);
    }
    if (world.state?.moving) await new Promise((resolve) => { setTimeout(resolve, QUICKEST); });
    running = null;
    if (again) { again = false; refresh(); }
  })();
  return running;
}

await refresh();
if (world.state && place.kind === "app" && place.id === "home") post("/control/open_home", { user: world.me().id }).then(refresh, () => {});
live(refresh);
setInterval(refresh, 30000); // the clock's minutes, and a net under the socket
