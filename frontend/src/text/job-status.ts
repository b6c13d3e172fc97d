/** A job's status as text. */

import type { Job, Status } from "../api/types";
import { clockTime } from "./time";

/** A job's status, or `waiting` for a pending job that waits for the third party's rate limit. */
export type DisplayStatus = Status | "waiting";

export function displayStatus(job: Job, now: number): DisplayStatus {
  return isWaiting(job, now) ? "waiting" : job.status;
}

/** `startTime`: when a delayed job starts (epoch ms), if that is known. */
export function statusText(job: Job, startTime: number | undefined, now: number): string {
  switch (job.status) {
    case "pending":
      return pendingText(job, startTime, now);
    case "resolved":
      return "Ready";
    case "error":
      return "Failed";
    case "cancelled":
      return "Cancelled";
  }
}

function pendingText(job: Job, startTime: number | undefined, now: number): string {
  if (isWaiting(job, now)) {
    return `Waiting for Unsplash's hourly limit; continues at ${clockTime(job.deferred_until, now)}`;
  }
  return startTime && startTime > now ? `Starts at ${clockTime(startTime, now)}` : "Pending";
}

function isWaiting(job: Job, now: number): job is Job & { deferred_until: number } {
  return job.status === "pending" && job.deferred_until !== null && job.deferred_until > now;
}
