/** Gathers what comes and hands it on once per animation frame: of each job the newest version only. */

import type { Job } from "../api/types";

export class FrameBuffer {
  readonly #jobs = new Map<string, Job>();
  readonly #flush: (jobs: Job[]) => void;
  readonly #onNextFrame: (callback: () => void) => void;
  #isScheduled = false;

  /** A hidden page has no frames: what comes meanwhile waits, one version a job. */
  constructor(flush: (jobs: Job[]) => void, onNextFrame: (callback: () => void) => void) {
    this.#flush = flush;
    this.#onNextFrame = onNextFrame;
  }

  push(job: Job): void {
    const known = this.#jobs.get(job.id);
    if (known && known.version >= job.version) return;
    this.#jobs.set(job.id, job);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#onNextFrame(() => this.#run());
  }

  #run(): void {
    this.#isScheduled = false;
    const jobs = [...this.#jobs.values()];
    this.#jobs.clear();
    this.#flush(jobs);
  }
}
