import { describe, expect, test } from "vitest";
import { aJob } from "../testing";
import { displayStatus, statusText } from "./job-status";

const NOW = Date.UTC(2026, 10, 25, 12, 0, 0);

describe("a pending job", () => {
  test("says until when it waits for the rate limit", () => {
    const job = aJob("a", { deferred_until: NOW });
    expect(statusText(job, undefined, NOW - 1)).toMatch(/^Waits for the rate limit until /);
    expect(displayStatus(job, NOW - 1)).toBe("waiting");
    expect(statusText(job, undefined, NOW)).toBe("Pending");
    expect(displayStatus(job, NOW)).toBe("pending");
  });

  test("says when it starts if it was delayed", () => {
    const job = aJob("delayed");
    expect(statusText(job, NOW, NOW - 1)).toMatch(/^Starts at /);
    expect(statusText(job, NOW, NOW)).toBe("Pending");
  });
});
