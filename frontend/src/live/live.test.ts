import { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CaloApi } from "../api/calo-api";
import type { Job } from "../api/types";
import { FakeTimers, makeJob } from "../testing";
import { JobCache } from "./job-cache";
import { Live } from "./live";
import type { Source } from "./live-stream";

let sources: Source[];
let frames: (() => void)[];
let awaitedTopic: string | null;
let changes: Job[][];
let cache: JobCache;
let stop: () => void;

class FakeEventSource {
  readonly readyState = 1;
  onmessage = null;
  constructor() {
    sources.push(this as unknown as Source);
  }
  addEventListener(): void {}
  close(): void {}
}

beforeEach(() => {
  sources = [];
  frames = [];
  awaitedTopic = null;
  changes = [];
  vi.stubGlobal("EventSource", FakeEventSource);
  vi.stubGlobal("document", new EventTarget());
  vi.stubGlobal("window", Object.assign(new EventTarget(), { setTimeout, clearTimeout }));
  vi.stubGlobal("requestAnimationFrame", (callback: () => void) => frames.push(callback));
  cache = new JobCache(new QueryClient(), new FakeTimers());
  const live = new Live({
    api: new CaloApi("/api"),
    cache,
    isAwaited: (job) => job.query === awaitedTopic,
    onJobsChanged: (jobs) => changes.push([...jobs]),
  });
  stop = live.open(null, "100");
});

afterEach(() => {
  stop();
  vi.unstubAllGlobals();
});

function receive(job: Job): void {
  sources.at(-1)?.onmessage?.({ data: JSON.stringify(job), lastEventId: "200" } as MessageEvent<string>);
}

function nextFrame(): void {
  for (const callback of frames.splice(0)) callback();
}

test("jobs from the stream reach the cache and the listener in the next frame", () => {
  receive(makeJob("a"));
  expect(changes).toEqual([]);
  nextFrame();
  expect(cache.latest("a")).toEqual(makeJob("a"));
  expect(changes).toEqual([[makeJob("a")]]);
});

test("an awaited job is held back until its request is answered; other jobs are not", () => {
  awaitedTopic = "tea";
  const awaited = makeJob("a", { query: "tea" });
  receive(awaited);
  receive(makeJob("b"));
  nextFrame();
  expect(changes).toEqual([[makeJob("b")]]);
  nextFrame();
  expect(cache.latest("a")).toBeUndefined();
  awaitedTopic = null;
  nextFrame();
  expect(cache.latest("a")).toEqual(awaited);
});

test("a job that is already in the cache is not held back", () => {
  receive(makeJob("a", { query: "tea" }));
  nextFrame();
  awaitedTopic = "tea";
  receive(makeJob("a", { query: "tea", version: 2 }));
  nextFrame();
  expect(cache.latest("a")?.version).toBe(2);
});
