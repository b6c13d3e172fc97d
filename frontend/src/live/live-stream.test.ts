import { beforeEach, describe, expect, test } from "vitest";
import type { Job } from "../api/types";
import { aJob, FakeTimers } from "../testing";
import { LiveStream, type Source } from "./live-stream";

const CONNECTING = 0;
const OPEN = 1;
const CLOSED = 2;

class FakeSource implements Source {
  readyState = CONNECTING;
  onopen: (() => void) | null = null;
  onmessage: ((event: MessageEvent<string>) => void) | null = null;
  onerror: (() => void) | null = null;
  onresync: ((event: MessageEvent<string>) => void) | null = null;
  isClosed = false;
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }
  addEventListener(_: "resync", listener: (event: MessageEvent<string>) => void): void {
    this.onresync = listener;
  }
  close(): void {
    this.isClosed = true;
    this.readyState = CLOSED;
  }
  opens(): void {
    this.readyState = OPEN;
    this.onopen?.();
  }
  tells(job: Job, cursor: string): void {
    this.onmessage?.({ data: JSON.stringify(job), lastEventId: cursor } as MessageEvent<string>);
  }
  resyncs(cursor: string): void {
    this.onresync?.({ data: "", lastEventId: cursor } as MessageEvent<string>);
  }
  fails(readyState: number): void {
    this.readyState = readyState;
    this.onerror?.();
  }
}

let sources: FakeSource[];
let timers: FakeTimers;
let statuses: string[];
let jobs: Job[];
let resyncs: number;
let random: number;
let isOnline: boolean;
let stream: LiveStream;

function newest(): FakeSource {
  const source = sources.at(-1);
  if (!source) throw new Error("nothing was opened");
  return source;
}

beforeEach(() => {
  sources = [];
  timers = new FakeTimers();
  statuses = [];
  jobs = [];
  resyncs = 0;
  random = 1;
  isOnline = true;
  stream = new LiveStream({
    url: (cursor) => `/live?lastEventId=${cursor}`,
    cursor: "100",
    open: (url) => {
      sources.push(new FakeSource(url));
      return newest();
    },
    timers,
    random: () => random,
    isOnline: () => isOnline,
    onJob: (job) => jobs.push(job),
    onResync: () => {
      resyncs += 1;
    },
    onStatus: (status) => statuses.push(status),
  });
  stream.open();
});

test("it connects from the list's cursor, and says when it is live", () => {
  expect(newest().url).toBe("/live?lastEventId=100");
  newest().opens();
  expect(statuses).toEqual(["connecting", "live"]);
});

test("it passes jobs on and asks to fetch anew on resync", () => {
  newest().opens();
  newest().tells(aJob("a"), "200");
  newest().resyncs("300");
  expect(jobs).toEqual([aJob("a")]);
  expect(resyncs).toBe(1);
});

describe("after an answer that is no stream", () => {
  test("it opens again with its newest cursor, which a new EventSource would have forgotten", () => {
    newest().opens();
    newest().tells(aJob("a"), "200");
    newest().fails(CLOSED);
    expect(statuses.at(-1)).toBe("reconnecting");
    timers.pass(1_000);
    expect(sources.map((one) => one.url)).toEqual(["/live?lastEventId=100", "/live?lastEventId=200"]);
    expect(sources[0]?.isClosed).toBe(true);
  });

  test("it waits with full jitter, at first up to 1 s, then doubled up to 30 s", () => {
    const waits: (number | undefined)[] = [];
    for (let time = 0; time < 7; time += 1) {
      newest().fails(CLOSED);
      waits.push(timers.waits[0]);
      timers.pass(30_000);
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    random = 0.25;
    newest().fails(CLOSED);
    expect(timers.waits).toEqual([7_500]);
  });

  test("it begins with short waits again once it was live", () => {
    for (let time = 0; time < 4; time += 1) {
      newest().fails(CLOSED);
      timers.pass(30_000);
    }
    newest().opens();
    newest().fails(CLOSED);
    expect(timers.waits).toEqual([1_000]);
  });
});

test("while the browser reconnects by itself it only says so", () => {
  newest().opens();
  newest().fails(CONNECTING);
  expect(statuses.at(-1)).toBe("reconnecting");
  expect(timers.waits).toEqual([]);
  newest().opens();
  expect(statuses.at(-1)).toBe("live");
  expect(sources).toHaveLength(1);
});

test("without a network it says offline, and connects at once when told that there is one", () => {
  newest().opens();
  isOnline = false;
  newest().fails(CLOSED);
  expect(statuses.at(-1)).toBe("offline");
  isOnline = true;
  stream.open();
  expect(sources).toHaveLength(2);
  expect(statuses.at(-1)).toBe("reconnecting");
  timers.pass(60_000);
  expect(sources).toHaveLength(2);
});

test("a connection that brings nothing though something must come is replaced", () => {
  newest().opens();
  stream.expectMoreThan(stream.events);
  timers.pass(9_999);
  expect(sources).toHaveLength(1);
  timers.pass(1);
  expect(sources).toHaveLength(2);
});

test("an event in time leaves the connection alone", () => {
  newest().opens();
  stream.expectMoreThan(stream.events);
  timers.pass(5_000);
  newest().tells(aJob("a"), "200");
  timers.pass(60_000);
  expect(sources).toHaveLength(1);
});

test("an event that came before the answer of the change is enough", () => {
  newest().opens();
  const before = stream.events;
  newest().tells(aJob("a"), "200");
  stream.expectMoreThan(before);
  timers.pass(60_000);
  expect(sources).toHaveLength(1);
});

test("paused, it holds no connection, and goes on from where it was", () => {
  newest().opens();
  newest().tells(aJob("a"), "200");
  stream.pause();
  expect(newest().isClosed).toBe(true);
  expect(statuses.at(-1)).toBe("paused");
  stream.expectMoreThan(stream.events);
  timers.pass(60_000);
  expect(sources).toHaveLength(1);
  stream.open();
  expect(newest().url).toBe("/live?lastEventId=200");
});

test("closed, it stays closed and says nothing more", () => {
  newest().opens();
  newest().fails(CLOSED);
  stream.close();
  const said = statuses.length;
  timers.pass(60_000);
  sources[0]?.fails(CLOSED);
  expect(sources).toHaveLength(1);
  expect(statuses).toHaveLength(said);
});
