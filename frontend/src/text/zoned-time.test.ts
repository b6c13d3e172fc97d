import { expect, test } from "vitest";
import { timeZones, zonedTime } from "./zoned-time";

const time = Date.UTC(2027, 2, 1, 8, 0);

test("a time is shown on the clock of its zone", () => {
  expect(zonedTime(time, "Europe/Berlin", time)).toMatch(/9:00/);
  expect(zonedTime(time, "America/New_York", time)).toMatch(/3:00/);
});

test("the year is shown if it is another one", () => {
  expect(zonedTime(time, "UTC", time)).not.toMatch(/2027/);
  expect(zonedTime(time, "UTC", time - 400 * 86_400_000)).toMatch(/2027/);
});

test("a zone that the browser does not know does not break the page", () => {
  expect(zonedTime(time, "Europe/Atlantis", time)).toMatch(/\d:00/);
});

test("the browser's own zone is the first, and each is listed once", () => {
  const zones = timeZones();
  expect(zones[0]).toBe(new Intl.DateTimeFormat().resolvedOptions().timeZone);
  expect(new Set(zones).size).toBe(zones.length);
  expect(zones).toContain("Europe/Berlin");
});
