/** What the components work with, made once and handed down. */

import { QueryClient } from "@tanstack/react-query";
import { createContext, useContext } from "react";
import { ApiError } from "./api/api-error";
import { CaloApi } from "./api/calo-api";
import type { Config } from "./config";
import { JobCache } from "./live/job-cache";
import { Live } from "./live/live";
import { browserTimers } from "./live/timers";

export interface Services {
  api: CaloApi;
  queries: QueryClient;
  cache: JobCache;
  live: Live;
}

const RETRIES = 4;
const LONGEST_WAIT_MS = 30_000;

export function makeServices(config: Config): Services {
  const api = new CaloApi(config.apiUrl);
  const queries = new QueryClient({
    defaultOptions: {
      // "always": a machine without a network still reaches a server of its own
      queries: { networkMode: "always", retry: isWorthRetrying, retryDelay: waitBeforeRetry },
      mutations: { networkMode: "always" },
    },
  });
  const cache = new JobCache(queries, browserTimers);
  return { api, queries, cache, live: new Live(api, cache) };
}

/** A throttled request is as good as a failed one, later. */
export function isWorthRetrying(failures: number, error: Error): boolean {
  return error instanceof ApiError && (error.isPassing || error.status === 429) && failures < RETRIES;
}

/** Milliseconds: as long as the server asks, else with full jitter, so that clients do not return at once. */
export function waitBeforeRetry(failures: number, error: Error): number {
  const asked = error instanceof ApiError && error.retryAt ? Math.max(0, error.retryAt - Date.now()) : 0;
  return asked + Math.random() * Math.min(LONGEST_WAIT_MS, 1_000 * 2 ** failures);
}

const ServicesContext = createContext<Services | null>(null);
export const ServicesProvider = ServicesContext.Provider;

export function useServices(): Services {
  const services = useContext(ServicesContext);
  if (!services) throw new Error("no ServicesProvider above");
  return services;
}
