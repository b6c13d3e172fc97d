import { makeJob } from "calo-client/testing";
import { expect, test } from "vitest";
import { hasLongWait, nextCheckMs } from "./notify-at-end";

const NOW = 1_000_000;
const job = (fields: Partial<ReturnType<typeof makeJob>>) => makeJob("a", { created_at: NOW, ...fields });

test("a notification is offered for long waits only", () => {
  expect(hasLongWait(job({}), NOW)).toBe(false);
  expect(hasLongWait(job({}), NOW + 30_000)).toBe(true);
  expect(hasLongWait(job({ starts_at: NOW + 60_000 }), NOW)).toBe(true);
  expect(hasLongWait(job({ deferred_until: NOW + 60_000 }), NOW)).toBe(true);
  expect(hasLongWait(job({ status: "resolved" }), NOW + 30_000)).toBe(false);
});

test("a job is not asked for before it continues, but at least once a day", () => {
  expect(nextCheckMs(job({}), NOW)).toBe(15_000);
  expect(nextCheckMs(job({ starts_at: NOW + 60_000, deferred_until: NOW + 40_000 }), NOW)).toBe(60_000);
  expect(nextCheckMs(job({ starts_at: NOW + 30 * 86_400_000 }), NOW)).toBe(86_400_000);
});
