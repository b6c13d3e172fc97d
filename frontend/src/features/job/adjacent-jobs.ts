/** The jobs before and after a job in the lists that this page has loaded. */

import type { QueryClient } from "@tanstack/react-query";
import type { JobPage } from "calo-client/api/types";
import { JOBS } from "calo-client/live/job-cache";

export interface AdjacentJobs {
  newer: string | null;
  older: string | null;
}

/** Return the ids of the next newer and older job in the list that was shown last. */
export function adjacentJobs(queries: QueryClient, id: string): AdjacentJobs {
  const lists = queries
    .getQueryCache()
    .findAll({ queryKey: [JOBS] })
    .sort((a, b) => b.state.dataUpdatedAt - a.state.dataUpdatedAt)
    .map((query) => (query.state.data as JobPage | undefined)?.data ?? []);
  for (const jobs of lists) {
    const index = jobs.findIndex((job) => job.id === id);
    if (index >= 0) return { newer: jobs[index - 1]?.id ?? null, older: jobs[index + 1]?.id ?? null };
  }
  return { newer: null, older: null };
}
