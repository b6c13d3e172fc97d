/** Which pages after the first one have been loaded while scrolling. They are still there after Back. */

import { type QueryClient, queryOptions, skipToken } from "@tanstack/react-query";
import type { Job, ListParams } from "calo-client/api/types";
import { listUrl } from "./list-params";

/** The cards that are shown above the older pages, by the URL of the list. */
const shownBefore = new Map<string, readonly Job[]>();

/** The cursors of the pages, newest first. */
export function olderQuery(params: ListParams) {
  return queryOptions<string[]>({
    queryKey: ["older", params],
    queryFn: skipToken,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: Number.POSITIVE_INFINITY,
  });
}

export function setOlder(queries: QueryClient, params: ListParams, cursors: string[]): void {
  queries.setQueryData(olderQuery(params).queryKey, cursors);
}

/** No job may be missing between the first page and the older ones, so its cards are remembered with them. */
export function rememberShown(list: string, jobs: readonly Job[]): void {
  shownBefore.set(list, jobs);
}

export function shownAbove(params: ListParams): readonly Job[] {
  return shownBefore.get(listUrl(params)) ?? [];
}
