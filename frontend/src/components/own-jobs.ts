/** What this page knows of the jobs that were asked for here, besides what the API shows. */

import type { Job } from "../api/types";

const starts = new Map<string, number>();
const unended = new Set<string>();

export function rememberOwn(job: Job, delaySeconds: number): void {
  unended.add(job.id);
  if (delaySeconds > 0) starts.set(job.id, job.created_at + delaySeconds * 1000);
}

/** When a job that was asked for later begins, epoch ms. */
export function startOf(job: Job): number | undefined {
  return starts.get(job.id);
}

/** Those of these jobs that were asked for here and have now ended; each is told once. */
export function ownEnded(jobs: readonly Job[]): Job[] {
  return jobs.filter((job) => job.status !== "pending" && unended.delete(job.id));
}
