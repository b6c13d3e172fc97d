/** A job's timeline, from the job itself and from its earlier versions that were received on this page. */

import type { Job } from "../../api/types";
import { clockTime, duration } from "../../text/time";

export interface Step {
  text: string;
  /** Epoch ms, or null for a step in the future or without a time. */
  time: number | null;
}

/** `versions` are the received versions, the current one last. All times come from the server. */
export function timeline(versions: readonly Job[], now: number): Step[] {
  const job = versions.at(-1);
  if (!job) return [];
  const earlierSteps = versions.slice(0, -1).flatMap((version) => stepOfEarlierVersion(version, now));
  return [{ text: "Created", time: job.created_at }, ...earlierSteps, ...currentSteps(job, now)];
}

/** Return the step that an earlier version shows and the current version no longer does. */
function stepOfEarlierVersion(job: Job, now: number): Step[] {
  if (job.status !== "pending") return [{ text: ENDED[job.status], time: job.updated_at }];
  if (job.deferred_until === null) return retriedStep(job);
  const until = clockTime(job.deferred_until, now);
  return [{ text: `Waited for Unsplash's hourly limit until ${until}`, time: job.updated_at }];
}

function currentSteps(job: Job, now: number): Step[] {
  if (job.status === "pending") return pendingSteps(job, now);
  const attempts = job.error?.attempts ? [{ text: attemptsText(job.error.attempts), time: null }] : [];
  const elapsed = job.status === "cancelled" ? "" : ` after ${duration(job.updated_at - job.created_at)}`;
  return [...attempts, { text: `${ENDED[job.status]}${elapsed}`, time: job.updated_at }];
}

function pendingSteps(job: Job, now: number): Step[] {
  if (job.deferred_until !== null && job.deferred_until > now) {
    const until = clockTime(job.deferred_until, now);
    return [
      { text: "Unsplash's hourly limit was reached", time: job.updated_at },
      { text: `Continues at ${until}; this doesn't count as an attempt`, time: null },
    ];
  }
  return [...retriedStep(job), { text: "Pending", time: null }];
}

/** A pending job of a later version than 1 was retried. */
function retriedStep(job: Job): Step[] {
  return job.version > 1 ? [{ text: "Retried", time: job.updated_at }] : [];
}

const ENDED: Record<Exclude<Job["status"], "pending">, string> = {
  resolved: "Ready",
  error: "Failed",
  cancelled: "Cancelled",
};

function attemptsText(attempts: number): string {
  return attempts === 1 ? "1 attempt" : `${attempts} attempts`;
}
