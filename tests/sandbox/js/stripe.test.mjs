// Stripe's own client, as its package ships it, against the sandbox: only its host is another.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";

import Stripe from "stripe";

const { STRIPE_URL, STRIPE_KEY } = process.env;
const { protocol, hostname, port } = new URL(STRIPE_URL);
const at = { protocol: protocol.slice(0, -1), host: hostname, port, maxNetworkRetries: 0, telemetry: false };
const stripe = new Stripe(STRIPE_KEY, at);

const seats = (more = {}) => stripe.products.create({ name: "Premium", ...more.product })
  .then((product) => stripe.prices.create({ product: product.id, currency: "sek", unit_amount: 12500, recurring: { interval: "month" }, ...more.price }));

async function customer(number = "pm_card_visa", more = {}) {
  const made = await stripe.customers.create({ name: "Åsa & Ö <AB>", email: "asa@example.com", metadata: { team: "T1", note: "c[d]=e&f+g %" }, ...more });
  const method = await stripe.paymentMethods.attach(number, { customer: made.id });
  return stripe.customers.update(made.id, { invoice_settings: { default_payment_method: method.id } });
}

const subscribed = async (more = {}) => {
  const [who, price] = [await customer(), await seats()];
  return stripe.subscriptions.create({ customer: who.id, items: [{ price: price.id, quantity: 5 }], expand: ["latest_invoice.payments", "customer"], ...more });
};

test("text of any kind arrives as it was written", async () => {
  const made = await customer();
  const found = await stripe.customers.retrieve(made.id);
  assert.equal(found.name, "Åsa & Ö <AB>");
  assert.deepEqual(found.metadata, { team: "T1", note: "c[d]=e&f+g %" });
});

test("a subscription is paid, and what was asked for comes expanded", async () => {
  const sub = await subscribed();
  assert.equal(sub.status, "active");
  assert.equal(sub.customer.email, "asa@example.com");
  assert.equal(sub.latest_invoice.amount_paid, 62500);
  assert.equal(sub.latest_invoice.payments.data[0].status, "paid");
});

test("the previewed amount is the charged one", async () => {
  const sub = await subscribed();
  const at = sub.items.data[0].current_period_start + 86400 * 7;
  const items = [{ id: sub.items.data[0].id, quantity: 9 }];
  const preview = await stripe.invoices.createPreview({ customer: sub.customer.id, subscription: sub.id,
    subscription_details: { items, proration_behavior: "always_invoice", proration_date: at } });
  const changed = await stripe.subscriptions.update(sub.id, { items, proration_behavior: "always_invoice", proration_date: at, expand: ["latest_invoice"] });
  assert.equal(changed.latest_invoice.total, preview.total);
  assert.ok(preview.total > 0);
});

test("a list is walked page by page to its end, each thing once, newest first", async () => {
  const made = [];
  for (let n = 0; n < 23; n += 1) made.unshift((await stripe.customers.create({ email: "page@example.com", name: `${n}` })).id);
  const found = [];
  for await (const each of stripe.customers.list({ email: "page@example.com", limit: 5 })) found.push(each.id);
  assert.deepEqual(found, made);
  const some = await stripe.customers.list({ email: "page@example.com", limit: 5 }).autoPagingToArray({ limit: 12 });
  assert.equal(some.length, 12);
});

test("a key used again gets the first answer again; with something else it is refused", async () => {
  const options = { idempotencyKey: `js-${Date.now()}` };
  const first = await stripe.customers.create({ name: "Once" }, options);
  const again = await stripe.customers.create({ name: "Once" }, options);
  assert.equal(again.id, first.id);
  assert.equal(again.lastResponse.headers["idempotent-replayed"], "true");
  await assert.rejects(stripe.customers.create({ name: "Twice" }, options), Stripe.errors.StripeIdempotencyError);
});

const refusals = [
  ["a declined card", async () => stripe.paymentMethods.attach("pm_card_chargeDeclined", { customer: (await stripe.customers.create()).id }),
    { type: "StripeCardError", code: "card_declined", statusCode: 402 }],
  ["what is not there", () => stripe.customers.retrieve("cus_nobody"), { type: "StripeInvalidRequestError", code: "resource_missing", statusCode: 404, param: "id" }],
  ["a parameter Stripe does not have", () => stripe.customers.create({ nickname: "x" }),
    { type: "StripeInvalidRequestError", code: "parameter_unknown", param: "nickname", statusCode: 400 }],
  ["a parameter left out", () => stripe.prices.create({ unit_amount: 1 }), { type: "StripeInvalidRequestError", code: "parameter_missing", statusCode: 400 }],
  ["a word for a number", async () => stripe.customers.list({ limit: "many" }),
    { type: "StripeInvalidRequestError", code: "parameter_invalid_integer", param: "limit", statusCode: 400 }],
  ["another account's key", () => new Stripe("sk_test_another_0123456789", at).balance.retrieve(), { type: "StripeAuthenticationError", statusCode: 401 }],
];
for (const [what, call, expected] of refusals) {
  test(`${what} is refused as Stripe refuses it`, async () => {
    await assert.rejects(call, (error) => {
      for (const [name, value] of Object.entries(expected)) assert.equal(error[name], value, `${name}: ${error.message}`);
      assert.match(error.requestId, /^req_/);
      return true;
    });
  });
}

test("too many calls are waited for and tried again by the client itself", async () => {
  const fault = { kind: "rate_limited", times: 1, should_retry: true };
  await fetch(`${STRIPE_URL}/control/faults`, { method: "POST", body: JSON.stringify(fault) });
  await assert.rejects(stripe.customers.list({ limit: 1 }), Stripe.errors.StripeRateLimitError);
  await fetch(`${STRIPE_URL}/control/faults`, { method: "POST", body: JSON.stringify(fault) });
  const patient = new Stripe(STRIPE_KEY, { ...at, maxNetworkRetries: 2 });
  assert.equal((await patient.customers.list({ limit: 1 })).object, "list");
});

test("a webhook's signature holds, and only with its secret", async () => {
  const got = [];
  const server = createServer((request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part)).on("end", () => { got.push([Buffer.concat(parts), request.headers["stripe-signature"]]); response.end(); server.emit("told"); });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const endpoint = await stripe.webhookEndpoints.create({ url: `http://127.0.0.1:${server.address().port}/`, enabled_events: ["product.created"] });
  const told = once(server, "told");
  const product = await stripe.products.create({ name: "Told" });
  await told;
  await stripe.webhookEndpoints.update(endpoint.id, { disabled: true });
  server.close();
  server.closeAllConnections();
  const [body, signature] = got[0];
  const event = stripe.webhooks.constructEvent(body, signature, endpoint.secret);
  assert.deepEqual([event.type, event.data.object.id], ["product.created", product.id]);
  assert.throws(() => stripe.webhooks.constructEvent(body, signature, "whsec_another"), Stripe.errors.StripeSignatureVerificationError);
});
