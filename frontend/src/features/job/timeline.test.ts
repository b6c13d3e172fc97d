import { makeJob } from "calo-client/testing";
import { expect, test } from "vitest";
import { addVersion, timeline } from "./timeline";

const LIMIT = "the hourly limit";
const NOW = 10_000;
const texts = (...versions: Parameters<typeof timeline>[0]) =>
  timeline(versions, LIMIT, NOW).map((step) => step.text);

test("a new job is created and pending", () => {
  expect(timeline([makeJob("a")], LIMIT, NOW)).toEqual([
    { text: "Created", time: 1_000 },
    { text: "Pending", time: null },
  ]);
});

test("a resolved job shows how long it took", () => {
  const job = makeJob("a", { status: "resolved", version: 2, updated_at: 3_500 });
  expect(timeline([job], LIMIT, NOW)).toEqual([
    { text: "Created", time: 1_000 },
    { text: "Ready after 2.5 s", time: 3_500 },
  ]);
});

test("a failed job shows the number of attempts", () => {
  const failed = (attempts: number) => {
    const error = { code: "timeout", message: "slow", attempts };
    return makeJob("a", { status: "error", version: 2, updated_at: 2_000, error });
  };
  expect(texts(failed(3))).toEqual(["Created", "3 attempts", "Failed after 1.0 s"]);
  expect(texts(failed(1))).toEqual(["Created", "1 attempt", "Failed after 1.0 s"]);
});

test("a deferred job shows when it continues, and after it has ended that it waited", () => {
  const deferred = makeJob("a", { version: 2, deferred_until: NOW + 60_000 });
  expect(texts(deferred)[1]).toBe("The hourly limit was reached");
  expect(texts(deferred)[2]).toMatch(/^Continues at .+; this doesn't count as an attempt$/);
  const resolved = makeJob("a", { version: 3, status: "resolved", updated_at: 2_000 });
  expect(texts(makeJob("a"), deferred, resolved)[1]).toMatch(/^Waited for the hourly limit until /);
});

test("a retried job still shows its failure", () => {
  const error = { code: "x", message: "y", attempts: 1 };
  const failed = makeJob("a", { version: 2, status: "error", error });
  expect(texts(failed, makeJob("a", { version: 3 }))).toEqual(["Created", "Failed", "Retried", "Pending"]);
});

test("progress replaces the last version and adds no step", () => {
  const progress = (fraction: number) => ({ fraction, message: null });
  const received = [
    makeJob("a", { version: 2, status: "cancelled", updated_at: 2_000 }),
    makeJob("a", { version: 3, updated_at: 3_000 }),
    makeJob("a", { version: 4, updated_at: 4_000, progress: progress(0.1) }),
    makeJob("a", { version: 5, updated_at: 5_000, progress: progress(0.2) }),
  ];
  const versions = received.reduce<readonly ReturnType<typeof makeJob>[]>(addVersion, []);
  expect(versions.map((job) => job.version)).toEqual([2, 5]);
  expect(timeline(versions, LIMIT, NOW).slice(1)).toEqual([
    { text: "Cancelled", time: 2_000 },
    { text: "Retried", time: 3_000 },
    { text: "Running", time: null },
  ]);
});

test("a job whose page is opened while it runs has not been retried", () => {
  const progress = { fraction: 0.5, message: "half" };
  expect(texts(makeJob("a", { version: 7, progress }))).toEqual(["Created", "Running"]);
});

test("the same or an older version changes nothing", () => {
  const versions = [makeJob("a", { version: 3 })];
  expect(addVersion(versions, makeJob("a", { version: 3 }))).toBe(versions);
  expect(addVersion(versions, makeJob("a", { version: 2, status: "cancelled" }))).toBe(versions);
});
