/** The right to hold the stream that the browser's tabs share. */

/** The lock that this tab waits for or holds. */
export interface TabLock {
  /**
   * Wait for the lock, at the end of the queue. If this tab holds it, the next tab that waits gets it, and this
   * tab gets it back if no other tab waits.
   */
  queue(): void;
  /** Release the lock, and no longer wait for it. */
  leave(): void;
}

/** Create the lock. `onAcquired` is called whenever this tab gets it. */
export type MakeLock = (onAcquired: () => void) => TabLock;

/** A Web Lock. The browser releases it when the tab is closed or crashes. */
export function webLock(locks: LockManager, name: string): MakeLock {
  return (onAcquired) => {
    let controller = new AbortController();
    return {
      queue() {
        const previous = controller;
        controller = new AbortController();
        const { signal } = controller;
        const holdUntilAborted = () =>
          new Promise<void>((resolve) => {
            if (signal.aborted) return resolve();
            signal.addEventListener("abort", () => resolve());
            onAcquired();
          });
        locks.request(name, { signal }, holdUntilAborted).catch(() => {}); // aborted while it waited
        previous.abort();
      },
      leave: () => controller.abort(),
    };
  };
}

/** For browsers without Web Locks: each tab has its own stream. */
export const noLock: MakeLock = (onAcquired) => ({ queue: onAcquired, leave: () => {} });
