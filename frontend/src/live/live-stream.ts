/** A server-sent-events connection that always reconnects and resumes from its last event. */

import type { Job } from "../api/types";
import type { Timers } from "./timers";

/** `paused`: the page is hidden, so no connection is open. */
export type LiveStatus = "connecting" | "live" | "reconnecting" | "offline" | "paused";

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;
/** The event for a change that was requested here usually arrives within a second. */
const EVENT_TIMEOUT_MS = 10_000;
const CLOSED = 2;

/** The members of EventSource that are used here. */
export interface Source {
  readonly readyState: number;
  onopen: (() => void) | null;
  onmessage: ((event: MessageEvent<string>) => void) | null;
  onerror: (() => void) | null;
  addEventListener(type: "resync", listener: (event: MessageEvent<string>) => void): void;
  close(): void;
}

export interface LiveStreamOptions {
  /** Return the URL to connect to, given the last cursor. */
  url(cursor: string | null): string;
  /** The cursor of the response with the list or job. The stream resumes from it. */
  cursor: string | null;
  open(url: string): Source;
  timers: Timers;
  random(): number;
  isOnline(): boolean;
  onJob(job: Job): void;
  /** The server cannot resume from the cursor: fetch the visible data again. */
  onResync(): void;
  onStatus(status: LiveStatus): void;
}

/**
 * A browser's EventSource reconnects automatically after a broken connection, but stops permanently on a
 * response other than 200, and a new one does not have the cursor
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html#dom-eventsource-closed).
 * This class opens a new one with the cursor in the URL. It waits with full jitter first, so that clients do
 * not all reconnect at the same time.
 */
export class LiveStream {
  readonly #options: LiveStreamOptions;
  #cursor: string | null;
  #source: Source | null = null;
  #failures = 0;
  #wasLive = false;
  #eventCount = 0;
  #reopenTimer: number | null = null;
  #eventTimer: number | null = null;

  constructor(options: LiveStreamOptions) {
    this.#options = options;
    this.#cursor = options.cursor;
  }

  /** Connect now. Close the existing connection, if any. */
  open(): void {
    this.close();
    const source = this.#options.open(this.#options.url(this.#cursor));
    this.#source = source;
    source.onopen = () => this.#handleOpen();
    source.onmessage = (event) => this.#handleMessage(event);
    source.addEventListener("resync", (event) => this.#handleResync(event));
    source.onerror = () => this.#handleError(source);
    this.#options.onStatus(this.#disconnectedStatus());
  }

  /** Close the connection until `open` is called. */
  pause(): void {
    this.close();
    this.#options.onStatus("paused");
  }

  close(): void {
    this.#clearTimers();
    if (this.#source) {
      this.#source.onopen = this.#source.onmessage = this.#source.onerror = null;
      this.#source.close();
      this.#source = null;
    }
  }

  /** The number of events received. */
  get eventCount(): number {
    return this.#eventCount;
  }

  /**
   * Reconnect unless there are soon more events than `count`, the number before a change. A connection that
   * was lost without an error (for example, a router dropped it) looks open for minutes; this detects it.
   */
  expectMoreThan(count: number): void {
    if (this.#source === null || this.#eventTimer !== null || this.#eventCount > count) return;
    this.#eventTimer = this.#options.timers.set(() => this.open(), EVENT_TIMEOUT_MS);
  }

  #handleOpen(): void {
    this.#failures = 0;
    this.#wasLive = true;
    this.#options.onStatus("live");
  }

  #handleMessage(event: MessageEvent<string>): void {
    this.#clearTimers();
    this.#eventCount += 1;
    this.#cursor = event.lastEventId || this.#cursor;
    this.#options.onJob(JSON.parse(event.data));
  }

  #handleResync(event: MessageEvent<string>): void {
    this.#cursor = event.lastEventId || this.#cursor;
    this.#options.onResync();
  }

  #handleError(source: Source): void {
    this.#options.onStatus(this.#disconnectedStatus());
    if (source.readyState !== CLOSED) return; // the browser reconnects
    this.close();
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#failures);
    this.#failures += 1;
    this.#reopenTimer = this.#options.timers.set(() => this.open(), this.#options.random() * longest);
  }

  #disconnectedStatus(): LiveStatus {
    if (!this.#options.isOnline()) return "offline";
    return this.#wasLive || this.#failures > 0 ? "reconnecting" : "connecting";
  }

  #clearTimers(): void {
    for (const timer of [this.#reopenTimer, this.#eventTimer]) {
      if (timer !== null) this.#options.timers.clear(timer);
    }
    this.#reopenTimer = this.#eventTimer = null;
  }
}
