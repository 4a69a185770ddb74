import { accessToken, refresh } from "./session.js";

const FIRST_PAUSE = 2_000;
const LONGEST_PAUSE = 30_000;
/** The shop says that it is alive every 15 seconds. Who hears nothing for so long has lost it. */
const SILENCE = 40_000;

/**
 * Listens to live changes until `signal` ends it. What was missed while the connection was away is caught up
 * with: the last id goes along. `EventSource` cannot send a token, so the stream is read here.
 *
 * @param {string} topics `orders`, `inventory`, or both with a comma
 * @param {{signal: AbortSignal, onEvent: (kind: string, data: any) => void, onLive?: (live: boolean) => void}} options
 *   `reset` is an event like others: something is missing, read the present state
 */
export async function listen(topics, { signal, onEvent, onLive = () => {} }) {
  let last = null;
  let pause = FIRST_PAUSE;
  while (!signal.aborted) {
    try {
      const answer = await open(topics, last, signal);
      onLive(true);
      for await (const { id, kind, data, retry } of answer) {
        last = id ?? last;
        pause = retry ?? FIRST_PAUSE;
        if (data) onEvent(kind, JSON.parse(data));
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof SignedOut) return onLive(false);
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    }
    if (signal.aborted) return;
    onLive(false);
    await wait(pause, signal);
  }
}

class SignedOut extends Error {}

async function open(topics, last, signal) {
  const token = accessToken();
  const headers = { accept: "text/event-stream" };
  if (token) headers.authorization = `Bearer ${token}`;
  if (last) headers["last-event-id"] = last;
  const answer = await fetch(`/v1/stream?topics=${topics}`, { headers, signal, cache: "no-store" });
  if (answer.status === 401 && token && (await refresh(token))) return open(topics, last, signal);
  if (answer.status === 401) throw new SignedOut();
  if (!answer.ok) throw new Error(`the stream answered ${answer.status}`);
  return events(answer.body.pipeThrough(new TextDecoderStream()).getReader());
}

/** The events of a stream (WHATWG HTML, section 9.2). */
async function* events(reader) {
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await unlessSilent(reader.read());
      if (done) return;
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) yield parse(block);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function parse(block) {
  const event = { id: null, kind: "message", data: "", retry: null };
  for (const line of block.split("\n")) {
    const [, field, value] = /^([^:]*): ?(.*)$/.exec(line) ?? [];
    if (field === "id") event.id = value;
    else if (field === "event") event.kind = value;
    else if (field === "data") event.data += event.data ? `\n${value}` : value;
    else if (field === "retry") event.retry = Number(value);
  }
  return event;
}

function unlessSilent(read) {
  let timer;
  const silence = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("the stream fell silent")), SILENCE);
  });
  return Promise.race([read, silence]).finally(() => clearTimeout(timer));
}

/** Waits, but not while there is a connection again or nobody wants to know any more. */
function wait(pause, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(done, pause);
    function done() {
      clearTimeout(timer);
      removeEventListener("online", done);
      signal.removeEventListener("abort", done);
      resolve();
    }
    addEventListener("online", done);
    signal.addEventListener("abort", done);
  });
}
