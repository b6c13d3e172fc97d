import { expect, test } from "vitest";
import { COMMON, cronWords } from "./cron";

test.each([
  ["0 9 * * *", "Every day at 9:00"],
  ["5 14 * * 1-5", "Monday to Friday at 14:05"],
  ["0 9 * * 7", "Every Sunday at 9:00"],
  ["30 0 15 * *", "Day 15 of each month at 0:30"],
  ["0 * * * *", "Every hour"],
  ["20 * * * *", "Every hour at minute 20"],
  ["*/15 * * * *", "Every 15 minutes"],
  ["* * * * *", "Every minute"],
])("%s is %s", (cron, words) => {
  expect(cronWords(cron)).toBe(words);
});

test.each([
  "*/7 * * * *",
  "0 9 * 1 *",
  "0 9 1 * 1",
  "0 9 * * MON",
  "0 9,10 * * *",
  "0 9 L * *",
  "0 9 * * 5L",
  "",
])("%s has no words", (cron) => {
  expect(cronWords(cron)).toBeNull();
});

test("each of the common expressions has words", () => {
  for (const [cron, words] of COMMON) expect(words).not.toBe(cron);
});
