/** The contract's types, by the names that the code uses. */

import type { components } from "./schema";

export type Job = components["schemas"]["Job"];
export type JobPage = components["schemas"]["JobPage"];
export type JobRequest = components["schemas"]["JobRequest"];
export type Photo = NonNullable<Job["photo"]>;
export type Stats = components["schemas"]["Stats"];
export type Status = components["schemas"]["Status"];

export const STATUSES: readonly Status[] = ["pending", "resolved", "error", "cancelled"];

/** A part of the list: of one status or all, a page by number, or what comes after a cursor. */
export interface Place {
  status: Status | null;
  page: number;
  cursor: string | null;
}

export function isFirstPage(place: Place): boolean {
  return place.page === 1 && place.cursor === null;
}
