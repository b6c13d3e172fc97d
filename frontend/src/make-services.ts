/** The composition root: creates the services and connects them. */

import { QueryClient } from "@tanstack/react-query";
import { CaloApi } from "./api/calo-api";
import { isRetryable, retryDelayMs } from "./api/retry-policy";
import type { Config } from "./config";
import { isAwaited } from "./features/jobs/drafts";
import { JobCache } from "./live/job-cache";
import { Live } from "./live/live";
import { OwnJobs } from "./live/own-jobs";
import { startRecovery } from "./live/recovery";
import { browserTimers } from "./live/timers";
import type { Services } from "./services";

/** Without sign-in all jobs belong to this owner. */
const OWNER = "public";

export function makeServices(config: Config): Services {
  const api = new CaloApi(config.apiUrl);
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
    cache,
    // the name of this file contains a hash of the app's code
    name: `calo ${config.apiUrl} ${OWNER} ${import.meta.url}`,
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
  return { api, queries, cache, ownJobs, live };
}
