import { QueryClient } from "@tanstack/query-core";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CaloApi } from "../api/calo-api";
import type { Job } from "../api/types";
import { FakeTimers, makeJob } from "../testing";
import { JobCache } from "./job-cache";
import { Live } from "./live";

let frames: (() => void)[];
let awaitedTopic: string | null;
let changes: Job[][];
let cache: JobCache;
let urls: string[];
let stream: WritableStreamDefaultWriter<Uint8Array>;
let stop: () => void;

/** Respond with a stream that `receive` writes to. */
async function fakeFetch(url: unknown): Promise<Response> {
  urls.push(String(url));
  const body = new TransformStream<Uint8Array, Uint8Array>();
  stream = body.writable.getWriter();
  return new Response(body.readable, { headers: { "Content-Type": "text/event-stream" } });
}

beforeEach(async () => {
  urls = [];
  frames = [];
  awaitedTopic = null;
  changes = [];
  vi.stubGlobal("navigator", { onLine: true });
  vi.stubGlobal("document", Object.assign(new EventTarget(), { hidden: false }));
  vi.stubGlobal("window", Object.assign(new EventTarget(), { setTimeout, clearTimeout }));
  vi.stubGlobal("requestAnimationFrame", (callback: () => void) => frames.push(callback));
  cache = new JobCache(new QueryClient(), new FakeTimers());
  const live = new Live({
    api: new CaloApi("/api", fakeFetch),
    cache,
    fetch: fakeFetch,
    name: "calo",
    isAwaited: (job) => job.input.query === awaitedTopic,
    onJobsChanged: (jobs) => changes.push([...jobs]),
  });
  stop = live.start();
  live.show(null, "100");
  await vi.waitFor(() => expect(live.status()).toBe("live"));
});

afterEach(() => {
  stop();
  vi.unstubAllGlobals();
});

/** Receive an event, and wait until it is in the buffer of the next frame. */
async function receive(data: string): Promise<void> {
  await stream.write(new TextEncoder().encode(`id: 200\ndata: ${data}\n\n`));
  await vi.waitFor(() => expect(frames).not.toEqual([]));
}

const receiveJob = (job: Job) => receive(JSON.stringify(job));

function nextFrame(): void {
  for (const callback of frames.splice(0)) callback();
}

test("it opens one stream, from the cursor of the list", () => {
  expect(urls).toEqual(["/api/live?lastEventId=100"]);
});

test("data that is not JSON does not affect the other events", async () => {
  await stream.write(new TextEncoder().encode("data: {\n\n"));
  await receiveJob(makeJob("a"));
  nextFrame();
  expect(changes).toEqual([[makeJob("a")]]);
});

test("jobs from the stream reach the cache and the listener in the next frame", async () => {
  await receiveJob(makeJob("a"));
  expect(changes).toEqual([]);
  nextFrame();
  expect(cache.latest("a")).toEqual(makeJob("a"));
  expect(changes).toEqual([[makeJob("a")]]);
});

test("an awaited job is held back until its request is answered; other jobs are not", async () => {
  awaitedTopic = "tea";
  const awaited = makeJob("a", { input: { query: "tea" } });
  await receiveJob(awaited);
  await receiveJob(makeJob("b"));
  nextFrame();
  expect(changes).toEqual([[makeJob("b")]]);
  nextFrame();
  expect(cache.latest("a")).toBeUndefined();
  awaitedTopic = null;
  nextFrame();
  expect(cache.latest("a")).toEqual(awaited);
});

test("a job that is already in the cache is not held back", async () => {
  await receiveJob(makeJob("a", { input: { query: "tea" } }));
  nextFrame();
  awaitedTopic = "tea";
  await receiveJob(makeJob("a", { input: { query: "tea" }, version: 2 }));
  nextFrame();
  expect(cache.latest("a")?.version).toBe(2);
});
