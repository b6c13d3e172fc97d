/** The page's live stream. It writes the jobs that are shown into the cache as they change. */

import type { CaloApi } from "../api/calo-api";
import type { Job } from "../api/types";
import { FrameBuffer } from "./frame-buffer";
import type { JobCache } from "./job-cache";
import { type LiveStatus, LiveStream, type Source } from "./live-stream";
import { browserTimers } from "./timers";
import { watchWake } from "./wake";

export interface LiveOptions {
  api: CaloApi;
  cache: JobCache;
  /** Return whether a job that is not in the cache yet must wait for the response to its own request. */
  isAwaited(job: Job): boolean;
  /** Called with the jobs that the stream changed, in their new versions. */
  onJobsChanged(jobs: readonly Job[]): void;
}

export class Live {
  readonly #options: LiveOptions;
  readonly #buffer: FrameBuffer;
  readonly #listeners = new Set<() => void>();
  #stream: LiveStream | null = null;
  #status: LiveStatus = "connecting";

  constructor(options: LiveOptions) {
    this.#options = options;
    this.#buffer = new FrameBuffer(
      (jobs) => this.#updateCache(jobs),
      (callback) => requestAnimationFrame(callback),
    );
  }

  /**
   * Open the stream of one job, or of all jobs (null) after a cursor. Return a function that closes the
   * stream; call it before opening another stream.
   */
  open(jobId: string | null, cursor: string | null): () => void {
    const stream = new LiveStream({
      url: (lastCursor) => this.#options.api.liveUrl(jobId, jobId ? null : lastCursor),
      cursor,
      open: (url) => new EventSource(url) as Source,
      timers: browserTimers,
      random: Math.random,
      isOnline: () => navigator.onLine,
      onJob: (job) => this.#buffer.push(job),
      onResync: () => this.#options.cache.refetchAll(),
      onStatus: (status) => this.#setStatus(status),
    });
    this.#stream = stream;
    stream.open();
    const stopWatching = watchWake({ onWake: () => stream.open(), onSleep: () => stream.pause() });
    return () => {
      stopWatching();
      stream.close();
      this.#stream = null;
    };
  }

  /** Run a request that changes a job, and expect an event for the change. */
  async expectEventFor<T>(request: () => Promise<T>): Promise<T> {
    const stream = this.#stream;
    const eventsBefore = stream?.eventCount ?? 0;
    const response = await request();
    stream?.expectMoreThan(eventsBefore);
    return response;
  }

  /** Return the connection's status; a snapshot for useSyncExternalStore. */
  readonly status = (): LiveStatus => this.#status;

  /** Call the listener when the status changes. Return a function that unsubscribes it. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #updateCache(jobs: Job[]): void {
    const { cache, isAwaited, onJobsChanged } = this.#options;
    const awaited = jobs.filter((job) => !cache.latest(job.id) && isAwaited(job));
    for (const job of awaited) this.#buffer.push(job); // check again in the next frame
    onJobsChanged(cache.update(jobs.filter((job) => !awaited.includes(job))));
  }

  #setStatus(status: LiveStatus): void {
    this.#status = status;
    for (const listener of this.#listeners) listener();
  }
}
