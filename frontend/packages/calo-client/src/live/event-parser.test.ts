import { describe, expect, test } from "vitest";
import { EventParser, type ServerEvent } from "./event-parser";

const encode = (text: string) => new TextEncoder().encode(text);

function parse(text: string): ServerEvent[] {
  return new EventParser().feed(encode(text));
}

const message = (data: string, lastEventId = "") => ({ type: "message", data, lastEventId });

/** Each stream with the events that the standard requires. */
const STREAMS: [name: string, text: string, events: ServerEvent[]][] = [
  ["an event", "data: a\n\n", [message("a")]],
  ["several lines of data", "data: a\ndata: b\n\n", [message("a\nb")]],
  ["only the first space of a value is removed", "data:a\n\ndata:  b\n\n", [message("a"), message(" b")]],
  ["a colon in the value", "data: a: b\n\n", [message("a: b")]],
  ["line ends CR", "data: a\r\rdata: b\r\r", [message("a"), message("b")]],
  ["line ends CRLF", "data: a\r\n\r\ndata: b\r\n\r\n", [message("a"), message("b")]],
  ["mixed line ends", "data: a\r\ndata: b\rdata: c\n\r\n", [message("a\nb\nc")]],
  ["a byte order mark", "\uFEFFdata: a\n\n", [message("a")]],
  ["a second byte order mark belongs to the field's name", "\uFEFF\uFEFFdata: a\n\n", []],
  ["comments", ": ping\n\n:\ndata: a\n: b\n\n", [message("a")]],
  ["a named event", "event: resync\ndata: x\n\n", [{ type: "resync", data: "x", lastEventId: "" }]],
  ["the name applies to one event", "event: x\n\ndata: a\n\n", [message("a")]],
  [
    "an id applies until the next id",
    "id: 1\ndata: a\n\ndata: b\n\n",
    [message("a", "1"), message("b", "1")],
  ],
  ["an empty id resets it", "id: 1\ndata: a\n\nid\ndata: b\n\n", [message("a", "1"), message("b", "")]],
  ["an id with NUL is ignored", "id: 1\nid: 2\0\ndata: a\n\n", [message("a", "1")]],
  ["an opaque id", "id: 17.r-1.5\ndata: a\n\n", [message("a", "17.r-1.5")]],
  ["an event without data is not dispatched", "event: x\nid: 1\n\n", []],
  ["empty data is data", "data\n\ndata:\n\n", [message(""), message("")]],
  ["a field without a colon has an empty value", "data\ndata\n\n", [message("\n")]],
  ["unknown fields are ignored", "x: y\n data: a\nDATA: a\ndata: b\n\n", [message("b")]],
  ["an incomplete event is not dispatched", "data: a\n\ndata: b\n", [message("a")]],
  ["characters of one to four bytes", "data: aé€😀\n\n", [message("aé€😀")]],
];

describe.each(STREAMS)("%s", (_, text, events) => {
  test("in one chunk", () => {
    expect(parse(text)).toEqual(events);
  });

  test("split at every position", () => {
    const bytes = encode(text);
    for (let position = 0; position <= bytes.length; position += 1) {
      const parser = new EventParser();
      const start = parser.feed(bytes.subarray(0, position));
      expect([...start, ...parser.feed(bytes.subarray(position))]).toEqual(events);
    }
  });

  test("in single bytes", () => {
    const parser = new EventParser();
    expect([...encode(text)].flatMap((byte) => parser.feed(Uint8Array.of(byte)))).toEqual(events);
  });
});

test.each([
  ["retry: 1500\n", 1_500],
  ["retry: 1500\nretry: x\nretry: -1\nretry: 1.5\nretry:\n", 1_500],
  ["retry: soon\n", null],
  ["data: a\n\n", null],
])("the reconnection time of %j", (text, retryMs) => {
  const parser = new EventParser();
  parser.feed(encode(text));
  expect(parser.retryMs).toBe(retryMs);
});
