import { QueryClient } from "@tanstack/query-core";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { JobPage, ListParams } from "../api/types";
import { FakeTimers, makeJob, makePage } from "../testing";
import { JobCache } from "./job-cache";

const FIRST: ListParams = { status: null, page: 1, cursor: null };

let queries: QueryClient;
let timers: FakeTimers;
let cache: JobCache;

beforeEach(() => {
  queries = new QueryClient();
  timers = new FakeTimers();
  cache = new JobCache(queries, timers);
});

const cachedJobs = () => queries.getQueryData<JobPage>(["jobs", FIRST])?.data;

describe("an event from the stream", () => {
  test("updates every list and the job's own page", () => {
    queries.setQueryData(["jobs", FIRST], makePage([makeJob("a")]));
    queries.setQueryData(["job", "a"], makeJob("a"));
    const newer = makeJob("a", { version: 2, status: "resolved" });
    expect(cache.update([newer])).toEqual([newer]);
    expect(cachedJobs()).toEqual([newer]);
    expect(queries.getQueryData(["job", "a"])).toEqual(newer);
  });

  test("with the same or an older version changes nothing", () => {
    queries.setQueryData(["jobs", FIRST], makePage([]));
    cache.update([makeJob("a", { version: 2 })]);
    expect(cache.update([makeJob("a", { version: 2 }), makeJob("a", { version: 1 })])).toEqual([]);
    expect(cachedJobs()?.map((job) => job.version)).toEqual([2]);
  });

  test("with progress only does not fetch the counts again", () => {
    cache.update([makeJob("a")]);
    timers.advance(60_000);
    cache.update([makeJob("a", { version: 2, progress: { fraction: 0.5, message: null } })]);
    expect(timers.waits).toEqual([]);
    cache.update([makeJob("a", { version: 3, status: "resolved" })]);
    expect(timers.waits).toHaveLength(1);
  });

  test("does not create a job query that no component uses", () => {
    cache.update([makeJob("a")]);
    expect(queries.getQueryData(["job", "a"])).toBeUndefined();
  });
});

describe("a response that was in progress while events arrived", () => {
  test("does not restore an older version", async () => {
    const response = makePage([makeJob("a", { version: 1 })]);
    const newer = makeJob("a", { version: 2, status: "error" });
    const page = await cache.fetchPage(FIRST, async () => {
      cache.update([newer]);
      return response;
    });
    expect(page.data).toEqual([newer]);
  });

  test("gets the jobs from these events, but not the jobs from earlier events", async () => {
    cache.update([makeJob("earlier", { created_at: 5_000 })]);
    const page = await cache.fetchPage(FIRST, async () => {
      cache.update([makeJob("new", { created_at: 9_000 })]);
      return makePage([makeJob("a")]);
    });
    expect(page.data.map((job) => job.id)).toEqual(["new", "a"]);
  });

  test("of a single job is replaced by a newer version", async () => {
    const newer = makeJob("a", { version: 3 });
    cache.update([newer]);
    expect(await cache.fetchJob(async () => makeJob("a", { version: 2 }))).toEqual(newer);
  });
});

test("counts are fetched twice after a change, and rarely while changes continue", () => {
  const invalidate = vi.spyOn(queries, "invalidateQueries");
  cache.update([makeJob("a")]);
  timers.advance(1_500);
  expect(invalidate).toHaveBeenCalledTimes(1);
  timers.advance(60_000);
  expect(invalidate).toHaveBeenCalledTimes(2);
  invalidate.mockClear();
  for (let version = 2; version < 600; version += 1) {
    cache.update([makeJob("a", { version })]);
    timers.advance(1_000);
  }
  expect(invalidate.mock.calls.length).toBeLessThan(30); // in 600 seconds
});

test("a list from which jobs were removed is fetched again", () => {
  const params: ListParams = { status: "pending", page: 1, cursor: null };
  queries.setQueryData(["jobs", params], makePage([makeJob("a")], { pageSize: 1, next_cursor: "x" }));
  const invalidate = vi.spyOn(queries, "invalidateQueries");
  cache.update([makeJob("a", { version: 2, status: "resolved" })]);
  timers.advance(1_000);
  expect(invalidate).toHaveBeenCalledWith({ queryKey: ["jobs"] });
});
