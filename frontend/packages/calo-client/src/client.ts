/** Connects the API client, the cache and the live stream. */

import { QueryClient, QueryObserver } from "@tanstack/query-core";
import { CaloApi } from "./api/calo-api";
import { isRetryable, retryDelayMs } from "./api/retry-policy";
import type { Job, JobPage, ListParams } from "./api/types";
import { JOB, JOBS, JobCache } from "./live/job-cache";
import { Live } from "./live/live";
import { startRecovery } from "./live/recovery";
import { browserTimers } from "./live/timers";

/** Without sign-in all jobs belong to this owner. */
const OWNER = "public";

export interface ClientOptions {
  /** Sends requests, with what proves who makes them. */
  fetch?: typeof fetch;
  /** Whose jobs they are. Tabs of different owners share nothing. */
  owner?: string;
  /** Tabs with the same version share a stream. */
  version?: string;
  /** Return whether a job that is not in the cache yet must wait for the response to its own request. */
  isAwaited?(queries: QueryClient, job: Job): boolean;
  /** Called with the jobs that the stream changed, in their new versions. */
  onJobsChanged?(jobs: readonly Job[]): void;
}

export interface Client {
  readonly api: CaloApi;
  readonly queries: QueryClient;
  readonly cache: JobCache;
  readonly live: Live;
  /** Call back with a job, and with each newer version. Return a function that stops. One watch at a time. */
  watchJob(id: string, callback: (job: Job) => void): () => void;
  /** Call back with a page of the list whenever it changes. Return a function that stops. One watch at a time. */
  watchJobs(params: ListParams, callback: (page: JobPage) => void): () => void;
}

/** `apiUrl` is the API's URL, which ends in `/api`. */
export function connect(apiUrl: string, options: ClientOptions = {}): Client {
  const { fetch: send = unsigned, owner = OWNER, version = "", isAwaited, onJobsChanged } = options;
  const api = new CaloApi(apiUrl, send);
  const queries = new QueryClient({
    defaultOptions: {
      // "always": a server on the same machine is reachable without a network
      queries: { networkMode: "always", retry: (_, error) => isRetryable(error), retryDelay: retryDelayMs },
      mutations: { networkMode: "always" },
    },
  });
  const cache = new JobCache(queries, browserTimers);
  const live = new Live({
    api,
    fetch: send,
    cache,
    name: `calo ${apiUrl} ${owner} ${version}`,
    isAwaited: (job) => isAwaited?.(queries, job) ?? false,
    onJobsChanged: (jobs) => onJobsChanged?.(jobs),
  });
  startRecovery({
    queries,
    status: live.status,
    reconnect: () => live.reconnect(),
    timers: browserTimers,
    random: Math.random,
  });
  return {
    api,
    queries,
    cache,
    live,
    watchJob(id, callback) {
      const queryFn = ({ signal }: { signal: AbortSignal }) => cache.fetchJob(() => api.getJob(id, signal));
      const observer = new QueryObserver<Job>(queries, { queryKey: [JOB, id], queryFn });
      return together(
        observer.subscribe(({ data }) => data && callback(data)),
        live.show([id], null),
        live.start(),
      );
    },
    watchJobs(params, callback) {
      let stopShowing: (() => void) | null = null;
      const queryFn = ({ signal }: { signal: AbortSignal }) =>
        cache.fetchPage(params, () => api.listJobs(params, signal));
      const observer = new QueryObserver<JobPage>(queries, { queryKey: [JOBS, params], queryFn });
      const unsubscribe = observer.subscribe(({ data }) => {
        if (!data) return;
        stopShowing ??= live.show(null, data.live_cursor);
        callback(data);
      });
      return together(unsubscribe, () => stopShowing?.(), live.start());
    },
  };
}

function together(...stops: (() => void)[]): () => void {
  return () => {
    for (const stop of stops) stop();
  };
}

/** Browsers refuse their own `fetch` as a method of another object. */
function unsigned(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  return fetch(input, init);
}
