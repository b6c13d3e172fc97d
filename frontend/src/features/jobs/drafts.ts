/** Jobs that were asked for here and not yet answered: shown at once, and never beside the job itself. */

import { notifyManager, type QueryClient, queryOptions, skipToken } from "@tanstack/react-query";
import { ApiError } from "../../api/api-error";
import { retryDelayMs, shouldRetry } from "../../api/retry-policy";
import type { Job } from "../../api/types";
import type { Services } from "../../services";

/** `key` is the Idempotency-Key: however often the draft is sent, it becomes one job. */
export interface Draft {
  key: string;
  query: string;
  delaySeconds: number;
  error: unknown;
}

export const draftsQuery = queryOptions<Draft[]>({
  queryKey: ["drafts"],
  queryFn: skipToken,
  staleTime: Number.POSITIVE_INFINITY,
  gcTime: Number.POSITIVE_INFINITY,
});

export function newDraft(query: string, delaySeconds: number): Draft {
  return { key: crypto.randomUUID(), query, delaySeconds, error: null };
}

/**
 * Send a draft until it is answered. Meanwhile, new jobs of its topic from the stream wait (`isAwaited`), so that
 * the job replaces its draft in one step. Never rejects: the draft keeps the error.
 */
export async function send(services: Services, draft: Draft): Promise<void> {
  const { api, cache, live, ownJobs, queries } = services;
  put(queries, { ...draft, error: null });
  const body = { query: draft.query, ...(draft.delaySeconds ? { delay_seconds: draft.delaySeconds } : {}) };
  try {
    const job = await live.changing(() => persistently(() => api.create(body, draft.key)));
    ownJobs.add(job, draft.delaySeconds);
    notifyManager.batch(() => {
      discard(queries, draft);
      cache.learn([job]);
    });
  } catch (error) {
    put(queries, { ...draft, error });
  }
}

/** Return whether a job may be the one that a draft of its topic is being sent for. */
export function isAwaited(queries: QueryClient, job: Job): boolean {
  return drafts(queries).some((draft) => draft.error === null && draft.query === job.query);
}

export function discard(queries: QueryClient, draft: Draft): void {
  queries.setQueryData(draftsQuery.queryKey, (all) => (all ?? []).filter((one) => one.key !== draft.key));
}

function drafts(queries: QueryClient): Draft[] {
  return queries.getQueryData(draftsQuery.queryKey) ?? [];
}

function put(queries: QueryClient, draft: Draft): void {
  queries.setQueryData(draftsQuery.queryKey, (all) =>
    all?.some((one) => one.key === draft.key)
      ? all.map((one) => (one.key === draft.key ? draft : one))
      : [draft, ...(all ?? [])],
  );
}

/** Try again after passing failures; one who is throttled is told so, and decides. */
async function persistently(call: () => Promise<Job>): Promise<Job> {
  for (let failures = 0; ; failures += 1) {
    try {
      return await call();
    } catch (error) {
      const isThrottled = error instanceof ApiError && error.status === 429;
      if (!(error instanceof Error) || isThrottled || !shouldRetry(failures, error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, retryDelayMs(failures, error)));
    }
  }
}
