import { expect, test } from "vitest";
import { aJob } from "../testing";
import { NewestJobs } from "./newest-jobs";

test("what was seen since a mark is told, in its newest version", () => {
  const newest = new NewestJobs();
  newest.see([aJob("a"), aJob("b")]);
  const mark = newest.mark();
  newest.see([aJob("a", { version: 2 }), aJob("b"), aJob("c")]);
  expect(newest.since(mark)).toEqual([aJob("a", { version: 2 }), aJob("c")]);
});

test("it does not grow for ever: the job that was seen longest ago is forgotten", () => {
  const newest = new NewestJobs();
  newest.see([aJob("first"), aJob("second")]);
  newest.see([aJob("first", { version: 2 })]);
  newest.see(Array.from({ length: 4_999 }, (_, number) => aJob(`${number}`)));
  expect(newest.get("second")).toBeUndefined();
  expect(newest.get("first")?.version).toBe(2);
});
