// Slack's mrkdwn as DOM nodes: bold, italic, strike, code, links, mentions, dates, emoji; anything else is plain text.
import { el } from "./dom.js";
import { withIcons } from "./icons.js";
import { locale } from "./words.js";

const unescape = (text) => text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
export const plainText = (text) => unescape(text ?? ""); // where only characters fit: an option, a placeholder, a label
export const drawnText = (text) => withIcons(plainText(text)); // everywhere else

const RULES = [
  [/^`([^`\n]+)`/, (m) => el("code", {}, unescape(m[1]))],
  [/^<@([UW][A-Z0-9]+)(?:\|[^>]*)?>/, (m, world) => el("span", { class: "mention" }, `@${world.person(m[1])}`)],
  [/^<#(C[A-Z0-9]+)(?:\|([^>]*))?>/, (m, world) => el("span", { class: "mention" }, `#${m[2] || world.channel(m[1])}`)],
  [/^<!subteam\^(S[A-Z0-9]+)(?:\|([^>]*))?>/, (m, world) => el("span", { class: "mention" }, m[2] || `@${world.group(m[1])}`)],
  [/^<!date\^(\d+)\^([^|>^]*)(?:\^[^|>]*)?\|([^>]*)>/, (m, world) => date(Number(m[1]), unescape(m[2]), unescape(m[3]), world)],
  [/^<!(here|channel|everyone)>/, (m) => el("span", { class: "mention" }, `@${m[1]}`)],
  [/^<((?:https?|mailto):[^|>]+)(?:\|([^>]*))?>/, (m) =>
    el("a", { href: unescape(m[1]), target: "_blank", rel: "noopener" }, unescape(m[2] || m[1]))],
];
// Slack's date tokens, in the reader's own time zone and language; an unknown token leaves the fallback.
const DATES = {
  date: { dateStyle: "long" }, date_long: { dateStyle: "full" }, date_short: { dateStyle: "medium" }, date_num: { dateStyle: "short" },
  date_pretty: { dateStyle: "long" }, date_short_pretty: { dateStyle: "medium" }, date_long_pretty: { dateStyle: "full" },
  time: { timeStyle: "short" }, time_secs: { timeStyle: "medium" },
};
function date(seconds, format, fallback, world) {
  const moment = new Date(seconds * 1000);
  if (Number.isNaN(moment.getTime()) || [...format.matchAll(/{(\w+)}/g)].some(([, name]) => !DATES[name])) return document.createTextNode(fallback);
  const shown = format.replace(/{(\w+)}/g, (_, name) => new Intl.DateTimeFormat(locale(), { ...DATES[name], timeZone: world.me().tz }).format(moment));
  return el("time", { datetime: moment.toISOString() }, shown);
}
const SPANS = [["*", "b"], ["_", "i"], ["~", "s"]];

function inline(text, world) {
  const nodes = [];
  let rest = text, plain = "", before = "";
  const flush = () => { if (plain) nodes.push(...drawnText(plain)); plain = ""; };
  scan: while (rest) {
    for (const [pattern, build] of RULES) {
      const match = rest.match(pattern);
      if (match) {
        flush();
        nodes.push(build(match, world));
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
        nodes.push(el(tag, {}, inline(rest.slice(1, end + 1), world)));
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

// Lines of text; neighbouring quoted ones are one quote.
function lines(text, world) {
  const nodes = [];
  let quote = null, broken = true;
  for (const line of text.split("\n")) {
    const quoted = line.startsWith("&gt;");
    if (quoted && quote) quote.append(el("br"), ...inline(line.slice(4).trim(), world));
    else if (quoted) nodes.push(quote = el("blockquote", {}, inline(line.slice(4).trim(), world)));
    else {
      if (!broken && !quote) nodes.push(el("br"));
      nodes.push(...inline(line, world));
      quote = null;
    }
    broken = false;
  }
  return nodes;
}

// A block of code keeps its lines and knows no other marks.
export function mrkdwn(text, world) {
  return (text ?? "").split(/\n?(```[\s\S]+?```)\n?/).filter(Boolean)
    .flatMap((part) => (/^```[\s\S]+```$/.test(part) ? el("pre", {}, unescape(part.slice(3, -3).replace(/^\n|\n$/g, ""))) : lines(part, world)));
}

export function textObject(object, world) {
  if (!object) return [];
  if (object.type === "mrkdwn") return mrkdwn(object.text, world);
  return plainText(object.text).split("\n").flatMap((line, index) => [index ? el("br") : null, ...withIcons(line)]);
}
