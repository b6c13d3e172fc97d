import type { Job } from "../api/types";
import { useServices } from "../services";
import { age, clockTime } from "./time";

/** A job's status in words. */
export function statusWords(job: Job, startTime: number | undefined, now: number): string {
  switch (job.status) {
    case "pending":
      return pendingWords(job, startTime, now);
    case "resolved":
      return "Ready";
    case "error":
      return "Failed";
    case "cancelled":
      return "Cancelled";
  }
}

/** The kind of a job's look: its status, or that it waits for the third party's rate limit. */
export function lookOf(job: Job, now: number): Job["status"] | "waiting" {
  return isWaiting(job, now) ? "waiting" : job.status;
}

export function JobStatus({ job, now }: { job: Job; now: number }) {
  const { ownJobs } = useServices();
  return (
    <p className="status" data-look={lookOf(job, now)}>
      {statusWords(job, ownJobs.startTime(job), now)}
      <span aria-hidden="true"> · </span>
      <time
        dateTime={new Date(job.created_at).toISOString()}
        title={new Date(job.created_at).toLocaleString()}
      >
        {age(job.created_at, now)}
      </time>
    </p>
  );
}

function pendingWords(job: Job, startTime: number | undefined, now: number): string {
  if (isWaiting(job, now)) return `Waits for the rate limit until ${clockTime(job.deferred_until, now)}`;
  return startTime && startTime > now ? `Starts at ${clockTime(startTime, now)}` : "Pending";
}

function isWaiting(job: Job, now: number): job is Job & { deferred_until: number } {
  return job.status === "pending" && job.deferred_until !== null && job.deferred_until > now;
}
