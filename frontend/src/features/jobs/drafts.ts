/** Jobs that were requested on this page and that the server has not confirmed. They appear immediately. */

import { notifyManager, type QueryClient, queryOptions, skipToken } from "@tanstack/react-query";
import { ApiError } from "calo-client/api/api-error";
import type { CaloApi } from "calo-client/api/calo-api";
import { retryDelayMs, shouldRetry } from "calo-client/api/retry-policy";
import type { Job, JobContent, JobRequest } from "calo-client/api/types";
import type { Services } from "../../services";

/** `key` is the Idempotency-Key: a draft that is sent several times creates one job. */
export interface Draft extends JobContent {
  key: string;
  delaySeconds: number;
  error: unknown;
}

const DRAFTS = "drafts";
/** The API's limit for one call. */
const MAX_BULK = 100;

export const draftsQuery = queryOptions<Draft[]>({
  queryKey: [DRAFTS],
  queryFn: skipToken,
  staleTime: Number.POSITIVE_INFINITY,
  gcTime: Number.POSITIVE_INFINITY,
});

export function newDraft({ kind, input }: JobContent, delaySeconds: number): Draft {
  return { key: crypto.randomUUID(), kind, input, delaySeconds, error: null };
}

/**
 * Send a draft until the server responds. Meanwhile, new jobs of its kind and input from the stream wait
 * (`isAwaited`), so that the job replaces its draft in one step. Never rejects: on failure, the draft stores
 * the error, which is also returned.
 */
export async function sendDraft(services: Services, draft: Draft): Promise<unknown> {
  const { api, live, queries } = services;
  storeDraft(queries, { ...draft, error: null });
  try {
    const send = () => api.createJob(requestOf(draft), draft.key);
    accept(services, draft, await live.expectEventFor(() => withRetries(api, send)));
    return null;
  } catch (error) {
    storeDraft(queries, { ...draft, error });
    return error;
  }
}

/**
 * Send several drafts with one call. Return the error of each, or null. Never rejects: see sendDraft. A draft
 * that the call could not complete is sent again on its own.
 */
export async function sendDrafts(services: Services, drafts: readonly Draft[]): Promise<unknown[]> {
  const { api, live, queries } = services;
  if (drafts.length === 1) return Promise.all(drafts.map((draft) => sendDraft(services, draft)));
  for (const draft of drafts) storeDraft(queries, { ...draft, error: null });
  const entries = drafts.map((draft) => ({ ...requestOf(draft), key: draft.key }));
  try {
    const results = await live.expectEventFor(() => withRetries(api, () => api.createJobs(entries)));
    const outcomes = notifyManager.batch(() =>
      drafts.map((draft, index) => settle(services, draft, results[index])),
    );
    return await Promise.all(outcomes);
  } catch (error) {
    for (const draft of drafts) storeDraft(queries, { ...draft, error });
    return drafts.map(() => error);
  }
}

async function settle(
  services: Services,
  draft: Draft,
  result: Job | ApiError | undefined,
): Promise<unknown> {
  if (result === undefined || (result instanceof ApiError && result.isTransient))
    return sendDraft(services, draft);
  if (result instanceof ApiError) {
    storeDraft(services.queries, { ...draft, error: result });
    return result;
  }
  accept(services, draft, result);
  return null;
}

function requestOf({ kind, input, delaySeconds }: Draft): JobRequest {
  return { kind, input, ...(delaySeconds ? { delay_seconds: delaySeconds } : {}) };
}

function accept({ cache, ownJobs, queries }: Services, draft: Draft, job: Job): void {
  ownJobs.add(job);
  notifyManager.batch(() => {
    discardDraft(queries, draft);
    cache.update([job]);
  });
}

/** Return whether a job may be the one that a draft is creating. */
export function isAwaited(queries: QueryClient, job: Job): boolean {
  return getDrafts(queries).some((draft) => draft.error === null && hasContent(job, draft));
}

/** Return whether a job has the draft's kind and input. The server has filled in further fields. */
function hasContent(job: Job, { kind, input }: Draft): boolean {
  const isEqual = ([name, value]: [string, unknown]) =>
    JSON.stringify(job.input[name]) === JSON.stringify(value);
  return job.kind === kind && Object.entries(input).every(isEqual);
}

/** Keep the drafts if the page is left, and send those that were kept. Their keys make it safe to send them again. */
export function keepDrafts(services: Services): void {
  const { kept, queries } = services;
  const drafts = (kept.restored(DRAFTS) ?? []) as Draft[];
  kept.register(DRAFTS, () => getDrafts(queries));
  resendDrafts(services, drafts);
}

/** Send drafts, which are in the order of the page, again: the oldest first. */
export function resendDrafts(services: Services, drafts: readonly Draft[]): void {
  const oldestFirst = [...drafts].reverse();
  while (oldestFirst.length > 0) void sendDrafts(services, oldestFirst.splice(0, MAX_BULK));
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

/** How long a request waits for the one before it, so that jobs are created in the order in which they were requested. */
const TURN_MS = 1_000;
const lastRequests = new WeakMap<CaloApi, Promise<unknown>>();

/** Retry after transient failures. Throttling is not retried: the user sees it and decides. */
async function withRetries<T>(api: CaloApi, request: () => Promise<T>): Promise<T> {
  const turn = Promise.race([lastRequests.get(api), new Promise((resolve) => setTimeout(resolve, TURN_MS))]);
  const first = turn.then(request);
  lastRequests.set(
    api,
    first.catch(() => {}),
  );
  for (let failures = 0; ; failures += 1) {
    try {
      return await (failures === 0 ? first : request());
    } catch (error) {
      const isThrottled = error instanceof ApiError && error.status === 429;
      if (!(error instanceof Error) || isThrottled || !shouldRetry(failures, error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, retryDelayMs(failures, error)));
    }
  }
}
