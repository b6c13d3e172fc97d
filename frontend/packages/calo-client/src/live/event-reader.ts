/** One connection to a stream of server-sent events, read with fetch, which can send headers. */

import { parseRetryAfter } from "../api/api-error";
import { EventParser, type ServerEvent } from "./event-parser";
import type { Timers } from "./timers";

/** The server sends a comment after 15 s of silence. After this time the connection counts as lost. */
export const SILENCE_MS = 40_000;

/** Why a connection has ended. `status` is the HTTP status, or 0 without a response. */
export interface End {
  status: number;
  /** The server's Retry-After as milliseconds from now, or null. */
  retryAfterMs: number | null;
}

export interface ReaderHandlers {
  onOpen(): void;
  /** Called with the events of one chunk. */
  onEvents(events: ServerEvent[]): void;
  /** Called once, unless `close` was called before. */
  onEnd(end: End): void;
}

export interface Reader {
  close(): void;
  /** The reconnection time that the server has requested, or null. */
  readonly retryMs: number | null;
}

export type OpenReader = (url: string, handlers: ReaderHandlers) => Reader;

/** Connect to a URL. `fetch` and `timers` are the browser's, or those of a test. */
export function openReader(
  url: string,
  handlers: ReaderHandlers,
  fetch: typeof globalThis.fetch,
  timers: Timers,
): Reader {
  const controller = new AbortController();
  const parser = new EventParser();
  let timer: number | null = null;

  function close(): void {
    if (timer !== null) timers.clear(timer);
    controller.abort();
  }
  function end(status: number, retryAfterMs: number | null = null): void {
    if (controller.signal.aborted) return;
    close();
    handlers.onEnd({ status, retryAfterMs });
  }
  function expectData(): void {
    if (timer !== null) timers.clear(timer);
    timer = timers.set(() => end(0), SILENCE_MS);
  }
  async function read(): Promise<void> {
    // browsers send Accept without a preflight; the HTTP cache would make equal requests wait for each other
    const init: RequestInit = { headers: { Accept: "text/event-stream" }, cache: "no-store" };
    const response = await fetch(url, { ...init, signal: controller.signal });
    if (controller.signal.aborted) return;
    if (!isStream(response)) {
      const now = Date.now();
      const retryAt = parseRetryAfter(response.headers.get("Retry-After"), now);
      end(response.status, retryAt && Math.max(0, retryAt - now));
      return;
    }
    handlers.onOpen();
    for await (const chunk of chunksOf(response)) {
      if (controller.signal.aborted) return;
      expectData();
      const events = parser.feed(chunk);
      if (events.length > 0) handlers.onEvents(events);
    }
    end(response.status);
  }

  expectData();
  read().catch(() => end(0));
  return {
    close,
    get retryMs() {
      return parser.retryMs;
    },
  };
}

function isStream(response: Response): boolean {
  const type = response.headers.get("Content-Type") ?? "";
  return response.status === 200 && /^text\/event-stream\b/i.test(type) && response.body !== null;
}

/** Yield the chunks of a body. Not every browser can iterate over a body itself. */
async function* chunksOf(response: Response): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  for (let chunk = await reader?.read(); chunk && !chunk.done; chunk = await reader?.read())
    yield chunk.value;
}
