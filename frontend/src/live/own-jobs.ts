/** The jobs that were created on this page. The API does not report which client created a job. */

import type { Job } from "../api/types";

export class OwnJobs {
  readonly #startTimes = new Map<string, number>();
  readonly #pendingIds = new Set<string>();
  readonly #listeners = new Set<() => void>();
  #lastEnded: readonly Job[] = [];

  add(job: Job, delaySeconds: number): void {
    this.#pendingIds.add(job.id);
    if (delaySeconds > 0) this.#startTimes.set(job.id, job.created_at + delaySeconds * 1000);
  }

  /** Return when a delayed job starts (epoch ms), or undefined if it was not delayed or not created here. */
  startTime(job: Job): number | undefined {
    return this.#startTimes.get(job.id);
  }

  /** Take changed jobs, and notify the subscribers of own jobs that have ended. Each job is reported once. */
  recordChanges(jobs: readonly Job[]): void {
    const ended = jobs.filter((job) => job.status !== "pending" && this.#pendingIds.delete(job.id));
    if (ended.length === 0) return;
    this.#lastEnded = ended;
    for (const listener of this.#listeners) listener();
  }

  /** Return the own jobs that ended most recently; a snapshot for useSyncExternalStore. */
  readonly lastEnded = (): readonly Job[] => this.#lastEnded;

  /** Call the listener when `lastEnded` changes. Return a function that unsubscribes it. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}
