import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { ApiError } from "calo-client/api/api-error";
import { retryDelayMs } from "calo-client/api/retry-policy";
import type { Stats } from "calo-client/api/types";
import type { Services } from "../../services";

/** The stats are fetched this often while the page is visible, and never more often. */
export const POLL_MS = 5_000;

/** When the last answer came, by owner. */
const answeredAt = new Map<string | undefined, number>();

/**
 * The stats of an owner, `*` for all, or undefined for everyone without sign-in. They have their own key, because the list
 * fetches its stats after each change.
 */
export function operationsQuery({ api, queries }: Services, owner: string | undefined) {
  const queryKey = ["operations", owner ?? null];
  return queryOptions<Stats>({
    queryKey,
    queryFn: async ({ signal }) => {
      const stats = queries.getQueryData<Stats>(queryKey);
      // whatever asks for it: without a stream, all data of the page is fetched from time to time
      if (stats && performance.now() - (answeredAt.get(owner) ?? 0) < POLL_MS - 100) return stats;
      const answer = await api.getStats(signal, owner);
      answeredAt.set(owner, performance.now());
      return answer;
    },
    refetchInterval: POLL_MS,
    retryDelay: (failures, error) => Math.max(POLL_MS, retryDelayMs(failures, error)),
    placeholderData: keepPreviousData,
  });
}

/** Return whether the API has refused, because only operators may see the jobs of others. */
export function isForbidden(error: Error | null): boolean {
  return error instanceof ApiError && error.status === 403;
}
