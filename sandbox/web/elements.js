// Block Kit's interactive elements. `place.act` sends an action; `place.values` keeps what is typed until it is submitted.
import { el, newId } from "./dom.js";
import { plainText, textObject } from "./mrkdwn.js";
import { t } from "./words.js";

export function ask(confirm, world) {
  if (!confirm) return Promise.resolve(true);
  return new Promise((resolve) => {
    const done = (answer) => { dialog.close(); dialog.remove(); resolve(answer); };
    const dialog = el("dialog", { class: "confirm", oncancel: () => done(false) },
      el("h2", {}, plainText(confirm.title.text)),
      el("p", {}, textObject(confirm.text, world)),
      el("div", { class: "row end" },
        el("button", { type: "button", onclick: () => done(false) }, plainText(confirm.deny.text)),
        el("button", { type: "button", class: confirm.style === "danger" ? "danger" : "primary", onclick: () => done(true) },
          plainText(confirm.confirm.text))));
    document.body.append(dialog);
    dialog.showModal();
  });
}

function button(element, block, place, world) {
  const press = async (event) => {
    if (!(await ask(element.confirm, world))) return;
    if (element.url) window.open(element.url, "_blank", "noopener");
    await place.act(element, block, element.value, event.currentTarget);
  };
  return el("button", {
    type: "button", class: `action ${element.style ?? ""}`, onclick: press,
    "aria-label": element.accessibility_label ?? null, dataset: { action: element.action_id },
  }, plainText(element.text.text), element.url ? el("span", { class: "out", "aria-hidden": "true" }, " ↗") : null);
}

const optionsOf = (element) => element.options ?? (element.option_groups ?? []).flatMap((group) => group.options);

// What is chosen now: typed here, else as Slack's state has it, else the element's initial value.
function current(element, block, place) {
  const typed = place.values?.get(`${block.block_id}/${element.action_id}`);
  if (typed !== undefined) return typed;
  const state = place.state?.[block.block_id]?.[element.action_id] ?? {};
  const many = element.type.startsWith("multi_") || element.type === "checkboxes";
  if (many) {
    const found = state.selected_options ?? element.initial_options ?? [];
    return state.selected_users ?? state.selected_channels ?? state.selected_conversations ?? found.map((each) => each.value);
  }
  return state.value ?? state.selected_user ?? state.selected_channel ?? state.selected_conversation ?? state.selected_date
    ?? state.selected_option?.value ?? element.initial_value ?? element.initial_user ?? element.initial_channel
    ?? element.initial_conversation ?? element.initial_date ?? element.initial_option?.value ?? "";
}

// Keeps a choice, and tells Kassör of it when it wants to hear.
async function chose(element, block, place, value) {
  place.values?.set(`${block.block_id}/${element.action_id}`, value);
  if (block.type !== "input" || block.dispatch_action) await place.act(element, block, value);
}

function select(element, block, place, world, options) {
  const many = element.type.startsWith("multi_");
  const now = current(element, block, place);
  const selected = (value) => (many ? now.includes(value) : now === value);
  const choose = (event) => {
    const values = [...event.target.selectedOptions].map((each) => each.value).filter(Boolean);
    chose(element, block, place, many ? values : values[0] ?? null);
  };
  const one = ([value, text]) => el("option", { value, selected: selected(value) }, text);
  const groups = element.option_groups?.map((group) =>
    el("optgroup", { label: plainText(group.label.text) }, group.options.map((each) => one([each.value, plainText(each.text.text)]))));
  return el("select", { multiple: many, onchange: choose, dataset: { action: element.action_id } },
    many ? null : el("option", { value: "" }, plainText(element.placeholder?.text ?? t("pick"))), groups ?? options.map(one));
}

function choices(element, block, place, world) {
  const many = element.type === "checkboxes";
  const name = newId(), now = current(element, block, place);
  const choose = (event) => {
    const box = event.target.closest(".choices");
    const values = [...box.querySelectorAll("input:checked")].map((each) => each.value);
    chose(element, block, place, many ? values : values[0]);
  };
  return el("div", { class: "choices", role: many ? "group" : "radiogroup", dataset: { action: element.action_id } },
    element.options.map((each) => el("label", {},
      el("input", {
        type: many ? "checkbox" : "radio", name, value: each.value, onchange: choose,
        checked: many ? now.includes(each.value) : now === each.value,
      }),
      el("span", {}, textObject(each.text, world), each.description ? el("small", {}, textObject(each.description, world)) : null))));
}

function input(element, block, place) {
  const kinds = { number_input: "number", email_text_input: "email", url_text_input: "url", datepicker: "date", timepicker: "time" };
  const keep = (event) => place.values?.set(`${block.block_id}/${element.action_id}`, event.target.value);
  const attributes = {
    oninput: keep, placeholder: plainText(element.placeholder?.text ?? ""), maxlength: element.max_length,
    dataset: { action: element.action_id },
  };
  if (element.type.endsWith("picker") || block.dispatch_action) attributes.onchange = (event) => chose(element, block, place, event.target.value);
  const now = String(current(element, block, place) ?? "");
  if (element.multiline) return el("textarea", { rows: 4, ...attributes }, now);
  return el("input", { type: kinds[element.type] ?? "text", value: now, ...attributes });
}

function overflow(element, block, place, world) {
  const pick = async (each) => {
    if (each.url) window.open(each.url, "_blank", "noopener");
    if (await ask(element.confirm, world)) await place.act(element, block, each.value);
  };
  return el("details", { class: "overflow" }, el("summary", { "aria-label": t("more") }, "⋯"),
    el("div", { class: "menu" }, element.options.map((each) =>
      el("button", { type: "button", onclick: () => pick(each) }, textObject(each.text, world)))));
}

async function suggest(element, block, place, list, value) {
  const told = await place.suggest(element, block, value).catch(() => ({}));
  const found = told.options ?? (told.option_groups ?? []).flatMap((group) => group.options);
  list.replaceChildren(...found.map((each) => el("option", { value: plainText(each.text.text) })));
  list.found = found;
}

function external(element, block, place) {
  const list = el("datalist", { id: newId() });
  const typed = (event) => {
    const hit = list.found?.find((each) => plainText(each.text.text) === event.target.value);
    if (hit) chose(element, block, place, hit);
    else suggest(element, block, place, list, event.target.value);
  };
  const shown = element.initial_option ? plainText(element.initial_option.text.text) : "";
  return el("span", {}, el("input", { list: list.id, oninput: typed, onfocus: typed, value: shown }), list);
}

export function element(found, block, place, world) {
  switch (found.type) {
    case "button": return button(found, block, place, world);
    case "image": return el("img", { src: found.image_url, alt: found.alt_text, class: "thumb" });
    case "overflow": return overflow(found, block, place, world);
    case "radio_buttons": case "checkboxes": return choices(found, block, place, world);
    case "static_select": case "multi_static_select":
      return select(found, block, place, world, optionsOf(found).map((each) => [each.value, plainText(each.text.text)]));
    case "users_select": case "multi_users_select": return select(found, block, place, world, world.people());
    case "channels_select": case "multi_channels_select": case "conversations_select": case "multi_conversations_select":
      return select(found, block, place, world, world.channels());
    case "external_select": return external(found, block, place, world);
    default: return input(found, block, place, world);
  }
}
