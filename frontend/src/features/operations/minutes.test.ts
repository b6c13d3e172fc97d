import type { Minute } from "calo-client/api/types";
import { expect, test } from "vitest";
import { ageColumns, outcomeColumns, rangeFromZero, totals } from "./minutes";

const MINUTES: Minute[] = [
  { at: 60_000, created: 5, resolved: 3, failed: 1, age_p50_ms: 40, age_p95_ms: 90 },
  { at: 120_000, created: 0, resolved: 0, failed: 2, age_p50_ms: null, age_p95_ms: null },
];

test("the hour has totals", () => {
  expect(totals(MINUTES)).toEqual({ created: 5, resolved: 3, failed: 3, since: 60_000 });
  expect(totals([])).toEqual({ created: 0, resolved: 0, failed: 0, since: 0 });
});

test("failed jobs stand on the ready ones", () => {
  expect(outcomeColumns(MINUTES)).toEqual([
    [60_000, 120_000],
    [4, 2],
    [3, 0],
    [5, 0],
  ]);
});

test("a minute without results has a gap", () => {
  expect(ageColumns(MINUTES).slice(1)).toEqual([
    [40, null],
    [90, null],
  ]);
});

test("an axis has a height also if nothing happened", () => {
  expect(rangeFromZero(null)).toEqual([0, 4]);
  expect(rangeFromZero(0)).toEqual([0, 4]);
  expect(rangeFromZero(1000)[1]).toBeGreaterThan(1000);
});
