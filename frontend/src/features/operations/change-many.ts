/** Cancels or retries all jobs of a selection, by repeating a call that changes up to 100. */

import { retryDelayMs, shouldRetry } from "calo-client/api/retry-policy";
import type { Changed, Counts, Selection, Stats } from "calo-client/api/types";

export type Change = "retry failed" | "retry cancelled" | "cancel pending";

export interface Choice {
  change: Change;
  /** Empty for all. */
  kind: string;
  code: string;
}

export type Outcome = "done" | "stopped";

export interface Options {
  call(): Promise<Changed>;
  /** Called with the number of jobs that have been changed. */
  onProgress(changed: number): void;
  /** A call that has been sent is awaited, so that the number is right. */
  isStopped(): boolean;
  wait(ms: number): Promise<void>;
}

/** Repeat the call while there may be more jobs. Rejects with the error of a call that fails repeatedly. */
export async function changeMany({ call, onProgress, isStopped, wait }: Options): Promise<Outcome> {
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

export const STATUS_OF = {
  "retry failed": "error",
  "retry cancelled": "cancelled",
  "cancel pending": "pending",
} as const satisfies Record<Change, keyof Counts>;

/** Return the body of the call, and whose jobs it changes. */
export function selectionOf({ change, kind, code }: Choice, owner: string | undefined): Selection {
  return {
    status: STATUS_OF[change],
    ...(kind ? { kind } : {}),
    ...(change === "retry failed" && code ? { code } : {}),
    ...(owner ? { owner } : {}),
  };
}

/** Return how many jobs a choice selects, and whether it is exact: nothing counts the codes of each kind. */
export function countOf({ change, kind, code }: Choice, stats: Stats): { count: number; isExact: boolean } {
  const status = STATUS_OF[change];
  const ofKind = kind ? (stats.counts_by_kind[kind]?.[status] ?? 0) : stats.counts[status];
  if (change !== "retry failed" || !code) return { count: ofKind, isExact: true };
  const ofCode = stats.codes[code] ?? 0;
  const count = Math.min(ofKind, ofCode);
  return { count, isExact: !kind || count === 0 };
}
