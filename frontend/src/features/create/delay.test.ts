import { expect, test } from "vitest";
import { bounds, delayUntil, localText, MAX_DELAY_SECONDS } from "./delay";

const now = new Date(2027, 2, 1, 8, 59, 30).getTime();

test("a time becomes the seconds until then", () => {
  expect(delayUntil("2027-03-01T09:00", now)).toBe(30);
  expect(delayUntil("2027-03-02T08:59", now)).toBe(24 * 3600 - 30);
});

test.each(["2027-03-01T08:59", "2026-01-01T00:00", "2027-04-30T09:00", ""])("%s is refused", (text) => {
  expect(delayUntil(text, now)).toBeNull();
});

test("both bounds can be chosen", () => {
  for (const time of [now, now + 30_000, now + 59_999]) {
    const { min, max } = bounds(time);
    const seconds = [min, max].map((text) => delayUntil(text, time) ?? Number.NaN);
    expect(seconds[0]).toBeLessThan(60);
    expect(seconds[1]).toBeGreaterThan(MAX_DELAY_SECONDS - 120);
  }
});

test("a time is written as the control expects it", () => {
  expect(localText(new Date(2027, 0, 5, 7, 3).getTime())).toBe("2027-01-05T07:03");
});
