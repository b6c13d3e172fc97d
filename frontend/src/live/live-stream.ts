/** One server-sent-events connection that always comes back, and knows where it was. */

import type { Job } from "../api/types";
import type { Timers } from "./timers";

/** `paused`: nobody is looking, so no connection is held. */
export type LiveStatus = "connecting" | "live" | "reconnecting" | "offline" | "paused";

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;
/** A change that was asked for here comes back as an event in about a second. */
const EXPECTED_WITHIN_MS = 10_000;
const CLOSED = 2;

/** What of an EventSource is used. */
export interface Source {
  readonly readyState: number;
  onopen: (() => void) | null;
  onmessage: ((event: MessageEvent<string>) => void) | null;
  onerror: (() => void) | null;
  addEventListener(type: "resync", listener: (event: MessageEvent<string>) => void): void;
  close(): void;
}

export interface LiveStreamOptions {
  /** The address to connect to, given the last cursor. */
  url(cursor: string | null): string;
  /** Where the list or job was read; the stream resumes from it. */
  cursor: string | null;
  open(url: string): Source;
  timers: Timers;
  random(): number;
  isOnline(): boolean;
  onJob(job: Job): void;
  /** The cursor could not be served: what is shown must be fetched anew. */
  onResync(): void;
  onStatus(status: LiveStatus): void;
}

/**
 * A browser's EventSource reconnects by itself after a broken connection, but gives up for good on an
 * answer other than 200, and a new one has forgotten its place
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html#dom-eventsource-closed).
 * This one opens it again with the cursor in the address, after a wait with full jitter, so that clients
 * never return all at once.
 */
export class LiveStream {
  readonly #options: LiveStreamOptions;
  #cursor: string | null;
  #source: Source | null = null;
  #failures = 0;
  #wasLive = false;
  #events = 0;
  #reopenTimer: number | null = null;
  #expectTimer: number | null = null;

  constructor(options: LiveStreamOptions) {
    this.#options = options;
    this.#cursor = options.cursor;
  }

  /** Connect now, in place of whatever connection there is. */
  open(): void {
    this.#drop();
    const source = this.#options.open(this.#options.url(this.#cursor));
    this.#source = source;
    source.onopen = () => this.#opened();
    source.onmessage = (event) => this.#received(event);
    source.addEventListener("resync", (event) => this.#resync(event));
    source.onerror = () => this.#failed(source);
    this.#say(this.#trouble());
  }

  /** Hold no connection until `open` is called again. */
  pause(): void {
    this.#drop();
    this.#say("paused");
  }

  close(): void {
    this.#drop();
  }

  /** How many events have come. */
  get events(): number {
    return this.#events;
  }

  /**
   * Something was changed, so there must soon be more events than there were before. A connection that died
   * without a word (a router forgot it) shows no error for minutes; this notices.
   */
  expectMoreThan(events: number): void {
    if (this.#source === null || this.#expectTimer !== null || this.#events > events) return;
    this.#expectTimer = this.#options.timers.set(() => this.open(), EXPECTED_WITHIN_MS);
  }

  #opened(): void {
    this.#failures = 0;
    this.#wasLive = true;
    this.#say("live");
  }

  #received(event: MessageEvent<string>): void {
    this.#clear();
    this.#events += 1;
    this.#cursor = event.lastEventId || this.#cursor;
    this.#options.onJob(JSON.parse(event.data));
  }

  #resync(event: MessageEvent<string>): void {
    this.#cursor = event.lastEventId || this.#cursor;
    this.#options.onResync();
  }

  #failed(source: Source): void {
    this.#say(this.#trouble());
    if (source.readyState !== CLOSED) return; // the browser itself tries again
    this.#drop();
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#failures);
    this.#failures += 1;
    this.#reopenTimer = this.#options.timers.set(() => this.open(), this.#options.random() * longest);
  }

  #trouble(): LiveStatus {
    if (!this.#options.isOnline()) return "offline";
    return this.#wasLive || this.#failures > 0 ? "reconnecting" : "connecting";
  }

  #say(status: LiveStatus): void {
    this.#options.onStatus(status);
  }

  #drop(): void {
    this.#clear();
    if (this.#source) {
      this.#source.onopen = this.#source.onmessage = this.#source.onerror = null;
      this.#source.close();
      this.#source = null;
    }
  }

  #clear(): void {
    for (const timer of [this.#reopenTimer, this.#expectTimer]) {
      if (timer !== null) this.#options.timers.clear(timer);
    }
    this.#reopenTimer = this.#expectTimer = null;
  }
}
