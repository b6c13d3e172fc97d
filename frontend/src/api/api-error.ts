/** The API's refusals and failures, in words for a person. */

import type { components } from "./schema";

type Problem = components["schemas"]["Problem"];

/** `status` 0: no answer came. `retryAt`: epoch ms from when the server wants to be asked again. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly retryAt: number | null;

  constructor(status: number, detail: string, retryAt: number | null = null) {
    super(detail);
    this.status = status;
    this.retryAt = retryAt;
  }

  /** Would the same request have a chance in a moment? */
  get isTransient(): boolean {
    return this.status === 0 || this.status >= 500;
  }
}

/** From an answer that is not 2xx; its body may be problem+json or anything. */
export function refusal(response: Response, body: unknown, now: number): ApiError {
  const problem = isProblem(body) ? body : null;
  const retryAt = retryTime(response.headers.get("Retry-After"), now);
  const detail = problem?.detail || WORDS[response.status] || `The server answered ${response.status}.`;
  return new ApiError(response.status, detail, retryAt);
}

/** From a fetch that got no answer: no network, a refused connection, too long a wait. */
export function unreachable(): ApiError {
  return new ApiError(0, "The server cannot be reached.");
}

const WORDS: Record<number, string> = {
  403: "This is not allowed.",
  404: "There is nothing at this address.",
  413: "That is too much at once.",
  429: "Too many requests.",
  502: "The server cannot be reached.",
  503: "The server is busy.",
  504: "The server took too long to answer.",
};

function isProblem(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && "detail" in body && typeof body.detail === "string";
}

/** Retry-After is a number of seconds, or a date: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
function retryTime(text: string | null, now: number): number | null {
  if (!text) return null;
  const time = /^\d+$/.test(text) ? now + Number(text) * 1000 : Date.parse(text);
  return Number.isNaN(time) ? null : time;
}
