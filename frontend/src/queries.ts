/** What is fetched, under which key. */

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { Place } from "./api/types";
import { JOB, JOBS, STATS } from "./live/job-cache";
import type { Services } from "./services";

export function jobsQuery({ api, cache }: Services, place: Place) {
  return queryOptions({
    queryKey: [JOBS, place],
    queryFn: ({ signal }) => cache.page(place, () => api.jobs(place, signal)),
    placeholderData: keepPreviousData,
    // the stream keeps it up to date; what it missed it says
    refetchOnWindowFocus: false,
  });
}

export function jobQuery({ api, cache }: Services, id: string) {
  return queryOptions({
    queryKey: [JOB, id],
    queryFn: ({ signal }) => cache.job(() => api.job(id, signal)),
    placeholderData: cache.known(id),
    refetchOnWindowFocus: false,
  });
}

export function statsQuery({ api }: Services) {
  return queryOptions({ queryKey: [STATS], queryFn: ({ signal }) => api.stats(signal) });
}
