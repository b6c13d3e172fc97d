/** Factories for jobs and pages, and timers and connections that tests control. */

import type { Job, JobPage } from "./api/types";
import type { ServerEvent } from "./live/event-parser";
import type { End, OpenReader, Reader, ReaderHandlers } from "./live/event-reader";
import type { Timers } from "./live/timers";

export function makeJob(id: string, fields: Partial<Job> = {}): Job {
  const version = fields.version ?? 1;
  return {
    id,
    kind: "photo",
    status: "pending",
    input: { query: "pasta" },
    output: null,
    progress: null,
    error: null,
    starts_at: null,
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

  get now(): number {
    return this.#now;
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

export function makeEvent(job: Job, lastEventId: string): ServerEvent {
  return { type: "message", data: JSON.stringify(job), lastEventId };
}

/** A connection that a test opens, feeds and ends. */
export class FakeReader implements Reader {
  readonly url: string;
  retryMs: number | null = null;
  isClosed = false;
  readonly #handlers: ReaderHandlers;

  constructor(url: string, handlers: ReaderHandlers) {
    this.url = url;
    this.#handlers = handlers;
  }

  close(): void {
    this.isClosed = true;
  }

  open(): void {
    if (!this.isClosed) this.#handlers.onOpen();
  }

  send(...events: ServerEvent[]): void {
    if (!this.isClosed) this.#handlers.onEvents(events);
  }

  end(status: number, retryAfterMs: number | null = null): void {
    if (this.isClosed) return;
    this.close();
    this.#handlers.onEnd({ status, retryAfterMs } satisfies End);
  }
}

/** The connections of a test, in the order in which they were made. */
export class FakeReaders {
  readonly all: FakeReader[] = [];

  readonly open: OpenReader = (url, handlers) => {
    const reader = new FakeReader(url, handlers);
    this.all.push(reader);
    return reader;
  };

  get last(): FakeReader {
    const reader = this.all.at(-1);
    if (!reader) throw new Error("no connection was made");
    return reader;
  }

  get notClosed(): FakeReader[] {
    return this.all.filter((reader) => !reader.isClosed);
  }
}
