/** Code in its own file, which is loaded when it is first needed. */

import { retryDelayMs } from "calo-client/api/retry-policy";
import { browserTimers, type Timers } from "calo-client/live/timers";
import { useEffect, useSyncExternalStore } from "react";

export class Loadable<T> {
  readonly #import: () => Promise<T>;
  readonly #timers: Timers;
  readonly #listeners = new Set<() => void>();
  #value: T | undefined;
  #loading: Promise<void> | undefined;
  #failures = 0;

  constructor(load: () => Promise<T>, timers: Timers = browserTimers) {
    this.#import = load;
    this.#timers = timers;
  }

  /** The code, or undefined while it is not loaded. */
  readonly value = (): T | undefined => this.#value;

  /** Whether the last attempt failed: without a network, or because a deployment has replaced the file. */
  readonly hasFailed = (): boolean => this.#failures > 0;

  /** Load the code, unless it has been. Never rejects; repeats the attempt as long as a component needs it. */
  load(): Promise<void> {
    if (this.#value !== undefined) return Promise.resolve();
    this.#loading ??= this.#tryToLoad();
    return this.#loading;
  }

  /** Call the listener when the code is loaded or has failed to. Return a function that unsubscribes it. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  async #tryToLoad(): Promise<void> {
    try {
      this.#value = await this.#import();
      this.#failures = 0;
    } catch (error) {
      this.#failures += 1;
      this.#timers.set(
        () => this.#listeners.size > 0 && this.load(),
        retryDelayMs(this.#failures, error as Error),
      );
    }
    this.#loading = undefined;
    for (const listener of this.#listeners) listener();
  }
}

/** Return the code as soon as it is loaded. Without a `loadable`, nothing is loaded. */
export function useLoaded<T>(loadable: Loadable<T> | undefined): T | undefined {
  const value = useSyncExternalStore(loadable?.subscribe ?? noSubscription, loadable?.value ?? noValue);
  useEffect(() => void loadable?.load(), [loadable]);
  return value;
}

/** Return the code, which is loaded when the browser has nothing else to do. */
export function useLoadedWhenIdle<T>(loadable: Loadable<T>): T | undefined {
  useEffect(() => {
    const load = () => void loadable.load();
    // not every browser can say when it is idle
    if ("requestIdleCallback" in globalThis) requestIdleCallback(load);
    else setTimeout(load, 2_000);
  }, [loadable]);
  return useSyncExternalStore(loadable.subscribe, loadable.value);
}

function noSubscription(): () => void {
  return noValue;
}

function noValue(): undefined {}
