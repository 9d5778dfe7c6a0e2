// Ctrl+K: to any conversation, or into anybody's shoes, by a few letters.
import { el } from "./dom.js";
import { avatar, face } from "./frame.js";
import { icon } from "./icons.js";
import { t } from "./words.js";

const SHOWN = 8;

export class Switcher {
  constructor(world, go, become) {
    this.world = world;
    this.go = go;
    this.become = become;
    this.list = el("ul", { role: "listbox", id: "switcher-list" });
    this.field = el("input", { type: "text", role: "combobox", autocomplete: "off", "aria-expanded": "true", "aria-autocomplete": "list", "aria-controls": "switcher-list",
      oninput: () => this.paint(), onkeydown: (event) => this.key(event) });
    this.dialog = el("dialog", { class: "switcher", onclick: (event) => { if (event.target === this.dialog) this.dialog.close(); } }, el("div", {}, this.field, this.list));
    document.body.append(this.dialog);
    document.addEventListener("keydown", (event) => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      this.open();
    });
  }

  button() {
    return el("button", { type: "button", class: "jump", onclick: () => this.open() }, icon("search", { decoration: true }), el("span", {}, t("jump")), el("kbd", { "aria-hidden": "true" }, "Ctrl K"));
  }

  open() {
    this.field.value = "";
    this.field.placeholder = t("jumpTo");
    for (const each of [this.field, this.list, this.dialog]) each.setAttribute("aria-label", t("jump"));
    this.dialog.showModal();
    this.paint();
  }

  // Every place one can go to, and everybody one can be: {text, soft, picture, go}.
  all() {
    const { world, go, become } = this, me = world.me();
    const app = ["home", "messages", "about"].map((id) => ({ text: `Kassör · ${t(id)}`, picture: () => face("small"), go: () => go({ kind: "app", id }) }));
    const channels = world.workspace().channels.filter((each) => each.members.includes(me.id) && !each.is_archived)
      .map((each) => ({ text: each.name, picture: () => icon(each.is_private ? "lock" : "hash", { decoration: true }), go: () => go({ kind: "channel", id: each.id }) }));
    const people = world.workspace().users.filter((each) => !each.is_bot && !each.deleted)
      .map((each) => ({ text: each.real_name, soft: each.id === me.id ? t("yourself") : t("direct"), picture: () => avatar(each, "small"), go: () => go({ kind: "talk", id: each.id }) }));
    const shoes = world.all().filter((each) => !each.is_bot && !each.deleted && each.id !== me.id)
      .map((each) => ({ text: each.real_name, soft: t("beThem"), picture: () => avatar(each, "small"), go: () => become(each.id) }));
    return [...app, ...channels, ...people, ...shoes];
  }

  paint(at = 0) {
    const wanted = this.field.value.trim().toLowerCase();
    this.found = this.all().filter((each) => each.text.toLowerCase().includes(wanted)).slice(0, SHOWN);
    this.at = this.found.length ? (at + this.found.length) % this.found.length : 0;
    this.field.setAttribute("aria-activedescendant", this.found.length ? `switcher-${this.at}` : "");
    this.list.replaceChildren(...this.found.map((each, index) => el("li", { role: "option", id: `switcher-${index}`, "aria-selected": String(index === this.at), onclick: () => this.take(each) },
      each.picture(), el("b", {}, each.text), each.soft ? el("small", {}, each.soft) : null)));
  }

  take(found) {
    this.dialog.close();
    found.go();
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.paint(this.at + step);
    else if (event.key === "Enter" && this.found.length) this.take(this.found[this.at]);
    else return;
    event.preventDefault();
  }
}
