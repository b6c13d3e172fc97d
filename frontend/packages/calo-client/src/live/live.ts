/** The page's live stream. It writes the jobs that are shown into the cache as they change. */

import type { CaloApi } from "../api/calo-api";
import type { Job } from "../api/types";
import type { ServerEvent } from "./event-parser";
import { openReader } from "./event-reader";
import { FrameBuffer } from "./frame-buffer";
import type { JobCache } from "./job-cache";
import type { LiveStatus } from "./live-stream";
import { SharedStream } from "./shared-stream";
import { broadcastChannel, noChannel } from "./tab-channel";
import { noLock, webLock } from "./tab-lock";
import { browserTimers } from "./timers";
import { watchWake } from "./wake";

export interface LiveOptions {
  api: CaloApi;
  cache: JobCache;
  /** Opens the stream, with what proves who reads it. */
  fetch: typeof fetch;
  /** The tabs with the same name share a stream: those of one API, one owner and one version of the app. */
  name: string;
  /** Return whether a job that is not in the cache yet must wait for the response to its own request. */
  isAwaited(job: Job): boolean;
  /** Called with the jobs that the stream changed, in their new versions. */
  onJobsChanged(jobs: readonly Job[]): void;
}

export class Live {
  readonly #options: LiveOptions;
  readonly #buffer: FrameBuffer;
  readonly #stream: SharedStream;
  readonly #listeners = new Set<() => void>();
  #status: LiveStatus = "connecting";

  constructor(options: LiveOptions) {
    this.#options = options;
    this.#buffer = new FrameBuffer(
      (jobs) => this.#updateCache(jobs),
      (callback) => requestAnimationFrame(callback),
    );
    this.#stream = this.#makeStream();
  }

  /** Take part in the browser's stream. Return a function that stops. */
  start(): () => void {
    const stream = this.#stream;
    const stopWatching = watchWake({
      onWake: () => stream.wake(),
      onHide: () => stream.stepBack(),
      onSleep: () => stream.sleep(),
    });
    return () => {
      stopWatching();
      stream.sleep();
    };
  }

  /** Show the changes of some jobs, or of all (null) after a cursor. Return a function that stops. */
  show(jobIds: readonly string[] | null, cursor: string | null): () => void {
    this.#stream.show(jobIds && [...new Set(jobIds)].join(), cursor);
    return () => this.#stream.showNothing();
  }

  /** Connect now, without the rest of the wait after a failure. */
  reconnect(): void {
    this.#stream.wake();
  }

  /** Run a request that changes a job, and expect an event for the change. */
  async expectEventFor<T>(request: () => Promise<T>): Promise<T> {
    const eventsBefore = this.#stream.eventCount;
    const response = await request();
    this.#stream.expectMoreThan(eventsBefore);
    return response;
  }

  /** Return the connection's status; a snapshot for useSyncExternalStore. */
  readonly status = (): LiveStatus => this.#status;

  /** Call the listener when the status changes. Return a function that unsubscribes it. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #makeStream(): SharedStream {
    const { api, cache, fetch, name } = this.#options;
    // pages without HTTPS, except on localhost, have no locks
    const canShare = "locks" in navigator && "BroadcastChannel" in globalThis;
    return new SharedStream({
      id: crypto.randomUUID(),
      makeLock: canShare ? webLock(navigator.locks, name) : noLock,
      channel: canShare ? broadcastChannel(name) : noChannel,
      url: (scope, cursor) => api.liveUrl(scope, cursor),
      open: (url, handlers) => openReader(url, handlers, fetch, browserTimers),
      timers: browserTimers,
      now: Date.now,
      random: Math.random,
      isOnline: () => navigator.onLine,
      onEvents: (events) => this.#handleEvents(events),
      onResync: () => cache.refetchAll(),
      onStatus: (status) => this.#setStatus(status),
    });
  }

  #handleEvents(events: readonly ServerEvent[]): void {
    for (const { data } of events) {
      const job = parseJob(data);
      if (job) this.#buffer.push(job);
    }
  }

  #updateCache(jobs: Job[]): void {
    const { cache, isAwaited, onJobsChanged } = this.#options;
    const awaited = jobs.filter((job) => !cache.latest(job.id) && isAwaited(job));
    for (const job of awaited) this.#buffer.push(job); // check again in the next frame
    onJobsChanged(cache.update(jobs.filter((job) => !awaited.includes(job))));
  }

  #setStatus(status: LiveStatus): void {
    if (status === this.#status) return;
    this.#status = status;
    for (const listener of this.#listeners) listener();
  }
}

/** Return the job, or null for data that is not JSON: it must not affect the other events. */
function parseJob(data: string): Job | null {
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
}
