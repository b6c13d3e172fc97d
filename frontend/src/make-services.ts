/** The composition root: creates the services and connects them. */

import { QueryClient } from "@tanstack/react-query";
import { CaloApi } from "./api/calo-api";
import { isRetryable, retryDelayMs } from "./api/retry-policy";
import type { Config } from "./config";
import { isAwaited, keepDrafts } from "./features/jobs/drafts";
import { Kept } from "./kept";
import { JobCache } from "./live/job-cache";
import { Live } from "./live/live";
import { OwnJobs } from "./live/own-jobs";
import { startRecovery } from "./live/recovery";
import { browserTimers } from "./live/timers";
import type { Services } from "./services";

/** Without sign-in all jobs belong to this owner. */
const OWNER = "public";

export interface Caller {
  /** Sends requests to the API. */
  fetch: typeof fetch;
  owner: string;
  kept: Kept;
}

/** `caller` is the user who is signed in, or null without sign-in. */
export function makeServices(config: Config, caller: Caller | null): Services {
  const { fetch: send, owner, kept } = caller ?? { fetch: unsigned, owner: OWNER, kept: new Kept() };
  const api = new CaloApi(config.apiUrl, send);
  const queries = new QueryClient({
    defaultOptions: {
      // "always": a server on the same machine is reachable without a network
      queries: { networkMode: "always", retry: (_, error) => isRetryable(error), retryDelay: retryDelayMs },
      mutations: { networkMode: "always" },
    },
  });
  const cache = new JobCache(queries, browserTimers);
  const ownJobs = new OwnJobs();
  const live = new Live({
    api,
    fetch: send,
    cache,
    // the name of this file contains a hash of the app's code
    name: `calo ${config.apiUrl} ${owner} ${import.meta.url}`,
    isAwaited: (job) => isAwaited(queries, job),
    onJobsChanged: (jobs) => ownJobs.recordChanges(jobs),
  });
  startRecovery({
    queries,
    status: live.status,
    reconnect: () => live.reconnect(),
    timers: browserTimers,
    random: Math.random,
  });
  const services = { api, queries, cache, ownJobs, live, kept };
  keepDrafts(services);
  return services;
}

function unsigned(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  return fetch(input, init);
}
