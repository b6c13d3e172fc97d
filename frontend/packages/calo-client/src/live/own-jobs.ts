/** The jobs that were created or changed on this page. The API does not report which client did it. */

import type { Job } from "../api/types";

export class OwnJobs {
  readonly #ids = new Set<string>();
  readonly #pendingIds = new Set<string>();
  readonly #listeners = new Set<() => void>();
  #lastChanged: readonly Job[] = [];

  /** Store a job that was created here. */
  add(job: Job): void {
    this.#ids.add(job.id);
    this.#pendingIds.add(job.id);
  }

  /** Return whether the job was created here. */
  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /** Return the ids of the jobs that were created or retried here and have not ended. */
  get pendingIds(): readonly string[] {
    return [...this.#pendingIds];
  }

  /** Take a job that was cancelled or retried here, and notify the subscribers. */
  recordRequest(job: Job): void {
    if (job.status === "pending") this.#pendingIds.add(job.id);
    else this.#pendingIds.delete(job.id);
    this.#notify([job]);
  }

  /** Take changed jobs, and notify the subscribers of own jobs that have ended. Each job is reported once. */
  recordChanges(jobs: readonly Job[]): void {
    const ended = jobs.filter((job) => job.status !== "pending" && this.#pendingIds.delete(job.id));
    if (ended.length > 0) this.#notify(ended);
  }

  /** Return the jobs of the last notification; a snapshot for useSyncExternalStore. */
  readonly lastChanged = (): readonly Job[] => this.#lastChanged;

  /** Call the listener when `lastChanged` changes. Return a function that unsubscribes it. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #notify(jobs: readonly Job[]): void {
    this.#lastChanged = jobs;
    for (const listener of this.#listeners) listener();
  }
}
