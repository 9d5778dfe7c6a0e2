// What to try first: a handful of things, ticked off as they have happened in this world.
import { post } from "./api.js";
import { el, toast } from "./dom.js";
import { icon } from "./icons.js";
import { language, locale, t } from "./words.js";

const words = (en, sv) => () => (language() === "sv" ? sv : en);

export class Tries {
  constructor(world) {
    this.world = world;
    this.node = el("div", { class: "tries" });
    this.drawn = "";
  }

  // Each: its name, whether it has happened, and what the button does.
  list() {
    const { stripe, faults, milestones } = this.world.state;
    const write = (say) => () => this.world.write(say());
    const clock = (wish) => () => post("/control/clock", wish);
    const paid = stripe.invoice.filter((each) => each.status === "paid");
    const decline = { at: "stripe", kind: "decline_next_renewal", times: 1 };
    return [
      ["tryUpgrade", stripe.subscription.length > 0, write(words("/upgrade", "/uppgradera"))],
      ["trySeats", paid.length > 1, write(words("/seats +5", "/platser +5"))],
      ["tryInvoice", milestones.copies > 0, clock({ until: "next_renewal" })],
      ["tryDecline", milestones.declined || faults.stripe.some((each) => each.kind === decline.kind), async () => { await post("/control/faults", decline); await clock({ until: "next_renewal" })(); }],
      ["tryPaypal", milestones.paypal, write(words("/billing payment", "/fakturering betalning"))],
    ];
  }

  count() {
    if (!this.world.state) return "";
    const list = this.list(), done = list.filter(([, done]) => done).length;
    return `${done}/${list.length}`;
  }

  refresh() {
    const list = this.list();
    const key = JSON.stringify([locale(), list.map(([name, done]) => [name, done])]);
    if (key === this.drawn) return;
    this.drawn = key;
    const run = (work) => async () => { try { await work(); } catch (error) { toast(`${t("failed")}: ${error.message}`, "bad"); } };
    this.node.replaceChildren(el("p", { class: "soft" }, t("triesAre")), el("ol", {}, list.map(([name, done, work]) => el("li", { class: done ? "done" : "" },
      icon(done ? "white_check_mark" : "ring", { decoration: !done }), el("div", {}, el("b", {}, t(name)), el("p", { class: "soft" }, t(`${name}Is`)),
        el("button", { type: "button", class: "action", onclick: run(work) }, t(`${name}Do`)))))));
  }
}
