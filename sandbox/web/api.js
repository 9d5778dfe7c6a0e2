// The sandbox's control handles. A refusal becomes an Error whose message says why and what next.

async function answer(response) {
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error([body.why || body.error || response.status, body.next].filter(Boolean).join(" – "));
  return body;
}

export async function get(path, query = {}) {
  return answer(await fetch(`${path}?${new URLSearchParams(query)}`));
}

export async function post(path, body) {
  const headers = { "Content-Type": "application/json" };
  return answer(await fetch(path, { method: "POST", headers, body: JSON.stringify(body) }));
}

// Calls `changed` whenever something shown has changed; reconnects by itself, and looks by itself while it can't.
export function live(changed) {
  let wait = 500;
  const connect = () => {
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/control/live`);
    socket.onopen = () => { wait = 500; changed(); };
    socket.onmessage = () => changed();
    socket.onclose = () => setTimeout(() => { changed(); connect(); }, (wait = Math.min(wait * 2, 10000)));
  };
  connect();
}
