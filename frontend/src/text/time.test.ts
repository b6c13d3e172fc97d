import { expect, test } from "vitest";
import { age, duration } from "./time";

const NOW = Date.UTC(2026, 10, 25, 12, 0, 0);

test.each([
  [59_999, "just now"],
  [60_000, "1 minute ago"],
  [7_200_000, "2 hours ago"],
  [86_400_000, "yesterday"],
])("an age of %i ms is shown as %s", (ms, text) => {
  expect(age(NOW - ms, NOW)).toBe(text);
});

test.each([
  [840, "0.8 s"],
  [42_000, "42 s"],
  [185_000, "3 min 5 s"],
  [3_720_000, "1 h 2 min"],
])("a duration of %i ms is shown as %s", (ms, text) => {
  expect(duration(ms)).toBe(text);
});
