import { beforeEach, describe, expect, test, vi } from "vitest";
import { FakeTimers } from "../testing";
import { type End, openReader, type Reader, SILENCE_MS } from "./event-reader";

const STREAM = { headers: { "Content-Type": "text/event-stream; charset=utf-8" } };

let timers: FakeTimers;
let fetched: { url: string; init: RequestInit }[];
let respond: (response: Response) => void;
let fail: (error: Error) => void;
let log: unknown[];
let reader: Reader;

beforeEach(() => {
  timers = new FakeTimers();
  fetched = [];
  log = [];
  const fetch = (url: unknown, init: RequestInit = {}) => {
    fetched.push({ url: String(url), init });
    return new Promise<Response>((resolve, reject) => {
      respond = resolve;
      fail = reject;
    });
  };
  const handlers = {
    onOpen: () => log.push("open"),
    onEvents: (events: { data: string }[]) => log.push(events.map((event) => event.data)),
    onEnd: (end: End) => log.push(end),
  };
  reader = openReader("/live", handlers, fetch as typeof globalThis.fetch, timers);
});

/** Respond with a stream. Return a function that sends a chunk, or ends the stream without an argument. */
function respondWithStream(): (text?: string) => void {
  const body = new TransformStream<Uint8Array, Uint8Array>();
  const writer = body.writable.getWriter();
  respond(new Response(body.readable, STREAM));
  return (text) => void (text === undefined ? writer.close() : writer.write(new TextEncoder().encode(text)));
}

test("it asks for a stream, without the HTTP cache", () => {
  expect(fetched).toHaveLength(1);
  expect(fetched[0]?.init).toMatchObject({ headers: { Accept: "text/event-stream" }, cache: "no-store" });
});

test("it passes on the events of each chunk, and reports the end", async () => {
  const send = respondWithStream();
  send("retry: 700\n\ndata: a\n\ndata: b\n\nda");
  await vi.waitFor(() => expect(log).toEqual(["open", ["a", "b"]]));
  send("ta: c\n\n");
  send();
  await vi.waitFor(() => expect(log.slice(2)).toEqual([["c"], { status: 200, retryAfterMs: null }]));
  expect(reader.retryMs).toBe(700);
  expect(timers.waits).toEqual([]);
});

describe("a response that is not a stream ends it", () => {
  test.each([
    [new Response(null, { status: 503, headers: { "Retry-After": "5" } }), 503, 5_000],
    [new Response("{}", { status: 404 }), 404, null],
    [new Response("<html>", { headers: { "Content-Type": "text/html" } }), 200, null],
    [new Response(null, { status: 204, ...STREAM }), 204, null],
  ])("%#", async (response, status, retryAfterMs) => {
    respond(response);
    await vi.waitFor(() => expect(log).toEqual([{ status, retryAfterMs }]));
  });
});

test("a connection that fails ends it", async () => {
  fail(new TypeError("failed"));
  await vi.waitFor(() => expect(log).toEqual([{ status: 0, retryAfterMs: null }]));
});

test("silence ends it, and a comment is not silence", async () => {
  const send = respondWithStream();
  await vi.waitFor(() => expect(log).toEqual(["open"]));
  timers.advance(SILENCE_MS - 1);
  send(": ping\n\n");
  await vi.waitFor(() => expect(timers.waits).toEqual([SILENCE_MS]));
  timers.advance(SILENCE_MS);
  expect(log).toEqual(["open", { status: 0, retryAfterMs: null }]);
  expect(fetched[0]?.init.signal?.aborted).toBe(true);
});

test("a server that accepts the connection and does not answer counts as silent", () => {
  timers.advance(SILENCE_MS);
  expect(log).toEqual([{ status: 0, retryAfterMs: null }]);
});

test("after close it reports nothing", async () => {
  const send = respondWithStream();
  await vi.waitFor(() => expect(log).toEqual(["open"]));
  reader.close();
  send("data: a\n\n");
  timers.advance(2 * SILENCE_MS);
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(log).toEqual(["open"]);
  expect(fetched[0]?.init.signal?.aborted).toBe(true);
});
