/** Keeps the cards of a list in their places while someone looks at them. */

import type { Job } from "calo-client/api/types";
import { newestFirst } from "calo-client/live/apply-jobs";

export interface Arrangement {
  /** The jobs to show, newest first. */
  jobs: readonly Job[];
  /** The number of new jobs that are not shown, because they would move the others. */
  arrivalCount: number;
}

/**
 * Arrange a page's current jobs so that those that have been shown do not move. `isOwn`: a job that was
 * requested here is always shown. `stillListed` returns a job that is no longer on the page, in its newest
 * version, or null if it left the list for another reason than the arrivals.
 */
export function holdArrivals(
  current: readonly Job[],
  shown: readonly Job[],
  isOwn: (job: Job) => boolean,
  stillListed: (job: Job) => Job | null,
): Arrangement {
  const last = shown.at(-1);
  if (last === undefined) return { jobs: current, arrivalCount: 0 };
  const shownIds = new Set(shown.map((job) => job.id));
  const currentIds = new Set(current.map((job) => job.id));
  // a job after the last card moves no other
  const isArrival = (job: Job) => !shownIds.has(job.id) && !isOwn(job) && newestFirst(job, last) < 0;
  const kept = current.filter((job) => !isArrival(job));
  const pushedOff = shown.filter((job) => !currentIds.has(job.id)).flatMap((job) => stillListed(job) ?? []);
  return {
    jobs: pushedOff.length > 0 ? [...kept, ...pushedOff].sort(newestFirst) : kept,
    arrivalCount: current.length - kept.length,
  };
}
