/** Cancels or retries all jobs of a selection, by repeating a call that changes up to 100. */

import { retryDelayMs, shouldRetry } from "./retry-policy";
import type { Changed } from "./types";

export type Outcome = "done" | "stopped";

export interface Options {
  call(): Promise<Changed>;
  /** Called with the number of jobs that have been changed. */
  onProgress(changed: number): void;
  /** A call that has been sent is awaited, so that the number is right. */
  isStopped?(): boolean;
  wait?(ms: number): Promise<void>;
}

/** Repeat the call while there may be more jobs. Rejects with the error of a call that fails repeatedly. */
export async function changeMany(options: Options): Promise<Outcome> {
  const { call, onProgress, isStopped = () => false, wait = pause } = options;
  let changed = 0;
  let failures = 0;
  while (!isStopped()) {
    try {
      const result = await call();
      failures = 0;
      changed += result.changed;
      onProgress(changed);
      if (!result.more) return "done";
    } catch (error) {
      if (!(error instanceof Error) || !shouldRetry(failures, error)) throw error;
      await wait(retryDelayMs(failures, error));
      failures += 1;
    }
  }
  return "stopped";
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
