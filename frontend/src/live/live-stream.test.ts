import { beforeEach, describe, expect, test } from "vitest";
import type { Job } from "../api/types";
import { FakeTimers, makeJob } from "../testing";
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
  simulateOpen(): void {
    this.readyState = OPEN;
    this.onopen?.();
  }
  simulateMessage(job: Job, cursor: string): void {
    this.onmessage?.({ data: JSON.stringify(job), lastEventId: cursor } as MessageEvent<string>);
  }
  simulateResync(cursor: string): void {
    this.onresync?.({ data: "", lastEventId: cursor } as MessageEvent<string>);
  }
  simulateError(readyState: number): void {
    this.readyState = readyState;
    this.onerror?.();
  }
}

let sources: FakeSource[];
let timers: FakeTimers;
let statuses: string[];
let jobs: Job[];
let resyncCount: number;
let random: number;
let isOnline: boolean;
let stream: LiveStream;

function latest(): FakeSource {
  const source = sources.at(-1);
  if (!source) throw new Error("no connection was opened");
  return source;
}

beforeEach(() => {
  sources = [];
  timers = new FakeTimers();
  statuses = [];
  jobs = [];
  resyncCount = 0;
  random = 1;
  isOnline = true;
  stream = new LiveStream({
    url: (cursor) => `/live?lastEventId=${cursor}`,
    cursor: "100",
    open: (url) => {
      sources.push(new FakeSource(url));
      return latest();
    },
    timers,
    random: () => random,
    isOnline: () => isOnline,
    onJob: (job) => jobs.push(job),
    onResync: () => {
      resyncCount += 1;
    },
    onStatus: (status) => statuses.push(status),
  });
  stream.open();
});

test("it connects with the cursor of the list and reports when it is live", () => {
  expect(latest().url).toBe("/live?lastEventId=100");
  latest().simulateOpen();
  expect(statuses).toEqual(["connecting", "live"]);
});

test("it passes jobs on and reports a resync", () => {
  latest().simulateOpen();
  latest().simulateMessage(makeJob("a"), "200");
  latest().simulateResync("300");
  expect(jobs).toEqual([makeJob("a")]);
  expect(resyncCount).toBe(1);
});

describe("after a response that is not a stream", () => {
  test("it connects again with its newest cursor, which a new EventSource does not have", () => {
    latest().simulateOpen();
    latest().simulateMessage(makeJob("a"), "200");
    latest().simulateError(CLOSED);
    expect(statuses.at(-1)).toBe("reconnecting");
    timers.advance(1_000);
    expect(sources.map((source) => source.url)).toEqual(["/live?lastEventId=100", "/live?lastEventId=200"]);
    expect(sources[0]?.isClosed).toBe(true);
  });

  test("it waits with full jitter of at most 1 s, doubled after each failure up to 30 s", () => {
    const waits: (number | undefined)[] = [];
    for (let attempt = 0; attempt < 7; attempt += 1) {
      latest().simulateError(CLOSED);
      waits.push(timers.waits[0]);
      timers.advance(30_000);
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    random = 0.25;
    latest().simulateError(CLOSED);
    expect(timers.waits).toEqual([7_500]);
  });

  test("it starts with short waits again after it was live", () => {
    for (let attempt = 0; attempt < 4; attempt += 1) {
      latest().simulateError(CLOSED);
      timers.advance(30_000);
    }
    latest().simulateOpen();
    latest().simulateError(CLOSED);
    expect(timers.waits).toEqual([1_000]);
  });
});

test("while the browser reconnects, it only reports the status", () => {
  latest().simulateOpen();
  latest().simulateError(CONNECTING);
  expect(statuses.at(-1)).toBe("reconnecting");
  expect(timers.waits).toEqual([]);
  latest().simulateOpen();
  expect(statuses.at(-1)).toBe("live");
  expect(sources).toHaveLength(1);
});

test("without a network its status is offline, and open connects immediately when there is one", () => {
  latest().simulateOpen();
  isOnline = false;
  latest().simulateError(CLOSED);
  expect(statuses.at(-1)).toBe("offline");
  isOnline = true;
  stream.open();
  expect(sources).toHaveLength(2);
  expect(statuses.at(-1)).toBe("reconnecting");
  timers.advance(60_000);
  expect(sources).toHaveLength(2);
});

test("a connection without the expected event is replaced after 10 s", () => {
  latest().simulateOpen();
  stream.expectMoreThan(stream.eventCount);
  timers.advance(9_999);
  expect(sources).toHaveLength(1);
  timers.advance(1);
  expect(sources).toHaveLength(2);
});

test("a connection with an event in time is kept", () => {
  latest().simulateOpen();
  stream.expectMoreThan(stream.eventCount);
  timers.advance(5_000);
  latest().simulateMessage(makeJob("a"), "200");
  timers.advance(60_000);
  expect(sources).toHaveLength(1);
});

test("an event before the response to the change counts as the expected event", () => {
  latest().simulateOpen();
  const eventsBefore = stream.eventCount;
  latest().simulateMessage(makeJob("a"), "200");
  stream.expectMoreThan(eventsBefore);
  timers.advance(60_000);
  expect(sources).toHaveLength(1);
});

test("a paused stream has no connection and later resumes from its cursor", () => {
  latest().simulateOpen();
  latest().simulateMessage(makeJob("a"), "200");
  stream.pause();
  expect(latest().isClosed).toBe(true);
  expect(statuses.at(-1)).toBe("paused");
  stream.expectMoreThan(stream.eventCount);
  timers.advance(60_000);
  expect(sources).toHaveLength(1);
  stream.open();
  expect(latest().url).toBe("/live?lastEventId=200");
});

test("a closed stream does not reconnect or report a status", () => {
  latest().simulateOpen();
  latest().simulateError(CLOSED);
  stream.close();
  const statusCount = statuses.length;
  timers.advance(60_000);
  sources[0]?.simulateError(CLOSED);
  expect(sources).toHaveLength(1);
  expect(statuses).toHaveLength(statusCount);
});
