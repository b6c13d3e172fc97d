/** The newest version of each job that any answer or event has shown: an older one never replaces it. */

import type { Job } from "../api/types";

const KEPT = 5_000;

export class NewestJobs {
  readonly #seen = new Map<string, { job: Job; at: number }>();
  #clock = 0;

  /** Remember these jobs; returns those that were news. */
  see(jobs: readonly Job[]): Job[] {
    return jobs.filter((job) => {
      const known = this.#seen.get(job.id);
      if (known && known.job.version >= job.version) return false;
      this.#clock += 1;
      this.#seen.delete(job.id); // to the end: the map is ordered by when a job was seen last
      this.#seen.set(job.id, { job, at: this.#clock });
      if (this.#seen.size > KEPT) this.#forgetOldest();
      return true;
    });
  }

  get(id: string): Job | undefined {
    return this.#seen.get(id)?.job;
  }

  /** The newer of this job and what is known of it. */
  newer(job: Job): Job {
    const known = this.get(job.id);
    return known && known.version > job.version ? known : job;
  }

  /** A point in time for `since`. */
  mark(): number {
    return this.#clock;
  }

  /** What has been news since a mark. */
  since(mark: number): Job[] {
    return [...this.#seen.values()].filter((one) => one.at > mark).map((one) => one.job);
  }

  #forgetOldest(): void {
    const oldest = this.#seen.keys().next();
    if (!oldest.done) this.#seen.delete(oldest.value);
  }
}
