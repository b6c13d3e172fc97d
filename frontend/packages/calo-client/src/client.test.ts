import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { connect } from "./client";
import { makeJob, makePage } from "./testing";

/** A page that is visible, in a browser without locks. */
beforeEach(() => {
  const page = Object.assign(new EventTarget(), { hidden: false });
  const browser = Object.assign(new EventTarget(), { setTimeout: setTracked, clearTimeout });
  vi.stubGlobal("document", page);
  vi.stubGlobal("window", browser);
  vi.stubGlobal("navigator", { onLine: true });
  vi.stubGlobal("requestAnimationFrame", (callback: () => void) => setTimeout(callback, 1));
});
afterEach(() => {
  for (const timer of timers.splice(0)) clearTimeout(timer); // they would run in other tests, without a window
  vi.unstubAllGlobals();
});

type Timer = ReturnType<typeof setTimeout>;
const timers: Timer[] = [];
function setTracked(callback: () => void, ms: number): Timer {
  const timer = setTimeout(callback, ms);
  timers.push(timer);
  return timer;
}

/** Answers calls with JSON, and the stream with these events. It never ends. */
function fakeFetch(body: unknown, events: unknown[]): { fetch: typeof fetch; urls: string[] } {
  const urls: string[] = [];
  const send: typeof fetch = async (input) => {
    urls.push(String(input));
    if (!String(input).includes("/live")) return Response.json(body);
    const text = events.map((job, index) => `id: ${index}\ndata: ${JSON.stringify(job)}\n\n`).join("");
    const stream = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode(text)),
    });
    return new Response(stream, { headers: { "Content-Type": "text/event-stream" } });
  };
  return { fetch: send, urls };
}

describe("a client without a framework", () => {
  test("calls back with a job and each newer version, in order", async () => {
    const job = makeJob("a", { version: 2 });
    const events = [
      makeJob("a", { version: 1 }),
      makeJob("a", { version: 3 }),
      makeJob("a", { version: 2 }),
      makeJob("a", { version: 4, status: "resolved" }),
    ];
    const { fetch, urls } = fakeFetch(job, events);
    const seen: number[] = [];
    const client = connect("https://calo.test/api", { fetch });
    const stop = client.watchJob("a", ({ version }) => seen.push(version));
    await vi.waitFor(() => expect(seen.at(-1)).toBe(4));
    stop();
    expect(seen).toEqual([...new Set(seen)].sort());
    expect(urls).toContain("https://calo.test/api/live?job=a");
  });

  test("calls back with a page of the list and its changes", async () => {
    const { fetch, urls } = fakeFetch(makePage([makeJob("a")]), [
      makeJob("a", { version: 2, status: "resolved" }),
    ]);
    const seen: string[] = [];
    const client = connect("https://calo.test/api", { fetch });
    const params = { status: null, page: 1, cursor: null };
    const stop = client.watchJobs(params, ({ data }) => seen.push(data.map((job) => job.status).join()));
    await vi.waitFor(() => expect(seen).toEqual(["pending", "resolved"]));
    stop();
    expect(urls.some((url) => url.includes("/live?lastEventId="))).toBe(true);
  });
});
