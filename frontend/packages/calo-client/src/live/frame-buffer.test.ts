import { expect, test } from "vitest";
import type { Job } from "../api/types";
import { makeJob } from "../testing";
import { FrameBuffer } from "./frame-buffer";

test("jobs that arrive within a frame are passed on together, in their newest versions", () => {
  const frames: (() => void)[] = [];
  const flushed: Job[][] = [];
  const buffer = new FrameBuffer(
    (jobs) => flushed.push(jobs),
    (callback) => frames.push(callback),
  );
  buffer.push(makeJob("a", { version: 2 }));
  buffer.push(makeJob("b"));
  buffer.push(makeJob("a", { version: 3 }));
  buffer.push(makeJob("a", { version: 1 }));
  expect(frames).toHaveLength(1);
  frames[0]?.();
  expect(flushed).toEqual([[makeJob("a", { version: 3 }), makeJob("b")]]);
  buffer.push(makeJob("c"));
  frames[1]?.();
  expect(flushed[1]).toEqual([makeJob("c")]);
});
