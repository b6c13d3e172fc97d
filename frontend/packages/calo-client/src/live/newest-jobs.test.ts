import { expect, test } from "vitest";
import { makeJob } from "../testing";
import { NewestJobs } from "./newest-jobs";

test("since returns the jobs that were stored after the mark, in their newest versions", () => {
  const newest = new NewestJobs();
  newest.add([makeJob("a"), makeJob("b")]);
  const mark = newest.mark();
  newest.add([makeJob("a", { version: 2 }), makeJob("b"), makeJob("c")]);
  expect(newest.since(mark)).toEqual([makeJob("a", { version: 2 }), makeJob("c")]);
});

test("the size is bounded: the job that has not changed for the longest time is removed", () => {
  const newest = new NewestJobs();
  newest.add([makeJob("first"), makeJob("second")]);
  newest.add([makeJob("first", { version: 2 })]);
  newest.add(Array.from({ length: 4_999 }, (_, number) => makeJob(`${number}`)));
  expect(newest.get("second")).toBeUndefined();
  expect(newest.get("first")?.version).toBe(2);
});
