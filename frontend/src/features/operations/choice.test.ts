import type { Stats } from "calo-client/api/types";
import { expect, test } from "vitest";
import { type Choice, countOf, selectionOf } from "./choice";

const RETRY: Choice = { change: "retry failed", kind: "", code: "" };
const STATS = {
  counts: { pending: 9, resolved: 8, error: 7, cancelled: 6 },
  counts_by_kind: { photo: { pending: 5, resolved: 4, error: 3, cancelled: 2 } },
  codes: { timeout: 4, lost: 3 },
} as unknown as Stats;

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
