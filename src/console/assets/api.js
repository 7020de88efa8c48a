// The server, as functions. A refusal is an Error with the server's sentence.

export async function ask(path, body) {
  const post = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  return answered(await fetch(`api/${path}`, body === undefined ? {} : post));
}

export async function admin(method, path) {
  return answered(await fetch(`/_local/${path}`, { method }));
}

async function answered(response) {
  const told = await response.json();
  if (!response.ok) throw new Error(told.error ?? `HTTP ${response.status}`);
  return told;
}

// Calls `tell` with each message, and `alive` with whether the line is up. The browser reconnects by itself, and the
// server then sends everything again.
export function listen(tell, alive) {
  const source = new EventSource("api/live");
  source.onopen = () => alive(true);
  source.onerror = () => alive(false);
  source.onmessage = (message) => tell(JSON.parse(message.data));
}
