/** Errors as text. */

import { ApiError } from "calo-client/api/api-error";
import { exactTime } from "./time";

/** Return a sentence that says what went wrong, and when to retry if the server has specified it. */
export function problemText(error: unknown, now: number): string {
  if (!(error instanceof ApiError)) return "Something went wrong on this page. Reload it to continue.";
  const message = error.message.charAt(0).toUpperCase() + error.message.slice(1);
  const sentence = /[.!?]$/.test(message) ? message : `${message}.`;
  if (!error.retryAt) return sentence;
  return `${sentence} Try again ${error.retryAt > now ? `after ${exactTime(error.retryAt, now)}` : "now"}.`;
}
