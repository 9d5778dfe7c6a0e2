// The world's panel, beside the conversation: its controls, what happens, what is said over HTTP, what Kassör keeps, what to try.
import { Controls } from "./controls.js";
import { el } from "./dom.js";
import { Feed } from "./feed.js";
import { icon } from "./icons.js";
import { Inside } from "./inside.js";
import { Traffic } from "./traffic.js";
import { Tries } from "./tries.js";
import { locale, t } from "./words.js";

export class Drawer {
  constructor(world) {
    this.world = world;
    this.button = el("button", { type: "button", class: "world", "aria-expanded": "false", "aria-controls": "drawer", onclick: () => this.toggle() });
    this.node = el("aside", { id: "drawer", hidden: true, onkeydown: (event) => this.key(event) });
    this.rooms = { tries: new Tries(world), controls: new Controls(world), feed: new Feed(world), traffic: new Traffic(), inside: new Inside(world) };
    this.room = "tries";
    document.body.append(this.node);
  }

  toggle(open = this.node.hidden) {
    this.node.hidden = !open;
    this.button.setAttribute("aria-expanded", String(open));
    if (open) { this.spoken = ""; this.refresh(); this.node.querySelector("[role=tab][aria-selected=true]").focus(); } else this.button.focus();
  }

  show(room, focus = false) {
    this.room = room;
    this.spoken = "";
    this.refresh();
    if (focus) this.node.querySelector("[role=tab][aria-selected=true]").focus();
  }

  key(event) {
    if (event.key === "Escape") { event.stopPropagation(); this.toggle(false); return; }
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || event.target.getAttribute("role") !== "tab") return;
    event.preventDefault();
    const names = Object.keys(this.rooms);
    this.show(names.at((names.indexOf(this.room) + step) % names.length), true);
  }

  tab(name) {
    const here = name === this.room;
    return el("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-selected": String(here), "aria-controls": "room", tabindex: here ? "0" : "-1", onclick: () => this.show(name, true) }, t(`tab_${name}`));
  }

  refresh() {
    const tries = this.rooms.tries.count();
    this.button.replaceChildren(icon("globe", { decoration: true }), ` ${t("world")}`, ...(tries ? [el("small", { "aria-hidden": "true" }, tries)] : []));
    this.button.setAttribute("aria-label", t("world"));
    if (this.node.hidden) return;
    const room = this.rooms[this.room];
    if (this.spoken !== locale() + this.room) {
      this.spoken = locale() + this.room;
      this.node.className = `at-${this.room}`;
      this.node.setAttribute("aria-label", t("world"));
      this.node.replaceChildren(
        el("header", {}, el("h2", {}, t("world")), el("button", { type: "button", class: "icon", "aria-label": t("close"), onclick: () => this.toggle(false) }, icon("cross", { decoration: true }))),
        el("div", { role: "tablist", class: "tabs", "aria-label": t("world") }, Object.keys(this.rooms).map((each) => this.tab(each))),
        el("div", { class: "body", id: "room", role: "tabpanel", "aria-labelledby": `tab-${this.room}`, tabindex: "0" }, room.node));
    }
    room.refresh();
  }
}
