import { beforeEach, describe, expect, test } from "vitest";
import { FakeReaders, FakeTimers, makeEvent, makeJob } from "../testing";
import { LiveStream } from "./live-stream";

let readers: FakeReaders;
let timers: FakeTimers;
/** What the stream has reported: a status, or the scope of an open connection. */
let reports: unknown[];
let events: unknown[];
let random: number;
let isOnline: boolean;
let stream: LiveStream;

const urls = () => readers.all.map((reader) => reader.url);

beforeEach(() => {
  readers = new FakeReaders();
  timers = new FakeTimers();
  reports = [];
  events = [];
  random = 1;
  isOnline = true;
  stream = new LiveStream({
    url: (scope) => `/live?${scope}`,
    open: readers.open,
    timers,
    random: () => random,
    isOnline: () => isOnline,
    onEvents: (received, scope) => events.push([received, scope]),
    onOpen: (scope) => reports.push(scope),
    onDown: (status) => reports.push(status),
  });
  stream.cover("all");
});

test("it connects, reports that it is open, and passes events on", () => {
  expect(urls()).toEqual(["/live?all"]);
  readers.last.open();
  const event = makeEvent(makeJob("a"), "200");
  readers.last.send(event);
  expect(reports).toEqual(["connecting", "all"]);
  expect(events).toEqual([[[event], "all"]]);
});

describe("after a failed connection", () => {
  test("it waits with full jitter of at most 1 s, doubled after each failure up to 30 s", () => {
    const waits: (number | undefined)[] = [];
    for (let attempt = 0; attempt < 7; attempt += 1) {
      readers.last.end(0);
      waits.push(timers.waits[0]);
      timers.advance(30_000);
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    random = 0.25;
    readers.last.end(502);
    expect(timers.waits).toEqual([7_500]);
  });

  test("it starts with short waits again after it was live", () => {
    for (let attempt = 0; attempt < 4; attempt += 1) {
      readers.last.end(0);
      timers.advance(30_000);
    }
    readers.last.open();
    readers.last.end(200);
    expect(timers.waits).toEqual([1_000]);
    expect(reports.slice(-2)).toEqual(["all", "reconnecting"]);
  });

  test.each([429, 503])("with status %i it waits at least as long as Retry-After says", (status) => {
    random = 0;
    readers.last.end(status, 45_000);
    expect(timers.waits).toEqual([45_000]);
  });

  test.each([400, 401, 404])("with status %i it tries again rarely", (status) => {
    random = 0;
    readers.last.end(status);
    expect(timers.waits).toEqual([30_000]);
    timers.advance(30_000);
    readers.last.open();
    expect(reports.at(-1)).toBe("all");
  });
});

test.each([
  [2_345, 2_345],
  [0, 1_000],
])("a reconnection time of the stream of %i ms means %i ms", (retryMs, wait) => {
  readers.last.open();
  readers.last.retryMs = retryMs;
  readers.last.end(200);
  expect(timers.waits).toEqual([wait]);
  timers.advance(wait);
  expect(readers.all).toHaveLength(2);
});

test("without a network its status is offline, and reconnect connects immediately when there is one", () => {
  readers.last.open();
  isOnline = false;
  readers.last.end(0);
  expect(reports.at(-1)).toBe("offline");
  isOnline = true;
  stream.reconnect();
  expect(readers.all).toHaveLength(2);
  expect(reports.at(-1)).toBe("reconnecting");
  timers.advance(60_000);
  expect(readers.all).toHaveLength(2);
});

describe("a change of the scope", () => {
  beforeEach(() => {
    readers.last.open();
    stream.cover(["a"]);
  });

  test("opens the new connection before it closes the old one", () => {
    const [old, next] = readers.all;
    expect(urls()).toEqual(["/live?all", "/live?a"]);
    old?.send(makeEvent(makeJob("a"), "200"));
    expect(events).toHaveLength(1);
    expect(old?.isClosed).toBe(false);
    next?.open();
    expect(old?.isClosed).toBe(true);
    expect(reports).toEqual(["connecting", "all", ["a"]]);
  });

  test("to the same scope does nothing", () => {
    stream.cover(["a"]);
    expect(readers.all).toHaveLength(2);
  });

  test("replaces a connection that is still being opened", () => {
    stream.cover(["b"]);
    expect(readers.notClosed.map((reader) => reader.url)).toEqual(["/live?all", "/live?b"]);
  });

  test("keeps the old connection until a failed new one has succeeded", () => {
    readers.last.end(503);
    expect(reports).toEqual(["connecting", "all"]);
    timers.advance(1_000);
    expect(readers.notClosed.map((reader) => reader.url)).toEqual(["/live?all", "/live?a"]);
  });

  test("is not delayed when the old connection ends meanwhile", () => {
    readers.all[0]?.end(200);
    expect(reports.at(-1)).toBe("reconnecting");
    expect(timers.waits).toEqual([]);
    readers.last.open();
    expect(reports.at(-1)).toEqual(["a"]);
  });
});

test("reconnect replaces a connection that may be broken", () => {
  readers.last.open();
  stream.reconnect();
  expect(readers.notClosed.map((reader) => reader.url)).toEqual(["/live?all"]);
  expect(readers.all).toHaveLength(2);
});

test("a closed stream does not reconnect or report anything until it covers a scope again", () => {
  readers.last.open();
  readers.last.end(0);
  stream.close();
  const reportCount = reports.length;
  timers.advance(60_000);
  stream.reconnect();
  expect(readers.all).toHaveLength(1);
  expect(reports).toHaveLength(reportCount);
  stream.cover("all");
  expect(readers.all).toHaveLength(2);
});
