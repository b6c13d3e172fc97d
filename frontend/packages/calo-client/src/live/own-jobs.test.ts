import { expect, test, vi } from "vitest";
import { makeJob } from "../testing";
import { OwnJobs } from "./own-jobs";

test("subscribers are notified once of each own job that has ended", () => {
  const ownJobs = new OwnJobs();
  const listener = vi.fn();
  const unsubscribe = ownJobs.subscribe(listener);
  ownJobs.add(makeJob("a"));
  ownJobs.recordChanges([makeJob("a", { version: 2 }), makeJob("other", { status: "resolved" })]);
  expect(listener).not.toHaveBeenCalled();
  const ended = makeJob("a", { version: 3, status: "resolved" });
  ownJobs.recordChanges([ended, makeJob("other", { status: "resolved" })]);
  ownJobs.recordChanges([ended]);
  expect(listener).toHaveBeenCalledTimes(1);
  expect(ownJobs.lastChanged()).toEqual([ended]);
  unsubscribe();
  ownJobs.add(makeJob("b"));
  ownJobs.recordChanges([makeJob("b", { version: 2, status: "error" })]);
  expect(listener).toHaveBeenCalledTimes(1);
});

test("a job that was cancelled here is reported once, and a retried job again when it ends", () => {
  const ownJobs = new OwnJobs();
  const reported: string[] = [];
  ownJobs.subscribe(() => reported.push(...ownJobs.lastChanged().map((job) => job.status)));
  const cancelled = makeJob("a", { version: 2, status: "cancelled" });
  ownJobs.recordRequest(cancelled);
  ownJobs.recordChanges([cancelled]);
  ownJobs.recordRequest(makeJob("a", { version: 3 }));
  ownJobs.recordChanges([makeJob("a", { version: 4, status: "resolved" })]);
  expect(reported).toEqual(["cancelled", "pending", "resolved"]);
});

test("only jobs that were created here are own jobs", () => {
  const ownJobs = new OwnJobs();
  ownJobs.add(makeJob("a"));
  ownJobs.recordRequest(makeJob("b"));
  ownJobs.recordChanges([makeJob("a", { version: 2, status: "resolved" })]);
  expect([ownJobs.has("a"), ownJobs.has("b")]).toEqual([true, false]);
});

test("the jobs that have not ended are those that were created or retried", () => {
  const ownJobs = new OwnJobs();
  for (const id of ["a", "b", "c"]) ownJobs.add(makeJob(id));
  ownJobs.recordChanges([makeJob("a", { version: 2, status: "resolved" })]);
  ownJobs.recordRequest(makeJob("b", { version: 2, status: "cancelled" }));
  ownJobs.recordRequest(makeJob("d", { version: 3 }));
  expect(ownJobs.pendingIds).toEqual(["c", "d"]);
});
