import { expect, test, vi } from "vitest";
import { aJob } from "../testing";
import { OwnJobs } from "./own-jobs";

test("only a delayed job that was created here has a start time", () => {
  const ownJobs = new OwnJobs();
  const delayed = aJob("delayed", { created_at: 5_000 });
  ownJobs.add(delayed, 60);
  ownJobs.add(aJob("immediate"), 0);
  expect(ownJobs.startTime(delayed)).toBe(65_000);
  expect(ownJobs.startTime(aJob("immediate"))).toBeUndefined();
  expect(ownJobs.startTime(aJob("other"))).toBeUndefined();
});

test("subscribers are notified once of each own job that has ended", () => {
  const ownJobs = new OwnJobs();
  const listener = vi.fn();
  const unsubscribe = ownJobs.subscribe(listener);
  ownJobs.add(aJob("a"), 0);
  ownJobs.recordChanges([aJob("a", { version: 2 }), aJob("other", { status: "resolved" })]);
  expect(listener).not.toHaveBeenCalled();
  const ended = aJob("a", { version: 3, status: "resolved" });
  ownJobs.recordChanges([ended, aJob("other", { status: "resolved" })]);
  ownJobs.recordChanges([ended]);
  expect(listener).toHaveBeenCalledTimes(1);
  expect(ownJobs.lastEnded()).toEqual([ended]);
  unsubscribe();
  ownJobs.add(aJob("b"), 0);
  ownJobs.recordChanges([aJob("b", { version: 2, status: "error" })]);
  expect(listener).toHaveBeenCalledTimes(1);
});
