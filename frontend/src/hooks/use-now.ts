/** The current time for components that show ages. They share one timer, which runs while any is mounted. */

import { useSyncExternalStore } from "react";

const TICK_MS = 10_000;

let now = Date.now();
let timer: number | undefined;
const listeners = new Set<() => void>();

/** Return the time of the last tick in epoch ms. The time stands still while the page is hidden. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (listeners.size === 1) {
    timer = window.setInterval(tick, TICK_MS);
    document.addEventListener("visibilitychange", tick);
    now = Date.now();
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    window.clearInterval(timer);
    document.removeEventListener("visibilitychange", tick);
  };
}

function tick(): void {
  if (document.hidden) return;
  now = Date.now();
  for (const listener of listeners) listener();
}
