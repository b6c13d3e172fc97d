/** The queries for TanStack Query: their keys, and how their data is fetched. */

import { keepPreviousData, queryOptions, type UseQueryResult } from "@tanstack/react-query";
import type { ListParams } from "calo-client/api/types";
import { JOB, JOBS, STATS } from "calo-client/live/job-cache";
import type { Services } from "./services";

export function jobsQuery({ api, cache }: Services, params: ListParams) {
  return queryOptions({
    queryKey: [JOBS, params],
    queryFn: ({ signal }) => cache.fetchPage(params, () => api.listJobs(params, signal)),
    placeholderData: keepPreviousData,
    // the stream keeps the data up to date, and reports a resync when it has missed changes
    refetchOnWindowFocus: false,
  });
}

export function jobQuery({ api, cache }: Services, id: string) {
  return queryOptions({
    queryKey: [JOB, id],
    queryFn: ({ signal }) => cache.fetchJob(() => api.getJob(id, signal)),
    placeholderData: cache.latest(id),
    refetchOnWindowFocus: false,
  });
}

export function historyQuery({ api }: Services, id: string) {
  return queryOptions({ queryKey: ["history", id], queryFn: ({ signal }) => api.getHistory(id, signal) });
}

export function statsQuery({ api }: Services) {
  return queryOptions({ queryKey: [STATS], queryFn: ({ signal }) => api.getStats(signal) });
}

/** The kinds change only with a deployment. */
export function kindsQuery({ api }: Services) {
  return queryOptions({
    queryKey: ["kinds"],
    queryFn: ({ signal }) => api.listKinds(signal),
    staleTime: 300_000,
  });
}

/** Return the error to show: a single failed attempt does not matter while there is data. */
export function lastingProblem({ data, error, failureCount, failureReason }: UseQueryResult): Error | null {
  return error ?? (data === undefined || failureCount > 1 ? failureReason : null);
}
