// Where people write: commands with suggestions, mentions, or a plain message.
import { el, toast } from "./dom.js";
import { face } from "./frame.js";
import { icon } from "./icons.js";
import { t } from "./words.js";

export class Composer {
  constructor(world, send) {
    this.world = world;
    this.send = send; // (text) → Promise
    this.options = [];
    this.list = el("ul", { class: "suggest", role: "listbox", id: "suggestions", hidden: true });
    this.field = el("textarea", {
      rows: 1, id: "composer", role: "combobox", "aria-expanded": "false", autocomplete: "off", spellcheck: false, "aria-autocomplete": "list", "aria-controls": "suggestions",
      oninput: () => this.suggest(), onkeydown: (event) => this.key(event),
    });
    this.button = el("button", { class: "primary send", type: "submit" }, icon("send", { decoration: true }));
    this.node = el("form", { class: "composer", onsubmit: (event) => { event.preventDefault(); this.go(); } },
      this.list, this.field, this.button);
    this.relabel();
  }

  // What the field is called, where one is.
  relabel(place, world) {
    const named = !place || place.kind === "app" ? "Kassör" : place.kind === "talk" ? world.person(place.id) : `#${world.channel(place.id)}`;
    this.field.placeholder = `${t("writeTo")} ${named}${t("orCommand")}`;
    this.field.setAttribute("aria-label", `${t("writeTo")} ${named}`);
    this.list.setAttribute("aria-label", t("suggestions"));
    this.button.setAttribute("aria-label", t("send"));
    this.button.title = t("send");
  }

  // Puts something here for a person to finish.
  begin(text) {
    this.field.value = text;
    setTimeout(() => { this.field.focus(); this.suggest(); }, 60);
  }

  // What can complete the word being typed: a command at the start, a person or a group after @, a channel after #.
  found() {
    const text = this.field.value;
    const word = text.slice(0, this.field.selectionStart).match(/(^\/\S*|[@#]\S*)$/)?.[0];
    if (!word) return [];
    if (word[0] === "/") {
      return this.world.commands().filter((each) => each.command.startsWith(word) && each.command !== text.trim())
        .map((each) => ({ insert: `${each.command} `, title: each.command, hint: each.usage_hint, text: each.description, word }));
    }
    const wanted = word.slice(1).toLowerCase();
    if (word[0] === "#") {
      return this.world.channels(true).filter(([, name]) => name.slice(1).startsWith(wanted) && name !== word).slice(0, 8)
        .map(([, name]) => ({ insert: `${name} `, title: name, hint: "", text: "", word }));
    }
    return this.world.handles().filter(([handle, name]) => handle.startsWith(wanted) || name.toLowerCase().includes(wanted)).slice(0, 8)
      .map(([handle, name]) => ({ insert: `@${handle} `, title: name, hint: `@${handle}`, text: "", word }));
  }

  // A command written out is meant, though a longer one begins with it; unless somebody has gone down to that one.
  whole() { return !this.moved && this.world.commands().some((each) => each.command === this.field.value.trim()); }

  suggest() {
    this.options = this.found();
    this.at = 0;
    this.moved = false;
    this.list.hidden = !this.options.length;
    this.paint();
  }

  paint() {
    this.field.setAttribute("aria-expanded", String(!this.list.hidden));
    if (this.list.hidden) this.field.removeAttribute("aria-activedescendant");
    else this.field.setAttribute("aria-activedescendant", `suggestion-${this.at}`);
    this.list.replaceChildren(...this.options.map((each, index) =>
      el("li", { role: "option", id: `suggestion-${index}`, "aria-selected": String(index === this.at), onmousedown: (event) => { event.preventDefault(); this.take(each); } },
        each.word[0] === "/" ? face("small") : null, el("b", {}, each.title), el("span", { class: "hint soft" }, ` ${each.hint ?? ""}`), el("small", {}, each.text))));
  }

  take(option) {
    const end = this.field.selectionStart, start = end - option.word.length;
    this.field.setRangeText(option.insert, start, end, "end");
    this.field.focus();
    this.suggest();
  }

  key(event) {
    const open = !this.list.hidden;
    if (open && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      const count = this.options.length;
      this.moved = true;
      this.at = (this.at + (event.key === "ArrowDown" ? 1 : count - 1)) % count;
      this.paint();
    } else if (open && (event.key === "Tab" || (event.key === "Enter" && !this.whole() && this.options[this.at].word !== this.options[this.at].insert.trim()))) {
      event.preventDefault();
      this.take(this.options[this.at]);
    } else if (event.key === "Escape") {
      this.list.hidden = true;
      this.options = [];
      this.paint();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.go();
    }
  }

  async go() {
    const text = this.field.value.trim();
    if (!text || this.button.disabled) return;
    this.list.hidden = true;
    this.options = [];
    this.paint();
    this.button.disabled = true;
    try {
      this.field.value = "";
      await this.send(text);
    } catch (error) {
      this.field.value = text;
      toast(`${t("failed")}: ${error.message}`, "bad");
    }
    this.button.disabled = false;
    this.field.focus();
  }
}
