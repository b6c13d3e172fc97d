/** Jobs that were requested on this page and that the server has not confirmed. They appear immediately. */

import { notifyManager, type QueryClient, queryOptions, skipToken } from "@tanstack/react-query";
import { ApiError } from "../../api/api-error";
import { retryDelayMs, shouldRetry } from "../../api/retry-policy";
import type { Job } from "../../api/types";
import type { Services } from "../../services";

/** `key` is the Idempotency-Key: a draft that is sent several times creates one job. */
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
 * Send a draft until the server responds. Meanwhile, new jobs of its topic from the stream wait
 * (`isAwaited`), so that the job replaces its draft in one step. Never rejects: on failure, the draft stores
 * the error.
 */
export async function sendDraft(services: Services, draft: Draft): Promise<void> {
  const { api, cache, live, ownJobs, queries } = services;
  storeDraft(queries, { ...draft, error: null });
  const body = { query: draft.query, ...(draft.delaySeconds ? { delay_seconds: draft.delaySeconds } : {}) };
  try {
    const job = await live.expectEventFor(() => withRetries(() => api.createJob(body, draft.key)));
    ownJobs.add(job, draft.delaySeconds);
    notifyManager.batch(() => {
      discardDraft(queries, draft);
      cache.update([job]);
    });
  } catch (error) {
    storeDraft(queries, { ...draft, error });
  }
}

/** Return whether a job may be the one that a draft of the same topic is creating. */
export function isAwaited(queries: QueryClient, job: Job): boolean {
  return getDrafts(queries).some((draft) => draft.error === null && draft.query === job.query);
}

export function discardDraft(queries: QueryClient, { key }: Draft): void {
  queries.setQueryData(
    draftsQuery.queryKey,
    getDrafts(queries).filter((draft) => draft.key !== key),
  );
}

function getDrafts(queries: QueryClient): Draft[] {
  return queries.getQueryData(draftsQuery.queryKey) ?? [];
}

/** Replace the draft with the same key, or add the draft as the first. */
function storeDraft(queries: QueryClient, draft: Draft): void {
  const drafts = getDrafts(queries);
  const isStored = drafts.some(({ key }) => key === draft.key);
  queries.setQueryData(
    draftsQuery.queryKey,
    isStored ? drafts.map((stored) => (stored.key === draft.key ? draft : stored)) : [draft, ...drafts],
  );
}

/** Retry after transient failures. Throttling is not retried: the user sees it and decides. */
async function withRetries(request: () => Promise<Job>): Promise<Job> {
  for (let failures = 0; ; failures += 1) {
    try {
      return await request();
    } catch (error) {
      const isThrottled = error instanceof ApiError && error.status === 429;
      if (!(error instanceof Error) || isThrottled || !shouldRetry(failures, error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, retryDelayMs(failures, error)));
    }
  }
}
