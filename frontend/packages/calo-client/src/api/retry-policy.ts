/** When to retry a request, and how long to wait first. */

import { ApiError } from "./api-error";

const MAX_RETRIES = 4;
const MAX_DELAY_MS = 10_000;

/** Return whether a request that reads should be retried: until it succeeds, so that a page always recovers. */
export function isRetryable(error: unknown): boolean {
  return error instanceof ApiError && (error.isTransient || error.status === 429);
}

/** Return whether a request that changes something should be retried after this many failures. */
export function shouldRetry(failures: number, error: Error): boolean {
  return isRetryable(error) && failures < MAX_RETRIES;
}

/** Return milliseconds: the server's Retry-After, plus full jitter so that clients do not retry together. */
export function retryDelayMs(failures: number, error: Error): number {
  const retryAfter = error instanceof ApiError && error.retryAt ? Math.max(0, error.retryAt - Date.now()) : 0;
  return retryAfter + Math.random() * Math.min(MAX_DELAY_MS, 1_000 * 2 ** failures);
}
