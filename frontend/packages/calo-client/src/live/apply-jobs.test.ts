import { describe, expect, test } from "vitest";
import type { ListParams } from "../api/types";
import { makeJob, makePage } from "../testing";
import { applyJobs, hasGap } from "./apply-jobs";

const FIRST: ListParams = { status: null, page: 1, cursor: null };
const SECOND: ListParams = { status: null, page: 2, cursor: null };
const PENDING: ListParams = { status: "pending", page: 1, cursor: null };

const ids = (page: { data: { id: string }[] }) => page.data.map((job) => job.id);

describe("a job on the page", () => {
  const page = makePage([makeJob("b", { created_at: 2, version: 2 }), makeJob("a", { created_at: 1 })]);

  test("is replaced by a newer version at the same position", () => {
    const newer = makeJob("a", { created_at: 1, version: 2, status: "resolved" });
    expect(applyJobs(page, FIRST, [newer]).data).toEqual([page.data[0], newer]);
  });

  test.each([1, 2])(
    "is not replaced by version %i, which is not newer: the page is the same object",
    (version) => {
      expect(applyJobs(page, FIRST, [makeJob("b", { created_at: 2, version, status: "error" })])).toBe(page);
    },
  );

  test("stays the same object when another job changes, so its card is not rendered again", () => {
    expect(applyJobs(page, FIRST, [makeJob("a", { created_at: 1, version: 2 })]).data[0]).toBe(page.data[0]);
  });

  test("is removed from a list of one status when its status changes, and no longer counted", () => {
    const after = applyJobs(page, PENDING, [makeJob("b", { created_at: 2, version: 3, status: "resolved" })]);
    expect(ids(after)).toEqual(["a"]);
    expect(after.total).toBe(1);
  });
});

describe("a new job", () => {
  const page = makePage([makeJob("c", { created_at: 30 }), makeJob("b", { created_at: 20 })]);

  test("is inserted in order, newest first", () => {
    const after = applyJobs(page, FIRST, [
      makeJob("m", { created_at: 25 }),
      makeJob("z", { created_at: 40 }),
    ]);
    expect(ids(after)).toEqual(["z", "c", "m", "b"]);
    expect(after.total).toBe(4);
  });

  test("moves the last job to the next page", () => {
    const full = { ...page, pageSize: 2, next_cursor: "next", total: 5, totalPages: 3 };
    const after = applyJobs(full, FIRST, [makeJob("z", { created_at: 40 })]);
    expect(ids(after)).toEqual(["z", "c"]);
    expect([after.total, after.totalPages]).toEqual([6, 3]);
  });

  test("that is older than the page belongs on a later page", () => {
    const full = { ...page, pageSize: 2, next_cursor: "next" };
    expect(applyJobs(full, FIRST, [makeJob("a", { created_at: 10 })])).toBe(full);
  });

  test("that is the oldest is the last on the only page", () => {
    expect(ids(applyJobs(page, FIRST, [makeJob("a", { created_at: 10 })]))).toEqual(["c", "b", "a"]);
  });

  test("with the same creation time is ordered by its id, as in the API", () => {
    expect(ids(applyJobs(page, FIRST, [makeJob("d", { created_at: 30 })]))).toEqual(["d", "c", "b"]);
  });

  test.each([SECOND, { ...FIRST, cursor: "x" }])("is not inserted on a later page", (params) => {
    expect(applyJobs(page, params, [makeJob("z", { created_at: 40 })])).toBe(page);
  });

  test("is not inserted into a list of another status", () => {
    expect(applyJobs(page, PENDING, [makeJob("z", { created_at: 40, status: "error" })])).toBe(page);
  });

  test("is inserted into an empty list", () => {
    expect(ids(applyJobs(makePage([]), FIRST, [makeJob("a")]))).toEqual(["a"]);
  });
});

describe("a filtered list", () => {
  const failed = makeJob("z", {
    created_at: 40,
    status: "error",
    error: { code: "lost", message: "lost", attempts: 1 },
  });
  const empty = makePage([], { total: null, totalPages: null });

  test.each<[Partial<ListParams>, boolean]>([
    [{ kind: "photo" }, true],
    [{ kind: "countdown" }, false],
    [{ code: "lost" }, true],
    [{ code: "timeout" }, false],
    [{ text: "PAST" }, true],
    [{ text: "query" }, false],
    [{ since: 40, until: 41 }, true],
    [{ since: 41 }, false],
    [{ until: 40 }, false],
    [{ owner: "*" }, true],
    [{ owner: "public" }, false], // whose it is, is not known
  ])("with %j inserts the job: %s", (filter, isInserted) => {
    expect(ids(applyJobs(empty, { ...FIRST, ...filter }, [failed]))).toEqual(isInserted ? ["z"] : []);
  });

  test("keeps an unknown total", () => {
    expect(applyJobs(empty, FIRST, [failed])).toMatchObject({ total: null, totalPages: null });
  });

  test("loses a job that does not match any more", () => {
    const page = makePage([failed], { total: null, totalPages: null });
    const retried = { ...failed, status: "pending", error: null, version: 2 } as const;
    expect(ids(applyJobs(page, { ...FIRST, code: "lost" }, [retried]))).toEqual([]);
  });
});

test("500 events for 24 jobs result in the newest version of each job", () => {
  const page = makePage(
    Array.from({ length: 24 }, (_, number) => makeJob(`${number}`, { created_at: 100 - number })),
  );
  const events = Array.from({ length: 500 }, (_, number) =>
    makeJob(`${number % 24}`, { created_at: 100 - (number % 24), version: 2 + Math.floor(number / 24) }),
  );
  const after = events.reduce((current, event) => applyJobs(current, FIRST, [event]), page);
  expect(after.data.map((job) => job.version)).toEqual(
    page.data.map((_, number) => 2 + Math.floor((499 - number) / 24)),
  );
});

test("a page has a gap when jobs were removed and there is a next page", () => {
  expect(hasGap(makePage([makeJob("a")], { next_cursor: "x" }))).toBe(true);
  expect(hasGap(makePage([makeJob("a")]))).toBe(false);
  expect(hasGap(makePage([makeJob("a")], { next_cursor: "x", pageSize: 1 }))).toBe(false);
});
