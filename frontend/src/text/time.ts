/** Times as text. All times are epoch ms. */

/** The app's words are English, so its dates and numbers are: in the user's variant of English, if there is one. */
export const LOCALE = navigator.languages.find((language) => language.startsWith("en")) ?? "en";

const clock = new Intl.DateTimeFormat(LOCALE, { timeStyle: "short" });
const clockWithSeconds = new Intl.DateTimeFormat(LOCALE, { timeStyle: "medium" });
const dateAndClock = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeStyle: "short" });
const relative = new Intl.RelativeTimeFormat(LOCALE, { numeric: "auto" });

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
];

/** Return "just now", "5 minutes ago" or "yesterday". */
export function age(time: number, now: number): string {
  const elapsed = Math.max(0, now - time);
  for (const [unit, ms] of UNITS) {
    if (elapsed >= ms) return relative.format(-Math.floor(elapsed / ms), unit);
  }
  return "just now";
}

/** Return "14:00", or the date and the time if it is not the same day as `now`. */
export function clockTime(time: number, now: number): string {
  return isSameDay(time, now) ? clock.format(time) : dateAndClock.format(time);
}

/** Return "14:00:05", or the date and the time if it is not the same day as `now`. */
export function exactTime(time: number, now: number): string {
  return isSameDay(time, now) ? clockWithSeconds.format(time) : dateAndClock.format(time);
}

/** Return "0.8 s", "42 s", "3 min 5 s" or "1 h 2 min". */
export function duration(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${seconds % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function isSameDay(time: number, other: number): boolean {
  return new Date(time).toDateString() === new Date(other).toDateString();
}
