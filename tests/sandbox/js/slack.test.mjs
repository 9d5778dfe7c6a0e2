// Slack's own clients, as their packages ship them, against the sandbox: only the address is another.
import assert from "node:assert/strict";
import { test } from "node:test";

import { App } from "@slack/bolt";
import { LogLevel, WebClient } from "@slack/web-api";

const { SLACK_URL, SLACK_TOKEN, SLACK_SECRET, APP_PORT } = process.env;
const quiet = { slackApiUrl: `${SLACK_URL}/api/`, logLevel: LogLevel.ERROR };
const silent = { debug() {}, info() {}, warn() {}, error() {}, setLevel() {}, getLevel: () => LogLevel.ERROR, setName() {} };
const slack = new WebClient(SLACK_TOKEN, { ...quiet, logger: silent, retryConfig: { retries: 2, minTimeout: 1 } });
const ALICE = "U0ALICE01", GENERAL = "C0GENERAL";

async function control(path, body) {
  const response = await fetch(`${SLACK_URL}/control/${path}`, { method: "POST", body: JSON.stringify(body) });
  return response.json();
}
const messages = async (user, channel) => (await (await fetch(`${SLACK_URL}/control/messages?user=${user}&channel=${channel}`)).json()).messages;
// What an app does after it has acknowledged takes a moment.
async function until(look) {
  for (let n = 0; n < 400; n += 1) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => { setTimeout(resolve, 10); });
  }
  return assert.fail(`it did not come to that: ${look}`);
}
const refused = (error, more = {}) => (thrown) => {
  assert.equal(thrown.data.error, error);
  for (const [name, value] of Object.entries(more)) assert.deepEqual(thrown.data[name], value);
  return true;
};

test("the token says whose it is", async () => {
  const who = await slack.auth.test();
  assert.ok(who.ok && who.bot_id && who.team_id);
});

test("people come page by page, each once, with their language", async () => {
  const found = [];
  for await (const page of slack.paginate("users.list", { limit: 6, include_locale: true })) found.push(...page.members);
  assert.equal(new Set(found.map((each) => each.id)).size, found.length);
  assert.ok(found.length > 18 && found.every((each) => each.locale || each.is_bot));
});

test("blocks and metadata are sent in a form, and come back from the history", async () => {
  const { channel } = await slack.conversations.open({ users: ALICE });
  const blocks = [{ type: "section", text: { type: "mrkdwn", text: "*Tjänst* & <moms> 25 %" } }];
  const metadata = { event_type: "kassor", event_payload: { id: 7 } };
  const sent = await slack.chat.postMessage({ channel: channel.id, text: "Åäö", blocks, metadata });
  const { messages: kept } = await slack.conversations.history({ channel: channel.id, include_all_metadata: true, limit: 1 });
  assert.equal(kept[0].ts, sent.ts);
  assert.equal(kept[0].blocks[0].text.text, blocks[0].text.text);
  assert.deepEqual(kept[0].metadata, metadata);
});

test("a file is uploaded in three steps and stands in the conversation", async () => {
  const { channel } = await slack.conversations.open({ users: ALICE });
  await slack.filesUploadV2({ channel_id: channel.id, file: Buffer.from("%PDF-1.7 faktura"), filename: "faktura.pdf", title: "Faktura", initial_comment: "Kopia" });
  const last = (await messages(ALICE, channel.id)).at(-1);
  assert.deepEqual([last.text, last.files[0].name, last.files[0].mimetype], ["Kopia", "faktura.pdf", "application/pdf"]);
});

const refusals = [
  ["blocks that are none", () => slack.chat.postMessage({ channel: GENERAL, text: "x", blocks: [{ type: "section" }] }), "invalid_blocks"],
  ["a channel that is not there", () => slack.chat.postMessage({ channel: "C0NOWHERE", text: "x" }), "channel_not_found"],
  ["nothing to say", () => slack.chat.postMessage({ channel: ALICE }), "no_text"],
  ["a trigger nobody gave", () => slack.views.open({ trigger_id: "1.2.3", view: { type: "modal", title: { type: "plain_text", text: "x" }, blocks: [] } }), "invalid_trigger_id"],
  ["a method Slack does not have", () => slack.apiCall("chat.shout", {}), "unknown_method"],
  ["a token that is none", () => new WebClient("xoxb-none", { ...quiet, logger: silent }).auth.test(), "invalid_auth"],
];
for (const [what, call, error] of refusals) {
  test(`${what} is refused as Slack refuses it`, async () => { await assert.rejects(call, refused(error)); });
}

test("what is wrong with blocks is said with a pointer to the place", async () => {
  const blocks = [{ type: "divider" }, { type: "section", text: { type: "mrkdwn", text: "x".repeat(3001) } }];
  await assert.rejects(slack.chat.postMessage({ channel: ALICE, text: "x", blocks }), (thrown) => {
    assert.match(thrown.data.response_metadata.messages.join(), /\[json-pointer:\/blocks\/1\/text/);
    return true;
  });
});

test("too many calls are waited for as long as Slack asks, by the client itself", async () => {
  await control("faults", { method: "auth.test", kind: "rate_limited", times: 1, retry_after: 1 });
  const began = Date.now();
  assert.ok((await slack.auth.test()).ok);
  assert.ok(Date.now() - began >= 900);
});

test("an app of Slack's own framework hears a command, opens a modal, reads its submission and answers", async () => {
  const app = new App({ token: SLACK_TOKEN, signingSecret: SLACK_SECRET, endpoints: "/slack/events", logger: silent, clientOptions: quiet });
  const heard = {};
  app.command("/billing", async ({ ack, command, client, respond }) => {
    await ack();
    heard.text = command.text;
    const label = { type: "plain_text", text: "Seats" };
    await client.views.open({ trigger_id: command.trigger_id, view: { type: "modal", callback_id: "seats", title: label, submit: label,
      blocks: [{ type: "input", block_id: "b", label, element: { type: "plain_text_input", action_id: "e" } }] } });
    await respond({ text: "Opened", response_type: "ephemeral" });
  });
  app.view("seats", async ({ ack, view }) => {
    const seats = view.state.values.b.e.value;
    if (!/^\d+$/.test(seats)) return ack({ response_action: "errors", errors: { b: "A number, please" } });
    heard.seats = seats;
    return ack();
  });
  app.event("app_home_opened", async ({ event, client }) => {
    await client.views.publish({ user_id: event.user, view: { type: "home", blocks: [{ type: "divider" }] } });
    heard.home = event.user;
  });
  app.action("go", async ({ ack, respond }) => { await ack(); await respond({ text: "Gone", replace_original: true }); });
  await app.start({ port: Number(APP_PORT), host: "127.0.0.1" });
  try {
    const typed = await control("command", { user: ALICE, channel: GENERAL, command: "/billing", text: "for @bjorn" });
    assert.ok(typed.ok, JSON.stringify(typed));
    const view = await until(async () => (await (await fetch(`${SLACK_URL}/control/views?user=${ALICE}`)).json()).stack[0]);
    assert.match(heard.text, /^for <@U0BJORN02\|/);
    const wrong = await control("submit", { user: ALICE, view_id: view.id, values: { b: { e: "many" } } });
    assert.deepEqual(wrong.errors, { b: "A number, please" });
    assert.ok((await control("submit", { user: ALICE, view_id: view.id, values: { b: { e: "25" } } })).ok);
    assert.equal(heard.seats, "25");
    await until(async () => (await messages(ALICE, GENERAL)).at(-1)?.text === "Opened");
    await control("open_home", { user: ALICE });
    await until(() => heard.home === ALICE);
    const button = { type: "button", action_id: "go", text: { type: "plain_text", text: "Go" } };
    const { channel, ts } = await slack.chat.postMessage({ channel: ALICE, text: "Press", blocks: [{ type: "actions", elements: [button] }] });
    await control("action", { user: ALICE, channel, message_ts: ts, action_id: "go" });
    await until(async () => (await messages(ALICE, channel)).find((each) => each.ts === ts).text === "Gone");
  } finally { await app.stop(); }
});
