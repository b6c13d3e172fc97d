/** Times in words. All are epoch ms. */

import { useSyncExternalStore } from "react";

const TICK_MS = 10_000;

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const clockWithSeconds = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const dayAndClock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
];

/** "just now", "5 minutes ago", "yesterday". */
export function age(time: number, now: number): string {
  const passed = Math.max(0, now - time);
  for (const [unit, ms] of UNITS) {
    if (passed >= ms) return relative.format(-Math.floor(passed / ms), unit);
  }
  return "just now";
}

/** "14:00", with the day if it is another one. */
export function clockTime(time: number, now: number): string {
  return isSameDay(time, now) ? clock.format(time) : dayAndClock.format(time);
}

/** "14:00:05", with the day if it is another one. */
export function exactTime(time: number, now: number): string {
  return isSameDay(time, now) ? clockWithSeconds.format(time) : dayAndClock.format(time);
}

/** "0.8 s", "42 s", "3 min 5 s". */
export function duration(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${seconds % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Now, as of the last tick: one timer for all that show ages, none while nobody looks. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}

let now = Date.now();
let timer: number | undefined;
const listeners = new Set<() => void>();

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

function isSameDay(time: number, other: number): boolean {
  return new Date(time).toDateString() === new Date(other).toDateString();
}
