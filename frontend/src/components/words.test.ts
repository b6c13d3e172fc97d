import { describe, expect, test } from "vitest";
import { ApiError, refusal } from "../api/api-error";
import { aJob } from "../testing";
import { statusWords } from "./job-status";
import { explain } from "./problem-message";
import { age, duration } from "./time";

const NOW = Date.UTC(2026, 10, 25, 12, 0, 0);
const problem = (status: number, headers: Record<string, string> = {}) =>
  new Response(null, { status, headers });

describe("an API problem", () => {
  test("is told as a sentence", () => {
    const body = {
      detail: "query: must be a string",
      errors: [{ field: "query", message: "must be a string" }],
    };
    expect(explain(refusal(problem(400), body, NOW), NOW)).toBe("Query: must be a string.");
  });

  test("that throttles says when to try again", () => {
    const error = refusal(problem(429, { "Retry-After": "90" }), undefined, NOW);
    expect(error.retryAt).toBe(NOW + 90_000);
    expect(explain(error, NOW)).toMatch(/^Too many requests\. Try again after .*:30/);
    expect(explain(error, NOW + 91_000)).toBe("Too many requests. Try again now.");
  });

  test("may name a date to try again", () => {
    const error = refusal(problem(503, { "Retry-After": "Wed, 25 Nov 2026 12:00:30 GMT" }), "<html>", NOW);
    expect(error.retryAt).toBe(NOW + 30_000);
  });

  test("without words gets some by its status", () => {
    expect(refusal(problem(418), null, NOW).message).toBe("The server answered 418.");
    expect(explain(new ApiError(0, "The server cannot be reached."), NOW)).toBe(
      "The server cannot be reached.",
    );
  });
});

describe("a job's status", () => {
  test("says until when it waits, while it does", () => {
    const job = aJob("a", { deferred_until: NOW });
    expect(statusWords(job, undefined, NOW - 1)).toMatch(/^Waits for the rate limit until /);
    expect(statusWords(job, undefined, NOW)).toBe("Pending");
  });

  test("says when a job that was asked for later begins", () => {
    const job = aJob("delayed");
    expect(statusWords(job, NOW, NOW - 1)).toMatch(/^Starts at /);
    expect(statusWords(job, NOW, NOW)).toBe("Pending");
  });
});

test.each([
  [59_999, "just now"],
  [60_000, "1 minute ago"],
  [7_200_000, "2 hours ago"],
  [86_400_000, "yesterday"],
])("an age of %i ms is %s", (ms, words) => {
  expect(age(NOW - ms, NOW)).toBe(words);
});

test.each([
  [840, "0.8 s"],
  [42_000, "42 s"],
  [185_000, "3 min 5 s"],
  [3_720_000, "1 h 2 min"],
])("%i ms last %s", (ms, words) => {
  expect(duration(ms)).toBe(words);
});
