/** What is known of a job's way: from the job itself, and from its versions that were seen on this page. */

import type { Job } from "../../api/types";
import { clockTime, duration } from "../../text/time";

export interface Step {
  what: string;
  /** Epoch ms; null for what lies ahead or has no time of its own. */
  at: number | null;
}

/** `versions`: as they were seen, oldest first, the present one last. Times are the server's. */
export function timeline(versions: readonly Job[], now: number): Step[] {
  const job = versions.at(-1);
  if (!job) return [];
  const seen = versions.slice(0, -1).flatMap((one) => passedStep(one, now));
  return [{ what: "Created", at: job.created_at }, ...seen, ...presentSteps(job, now)];
}

/** What an earlier version says that the present one no longer does. */
function passedStep(job: Job, now: number): Step[] {
  if (job.status !== "pending") return [{ what: ENDED[job.status], at: job.updated_at }];
  if (job.deferred_until === null)
    return job.version > 1 ? [{ what: "Queued again", at: job.updated_at }] : [];
  return [
    { what: `Waited for the rate limit, until ${clockTime(job.deferred_until, now)}`, at: job.updated_at },
  ];
}

function presentSteps(job: Job, now: number): Step[] {
  if (job.status === "pending") return pendingSteps(job, now);
  const attempts = job.error?.attempts ? [{ what: tried(job.error.attempts), at: null }] : [];
  const took =
    job.status === "cancelled" ? "" : `, ${duration(job.updated_at - job.created_at)} after it was created`;
  return [...attempts, { what: `${ENDED[job.status]}${took}`, at: job.updated_at }];
}

function pendingSteps(job: Job, now: number): Step[] {
  if (job.deferred_until !== null && job.deferred_until > now) {
    const until = clockTime(job.deferred_until, now);
    return [
      { what: "Found the hour's requests used up", at: job.updated_at },
      { what: `Goes on at ${until}; waiting costs no attempt`, at: null },
    ];
  }
  const again = job.version > 1 ? [{ what: "Queued again", at: job.updated_at }] : [];
  return [...again, { what: "Pending", at: null }];
}

const ENDED: Record<Exclude<Job["status"], "pending">, string> = {
  resolved: "Ready",
  error: "Failed",
  cancelled: "Cancelled",
};

function tried(attempts: number): string {
  return attempts === 1 ? "Tried once" : `Tried ${attempts} times`;
}
