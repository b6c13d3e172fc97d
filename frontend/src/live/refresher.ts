/** Fetches again after changes: a little later, and ever more rarely while they go on. */

import type { Timers } from "./timers";

export interface Pace {
  firstMs: number;
  longestMs: number;
  /** How often after the last change. The server may learn of a change later than this page did. */
  times: number;
}

export class Refresher {
  readonly #fetch: () => void;
  readonly #pace: Pace;
  readonly #timers: Timers;
  #wanted = 0;
  #isWaiting = false;

  constructor(fetch: () => void, pace: Pace, timers: Timers) {
    this.#fetch = fetch;
    this.#pace = pace;
    this.#timers = timers;
  }

  /** Something has changed. */
  call(): void {
    this.#wanted = this.#pace.times;
    if (!this.#isWaiting) this.#wait(this.#pace.firstMs);
  }

  #wait(ms: number): void {
    this.#isWaiting = true;
    this.#timers.set(() => {
      this.#isWaiting = false;
      this.#wanted -= 1;
      this.#fetch();
      if (this.#wanted > 0) this.#wait(Math.min(2 * ms, this.#pace.longestMs));
    }, ms);
  }
}
