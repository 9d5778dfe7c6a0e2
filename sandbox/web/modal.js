// The stack of modals: only the top one is shown. What was typed survives when Kassör updates the view.
import { blocks } from "./blocks.js";
import { el, toast } from "./dom.js";
import { icon } from "./icons.js";
import { drawnText, plainText } from "./mrkdwn.js";
import { t } from "./words.js";

export class Modal {
  constructor(hands) {
    this.hands = hands; // {act, submit, close, suggest}
    this.typed = new Map(); // by view: what a person has typed but not submitted
    this.shown = null;
    this.dialog = el("dialog", { class: "modal", oncancel: (event) => { event.preventDefault(); this.close(); } });
    document.body.append(this.dialog);
  }

  show(stack, world) {
    const view = stack.at(-1);
    if (!view) {
      if (this.dialog.open) this.dialog.close();
      this.shown = null;
      this.typed.clear();
      return;
    }
    for (const id of this.typed.keys()) if (!stack.some((each) => each.id === id)) this.typed.delete(id);
    const same = this.shown && this.shown.id === view.id && this.shown.hash === view.hash
      && JSON.stringify(this.shown.errors) === JSON.stringify(view.errors);
    if (same) return;
    this.shown = view;
    if (!this.typed.has(view.id)) this.typed.set(view.id, new Map());
    const place = {
      values: this.typed.get(view.id), state: view.state?.values, errors: view.errors,
      act: (element, block, value, button) => this.busy(() => this.hands.act(view, element, block, value), button),
      suggest: (element, block, value) => this.hands.suggest(view, element, block, value),
    };
    const focused = document.activeElement?.closest?.("[data-action]")?.dataset.action;
    const general = view.errors?.[""];
    const form = el("form", { onsubmit: (event) => { event.preventDefault(); this.submit(view); }, novalidate: true },
      el("header", {}, el("h2", {}, drawnText(view.title.text)),
        el("button", { type: "button", class: "icon", "aria-label": t("close"), onclick: () => this.close(true) }, icon("cross", { decoration: true }))),
      el("div", { class: "body" }, general ? el("p", { class: "error", role: "alert" }, general) : null, blocks(view.blocks, place, world)),
      el("footer", {},
        el("button", { type: "button", onclick: () => this.close() }, drawnText(view.close?.text ?? t("close"))),
        view.submit ? el("button", { class: "primary", type: "submit" }, drawnText(view.submit.text)) : null));
    this.dialog.replaceChildren(form);
    this.dialog.setAttribute("aria-label", plainText(view.title.text));
    if (!this.dialog.open) this.dialog.showModal();
    const again = focused && [...form.querySelectorAll("[data-action]")].find((each) => each.dataset.action === focused);
    const invalid = form.querySelector("[aria-invalid]");
    const first = form.querySelector(".body :is(input,select,textarea,button)");
    (invalid ?? (again?.querySelector?.("input:checked") || again) ?? first)?.focus?.({ preventScroll: !invalid });
  }

  async busy(work, button) {
    this.dialog.classList.add("busy");
    this.dialog.setAttribute("aria-busy", "true");
    if (button) button.disabled = true;
    try { await work(); } catch (error) { toast(`${t("failed")}: ${error.message}`, "bad"); }
    this.dialog.classList.remove("busy");
    this.dialog.removeAttribute("aria-busy");
    if (button) button.disabled = false;
  }

  submit(view) {
    const values = {}, typed = this.typed.get(view.id);
    for (const block of view.blocks) {
      const action = block.type === "input" ? block.element.action_id : null;
      const key = `${block.block_id}/${action}`;
      if (action && typed.has(key)) (values[block.block_id] ??= {})[action] = typed.get(key) || null;
    }
    return this.busy(() => this.hands.submit(view, values), this.dialog.querySelector("footer .primary"));
  }

  // Its own button closes the top view, the cross all of them, as in Slack.
  close(everything = false) {
    if (this.shown) this.busy(() => this.hands.close(this.shown, everything));
  }
}
