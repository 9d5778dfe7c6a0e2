// Every symbol on the page, drawn: no machine lacks the font for it. Each has its name in both languages for those who can't see it.
import { language } from "./words.js";

const GREEN = "#1f8f63", AMBER = "#b7791f", RED = "#c9372c", BLUE = "#2f73c9", GREY = "currentColor";
const stroke = (color, path, width = 1.8) =>
  `<path d="${path}" fill="none" stroke="${color}" stroke-width="${width}" stroke-linecap="round" stroke-linejoin="round"/>`;
const box = (color) => `<rect x="2" y="2" width="16" height="16" rx="4" fill="${color}"/>`;
const HOURGLASS = `${stroke(AMBER, "M5 2.5h10M5 17.5h10M6.2 2.5v3.2L10 10l-3.8 4.3v3.2M13.8 2.5v3.2L10 10l3.8 4.3v3.2")}`;
const PERSON = (x, color) => `<circle cx="${x}" cy="7" r="2.8" fill="${color}"/><path d="M${x - 5} 17c0-3.3 2.2-5.4 5-5.4s5 2.1 5 5.4z" fill="${color}"/>`;

// name: [drawing on 20 × 20, what it is in English, in Swedish]
const DRAWN = {
  white_check_mark: [box(GREEN) + stroke("#fff", "M5.8 10.4l2.9 2.9 5.6-6.3", 2.2), "done", "klart"],
  heavy_check_mark: [stroke(GREEN, "M4 10.8l4 4 8-9", 2.4), "done", "klart"],
  ballot_box_with_check: [box(BLUE) + stroke("#fff", "M5.8 10.4l2.9 2.9 5.6-6.3", 2.2), "chosen", "valt"],
  x: [stroke(RED, "M5 5l10 10M15 5L5 15", 2.6), "no", "nej"],
  no_entry: [`<circle cx="10" cy="10" r="8" fill="${RED}"/>${stroke("#fff", "M6 10h8", 2.6)}`, "stop", "stopp"],
  no_entry_sign: [`<circle cx="10" cy="10" r="7" fill="none" stroke="${RED}" stroke-width="2.4"/>${stroke(RED, "M5.2 5.2l9.6 9.6", 2.4)}`, "not possible", "går inte"],
  warning: [`<path d="M10 2.2l8.4 15H1.6z" fill="#f5b93b" stroke="${AMBER}" stroke-width="1.2" stroke-linejoin="round"/>${stroke("#4a3200", "M10 7.4v4.6M10 14.6v.1", 2)}`, "warning", "varning"],
  information_source: [box(BLUE) + stroke("#fff", "M10 9.2v5M10 5.9v.1", 2.2), "information", "information"],
  hourglass: [HOURGLASS + `<path d="M7 16.6h6l-3-3z" fill="${AMBER}"/>`, "waiting", "väntar"],
  hourglass_flowing_sand: [HOURGLASS + `<path d="M7.4 5.4h5.2L10 8.4zM7.4 16.6h5.2L10 14.4z" fill="${AMBER}"/>`, "under way", "pågår"],
  calendar: [`<rect x="2.5" y="4" width="15" height="13.5" rx="2" fill="#fff" stroke="${RED}" stroke-width="1.4"/><path d="M2.5 6a2 2 0 012-2h11a2 2 0 012 2v2.4h-15z" fill="${RED}"/>${stroke(RED, "M6.5 2.4v3M13.5 2.4v3", 1.6)}${stroke("#555", "M6 11.4h.1M10 11.4h.1M14 11.4h.1M6 14.4h.1M10 14.4h.1", 2)}`, "calendar", "kalender"],
  busts_in_silhouette: [PERSON(13, "#8aa0c6") + PERSON(7.4, BLUE), "people", "personer"],
  bust_in_silhouette: [PERSON(10, BLUE), "person", "person"],
  tada: [`<path d="M3 17.4L8 6.6l5.4 5.4z" fill="#f5b93b"/>${stroke(RED, "M12 6.6c.2-2 1.4-3.2 3.4-3.2M14 9c1.4-.8 2.6-.6 3.6.4", 1.6)}${stroke(BLUE, "M9.6 2.6v1.8M16.6 13.4h.1", 2)}`, "hurrah", "hurra"],
  wave: [`<path d="M5.6 11.6L4 8.2c-.5-1.2 1-1.9 1.6-.8l1.8 3.2-2.4-5c-.5-1.2 1.1-2 1.7-.8l2.4 4.8-1.9-5c-.4-1.2 1.3-1.8 1.8-.7l2.1 5-1-3.6c-.3-1.2 1.4-1.6 1.8-.5l1.6 4.8c1 3-.2 5.8-3 7-2.6 1-4.7 0-6-2.4z" fill="#f5b93b" stroke="${AMBER}" stroke-width=".9" stroke-linejoin="round"/>${stroke(AMBER, "M14.6 2.8c1.400.5 2.300 1.400 2.700 2.700M3.200 13.600c.3 1.500 1.100 2.700 2.400 3.400", 1.2)}`, "hello", "hej"],
  credit_card: [`<rect x="1.8" y="4.4" width="16.4" height="11.6" rx="2" fill="${BLUE}"/><path d="M1.8 7.4h16.4v2.4H1.8z" fill="#14305c"/>${stroke("#fff", "M4.6 13h4", 1.6)}`, "card", "kort"],
  receipt: [`<path d="M4 2h12v16l-2-1.4-2 1.4-2-1.4L8 18l-2-1.4L4 18z" fill="#fff" stroke="#667" stroke-width="1.2" stroke-linejoin="round"/>${stroke("#667", "M7 6.4h6M7 9.4h6M7 12.4h3", 1.4)}`, "receipt", "kvitto"],
  page_facing_up: [`<path d="M4.6 2h7.4L16 6v12H4.6z" fill="#fff" stroke="#667" stroke-width="1.2" stroke-linejoin="round"/>${stroke("#667", "M7 9h6M7 12h6M7 15h4", 1.4)}`, "document", "dokument"],
  envelope: [`<rect x="2" y="4.4" width="16" height="11.6" rx="1.6" fill="#fff" stroke="#667" stroke-width="1.2"/>${stroke("#667", "M2.6 5.4L10 11l7.4-5.6", 1.4)}`, "letter", "brev"],
  bell: [`<path d="M10 2.4c3 0 4.8 2.2 4.8 5.2 0 4 1.8 5 1.8 6.2H3.4c0-1.2 1.8-2.2 1.8-6.2 0-3 1.8-5.2 4.8-5.2zM8.2 15.4h3.6a1.8 1.8 0 01-3.6 0z" fill="#f0a92b"/>`, "reminder", "påminnelse"],
  lock: [`<rect x="4" y="9" width="12" height="8.6" rx="1.8" fill="${GREY}"/>${stroke(GREY, "M6.6 9V6.6a3.4 3.4 0 016.8 0V9", 1.8)}`, "private", "privat"],
  eye: [stroke(GREY, "M1.8 10C3.6 6.6 6.6 4.8 10 4.8s6.4 1.8 8.2 5.2c-1.8 3.4-4.8 5.2-8.2 5.2S3.6 13.4 1.8 10z", 1.5) + `<circle cx="10" cy="10" r="2.6" fill="${GREY}"/>`, "only you", "bara du"],
  hash: [stroke(GREY, "M7.6 3L6 17M14 3l-1.6 14M3.4 7.4h13.6M3 12.6h13.6", 1.5), "channel", "kanal"],
  out: [stroke(GREY, "M8 5H5v10h10v-3M11 3.6h5.4V9M16 4l-7 7", 1.6), "opens in a new tab", "öppnas i en ny flik"],
  cross: [stroke(GREY, "M5 5l10 10M15 5L5 15", 1.8), "close", "stäng"],
  dots: [`<circle cx="4.6" cy="10" r="1.6" fill="${GREY}"/><circle cx="10" cy="10" r="1.6" fill="${GREY}"/><circle cx="15.4" cy="10" r="1.6" fill="${GREY}"/>`, "more", "mer"],
  menu: [stroke(GREY, "M3 5.4h14M3 10h14M3 14.6h14", 1.8), "menu", "meny"],
  till: [`<path d="M5 2.6h10v14.8l-2.5-1.6-2.5 1.6-2.5-1.6L5 17.4z" fill="#fff"/>${stroke("#1f6f54", "M7.6 6.6h4.8M7.6 9.6h4.8M7.6 12.4h2.6", 1.5)}`, "Kassör", "Kassör"],
  ring: [`<circle cx="10" cy="10" r="7.2" fill="none" stroke="${GREY}" stroke-width="1.6" stroke-dasharray="3 2.6"/>`, "not yet", "inte än"],
  clock: [`<circle cx="10" cy="10" r="7.4" fill="none" stroke="${GREY}" stroke-width="1.5"/>${stroke(GREY, "M10 5.6V10l3 1.8", 1.6)}`, "clock", "klocka"],
  search: [`<circle cx="8.6" cy="8.6" r="5.2" fill="none" stroke="${GREY}" stroke-width="1.7"/>${stroke(GREY, "M12.6 12.6L17 17", 1.9)}`, "search", "sök"],
  send: [`<path d="M2.6 3.2L18 10 2.6 16.8l1.6-5.6L11 10 4.2 8.8z" fill="${GREY}"/>`, "send", "skicka"],
  card: [`<rect x="2" y="4.6" width="16" height="10.8" rx="2" fill="none" stroke="${GREY}" stroke-width="1.5"/>${stroke(GREY, "M2.4 8.4h15.2", 1.7)}`, "card", "kort"],
  there: [stroke(GREY, "M3.4 10h12.4M11 5.2l4.8 4.8-4.8 4.8", 1.7), "to", "till"],
  globe: [`<circle cx="10" cy="10" r="7.6" fill="none" stroke="${GREY}" stroke-width="1.5"/>${stroke(GREY, "M2.6 10h14.8M10 2.4c-5 4.6-5 10.6 0 15.2M10 2.4c5 4.6 5 10.6 0 15.2", 1.3)}`, "world", "världen"],
};

// A drawing. Beside words that say the same it is decoration, and hidden from screen readers.
export function icon(name, { decoration = false } = {}) {
  const [drawing, english, swedish] = DRAWN[name];
  const said = language() === "sv" ? swedish : english;
  const label = decoration ? 'aria-hidden="true"' : `role="img" aria-label="${said}"`;
  const title = decoration ? "" : `<title>:${name}:</title>`;
  const source = `<svg xmlns="http://www.w3.org/2000/svg" class="drawn" viewBox="0 0 20 20" data-icon="${name}" ${label}>${title}${drawing}</svg>`;
  return document.importNode(new DOMParser().parseFromString(source, "image/svg+xml").documentElement, true);
}

// Text with its :shortcodes: drawn; one that isn't known stays as it was written, as in Slack.
export function withIcons(text) {
  return text.split(/(:[a-z][a-z0-9_+-]*:)/).filter(Boolean)
    .map((part) => (part.length > 2 && part[0] === ":" && Object.hasOwn(DRAWN, part.slice(1, -1)) ? icon(part.slice(1, -1)) : part));
}
