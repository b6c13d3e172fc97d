/** A server-sent-events connection that always reconnects, and changes what it covers without a gap. */

import type { ServerEvent } from "./event-parser";
import type { End, OpenReader, Reader } from "./event-reader";
import { isSameScope, type Scope } from "./scope";
import type { Timers } from "./timers";

/** `paused`: the page is hidden, so no connection is open. */
export type LiveStatus = "connecting" | "live" | "reconnecting" | "offline" | "paused";

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;
/** After a refusal that the same request will probably meet again (4xx). */
const REFUSED_WAIT_MS = 60_000;

export interface LiveStreamOptions {
  /** Return the URL of the stream. */
  url(scope: Scope): string;
  open: OpenReader;
  timers: Timers;
  random(): number;
  isOnline(): boolean;
  onEvents(events: ServerEvent[], scope: Scope): void;
  /** A connection is open, and covers the scope from the position in its URL. */
  onOpen(scope: Scope): void;
  /** No connection is open. */
  onDown(status: LiveStatus): void;
}

/**
 * Waits with full jitter before it reconnects, so that clients do not all reconnect at the same time. It
 * honours the stream's `retry:` and a response's Retry-After.
 */
export class LiveStream {
  readonly #options: LiveStreamOptions;
  #scope: Scope | null = null;
  /** The connection that is open. */
  #current: Reader | null = null;
  /** The connection that is being opened, to replace the current one. */
  #next: Reader | null = null;
  #failures = 0;
  #wasLive = false;
  #timer: number | null = null;

  constructor(options: LiveStreamOptions) {
    this.#options = options;
  }

  /** Cover this scope. The open connection is closed when the new one is open. */
  cover(scope: Scope): void {
    if (isSameScope(scope, this.#scope)) return;
    this.#scope = scope;
    this.#connect();
  }

  /** Connect again now, because the open connection may be broken. */
  reconnect(): void {
    this.#closeCurrent();
    this.#failures = 0;
    this.#connect();
  }

  close(): void {
    this.#closeNext();
    this.#closeCurrent();
    this.#scope = null;
  }

  #connect(): void {
    const scope = this.#scope;
    if (scope === null) return;
    this.#closeNext();
    const reader = this.#options.open(this.#options.url(scope), {
      onOpen: () => this.#handleOpen(reader, scope),
      onEvents: (events) => this.#options.onEvents(events, scope),
      onEnd: (end) => this.#handleEnd(reader, end),
    });
    this.#next = reader;
    if (this.#current === null) this.#options.onDown(this.#downStatus());
  }

  #handleOpen(reader: Reader, scope: Scope): void {
    this.#closeCurrent();
    this.#current = reader;
    this.#next = null;
    this.#failures = 0;
    this.#wasLive = true;
    this.#options.onOpen(scope);
  }

  #handleEnd(reader: Reader, end: End): void {
    if (reader === this.#current) {
      this.#current = null;
      if (this.#next === null) this.#reconnectAfter(this.#waitMs(end, reader.retryMs));
    } else {
      this.#next = null;
      const wait = this.#waitMs(end, null);
      this.#failures += 1;
      this.#reconnectAfter(wait);
    }
    if (this.#current === null) this.#options.onDown(this.#downStatus());
  }

  /** `retryMs` is the time that a stream has requested before it ended. */
  #waitMs({ status, retryAfterMs }: End, retryMs: number | null): number {
    const { random } = this.#options;
    // at least a moment: a server that accepts streams and ends them at once must not be asked in a loop
    if (retryMs !== null) return Math.max(FIRST_WAIT_MS, Math.min(LONGEST_WAIT_MS, retryMs));
    const isRefused = status >= 400 && status < 500 && status !== 429;
    if (isRefused) return REFUSED_WAIT_MS * (0.5 + random() / 2);
    return (retryAfterMs ?? 0) + random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#failures);
  }

  #reconnectAfter(ms: number): void {
    this.#clearTimer();
    this.#timer = this.#options.timers.set(() => this.#connect(), ms);
  }

  #downStatus(): LiveStatus {
    if (!this.#options.isOnline()) return "offline";
    return this.#wasLive || this.#failures > 0 ? "reconnecting" : "connecting";
  }

  #closeCurrent(): void {
    this.#current?.close();
    this.#current = null;
  }

  #closeNext(): void {
    this.#clearTimer();
    this.#next?.close();
    this.#next = null;
  }

  #clearTimer(): void {
    if (this.#timer !== null) this.#options.timers.clear(this.#timer);
    this.#timer = null;
  }
}
