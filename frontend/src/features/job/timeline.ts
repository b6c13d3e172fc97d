/** A job's timeline, from the job itself and from its earlier versions that were received on this page. */

import type { Job } from "calo-client/api/types";
import { clockTime, duration } from "../../text/time";

export interface Step {
  text: string;
  /** Epoch ms, or null for a step in the future or without a time. */
  time: number | null;
}

/**
 * `versions` are the received versions, the current one last. All times come from the server. `limit` is what people
 * call the rate limit of the job's kind.
 */
export function timeline(versions: readonly Job[], limit: string, now: number): Step[] {
  const job = versions.at(-1);
  if (!job) return [];
  const steps = versions.flatMap((version, index) => {
    const retried = retriedStep(version, versions[index - 1]);
    return [...retried, ...(version === job ? currentSteps : earlierSteps)(version, limit, now)];
  });
  return [{ text: "Created", time: job.created_at }, ...steps];
}

/** Add a received version. One in which only the progress differs replaces the last, and adds no step. */
export function addVersion(versions: readonly Job[], job: Job): readonly Job[] {
  const last = versions.at(-1);
  if (last && last.version >= job.version) return versions;
  const isSameStep =
    last?.status === "pending" && job.status === "pending" && last.deferred_until === job.deferred_until;
  return isSameStep
    ? [...versions.slice(0, -1), { ...job, updated_at: last.updated_at }]
    : [...versions, job];
}

/** Return the steps that an earlier version shows and the current version no longer does. */
function earlierSteps(job: Job, limit: string, now: number): Step[] {
  if (job.status !== "pending") return [{ text: ENDED[job.status], time: job.updated_at }];
  if (job.deferred_until === null) return [];
  const until = clockTime(job.deferred_until, now);
  return [{ text: `Waited for ${limit} until ${until}`, time: job.updated_at }];
}

function currentSteps(job: Job, limit: string, now: number): Step[] {
  if (job.status === "pending") return pendingSteps(job, limit, now);
  const attempts = job.error?.attempts ? [{ text: attemptsText(job.error.attempts), time: null }] : [];
  const elapsed = job.status === "cancelled" ? "" : ` after ${duration(job.updated_at - job.created_at)}`;
  return [...attempts, { text: `${ENDED[job.status]}${elapsed}`, time: job.updated_at }];
}

function pendingSteps(job: Job, limit: string, now: number): Step[] {
  if (job.deferred_until !== null && job.deferred_until > now) {
    const until = clockTime(job.deferred_until, now);
    return [
      { text: `${limit.charAt(0).toUpperCase()}${limit.slice(1)} was reached`, time: job.updated_at },
      { text: `Continues at ${until}; this doesn't count as an attempt`, time: null },
    ];
  }
  return [{ text: job.progress ? "Running" : "Pending", time: null }];
}

/** A pending job that had ended was retried. */
function retriedStep(job: Job, previous: Job | undefined): Step[] {
  const isRetried = job.status === "pending" && previous !== undefined && previous.status !== "pending";
  return isRetried ? [{ text: "Retried", time: job.updated_at }] : [];
}

const ENDED: Record<Exclude<Job["status"], "pending">, string> = {
  resolved: "Ready",
  error: "Failed",
  cancelled: "Cancelled",
};

function attemptsText(attempts: number): string {
  return attempts === 1 ? "1 attempt" : `${attempts} attempts`;
}
