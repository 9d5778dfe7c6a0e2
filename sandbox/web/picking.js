// Choosing among many: a list that can be searched and ticked, and a field that asks Kassör for what fits.
import { el, newId } from "./dom.js";
import { icon } from "./icons.js";
import { plainText } from "./mrkdwn.js";
import { t } from "./words.js";

// Several of `options` ([value, text]) as a closed field that opens into ticks. `changed` hears the values, in the order offered.
export function several({ options, chosen, placeholder, most, action, changed }) {
  const texts = new Map(options);
  const picked = new Set(chosen.filter((value) => texts.has(value)));
  const summary = el("summary", {});
  const tell = () => {
    const names = [...texts].filter(([value]) => picked.has(value)).map(([, text]) => text);
    summary.replaceChildren(names.length ? el("span", { class: "chips" }, names.map((name) => el("span", { class: "chip" }, name)))
      : el("span", { class: "soft" }, placeholder || t("pickSeveral")));
    for (const box of rows.querySelectorAll("input")) box.disabled = Boolean(most) && picked.size >= most && !box.checked;
  };
  const tick = (value, on) => {
    if (on) picked.add(value); else picked.delete(value);
    tell();
    changed([...texts.keys()].filter((each) => picked.has(each)));
  };
  const rows = el("div", { class: "ticks" }, options.map(([value, text]) => el("label", {},
    el("input", { type: "checkbox", value, checked: picked.has(value), onchange: (event) => tick(value, event.target.checked) }), el("span", {}, text))));
  const sift = (event) => {
    const wanted = event.target.value.trim().toLowerCase();
    for (const row of rows.children) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  };
  const search = options.length > 7 ? el("input", { type: "search", placeholder: t("search"), "aria-label": t("search"), oninput: sift, onkeydown: (event) => { if (event.key === "Enter") event.preventDefault(); } }) : null;
  const box = el("details", { class: "several", role: "group", dataset: { action }, onkeydown: (event) => {
    if (event.key !== "Escape" || !box.open) return;
    event.stopPropagation();
    event.preventDefault();
    box.open = false;
    summary.focus();
  } }, summary, el("div", { class: "menu" }, search, rows));
  tell();
  return box;
}

// A field whose options come from Kassör as one types (`ask(text)` → options). `changed` hears the option, or the options when `many`.
export function asking({ ask, chosen, many, least, placeholder, action, changed }) {
  const picked = [...chosen];
  let found = [], at = 0, wait = 0, turn = 0;
  const name = (option) => plainText(option.text.text);
  const list = el("ul", { class: "suggest below", role: "listbox", "aria-label": t("suggestions"), id: newId(), hidden: true });
  const chips = el("span", { class: "chips" });
  const show = () => {
    list.hidden = !found.length;
    field.setAttribute("aria-expanded", String(!list.hidden));
    list.replaceChildren(...found.map((each, index) => el("li", { role: "option", id: `${list.id}-${index}`, "aria-selected": String(index === at),
      onmousedown: (event) => { event.preventDefault(); take(each); } }, name(each), each.description ? el("small", {}, plainText(each.description.text)) : null)));
    if (found.length) field.setAttribute("aria-activedescendant", `${list.id}-${at}`); else field.removeAttribute("aria-activedescendant");
  };
  const tell = () => {
    chips.replaceChildren(...(many ? picked : []).map((each) => el("span", { class: "chip" }, name(each), el("button", {
      type: "button", "aria-label": `${t("remove")} ${name(each)}`, onclick: () => { picked.splice(picked.indexOf(each), 1); tell(); changed([...picked]); },
    }, icon("cross", { decoration: true })))));
    if (!many) field.value = picked[0] ? name(picked[0]) : "";
  };
  const take = (option) => {
    if (!many) picked.length = 0;
    if (!picked.some((each) => each.value === option.value)) picked.push(option);
    found = [];
    field.value = "";
    show();
    tell();
    changed(many ? [...picked] : option);
  };
  const look = async () => {
    const mine = ++turn, typed = field.value;
    if (typed.length < least) { found = []; show(); return; }
    const told = await ask(typed).catch(() => ({}));
    if (mine !== turn) return; // somebody typed on meanwhile
    found = told.options ?? (told.option_groups ?? []).flatMap((group) => group.options);
    at = 0;
    show();
  };
  const key = (event) => {
    if (list.hidden) { if (event.key === "ArrowDown") look(); return; }
    if (event.key === "ArrowDown" || event.key === "ArrowUp") at = (at + (event.key === "ArrowDown" ? 1 : found.length - 1)) % found.length;
    else if (event.key === "Enter") { event.preventDefault(); take(found[at]); return; }
    else if (event.key === "Escape") { event.stopPropagation(); found = []; }
    else return;
    event.preventDefault();
    show();
  };
  const field = el("input", {
    type: "text", role: "combobox", autocomplete: "off", placeholder: placeholder || t("type"), "aria-autocomplete": "list", "aria-controls": list.id,
    "aria-expanded": "false", onkeydown: key, onfocus: () => { if (least === 0) look(); }, oninput: () => { clearTimeout(wait); wait = setTimeout(look, 150); },
    onblur: () => { found = []; show(); if (!many) tell(); },
  });
  const box = el("span", { class: "asking", dataset: { action } }, chips, field, list);
  tell();
  return box;
}
