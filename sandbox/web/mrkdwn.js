// Slack's mrkdwn as DOM nodes: bold, italic, strike, code, links, mentions, dates, emoji; anything else is plain text.
import { el } from "./dom.js";

const EMOJI = {
  white_check_mark: "✅", warning: "⚠️", hourglass: "⌛", hourglass_flowing_sand: "⏳", calendar: "📅", information_source: "ℹ️",
  ballot_box_with_check: "☑️", tada: "🎉", wave: "👋", credit_card: "💳", receipt: "🧾", x: "❌", bell: "🔔", lock: "🔒",
};
const unescape = (text) => text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
export const emoji = (text) => text.replace(/:([a-z0-9_+-]+):/g, (whole, name) => EMOJI[name] ?? whole);
export const plainText = (text) => emoji(unescape(text ?? ""));

const RULES = [
  [/^```([\s\S]+?)```/, (m) => el("pre", {}, unescape(m[1]))],
  [/^`([^`\n]+)`/, (m) => el("code", {}, unescape(m[1]))],
  [/^<@([UW][A-Z0-9]+)(?:\|[^>]*)?>/, (m, people) => el("span", { class: "mention" }, `@${people(m[1])}`)],
  [/^<#(C[A-Z0-9]+)(?:\|([^>]*))?>/, (m, _, channels) => el("span", { class: "mention" }, `#${m[2] || channels(m[1])}`)],
  [/^<!date\^\d+\^[^|>]*\|([^>]*)>/, (m) => document.createTextNode(unescape(m[1]))],
  [/^<!(here|channel|everyone)>/, (m) => el("span", { class: "mention" }, `@${m[1]}`)],
  [/^<((?:https?|mailto):[^|>]+)(?:\|([^>]*))?>/, (m) =>
    el("a", { href: unescape(m[1]), target: "_blank", rel: "noopener" }, unescape(m[2] || m[1]))],
];
const SPANS = [["*", "b"], ["_", "i"], ["~", "s"]];

function inline(text, people, channels) {
  const nodes = [];
  let rest = text, plain = "", before = "";
  const flush = () => { if (plain) nodes.push(plainText(plain)); plain = ""; };
  scan: while (rest) {
    for (const [pattern, build] of RULES) {
      const match = rest.match(pattern);
      if (match) {
        flush();
        nodes.push(build(match, people, channels));
        rest = rest.slice(match[0].length);
        before = ">";
        continue scan;
      }
    }
    for (const [mark, tag] of SPANS) {
      if (rest[0] !== mark || /\w/.test(before)) continue;
      const end = rest.slice(1).search(new RegExp(`(?<=\\S)\\${mark}(?!\\w)`));
      if (end > 0 && rest[1] !== " " && !rest.slice(1, end + 1).includes("\n")) {
        flush();
        nodes.push(el(tag, {}, inline(rest.slice(1, end + 1), people, channels)));
        rest = rest.slice(end + 2);
        before = mark;
        continue scan;
      }
    }
    before = rest[0];
    plain += rest[0];
    rest = rest.slice(1);
  }
  flush();
  return nodes;
}

export function mrkdwn(text, world) {
  return (text ?? "").split("\n").flatMap((line, index) => {
    const nodes = line.startsWith("&gt;")
      ? [el("blockquote", {}, inline(line.slice(4).trim(), world.person, world.channel))]
      : inline(line, world.person, world.channel);
    return index ? [el("br"), ...nodes] : nodes;
  });
}

export function textObject(object, world) {
  if (!object) return [];
  return object.type === "mrkdwn" ? mrkdwn(object.text, world) : plainText(object.text).split("\n").flatMap((l, i) => (i ? [el("br"), l] : [l]));
}
