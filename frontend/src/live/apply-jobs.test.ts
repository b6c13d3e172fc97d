import { describe, expect, test } from "vitest";
import type { Place } from "../api/types";
import { aJob, aPage } from "../testing";
import { applyJobs, hasGap } from "./apply-jobs";

const FIRST: Place = { status: null, page: 1, cursor: null };
const SECOND: Place = { status: null, page: 2, cursor: null };
const PENDING: Place = { status: "pending", page: 1, cursor: null };

const ids = (page: { data: { id: string }[] }) => page.data.map((job) => job.id);

describe("a job on the page", () => {
  const page = aPage([aJob("b", { created_at: 2, version: 2 }), aJob("a", { created_at: 1 })]);

  test("is replaced by its newer version, in its place", () => {
    const newer = aJob("a", { created_at: 1, version: 2, status: "resolved" });
    expect(applyJobs(page, FIRST, [newer]).data).toEqual([page.data[0], newer]);
  });

  test.each([1, 2])(
    "is not replaced by version %i, which is not newer; the page is the same object",
    (version) => {
      expect(applyJobs(page, FIRST, [aJob("b", { created_at: 2, version, status: "error" })])).toBe(page);
    },
  );

  test("keeps its object when another one changes, so that its card is not drawn anew", () => {
    expect(applyJobs(page, FIRST, [aJob("a", { created_at: 1, version: 2 })]).data[0]).toBe(page.data[0]);
  });

  test("leaves a list of one status with that status, and is no longer counted", () => {
    const after = applyJobs(page, PENDING, [aJob("b", { created_at: 2, version: 3, status: "resolved" })]);
    expect(ids(after)).toEqual(["a"]);
    expect(after.total).toBe(1);
  });
});

describe("a new job", () => {
  const page = aPage([aJob("c", { created_at: 30 }), aJob("b", { created_at: 20 })]);

  test("stands where it belongs, newest first", () => {
    const after = applyJobs(page, FIRST, [aJob("m", { created_at: 25 }), aJob("z", { created_at: 40 })]);
    expect(ids(after)).toEqual(["z", "c", "m", "b"]);
    expect(after.total).toBe(4);
  });

  test("pushes the last one to the next page", () => {
    const full = { ...page, pageSize: 2, next_cursor: "more", total: 5, totalPages: 3 };
    const after = applyJobs(full, FIRST, [aJob("z", { created_at: 40 })]);
    expect(ids(after)).toEqual(["z", "c"]);
    expect([after.total, after.totalPages]).toEqual([6, 3]);
  });

  test("older than a page that others follow is on one of those", () => {
    const full = { ...page, pageSize: 2, next_cursor: "more" };
    expect(applyJobs(full, FIRST, [aJob("a", { created_at: 10 })])).toBe(full);
  });

  test("older than all is the last on the only page", () => {
    expect(ids(applyJobs(page, FIRST, [aJob("a", { created_at: 10 })]))).toEqual(["c", "b", "a"]);
  });

  test("of the same moment has its place by its id, as the API orders them", () => {
    expect(ids(applyJobs(page, FIRST, [aJob("d", { created_at: 30 })]))).toEqual(["d", "c", "b"]);
  });

  test.each([SECOND, { ...FIRST, cursor: "x" }])("does not come onto a later page", (place) => {
    expect(applyJobs(page, place, [aJob("z", { created_at: 40 })])).toBe(page);
  });

  test("of another status does not come into a list of one status", () => {
    expect(applyJobs(page, PENDING, [aJob("z", { created_at: 40, status: "error" })])).toBe(page);
  });

  test("makes an empty list its own", () => {
    expect(ids(applyJobs(aPage([]), FIRST, [aJob("a")]))).toEqual(["a"]);
  });
});

test("500 events of 24 jobs come out as their newest versions", () => {
  const page = aPage(
    Array.from({ length: 24 }, (_, number) => aJob(`${number}`, { created_at: 100 - number })),
  );
  const events = Array.from({ length: 500 }, (_, number) =>
    aJob(`${number % 24}`, { created_at: 100 - (number % 24), version: 2 + Math.floor(number / 24) }),
  );
  const after = events.reduce((state, event) => applyJobs(state, FIRST, [event]), page);
  expect(after.data.map((job) => job.version)).toEqual(
    page.data.map((_, number) => 2 + Math.floor((499 - number) / 24)),
  );
});

test("a page has a gap when jobs have left it and others are behind it", () => {
  expect(hasGap(aPage([aJob("a")], { next_cursor: "x" }))).toBe(true);
  expect(hasGap(aPage([aJob("a")]))).toBe(false);
  expect(hasGap(aPage([aJob("a")], { next_cursor: "x", pageSize: 1 }))).toBe(false);
});
