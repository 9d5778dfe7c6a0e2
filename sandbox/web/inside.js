// What Kassör itself keeps: inbox, outbox, quotes and audit, newest first, to look at. It is Kassör that shows it, without secrets.
import { get } from "./api.js";
import { el } from "./dom.js";
import { locale, t } from "./words.js";

const KINDS = ["inbox", "outbox", "quotes", "audit"];
const GOOD = new Set(["done", "applied"]), BAD = new Set(["buried", "failed"]);

export class Inside {
  constructor(world) {
    this.world = world;
    this.kind = "outbox";
    this.open = new Set(); // ids of the rows that stand open
    this.node = el("div", { class: "inside" });
    this.drawn = "";
  }

  refresh() { this.look().catch(() => {}); }

  async look() {
    if (this.looking) return;
    this.looking = true;
    try {
      this.rows = await get("/control/inside", { last: 60 });
      this.paint();
    } catch (error) {
      if (!this.rows) this.node.replaceChildren(el("p", { class: "soft" }, error.message));
    } finally { this.looking = false; }
  }

  paint() {
    const key = JSON.stringify([locale(), this.kind, this.rows]);
    if (key === this.drawn) return;
    this.drawn = key;
    const reach = () => [...this.node.querySelectorAll("button,summary")];
    const at = reach().indexOf(document.activeElement);
    this.node.replaceChildren(
      el("div", { class: "kinds", role: "group", "aria-label": t("tab_inside") }, KINDS.map((kind) => el("button", { type: "button", "aria-pressed": String(kind === this.kind), onclick: () => { this.kind = kind; this.paint(); } },
        t(kind), el("small", { class: "soft" }, ` ${this.rows[kind].length}`)))),
      el("p", { class: "soft" }, t(`${this.kind}Is`)),
      el("ol", { class: "rows" }, this.rows[this.kind].length ? this.rows[this.kind].map((row) => this.row(row)) : [el("li", { class: "soft" }, t("noRows"))]));
    if (at >= 0) reach()[at]?.focus({ preventScroll: true });
  }

  money(row, amount) { return new Intl.NumberFormat(locale(), { style: "currency", currency: row.currency.toUpperCase() }).format(amount / 10 ** new Intl.NumberFormat("en", { style: "currency", currency: row.currency.toUpperCase() }).resolvedOptions().maximumFractionDigits); }

  // A row in one line: [when, what, about whom, its state].
  line(row) {
    switch (this.kind) {
      case "inbox": return [row.received_at, row.type, row.lane, row.state];
      case "outbox": return [row.created_at, row.kind, row.member ?? (row.channel ? `#${this.world.channel(row.channel)}` : t("ownerThen")), row.state];
      case "quotes": return [row.offered_at, `${row.kind}: ${row.plan}, ${row.interval}, ${row.seats} · ${this.money(row, row.due_now)}`, `${row.scope} · ${row.requester}`, row.state];
      default: return [row.at, row.verb, [row.scope, row.actor ?? row.source].filter(Boolean).join(" · "), ""];
    }
  }

  row(row) {
    const [when, what, whom, state] = this.line(row);
    const shown = new Intl.DateTimeFormat(locale(), { dateStyle: "short", timeStyle: "medium" }).format(new Date(when));
    const facts = Object.entries(row).filter(([, value]) => value !== null && value !== "").map(([name, value]) => [el("dt", {}, name), el("dd", {}, typeof value === "object" ? JSON.stringify(value, null, 1) : String(value))]);
    const details = el("details", { open: this.open.has(row.id), ontoggle: () => (details.open ? this.open.add(row.id) : this.open.delete(row.id)) },
      el("summary", {}, el("span", { class: "first" }, el("b", {}, what), state ? el("span", { class: `state ${GOOD.has(state) ? "good" : BAD.has(state) ? "bad" : ""}` }, state) : null, row.attempts > 1 ? el("span", { class: "tag" }, `${row.attempts} ${t("attempts")}`) : null),
        el("span", { class: "soft" }, `${shown} · ${whom ?? ""}`)),
      el("dl", { class: "facts" }, facts));
    return el("li", {}, details);
  }
}
