/** Which jobs a choice on the operations page selects, and how many they are. */

import type { Counts, Selection, Stats } from "calo-client/api/types";

export type Change = "retry failed" | "retry cancelled" | "cancel pending";

export interface Choice {
  change: Change;
  /** Empty for all. */
  kind: string;
  code: string;
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
