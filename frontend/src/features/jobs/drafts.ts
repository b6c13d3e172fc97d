/** Jobs that were asked for here and not yet answered: shown at once, and never beside the job itself. */

import { notifyManager, type QueryClient, queryOptions, skipToken } from "@tanstack/react-query";
import { ApiError } from "../../api/api-error";
import type { Job } from "../../api/types";
import { rememberOwn } from "../../components/own-jobs";
import { isWorthRetrying, type Services, waitBeforeRetry } from "../../services";

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
 * Send a draft until it is answered. While it is on its way, a new job of its topic that the stream tells of
 * may be its own, and waits: draft and job change places in one step. Never rejects.
 */
export async function send(services: Services, draft: Draft): Promise<void> {
  const { api, cache, live, queries } = services;
  live.isAwaited = (job) => drafts(queries).some((one) => one.error === null && one.query === job.query);
  put(queries, { ...draft, error: null });
  const body = { query: draft.query, ...(draft.delaySeconds ? { delay_seconds: draft.delaySeconds } : {}) };
  try {
    const job = await live.changing(() => persistently(() => api.create(body, draft.key)));
    rememberOwn(job, draft.delaySeconds);
    notifyManager.batch(() => {
      discard(queries, draft);
      cache.learn([job]);
    });
  } catch (error) {
    put(queries, { ...draft, error });
  }
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
      if (!(error instanceof Error) || isThrottled || !isWorthRetrying(failures, error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, waitBeforeRetry(failures, error)));
    }
  }
}
