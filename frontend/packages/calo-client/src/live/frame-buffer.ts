/** Collects jobs and passes them on once per animation frame, only the newest version of each. */

import type { Job } from "../api/types";

export class FrameBuffer {
  readonly #jobs = new Map<string, Job>();
  readonly #flush: (jobs: Job[]) => void;
  readonly #onNextFrame: (callback: () => void) => void;
  #isScheduled = false;

  /** A hidden page has no frames. Until it is visible, the buffer keeps one version of each job. */
  constructor(flush: (jobs: Job[]) => void, onNextFrame: (callback: () => void) => void) {
    this.#flush = flush;
    this.#onNextFrame = onNextFrame;
  }

  push(job: Job): void {
    const buffered = this.#jobs.get(job.id);
    if (buffered && buffered.version >= job.version) return;
    this.#jobs.set(job.id, job);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#onNextFrame(() => this.#flushJobs());
  }

  #flushJobs(): void {
    this.#isScheduled = false;
    const jobs = [...this.#jobs.values()];
    this.#jobs.clear();
    this.#flush(jobs);
  }
}
