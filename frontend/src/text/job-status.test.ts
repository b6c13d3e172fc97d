import { makeJob } from "calo-client/testing";
import { describe, expect, test } from "vitest";
import { displayStatus, statusText } from "./job-status";

const LIMIT = "Unsplash's hourly limit";
const NOW = Date.UTC(2026, 10, 25, 12, 0, 0);

describe("a pending job", () => {
  test("that waits for the rate limit says when it continues", () => {
    const job = makeJob("a", { deferred_until: NOW });
    expect(statusText(job, LIMIT, NOW - 1)).toMatch(/^Waiting for Unsplash's hourly limit; continues at /);
    expect(displayStatus(job, NOW - 1)).toBe("waiting");
    expect(statusText(job, LIMIT, NOW)).toBe("Pending");
    expect(displayStatus(job, NOW)).toBe("pending");
  });

  test("that is delayed says when it starts", () => {
    const job = makeJob("delayed", { starts_at: NOW });
    expect(statusText(job, LIMIT, NOW - 1)).toMatch(/^Starts at /);
    expect(displayStatus(job, NOW - 1)).toBe("delayed");
    expect(statusText(job, LIMIT, NOW)).toBe("Pending");
    expect(displayStatus(job, NOW)).toBe("pending");
    expect(displayStatus({ ...job, status: "cancelled" }, NOW - 1)).toBe("cancelled");
  });

  test("that reports progress is running", () => {
    const job = makeJob("a", { progress: { fraction: null, message: null } });
    expect(statusText(job, LIMIT, NOW)).toBe("Running");
  });
});
