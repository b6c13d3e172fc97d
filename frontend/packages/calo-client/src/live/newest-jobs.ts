/** The newest version of each job from any response or event. An older version never replaces a newer one. */

import type { Job } from "../api/types";

const MAX_JOBS = 5_000;

export class NewestJobs {
  readonly #entries = new Map<string, { job: Job; sequence: number }>();
  #sequence = 0;

  /** Store the jobs. Return those that were newer than the stored versions. */
  add(jobs: readonly Job[]): Job[] {
    return jobs.filter((job) => {
      const stored = this.#entries.get(job.id);
      if (stored && stored.job.version >= job.version) return false;
      this.#sequence += 1;
      this.#entries.delete(job.id); // moves it to the end: the map is in the order of the last change
      this.#entries.set(job.id, { job, sequence: this.#sequence });
      if (this.#entries.size > MAX_JOBS) this.#removeOldest();
      return true;
    });
  }

  get(id: string): Job | undefined {
    return this.#entries.get(id)?.job;
  }

  /** Return this job or the stored version of it, whichever is newer. */
  newer(job: Job): Job {
    const stored = this.get(job.id);
    return stored && stored.version > job.version ? stored : job;
  }

  /** Return the current position, for `since`. */
  mark(): number {
    return this.#sequence;
  }

  /** Return the jobs that were stored after a mark. */
  since(mark: number): Job[] {
    return [...this.#entries.values()].filter((entry) => entry.sequence > mark).map((entry) => entry.job);
  }

  #removeOldest(): void {
    const oldest = this.#entries.keys().next();
    if (!oldest.done) this.#entries.delete(oldest.value);
  }
}
