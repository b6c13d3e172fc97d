/** A refusal or failure of the API in words. */

import { ApiError } from "../api/api-error";
import { exactTime } from "./time";

/** What went wrong, and when to try again if the server has said so. */
export function explain(error: unknown, now: number): string {
  if (!(error instanceof ApiError)) return "Something went wrong in this page. Reload it to go on.";
  const words = error.message.charAt(0).toUpperCase() + error.message.slice(1);
  const sentence = /[.!?]$/.test(words) ? words : `${words}.`;
  if (!error.retryAt) return sentence;
  return `${sentence} Try again ${error.retryAt > now ? `after ${exactTime(error.retryAt, now)}` : "now"}.`;
}

export function ProblemMessage({ error, retry }: { error: unknown; retry?: () => void }) {
  return (
    <div className="problem" role="alert">
      <p>{explain(error, Date.now())}</p>
      {retry && (
        <button type="button" className="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}
