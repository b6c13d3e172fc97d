/** Notifications about the end of jobs that take long. The stream of a hidden tab is closed, so it asks the API. */

import type { Job } from "calo-client/api/types";
import type { Services } from "../../services";

/** A job that began to wait or run this long ago is worth a notification. */
const LONG_MS = 20_000;
const SHORTEST_MS = 15_000;
const LONGEST_MS = 86_400_000;

const awaited = new Set<string>();

export function waitsFor(id: string): boolean {
  return awaited.has(id);
}

/** Return whether a job has been pending for a while, or will be. */
export function hasLongWait(job: Job, now: number): boolean {
  if (job.status !== "pending") return false;
  return now - job.created_at > LONG_MS || continuesAt(job) - now > LONG_MS;
}

/** Return after how many ms to ask for the job: it cannot have ended before it continues. */
export function nextCheckMs(job: Job, now: number): number {
  return Math.min(LONGEST_MS, Math.max(SHORTEST_MS, continuesAt(job) - now));
}

function continuesAt({ starts_at, deferred_until }: Job): number {
  return Math.max(starts_at ?? 0, deferred_until ?? 0);
}

/** Show a notification when the job has ended, unless the page is visible then. `subject`: what people call it. */
export function notifyAtEnd(services: Services, job: Job, subject: string): void {
  if (awaited.has(job.id)) return;
  awaited.add(job.id);
  void check(services, job, subject);
}

async function check({ api, cache }: Services, started: Job, subject: string): Promise<void> {
  let job = started;
  while (job.status === "pending") {
    const ms = nextCheckMs(job, Date.now());
    await new Promise((resolve) => setTimeout(resolve, ms));
    try {
      const latest = await api.getJob(job.id, AbortSignal.timeout(SHORTEST_MS));
      cache.update([latest]);
      job = latest;
    } catch {
      // it is asked again
    }
  }
  awaited.delete(job.id);
  if (document.hidden) notify(job, subject);
}

function notify({ id, status }: Job, subject: string): void {
  const outcome = { resolved: "is ready", error: "failed", cancelled: "was cancelled", pending: "" }[status];
  try {
    const notification = new Notification(`${subject} ${outcome}`, { tag: id, icon: "/favicon.svg" });
    notification.onclick = () => {
      window.focus();
      location.assign(`/jobs/${id}`);
    };
  } catch {
    // some browsers show notifications only from a service worker
  }
}
