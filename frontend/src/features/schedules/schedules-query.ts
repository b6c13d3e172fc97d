/** The list of schedules, and how it follows from what this page has changed. */

import { type QueryClient, queryOptions } from "@tanstack/react-query";
import type { Schedule } from "calo-client/api/types";
import type { Services } from "../../services";

/** The most that one person may have. */
export const MAX_SCHEDULES = 100;

const SCHEDULES = ["schedules"];
/** The watchdog moves schedules on every minute. */
const REFETCH_MS = 30_000;

export function schedulesQuery({ api }: Services) {
  return queryOptions({
    queryKey: SCHEDULES,
    queryFn: ({ signal }) => api.listSchedules(signal),
    refetchInterval: REFETCH_MS,
  });
}

/** Show a schedule as the server has returned it, in its place, or as the first. */
export function showSchedule(queries: QueryClient, schedule: Schedule): void {
  queries.setQueryData<Schedule[]>(SCHEDULES, (schedules = []) =>
    schedules.some(({ id }) => id === schedule.id)
      ? schedules.map((shown) => (shown.id === schedule.id ? schedule : shown))
      : [schedule, ...schedules],
  );
}

export function hideSchedule(queries: QueryClient, removed: Schedule): void {
  queries.setQueryData<Schedule[]>(SCHEDULES, (schedules = []) =>
    schedules.filter(({ id }) => id !== removed.id),
  );
}
