import { ApiError, errorFromResponse } from "calo-client/api/api-error";
import { describe, expect, test } from "vitest";
import { problemText } from "./problem";

const NOW = Date.UTC(2026, 10, 25, 12, 0, 0);

const response = (status: number, headers: Record<string, string> = {}) =>
  new Response(null, { status, headers });

describe("an API error", () => {
  test("is shown as a sentence", () => {
    const body = {
      detail: "query: must be a string",
      errors: [{ field: "query", message: "must be a string" }],
    };
    expect(problemText(errorFromResponse(response(400), body, NOW), NOW)).toBe("Query: must be a string.");
  });

  test("with Retry-After in seconds says when to retry", () => {
    const error = errorFromResponse(response(429, { "Retry-After": "90" }), undefined, NOW);
    expect(error.retryAt).toBe(NOW + 90_000);
    expect(problemText(error, NOW)).toMatch(/^Too many requests\. Try again after .*:30/);
    expect(problemText(error, NOW + 91_000)).toBe("Too many requests. Try again now.");
  });

  test("accepts a date in Retry-After", () => {
    const error = errorFromResponse(
      response(503, { "Retry-After": "Wed, 25 Nov 2026 12:00:30 GMT" }),
      "<html>",
      NOW,
    );
    expect(error.retryAt).toBe(NOW + 30_000);
  });

  test("without a detail gets a message for its status", () => {
    expect(errorFromResponse(response(418), null, NOW).message).toBe("The server returned status 418.");
    expect(problemText(new ApiError(0, "The server cannot be reached."), NOW)).toBe(
      "The server cannot be reached.",
    );
  });
});
