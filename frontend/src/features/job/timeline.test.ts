import type { HistoryEntry } from "calo-client/api/types";
import { makeJob } from "calo-client/testing";
import { expect, test } from "vitest";
import { addVersion, isComplete, timeline } from "./timeline";

const LIMIT = "the hourly limit";
const NOW = 100_000;
type Versions = Parameters<typeof timeline>[0];
const show = (versions: Versions, history: HistoryEntry[] = []) => timeline(versions, history, LIMIT, NOW);
const texts = (versions: Versions, history: HistoryEntry[] = []) =>
  show(versions, history).map((step) => step.text);

function entry(at: number, fields: Partial<HistoryEntry> = {}): HistoryEntry {
  return { at, status: "pending", attempt: 0, code: null, message: null, ...fields };
}

const CREATED = entry(1_000);
const ERROR = { code: "timeout", message: "slow", attempts: 1 };

test("a new job is created and pending", () => {
  expect(show([makeJob("a")])).toEqual([
    { text: "Created", time: 1_000 },
    { text: "Pending", time: null },
  ]);
});

test("each step of the history shows how long it took", () => {
  const job = makeJob("a", { status: "resolved", version: 5, updated_at: 20_500, starts_at: 6_000 });
  const history = [
    CREATED,
    entry(6_300, { attempt: 1, code: "started" }),
    entry(8_300, { attempt: 1, code: "timeout", message: "slow" }),
    entry(20_000, { attempt: 2, code: "started" }),
    entry(20_500, { status: "resolved", attempt: 2 }),
  ];
  expect(show([job], history)).toEqual([
    { text: "Created", time: 1_000 },
    { text: "Delay of 5.0 s ended", time: 6_000 },
    { text: "Started after 0.3 s", time: 6_300 },
    { text: "Attempt 1 failed after 2.0 s: slow", time: 8_300 },
    { text: "Started after 12 s: attempt 2", time: 20_000 },
    { text: "Ready after 0.5 s in attempt 2", time: 20_500 },
  ]);
});

test("a delay that has not ended is not a step", () => {
  const delayed = makeJob("a", { starts_at: NOW + 60_000 });
  expect(texts([delayed])).toEqual(["Created", expect.stringMatching(/^Starts at /)]);
  const cancelled = makeJob("a", { status: "cancelled", version: 2, updated_at: 5_000, starts_at: 6_000 });
  expect(texts([cancelled], [CREATED, entry(5_000, { status: "cancelled" })])).toEqual([
    "Created",
    "Cancelled",
  ]);
});

test("until the history arrives, the changes that the page has received are shown", () => {
  const failed = makeJob("a", { version: 2, status: "error", error: ERROR, updated_at: 2_500 });
  const retried = makeJob("a", { version: 3, updated_at: 4_000 });
  const shown = ["Created", "Failed after 1.5 s", "Retried", "Pending"];
  expect(texts([makeJob("a"), failed, retried])).toEqual(shown);
  const history = [CREATED, entry(2_500, { status: "error", attempt: 1, code: "timeout", message: "slow" })];
  expect(texts([makeJob("a"), failed, retried], history)).toEqual(shown);
  history.push(entry(4_000, { code: "retried" }));
  expect(texts([makeJob("a"), failed, retried], history)).toEqual(shown);
  expect(texts([retried], history)).toEqual(shown);
});

test("a deferred job shows when it continues, and after it has ended that it waited", () => {
  const deferred = makeJob("a", { version: 2, deferred_until: NOW + 60_000 });
  const history = [CREATED, entry(1_002, { code: "deferred", message: "until 1970-01-01T00:02:40Z" })];
  for (const known of [[], history]) {
    expect(texts([deferred], known)[1]).toBe("The hourly limit was reached");
    expect(texts([deferred], known)[2]).toMatch(/^Continues at .+; this doesn't count as an attempt$/);
    expect(texts([deferred], known)).toHaveLength(3);
  }
  const resolved = makeJob("a", { version: 3, status: "resolved", updated_at: 2_000 });
  expect(texts([makeJob("a"), deferred, resolved])[1]).toMatch(/^Waited for the hourly limit/);
  expect(texts([resolved], history)[1]).toMatch(/^Waited for the hourly limit until /);
});

test("a wait that is repeated is one step", () => {
  const again = makeJob("a", { version: 4, updated_at: 5_000, deferred_until: NOW + 60_000 });
  const history = [CREATED, entry(1_002, { code: "deferred", message: "until 1970-01-01T00:00:04Z" })];
  expect(texts([again], history)).toHaveLength(3);
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
  expect(show(versions).slice(1)).toEqual([
    { text: "Cancelled", time: 2_000 },
    { text: "Retried", time: 3_000 },
    { text: "Running", time: null },
  ]);
});

test("a job whose page is opened while it runs has not been retried", () => {
  const progress = { fraction: 0.5, message: "half" };
  expect(texts([makeJob("a", { version: 7, progress })])).toEqual(["Created", "Running"]);
});

test("the same or an older version changes nothing", () => {
  const versions = [makeJob("a", { version: 3 })];
  expect(addVersion(versions, makeJob("a", { version: 3 }))).toBe(versions);
  expect(addVersion(versions, makeJob("a", { version: 2, status: "cancelled" }))).toBe(versions);
});

test("a history is complete when it has the change to the present state", () => {
  const resolved = makeJob("a", { status: "resolved", updated_at: 5_000 });
  const end = entry(5_000, { status: "resolved", attempt: 1 });
  expect(isComplete([], makeJob("a"))).toBe(false);
  expect(isComplete([CREATED], makeJob("a"))).toBe(true);
  expect(isComplete([CREATED], resolved)).toBe(false);
  expect(isComplete([CREATED, end], resolved)).toBe(true);
  expect(isComplete([CREATED, end], makeJob("a", { version: 5 }))).toBe(false);
  expect(isComplete([CREATED], makeJob("a", { deferred_until: NOW }))).toBe(false);
});
