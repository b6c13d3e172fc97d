import { QueryClient, QueryObserver } from "@tanstack/query-core";
import { beforeEach, expect, test, vi } from "vitest";
import { ApiError } from "../api/api-error";
import { isRetryable } from "../api/retry-policy";
import { FakeTimers } from "../testing";
import type { LiveStatus } from "./live-stream";
import { startRecovery } from "./recovery";

const HOUR_MS = 3_600_000;

let queries: QueryClient;
let timers: FakeTimers;
let status: LiveStatus;
let reconnect: ReturnType<typeof vi.fn<() => void>>;

beforeEach(() => {
  // a failed request waits for an hour, so that only the recovery can repeat it
  queries = new QueryClient({
    defaultOptions: { queries: { retry: (_, error) => isRetryable(error), retryDelay: HOUR_MS } },
  });
  timers = new FakeTimers();
  status = "live";
  reconnect = vi.fn();
  startRecovery({ queries, status: () => status, reconnect, timers, random: () => 1 });
});

/** Show a query on the page. */
function observe(key: string, fetch: () => Promise<string>): void {
  new QueryObserver(queries, { queryKey: [key], queryFn: fetch }).subscribe(() => {});
}

/** Make the next attempt of a request, without the rest of its wait. */
function repeat(key: string): void {
  const query = queries.getQueryCache().find({ queryKey: [key] });
  void query?.cancel({ silent: true });
  void query?.fetch();
}

test.each<[LiveStatus, number]>([
  ["live", 1],
  ["paused", 1],
  ["reconnecting", 2],
  ["offline", 2],
  ["connecting", 2],
])("with the status %s, what is shown has been fetched %i times after ten seconds", async (name, times) => {
  const fetch = vi.fn(async () => "list");
  observe("jobs", fetch);
  await vi.waitFor(() => expect(queries.getQueryData(["jobs"])).toBe("list"));
  status = name;
  timers.advance(10_000);
  await Promise.resolve();
  expect(fetch).toHaveBeenCalledTimes(times);
});

test("when one request succeeds again, the others and the stream are tried immediately", async () => {
  let isDown = true;
  const fetch = vi.fn(async () => {
    if (isDown) throw new ApiError(0, "down");
    return "there";
  });
  observe("jobs", fetch);
  observe("stats", fetch);
  status = "reconnecting";
  await vi.waitFor(() => expect(queries.getQueryState(["stats"])?.fetchFailureCount).toBe(1));
  isDown = false;
  repeat("jobs");
  await vi.waitFor(() => expect(queries.getQueryData(["stats"])).toBe("there"));
  expect(reconnect).toHaveBeenCalledTimes(2); // each of the two has recovered
});

test("a request that the server has throttled waits as long as it says", async () => {
  const throttled = vi.fn(async () => {
    throw new ApiError(429, "too many requests", 5_000);
  });
  let isDown = true;
  observe("stats", throttled);
  observe("jobs", async () => {
    if (isDown) throw new ApiError(0, "down");
    return "there";
  });
  await vi.waitFor(() => expect(queries.getQueryState(["jobs"])?.fetchFailureCount).toBe(1));
  isDown = false;
  repeat("jobs");
  await vi.waitFor(() => expect(queries.getQueryData(["jobs"])).toBe("there"));
  expect(throttled).toHaveBeenCalledTimes(1);
});
