/** Timers are passed in, so that tests control the time. */
export interface Timers {
  set(callback: () => void, ms: number): number;
  clear(timer: number): void;
}

export const browserTimers: Timers = {
  set: (callback, ms) => window.setTimeout(callback, ms),
  clear: (timer) => window.clearTimeout(timer),
};

/** Timers with names. Setting one replaces the running timer of its name. */
export class TimerSet<Name extends string> {
  readonly #timers: Timers;
  readonly #running = new Map<Name, number>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  set(name: Name, ms: number, callback: () => void): void {
    this.clear(name);
    const run = () => {
      this.#running.delete(name);
      callback();
    };
    this.#running.set(name, this.#timers.set(run, ms));
  }

  isSet(name: Name): boolean {
    return this.#running.has(name);
  }

  clear(name: Name): void {
    const timer = this.#running.get(name);
    if (timer !== undefined) this.#timers.clear(timer);
    this.#running.delete(name);
  }

  clearAll(): void {
    for (const name of this.#running.keys()) this.clear(name);
  }
}
