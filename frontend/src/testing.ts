/** Made-up jobs and a clock that tests turn by hand. */

import type { Job, JobPage } from "./api/types";
import type { Timers } from "./live/timers";

export function aJob(id: string, fields: Partial<Job> = {}): Job {
  const version = fields.version ?? 1;
  return {
    id,
    status: "pending",
    query: "pasta",
    result: null,
    photo: null,
    error: null,
    deferred_until: null,
    created_at: 1_000,
    updated_at: 1_000 + version,
    version,
    ...fields,
  };
}

export function aPage(data: Job[], fields: Partial<JobPage> = {}): JobPage {
  return {
    total: data.length,
    page: 1,
    pageSize: 24,
    totalPages: 1,
    data,
    next_cursor: null,
    live_cursor: "900",
    ...fields,
  };
}

/** Timers that go off when `pass` is called. */
export class FakeTimers implements Timers {
  #now = 0;
  #next = 1;
  readonly #waiting = new Map<number, { at: number; callback: () => void }>();

  set(callback: () => void, ms: number): number {
    this.#next += 1;
    this.#waiting.set(this.#next, { at: this.#now + ms, callback });
    return this.#next;
  }

  clear(timer: number): void {
    this.#waiting.delete(timer);
  }

  /** How long each has still to wait. */
  get waits(): number[] {
    return [...this.#waiting.values()].map((one) => one.at - this.#now);
  }

  pass(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#waiting].filter(([, one]) => one.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) break;
      this.#waiting.delete(due[0]);
      this.#now = due[1].at;
      due[1].callback();
    }
    this.#now = end;
  }
}
