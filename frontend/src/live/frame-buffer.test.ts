import { expect, test } from "vitest";
import type { Job } from "../api/types";
import { aJob } from "../testing";
import { FrameBuffer } from "./frame-buffer";

test("what comes within a frame is handed on once, of each job the newest", () => {
  const frames: (() => void)[] = [];
  const flushed: Job[][] = [];
  const buffer = new FrameBuffer(
    (jobs) => flushed.push(jobs),
    (callback) => frames.push(callback),
  );
  buffer.push(aJob("a", { version: 2 }));
  buffer.push(aJob("b"));
  buffer.push(aJob("a", { version: 3 }));
  buffer.push(aJob("a", { version: 1 }));
  expect(frames).toHaveLength(1);
  frames[0]?.();
  expect(flushed).toEqual([[aJob("a", { version: 3 }), aJob("b")]]);
  buffer.push(aJob("c"));
  frames[1]?.();
  expect(flushed[1]).toEqual([aJob("c")]);
});
