// Block Kit's interactive elements. `place.act` sends an action; `place.values` keeps what is typed until it is submitted.
import { el, newId } from "./dom.js";
import { icon } from "./icons.js";
import { drawnText, plainText, textObject } from "./mrkdwn.js";
import { asking, several } from "./picking.js";
import { t } from "./words.js";

export function ask(confirm, world) {
  if (!confirm) return Promise.resolve(true);
  return new Promise((resolve) => {
    const before = document.activeElement;
    const done = (answer) => { dialog.close(); dialog.remove(); before?.focus?.(); resolve(answer); };
    const title = newId();
    const dialog = el("dialog", { class: "confirm", "aria-labelledby": title, oncancel: (event) => { event.preventDefault(); done(false); } },
      el("h2", { id: title }, drawnText(confirm.title.text)),
      el("p", {}, textObject(confirm.text, world)),
      el("div", { class: "row end" },
        el("button", { type: "button", onclick: () => done(false) }, drawnText(confirm.deny.text)),
        el("button", { type: "button", class: confirm.style === "danger" ? "danger" : "primary", onclick: () => done(true) },
          drawnText(confirm.confirm.text))));
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
  }, drawnText(element.text.text), element.url ? [" ", icon("out")] : null);
}

const optionsOf = (element) => element.options ?? (element.option_groups ?? []).flatMap((group) => group.options);

// What is chosen now: typed here, else as Slack's state has it (which begins with the element's initial values).
function current(element, block, place) {
  const typed = place.values?.get(`${block.block_id}/${element.action_id}`);
  if (typed !== undefined) return typed;
  const state = place.state?.[block.block_id]?.[element.action_id] ?? {};
  if (element.type.startsWith("multi_") || element.type === "checkboxes") {
    const found = state.selected_options ?? element.initial_options ?? [];
    return state.selected_users ?? state.selected_channels ?? state.selected_conversations ?? element.initial_users ?? element.initial_channels
      ?? element.initial_conversations ?? found.map((each) => each.value);
  }
  return state.value ?? state.selected_user ?? state.selected_channel ?? state.selected_conversation ?? state.selected_date ?? state.selected_time
    ?? state.selected_date_time ?? state.selected_option?.value ?? element.initial_value ?? element.initial_user ?? element.initial_channel
    ?? element.initial_conversation ?? element.initial_date ?? element.initial_time ?? element.initial_date_time ?? element.initial_option?.value ?? "";
}

// Keeps a choice, and tells Kassör of it when it wants to hear; asks first where the element asks for that.
async function chose(element, block, place, value, world) {
  const hears = block.type !== "input" || block.dispatch_action;
  if (hears && !(await ask(element.confirm, world))) { world.refresh(true); return; }
  place.values?.set(`${block.block_id}/${element.action_id}`, value);
  if (hears) await place.act(element, block, value);
}

function select(element, block, place, world, options) {
  const placeholder = plainText(element.placeholder?.text ?? "");
  const now = current(element, block, place);
  if (element.type.startsWith("multi_")) {
    return several({ options, chosen: now, placeholder, most: element.max_selected_items, action: element.action_id, changed: (values) => chose(element, block, place, values, world) });
  }
  const one = ([value, text]) => el("option", { value, selected: now === value }, text);
  const groups = element.option_groups?.map((group) =>
    el("optgroup", { label: plainText(group.label.text) }, group.options.map((each) => one([each.value, plainText(each.text.text)]))));
  return el("select", { onchange: (event) => chose(element, block, place, event.target.value || null, world), dataset: { action: element.action_id } },
    el("option", { value: "" }, placeholder || t("pick")), groups ?? options.map(one));
}

function choices(element, block, place, world) {
  const many = element.type === "checkboxes";
  const name = newId(), now = current(element, block, place);
  const choose = (event) => {
    const box = event.target.closest(".choices");
    const values = [...box.querySelectorAll("input:checked")].map((each) => each.value);
    chose(element, block, place, many ? values : values[0], world);
  };
  return el("div", { class: "choices", role: many ? "group" : "radiogroup", dataset: { action: element.action_id } },
    element.options.map((each) => el("label", {},
      el("input", {
        type: many ? "checkbox" : "radio", name, value: each.value, onchange: choose,
        checked: many ? now.includes(each.value) : now === each.value,
      }),
      el("span", {}, textObject(each.text, world), each.description ? el("small", {}, textObject(each.description, world)) : null))));
}

// Numbers are typed as text: what is wrong with them Slack says on the field, in the reader's language.
function input(element, block, place, world) {
  const kinds = { email_text_input: "email", url_text_input: "url", datepicker: "date", timepicker: "time", datetimepicker: "datetime-local" };
  const moment = element.type === "datetimepicker";
  const read = (field) => (moment && field.value ? Math.round(new Date(field.value).getTime() / 1000) : field.value);
  const keep = (event) => place.values?.set(`${block.block_id}/${element.action_id}`, read(event.target));
  const attributes = {
    oninput: keep, placeholder: plainText(element.placeholder?.text ?? ""), dataset: { action: element.action_id },
    inputmode: element.type === "number_input" ? "decimal" : null,
  };
  if (element.type.endsWith("picker") || block.dispatch_action) attributes.onchange = (event) => chose(element, block, place, read(event.target), world);
  const now = current(element, block, place);
  const shown = moment && now ? new Date(now * 1000 - new Date(now * 1000).getTimezoneOffset() * 60000).toISOString().slice(0, 16) : String(now ?? "");
  if (element.multiline) return el("textarea", { rows: 4, ...attributes }, shown);
  return el("input", { type: kinds[element.type] ?? "text", value: shown, ...attributes });
}

function overflow(element, block, place, world) {
  const pick = async (each) => {
    menu.open = false;
    if (!(await ask(element.confirm, world))) return;
    if (each.url) window.open(each.url, "_blank", "noopener");
    await place.act(element, block, each.value);
  };
  const close = (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    event.stopPropagation();
    event.preventDefault();
    menu.open = false;
    menu.firstChild.focus();
  };
  const menu = el("details", { class: "overflow", dataset: { action: element.action_id }, onkeydown: close,
    onfocusout: (event) => { if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false; } },
    el("summary", { "aria-label": t("more") }, icon("dots", { decoration: true })),
    el("div", { class: "menu" }, element.options.map((each) =>
      el("button", { type: "button", onclick: () => pick(each) }, textObject(each.text, world), each.url ? [" ", icon("out")] : null))));
  return menu;
}

function external(element, block, place, world) {
  const many = element.type.startsWith("multi_");
  const state = place.state?.[block.block_id]?.[element.action_id] ?? {};
  const typed = place.values?.get(`${block.block_id}/${element.action_id}`);
  const chosen = typed ?? (many ? state.selected_options ?? element.initial_options ?? [] : state.selected_option ?? element.initial_option);
  return asking({
    many, chosen: many ? chosen : [chosen].filter(Boolean), least: element.min_query_length ?? 3, action: element.action_id,
    placeholder: plainText(element.placeholder?.text ?? ""), ask: (value) => place.suggest(element, block, value),
    changed: (value) => chose(element, block, place, value, world),
  });
}

// Outside an input block nothing names an element but its placeholder, or else what kind it is.
function named(node, found) {
  const target = node.matches("input,select,textarea,details.several,.choices") ? node : node.querySelector(":scope > [role=combobox]");
  target?.setAttribute("aria-label", plainText(found.placeholder?.text ?? "") || t(found.type.startsWith("multi_") ? "pickSeveral" : "pick"));
  return node;
}

export function element(found, block, place, world) {
  const node = made(found, block, place, world);
  return block.type === "input" || ["button", "image", "overflow"].includes(found.type) ? node : named(node, found);
}

function made(found, block, place, world) {
  switch (found.type) {
    case "button": return button(found, block, place, world);
    case "image": return el("img", { src: found.image_url, alt: found.alt_text, class: "thumb" });
    case "overflow": return overflow(found, block, place, world);
    case "radio_buttons": case "checkboxes": return choices(found, block, place, world);
    case "static_select": case "multi_static_select":
      return select(found, block, place, world, optionsOf(found).map((each) => [each.value, plainText(each.text.text)]));
    case "users_select": case "multi_users_select": return select(found, block, place, world, world.people());
    case "channels_select": case "multi_channels_select": return select(found, block, place, world, world.channels(false));
    case "conversations_select": case "multi_conversations_select": return select(found, block, place, world, world.channels(true));
    case "external_select": case "multi_external_select": return external(found, block, place, world);
    default: return input(found, block, place, world);
  }
}
