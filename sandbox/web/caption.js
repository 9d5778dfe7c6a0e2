// What a guided walk is doing, said at the foot of the page, which follows whoever acts.
import { el } from "./dom.js";

let last = null;

// `follow(user, place)` shows the page as that person sees it there.
export function caption(world, node, follow) {
  const now = world.state.caption;
  node.hidden = !now;
  if (!now || now.number === last) return;
  last = now.number;
  const who = world.find(now.user ?? "");
  node.replaceChildren(...[who && el("b", {}, who.real_name), el("span", {}, now.text)].filter(Boolean));
  if (who) follow(who.id, now.channel);
}
