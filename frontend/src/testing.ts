/** Factories for jobs and pages, and timers that tests control. */

import type { Job, JobPage } from "./api/types";
import type { Timers } from "./live/timers";

export function makeJob(id: string, fields: Partial<Job> = {}): Job {
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

export function makePage(data: Job[], fields: Partial<JobPage> = {}): JobPage {
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

/** Timers that run their callbacks in `advance`. */
export class FakeTimers implements Timers {
  #now = 0;
  #lastId = 0;
  readonly #timers = new Map<number, { time: number; callback: () => void }>();

  set(callback: () => void, ms: number): number {
    this.#lastId += 1;
    this.#timers.set(this.#lastId, { time: this.#now + ms, callback });
    return this.#lastId;
  }

  clear(timer: number): void {
    this.#timers.delete(timer);
  }

  /** The milliseconds until each timer runs. */
  get waits(): number[] {
    return [...this.#timers.values()].map((timer) => timer.time - this.#now);
  }

  advance(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#firstUntil(end); next; next = this.#firstUntil(end)) {
      const [id, { time, callback }] = next;
      this.#timers.delete(id);
      this.#now = time;
      callback();
    }
    this.#now = end;
  }

  #firstUntil(end: number) {
    return [...this.#timers].filter(([, { time }]) => time <= end).sort((a, b) => a[1].time - b[1].time)[0];
  }
}
