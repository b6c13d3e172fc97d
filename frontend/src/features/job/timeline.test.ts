import { expect, test } from "vitest";
import { aJob } from "../../testing";
import { timeline } from "./timeline";

const NOW = 10_000;
const words = (...versions: Parameters<typeof timeline>[0]) =>
  timeline(versions, NOW).map((step) => step.what);

test("a job that was just created is pending", () => {
  expect(timeline([aJob("a")], NOW)).toEqual([
    { what: "Created", at: 1_000 },
    { what: "Pending", at: null },
  ]);
});

test("an ended one tells how long it took", () => {
  const job = aJob("a", { status: "resolved", version: 2, updated_at: 3_500 });
  expect(timeline([job], NOW)).toEqual([
    { what: "Created", at: 1_000 },
    { what: "Ready, 2.5 s after it was created", at: 3_500 },
  ]);
});

test("a failed one tells its attempts", () => {
  const error = { code: "timeout", message: "slow", attempts: 3 };
  expect(words(aJob("a", { status: "error", version: 2, updated_at: 2_000, error }))).toEqual([
    "Created",
    "Tried 3 times",
    "Failed, 1.0 s after it was created",
  ]);
});

test("a deferred one says that it waits, and that it has waited once it has ended", () => {
  const deferred = aJob("a", { version: 2, deferred_until: NOW + 60_000 });
  expect(words(deferred)[1]).toBe("Found the hour's requests used up");
  expect(words(deferred)[2]).toMatch(/^Goes on at .+; waiting costs no attempt$/);
  const ended = aJob("a", { version: 3, status: "resolved", updated_at: 2_000 });
  expect(words(aJob("a"), deferred, ended)[1]).toMatch(/^Waited for the rate limit, until /);
});

test("a retried one keeps its failure in mind", () => {
  const failed = aJob("a", { version: 2, status: "error", error: { code: "x", message: "y", attempts: 1 } });
  expect(words(failed, aJob("a", { version: 3 }))).toEqual(["Created", "Failed", "Queued again", "Pending"]);
});
