import { expect, test, vi } from "vitest";
import { ApiError } from "./api-error";
import { changeMany } from "./change-many";
import type { Changed } from "./types";

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
