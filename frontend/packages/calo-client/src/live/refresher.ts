/** Fetches again after changes: after a short delay at first, and less often while changes continue. */

import type { Timers } from "./timers";

export interface Pace {
  firstMs: number;
  longestMs: number;
  /** The number of fetches after the last change. The server may see a change later than this page does. */
  times: number;
}

export class Refresher {
  readonly #fetch: () => void;
  readonly #pace: Pace;
  readonly #timers: Timers;
  #remaining = 0;
  #isWaiting = false;

  constructor(fetch: () => void, pace: Pace, timers: Timers) {
    this.#fetch = fetch;
    this.#pace = pace;
    this.#timers = timers;
  }

  /** Schedule fetches after a change. */
  schedule(): void {
    this.#remaining = this.#pace.times;
    if (!this.#isWaiting) this.#wait(this.#pace.firstMs);
  }

  #wait(ms: number): void {
    this.#isWaiting = true;
    this.#timers.set(() => {
      this.#isWaiting = false;
      this.#remaining -= 1;
      this.#fetch();
      if (this.#remaining > 0) this.#wait(Math.min(2 * ms, this.#pace.longestMs));
    }, ms);
  }
}
