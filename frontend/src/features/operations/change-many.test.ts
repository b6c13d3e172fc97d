import { ApiError } from "calo-client/api/api-error";
import type { Changed, Stats } from "calo-client/api/types";
import { expect, test, vi } from "vitest";
import { type Choice, changeMany, countOf, selectionOf } from "./change-many";

const RETRY: Choice = { change: "retry failed", kind: "", code: "" };
const STATS = {
  counts: { pending: 9, resolved: 8, error: 7, cancelled: 6 },
  counts_by_kind: { photo: { pending: 5, resolved: 4, error: 3, cancelled: 2 } },
  codes: { timeout: 4, lost: 3 },
} as unknown as Stats;

function run(answers: (Changed | Error)[], stopAfter = Number.POSITIVE_INFINITY) {
  const seen: number[] = [];
  const call = vi.fn(async () => {
    const answer = answers.shift();
    if (answer === undefined) throw new Error("called too often");
    if (answer instanceof Error) throw answer;
    return answer;
  });
  const wait = vi.fn(async () => {});
  const isStopped = () => seen.length >= stopAfter;
  const outcome = changeMany({ call, wait, isStopped, onProgress: (changed) => seen.push(changed) });
  return { outcome, seen, call, wait };
}

test("the call is repeated while there may be more, also after one that has changed nothing", async () => {
  const { outcome, seen } = run([
    { changed: 100, more: true },
    { changed: 0, more: true },
    { changed: 12, more: false },
  ]);
  expect(await outcome).toBe("done");
  expect(seen).toEqual([100, 100, 112]);
});

test("it stops between two calls", async () => {
  const { outcome, call } = run([{ changed: 100, more: true }], 1);
  expect(await outcome).toBe("stopped");
  expect(call).toHaveBeenCalledTimes(1);
});

test("a call that may succeed later is repeated, and the failures are forgotten after a success", async () => {
  const down = new ApiError(503, "down");
  const { outcome, wait } = run([
    ...[down, down, down, { changed: 1, more: true }],
    ...[down, down, down, { changed: 1, more: false }],
  ]);
  expect(await outcome).toBe("done");
  expect(wait).toHaveBeenCalledTimes(6);
});

test.each([
  [[new ApiError(409, "too many newer jobs")], 1],
  [Array<Error>(9).fill(new ApiError(0, "no network")), 5],
])("%j ends it after %d calls", async (answers, calls) => {
  const { outcome, call } = run(answers);
  await expect(outcome).rejects.toThrow(ApiError);
  expect(call).toHaveBeenCalledTimes(calls);
});

test.each<[Partial<Choice>, number, boolean]>([
  [{}, 7, true],
  [{ kind: "photo" }, 3, true],
  [{ kind: "gone" }, 0, true],
  [{ code: "timeout" }, 4, true],
  [{ kind: "photo", code: "timeout" }, 3, false],
  [{ kind: "photo", code: "rare" }, 0, true],
  [{ change: "cancel pending", code: "timeout" }, 9, true],
  [{ change: "retry cancelled", kind: "photo" }, 2, true],
])("%j selects %d jobs (exactly: %s)", (choice, count, isExact) => {
  expect(countOf({ ...RETRY, ...choice }, STATS)).toEqual({ count, isExact });
});

test("only failed jobs are selected by code", () => {
  expect(selectionOf({ ...RETRY, code: "lost", kind: "photo" }, "*")).toEqual({
    status: "error",
    kind: "photo",
    code: "lost",
    owner: "*",
  });
  expect(selectionOf({ change: "cancel pending", kind: "", code: "lost" }, undefined)).toEqual({
    status: "pending",
  });
});
