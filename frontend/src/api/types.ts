/** Short names for the types that are generated from the OpenAPI document. */

import type { components } from "./schema";

export type Job = components["schemas"]["Job"];
export type JobPage = components["schemas"]["JobPage"];
export type JobRequest = components["schemas"]["JobRequest"];
export type Photo = NonNullable<Job["photo"]>;
export type Stats = components["schemas"]["Stats"];
export type Status = components["schemas"]["Status"];

export const STATUSES: readonly Status[] = ["pending", "resolved", "error", "cancelled"];

/** Selects a page of the list: jobs of one status or of all (null), by page number or after a cursor. */
export interface ListParams {
  status: Status | null;
  page: number;
  cursor: string | null;
}

export function isFirstPage(params: ListParams): boolean {
  return params.page === 1 && params.cursor === null;
}
