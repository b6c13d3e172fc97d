/** A job's status as text. */

import type { Job, Status } from "calo-client/api/types";
import { clockTime } from "./time";

/** A job's status, or why a pending job does nothing: `delayed` until its time, `waiting` for a rate limit. */
export type DisplayStatus = Status | "delayed" | "waiting";

export function displayStatus(job: Job, now: number): DisplayStatus {
  if (isLimited(job, now)) return "waiting";
  return isDelayed(job, now) ? "delayed" : job.status;
}

/** `limit` is what people call the rate limit of the job's kind. */
export function statusText(job: Job, limit: string, now: number): string {
  switch (job.status) {
    case "pending":
      return pendingText(job, limit, now);
    case "resolved":
      return "Ready";
    case "error":
      return "Failed";
    case "cancelled":
      return "Cancelled";
  }
}

function pendingText(job: Job, limit: string, now: number): string {
  if (isLimited(job, now)) return `Waiting for ${limit}; continues at ${clockTime(job.deferred_until, now)}`;
  if (isDelayed(job, now)) return `Starts at ${clockTime(job.starts_at, now)}`;
  return job.progress ? "Running" : "Pending";
}

function isLimited(job: Job, now: number): job is Job & { deferred_until: number } {
  return job.status === "pending" && job.deferred_until !== null && job.deferred_until > now;
}

function isDelayed(job: Job, now: number): job is Job & { starts_at: number } {
  return job.status === "pending" && job.starts_at !== null && job.starts_at > now;
}
