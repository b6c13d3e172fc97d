import { QueryClient } from "@tanstack/react-query";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { JobPage, Place } from "../api/types";
import { aJob, aPage, FakeTimers } from "../testing";
import { JobCache } from "./job-cache";

const FIRST: Place = { status: null, page: 1, cursor: null };

let queries: QueryClient;
let timers: FakeTimers;
let cache: JobCache;

beforeEach(() => {
  queries = new QueryClient();
  timers = new FakeTimers();
  cache = new JobCache(queries, timers);
});

const shown = () => queries.getQueryData<JobPage>(["jobs", FIRST])?.data;

describe("what the stream tells", () => {
  test("changes every list and the job's own page", () => {
    queries.setQueryData(["jobs", FIRST], aPage([aJob("a")]));
    queries.setQueryData(["job", "a"], aJob("a"));
    const newer = aJob("a", { version: 2, status: "resolved" });
    expect(cache.learn([newer])).toEqual([newer]);
    expect(shown()).toEqual([newer]);
    expect(queries.getQueryData(["job", "a"])).toEqual(newer);
  });

  test("is told once: the same event again, or an older one, is no news", () => {
    queries.setQueryData(["jobs", FIRST], aPage([]));
    cache.learn([aJob("a", { version: 2 })]);
    expect(cache.learn([aJob("a", { version: 2 }), aJob("a", { version: 1 })])).toEqual([]);
    expect(shown()?.map((job) => job.version)).toEqual([2]);
  });

  test("makes no page for a job that nobody looks at", () => {
    cache.learn([aJob("a")]);
    expect(queries.getQueryData(["job", "a"])).toBeUndefined();
  });
});

describe("an answer that was under way while the stream told of changes", () => {
  test("does not bring an older version back", async () => {
    const answer = aPage([aJob("a", { version: 1 })]);
    const newer = aJob("a", { version: 2, status: "error" });
    const page = await cache.page(FIRST, async () => {
      cache.learn([newer]);
      return answer;
    });
    expect(page.data).toEqual([newer]);
  });

  test("is completed by jobs that came meanwhile, and not by those known from before", async () => {
    cache.learn([aJob("gone", { created_at: 5_000 })]);
    const page = await cache.page(FIRST, async () => {
      cache.learn([aJob("new", { created_at: 9_000 })]);
      return aPage([aJob("a")]);
    });
    expect(page.data.map((job) => job.id)).toEqual(["new", "a"]);
  });

  test("of one job gives way to a newer version", async () => {
    const newer = aJob("a", { version: 3 });
    cache.learn([newer]);
    expect(await cache.job(async () => aJob("a", { version: 2 }))).toEqual(newer);
  });
});

test("counts are fetched soon after a change, once more for what lags behind, and rarely in a storm", () => {
  const fetched = vi.spyOn(queries, "invalidateQueries");
  cache.learn([aJob("a")]);
  timers.pass(1_500);
  expect(fetched).toHaveBeenCalledTimes(1);
  timers.pass(60_000);
  expect(fetched).toHaveBeenCalledTimes(2);
  fetched.mockClear();
  for (let version = 2; version < 600; version += 1) {
    cache.learn([aJob("a", { version })]);
    timers.pass(1_000);
  }
  expect(fetched.mock.calls.length).toBeLessThan(30); // of six hundred seconds
});

test("a list that jobs have left is filled up by the server", () => {
  const place: Place = { status: "pending", page: 1, cursor: null };
  queries.setQueryData(["jobs", place], aPage([aJob("a")], { pageSize: 1, next_cursor: "x" }));
  const fetched = vi.spyOn(queries, "invalidateQueries");
  cache.learn([aJob("a", { version: 2, status: "resolved" })]);
  timers.pass(1_000);
  expect(fetched).toHaveBeenCalledWith({ queryKey: ["jobs"] });
});
