/** Errors of API requests, with messages that can be shown to users. */

import type { components } from "./schema";
import type { FieldError } from "./types";

type Problem = components["schemas"]["Problem"];

/**
 * `status` is the HTTP status, or 0 without a response; `retryAt` is Retry-After as epoch ms, if given;
 * `fields` are the invalid fields by path, such as `input.seconds`.
 */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly retryAt: number | null;
  readonly fields: readonly FieldError[];

  constructor(
    status: number,
    detail: string,
    retryAt: number | null = null,
    fields: readonly FieldError[] = [],
  ) {
    super(detail);
    this.status = status;
    this.retryAt = retryAt;
    this.fields = fields;
  }

  /** Whether the same request may succeed if it is sent again. */
  get isTransient(): boolean {
    return this.status === 0 || this.status >= 500;
  }
}

/** Convert a response that is not 2xx. Its body can be problem+json or anything else. */
export function errorFromResponse(response: Response, body: unknown, now: number): ApiError {
  const problem = isProblem(body) ? body : null;
  const retryAt = parseRetryAfter(response.headers.get("Retry-After"), now);
  const detail =
    problem?.detail || DEFAULT_DETAILS[response.status] || `The server returned status ${response.status}.`;
  return new ApiError(response.status, detail, retryAt, fieldErrors(problem));
}

function fieldErrors(problem: Problem | null): FieldError[] {
  return Array.isArray(problem?.errors) ? problem.errors : [];
}

/** Return the error for a request without a response: no network, connection refused, or timeout. */
export function networkError(): ApiError {
  return new ApiError(0, "The server cannot be reached.");
}

const DEFAULT_DETAILS: Record<number, string> = {
  403: "You are not allowed to do this.",
  404: "There is nothing at this address.",
  413: "The request is too large.",
  429: "Too many requests.",
  502: "The server cannot be reached.",
  503: "The server is busy.",
  504: "The server took too long to respond.",
};

function isProblem(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && "detail" in body && typeof body.detail === "string";
}

/** Retry-After is a number of seconds or a date: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
export function parseRetryAfter(value: string | null, now: number): number | null {
  if (!value) return null;
  const time = /^\d+$/.test(value) ? now + Number(value) * 1000 : Date.parse(value);
  return Number.isNaN(time) ? null : time;
}
