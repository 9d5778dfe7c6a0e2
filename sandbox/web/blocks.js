// Block Kit's blocks.
import { el, newId } from "./dom.js";
import { icon } from "./icons.js";
import { element } from "./elements.js";
import { drawnText, mrkdwn, plainText, textObject } from "./mrkdwn.js";
import { preview } from "./pdf.js";
import { t } from "./words.js";

function section(block, place, world) {
  const fields = block.fields?.length
    ? el("div", { class: "fields" }, block.fields.map((each) => el("div", {}, textObject(each, world)))) : null;
  const text = el("div", { class: "text" }, block.text ? el("div", {}, textObject(block.text, world)) : null, fields);
  return el("div", { class: "section" }, text, block.accessory ? el("div", { class: "accessory" }, element(block.accessory, block, place, world)) : null);
}

function input(block, place, world) {
  const id = newId(), error = place.errors?.[block.block_id];
  const made = element(block.element, block, place, world);
  const target = made.matches("input,select,textarea") ? made : made.querySelector(":scope > [role=combobox]");
  if (target) target.id = id;
  if (error) (target ?? made).setAttribute("aria-invalid", "true");
  (target ?? made).setAttribute("aria-describedby", `${id}-more`);
  if (!target) made.setAttribute("aria-label", plainText(block.label.text));
  const label = [drawnText(block.label.text), block.optional ? el("span", { class: "soft" }, ` (${t("optional")})`) : null];
  return el("div", { class: "input", dataset: { block: block.block_id } },
    el(target ? "label" : "div", { class: "label", for: target ? id : null }, label),
    made,
    el("div", { id: `${id}-more` },
      block.hint ? el("small", { class: "soft" }, drawnText(block.hint.text)) : null,
      error ? el("p", { class: "error", role: "alert" }, world.plainMentions(error)) : null));
}

function richText(parts, world) {
  return parts.map((part) => {
    switch (part.type) {
      case "rich_text_section": return el("p", {}, richText(part.elements, world));
      case "rich_text_list": return el(part.style === "ordered" ? "ol" : "ul", {}, part.elements.map((each) => el("li", {}, richText([each], world))));
      case "rich_text_preformatted": return el("pre", {}, richText(part.elements, world));
      case "rich_text_quote": return el("blockquote", {}, richText(part.elements, world));
      case "link": return el("a", { href: part.url, target: "_blank", rel: "noopener" }, part.text ?? part.url);
      case "channel": return el("span", { class: "mention" }, `#${world.channel(part.channel_id)}`);
      case "usergroup": return el("span", { class: "mention" }, `@${world.group(part.usergroup_id)}`);
      case "user": return el("span", { class: "mention" }, `@${world.person(part.user_id)}`);
      case "emoji": return drawnText(`:${part.name}:`);
      default: {
        const tags = [["bold", "b"], ["italic", "i"], ["strike", "s"], ["code", "code"]].filter(([name]) => part.style?.[name]);
        return tags.reduce((inner, [, tag]) => el(tag, {}, inner), part.text ?? "");
      }
    }
  });
}

function table(block, world) {
  const cell = (found) => (found.type === "rich_text" ? richText(found.elements, world) : [found.text ?? ""]);
  const [head, ...rows] = block.rows;
  return el("div", { class: "scroll" }, el("table", {},
    el("thead", {}, el("tr", {}, head.map((each) => el("th", {}, cell(each))))),
    el("tbody", {}, rows.map((row) => el("tr", {}, row.map((each) => el("td", {}, cell(each))))))));
}

function block(found, place, world) {
  switch (found.type) {
    case "header": return el("h3", { class: "header" }, drawnText(found.text.text));
    case "section": return section(found, place, world);
    case "divider": return el("hr");
    case "context": return el("div", { class: "context" }, found.elements.map((each) =>
      each.type === "image" ? el("img", { src: each.image_url, alt: each.alt_text }) : el("span", {}, textObject(each, world))));
    case "actions": return el("div", { class: "actions" }, found.elements.map((each) => element(each, found, place, world)));
    case "input": return input(found, place, world);
    case "image": return el("figure", {}, el("img", { src: found.image_url, alt: found.alt_text }), found.title ? el("figcaption", {}, drawnText(found.title.text)) : null);
    case "rich_text": return el("div", { class: "rich" }, richText(found.elements, world));
    case "table": return table(found, world);
    default: return el("div", { class: "soft" }, found.type);
  }
}

export function blocks(list, place, world) {
  return el("div", { class: "blocks" }, (list ?? []).map((each) => block(each, place, world)));
}

// A file's card; of a PDF, its first page drawn beneath the name.
function file(found) {
  const pdf = found.filetype === "pdf" || found.mimetype === "application/pdf";
  const page = pdf ? el("a", { class: "page", href: found.url_private, target: "_blank", rel: "noopener", tabindex: "-1", "aria-hidden": "true", hidden: true }) : null;
  if (page) preview(new URL(found.url_private).pathname).then((drawn) => { if (drawn) { page.append(drawn); page.hidden = false; page.dispatchEvent(new Event("grown", { bubbles: true })); } });
  return el("div", { class: "file" },
    el("div", { class: "name" },
      el("span", { class: "kind", "aria-hidden": "true" }, found.pretty_type ?? found.filetype),
      el("span", { class: "text" },
        el("a", { href: found.url_private, target: "_blank", rel: "noopener" }, el("b", {}, found.title ?? found.name), " ", icon("out")),
        el("small", { class: "soft" }, `${found.pretty_type} · ${Math.ceil(found.size / 1024)} kB · `,
          el("a", { href: found.url_private_download, "aria-label": `${t("download")} ${found.name}` }, t("download"))))),
    page);
}

export function files(list) {
  return (list ?? []).map(file);
}

export function message(found, place, world) {
  const body = found.blocks?.length ? blocks(found.blocks, place, world) : el("div", { class: "text" }, mrkdwn(found.text, world));
  return [found.text || found.blocks?.length ? body : null, ...files(found.files)];
}
