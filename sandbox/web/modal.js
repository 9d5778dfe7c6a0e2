// The stack of modals: only the top one is shown. What was typed survives when Kassör updates the view.
import { blocks } from "./blocks.js";
import { el, toast } from "./dom.js";
import { plainText } from "./mrkdwn.js";
import { t } from "./words.js";

export class Modal {
  constructor(hands) {
    this.hands = hands; // {act, submit, close, suggest}
    this.values = new Map();
    this.shown = null;
    this.dialog = el("dialog", { class: "modal", oncancel: (event) => { event.preventDefault(); this.close(); } });
    document.body.append(this.dialog);
  }

  show(stack, world) {
    const view = stack.at(-1);
    if (!view) {
      if (this.dialog.open) this.dialog.close();
      this.shown = null;
      this.values.clear();
      return;
    }
    const same = this.shown && this.shown.id === view.id && this.shown.hash === view.hash
      && JSON.stringify(this.shown.errors) === JSON.stringify(view.errors);
    if (same) return;
    if (this.shown?.id !== view.id) this.values.clear();
    this.shown = view;
    const place = {
      values: this.values, state: view.state?.values, errors: view.errors,
      act: (element, block, value, button) => this.busy(() => this.hands.act(view, element, block, value), button),
      suggest: (element, block, value) => this.hands.suggest(view, element, block, value),
    };
    const focused = document.activeElement?.closest?.("[data-action]")?.dataset.action;
    const general = view.errors?.[""];
    const form = el("form", { onsubmit: (event) => { event.preventDefault(); this.submit(view); }, novalidate: true },
      el("header", {}, el("h2", {}, plainText(view.title.text)),
        el("button", { type: "button", class: "icon", "aria-label": t("close"), onclick: () => this.close() }, "✕")),
      el("div", { class: "body" }, general ? el("p", { class: "error", role: "alert" }, general) : null, blocks(view.blocks, place, world)),
      el("footer", {},
        el("button", { type: "button", onclick: () => this.close() }, plainText(view.close?.text ?? t("close"))),
        view.submit ? el("button", { class: "primary", type: "submit" }, plainText(view.submit.text)) : null));
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
    if (button) button.disabled = true;
    try { await work(); } catch (error) { toast(`${t("failed")}: ${error.message}`, "bad"); }
    this.dialog.classList.remove("busy");
    if (button) button.disabled = false;
  }

  submit(view) {
    const values = {};
    for (const block of view.blocks) {
      const action = block.type === "input" ? block.element.action_id : null;
      const key = `${block.block_id}/${action}`;
      if (action && this.values.has(key)) (values[block.block_id] ??= {})[action] = this.values.get(key) || null;
    }
    return this.busy(() => this.hands.submit(view, values), this.dialog.querySelector("footer .primary"));
  }

  close() {
    if (this.shown) this.busy(() => this.hands.close(this.shown));
  }
}
