/** The one live stream of the page: of what is on the screen, into the cache. */

import type { CaloApi } from "../api/calo-api";
import type { Job } from "../api/types";
import { FrameBuffer } from "./frame-buffer";
import type { JobCache } from "./job-cache";
import { type LiveStatus, LiveStream, type Source } from "./live-stream";
import { browserTimers } from "./timers";
import { watchWakening } from "./wake";

export interface LiveOptions {
  api: CaloApi;
  cache: JobCache;
  /** Return whether a job that is not in the cache yet must wait for the response to its own request. */
  isAwaited(job: Job): boolean;
  /** Called with the new versions of jobs that the stream brought. */
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
      (jobs) => this.#take(jobs),
      (callback) => requestAnimationFrame(callback),
    );
  }

  /**
   * Listen to one job, or with null to all jobs from a cursor on, in place of what was listened to before.
   * Returns what ends it.
   */
  show(jobId: string | null, cursor: string | null): () => void {
    const stream = new LiveStream({
      url: (last) => this.#options.api.liveUrl(jobId, jobId ? null : last),
      cursor,
      open: (url) => new EventSource(url) as Source,
      timers: browserTimers,
      random: Math.random,
      isOnline: () => navigator.onLine,
      onJob: (job) => this.#buffer.push(job),
      onResync: () => this.#options.cache.refetchAll(),
      onStatus: (status) => this.#say(status),
    });
    this.#stream = stream;
    stream.open();
    const unwatch = watchWakening({ onWake: () => stream.open(), onSleep: () => stream.pause() });
    return () => {
      unwatch();
      stream.close();
      this.#stream = null;
    };
  }

  /** Make a change, of which an event must come. */
  async changing<T>(change: () => Promise<T>): Promise<T> {
    const stream = this.#stream;
    const before = stream?.events ?? 0;
    const answer = await change();
    stream?.expectMoreThan(before);
    return answer;
  }

  readonly status = (): LiveStatus => this.#status;

  /** For useSyncExternalStore. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #take(jobs: Job[]): void {
    const { cache, isAwaited, onJobsChanged } = this.#options;
    const awaited = jobs.filter((job) => !cache.known(job.id) && isAwaited(job));
    for (const job of awaited) this.#buffer.push(job); // for the next frame
    onJobsChanged(cache.learn(jobs.filter((job) => !awaited.includes(job))));
  }

  #say(status: LiveStatus): void {
    this.#status = status;
    for (const listener of this.#listeners) listener();
  }
}
