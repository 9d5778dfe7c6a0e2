// A PDF's first page, drawn: its filled boxes, lines and texts, enough to know an invoice by sight. Anything unusual draws nothing.
import { language } from "./words.js";

const known = new Map(); // address → Promise of what is drawn

async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new TextDecoder("windows-1252").decode(await new Response(stream).arrayBuffer());
}

// The content of the first page, and its size in points.
async function firstPage(buffer) {
  const text = new TextDecoder("iso-8859-1").decode(buffer), bytes = new Uint8Array(buffer);
  const [, , , width, height] = /\/MediaBox \[([\d.]+) ([\d.]+) ([\d.]+) ([\d.]+)\]/.exec(text)?.map(Number) ?? [0, 0, 0, 595.28, 841.89];
  const content = Number(/\/Contents (\d+) 0 R/.exec(text)?.[1]);
  const begin = text.search(new RegExp(`(^|\\n)${content} 0 obj`));
  const start = text.indexOf("stream\n", begin) + 7, end = text.indexOf("\nendstream", start);
  if (!content || begin < 0 || start < 7 || end < 0) return null;
  return { content: await inflated(bytes.slice(start, end)), width, height };
}

const NUMBER = "(-?[\\d.]+)";
const STEPS = new RegExp([
  `${NUMBER} ${NUMBER} ${NUMBER} (rg|RG)`, `${NUMBER} (g|G)\\b`, `/(F\\d+) ${NUMBER} Tf`, `${NUMBER} ${NUMBER} ${NUMBER} ${NUMBER} re (f|B)\\b`,
  `${NUMBER} ${NUMBER} m ${NUMBER} ${NUMBER} l S`, `BT ${NUMBER} ${NUMBER} Td`, `\\(((?:\\\\.|[^\\\\)])*)\\) Tj`, "\\b(q|Q)\\b",
].join("|"), "g");
const unescaped = (text) => text.replace(/\\([()\\])/g, "$1").replace(/\\(\d{3})/g, (_, code) => String.fromCharCode(parseInt(code, 8)));
const colour = (...parts) => `rgb(${parts.map((part) => Math.round(Number(part) * 255)).join(",")})`;

function draw({ content, width, height }, most) {
  const NS = "http://www.w3.org/2000/svg", svg = document.createElementNS(NS, "svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${most}`);
  svg.setAttribute("aria-hidden", "true");
  const add = (tag, attributes, text) => {
    const node = document.createElementNS(NS, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    if (text) node.textContent = text;
    svg.append(node);
  };
  let state = { fill: "#000", line: "#000", font: "F1", size: 10 }, at = [0, 0];
  const kept = [];
  for (const found of content.matchAll(STEPS)) {
    const part = found;
    if (part[4]) state = { ...state, [part[4] === "rg" ? "fill" : "line"]: colour(part[1], part[2], part[3]) };
    else if (part[6]) state = { ...state, [part[6] === "g" ? "fill" : "line"]: colour(part[5], part[5], part[5]) };
    else if (part[7]) { state = { ...state, font: part[7], size: Number(part[8]) }; if (kept.length) kept[kept.length - 1] = { ...kept.at(-1), font: state.font, size: state.size }; }
    else if (part[13]) {
      const [x, y, w, h] = part.slice(9, 13).map(Number);
      add("rect", { x, y: height - Math.max(y, y + h), width: w, height: Math.abs(h), fill: state.fill });
    } else if (part[14]) add("line", { x1: part[14], y1: height - part[15], x2: part[16], y2: height - part[17], stroke: state.line, "stroke-width": 0.6 });
    else if (part[18]) at = [Number(part[18]), Number(part[19])];
    else if (part[20] !== undefined) add("text", { x: at[0], y: height - at[1], "font-size": state.size * 0.92, fill: state.fill, "font-weight": state.font === "F1" ? 700 : 400 }, unescaped(part[20]));
    else if (part[21] === "q") kept.push(state);
    else if (part[21] === "Q" && kept.length) state = kept.pop();
  }
  return svg.querySelector("text") ? svg : null;
}

// An SVG of the upper `most` points of the first page at that address, or null; each address is read once.
export function preview(address, most = 420) {
  const key = `${address} ${language()}`;
  if (!known.has(key)) {
    known.set(key, fetch(address).then((response) => response.arrayBuffer()).then(firstPage).then((page) => page && draw(page, most)).catch(() => null));
  }
  return known.get(key).then((svg) => svg?.cloneNode(true) ?? null);
}
