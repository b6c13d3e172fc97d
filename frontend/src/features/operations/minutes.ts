/** The last hour of the stats as columns for charts, with totals. */

import type { Minute } from "calo-client/api/types";

export const MINUTE_MS = 60_000;

export interface Hour {
  created: number;
  resolved: number;
  failed: number;
  /** When the first minute begins (epoch ms). */
  since: number;
}

export function totals(minutes: readonly Minute[]): Hour {
  const sum = (name: "created" | "resolved" | "failed") =>
    minutes.reduce((total, minute) => total + minute[name], 0);
  return {
    created: sum("created"),
    resolved: sum("resolved"),
    failed: sum("failed"),
    since: minutes[0]?.at ?? 0,
  };
}

/** Return times, and for each the jobs that ended, those of them that are ready, and the created jobs. */
export function outcomeColumns(minutes: readonly Minute[]): number[][] {
  return [
    minutes.map(({ at }) => at),
    minutes.map(({ resolved, failed }) => resolved + failed), // behind the ready ones: what is visible has failed
    minutes.map(({ resolved }) => resolved),
    minutes.map(({ created }) => created),
  ];
}

/** Return times, medians and 95th percentiles. They are null in a minute without results. */
export function ageColumns(minutes: readonly Minute[]): (number | null)[][] {
  return [
    minutes.map(({ at }) => at),
    minutes.map(({ age_p50_ms: age }) => age),
    minutes.map(({ age_p95_ms: age }) => age),
  ];
}

/** Return the range of an axis that begins at zero. */
export function rangeFromZero(maximum: number | null): [number, number] {
  return [0, Math.max(4, (maximum ?? 0) * 1.1)];
}
