/** Keeps a page up to date without its stream, and lets everything that has failed recover together. */

import type { Query, QueryClient } from "@tanstack/query-core";
import { ApiError } from "../api/api-error";
import type { LiveStatus } from "./live-stream";
import type { Timers } from "./timers";

/** How often a page without a stream fetches again. It is a random time, so that clients spread out. */
const SHORTEST_MS = 5_000;
const LONGEST_MS = 10_000;

export interface RecoveryOptions {
  queries: QueryClient;
  status(): LiveStatus;
  /** Try to connect now, without the rest of the wait. */
  reconnect(): void;
  timers: Timers;
  random(): number;
}

/** Start. The page's requests retry until they succeed; see `retry-policy.ts`. */
export function startRecovery(options: RecoveryOptions): void {
  const { queries, status, timers, random } = options;

  function refetchWithoutStream(): void {
    const isLost = ["connecting", "reconnecting", "offline"].includes(status());
    // a request that is in progress or waits for its next attempt is not disturbed
    if (isLost) void queries.refetchQueries({ type: "active" }, { cancelRefetch: false });
    scheduleRefetch();
  }
  function scheduleRefetch(): void {
    timers.set(refetchWithoutStream, SHORTEST_MS + random() * (LONGEST_MS - SHORTEST_MS));
  }
  function recoverOthers(): void {
    retryFailed(queries);
    if (status() === "reconnecting") options.reconnect();
  }

  scheduleRefetch();
  const failing = new Set<Query>();
  queries.getQueryCache().subscribe(({ type, query }) => {
    if (type === "removed") failing.delete(query);
    if (type !== "updated") return;
    if (hasFailed(query)) failing.add(query);
    else if (
      query.state.status === "success" &&
      query.state.fetchStatus === "idle" &&
      failing.delete(query)
    ) {
      recoverOthers();
    }
  });
}

/** Repeat the requests that have failed now, unless the server has said when to repeat them. */
export function retryFailed(queries: QueryClient): void {
  const predicate = (query: Query) => hasFailed(query) && !isThrottled(query);
  for (const query of queries.getQueryCache().findAll({ type: "active", predicate })) {
    void query.cancel({ silent: true }); // ends its wait for the next attempt
    query.fetch().catch(() => {}); // the query stores its error
  }
}

/** Return whether the server has said when to try again. */
function isThrottled({ state }: Query): boolean {
  return state.fetchFailureReason instanceof ApiError && state.fetchFailureReason.retryAt !== null;
}

/** Return whether the query's last attempt failed, and it waits for the next. */
function hasFailed(query: Query): boolean {
  return query.state.fetchFailureCount > 0;
}
