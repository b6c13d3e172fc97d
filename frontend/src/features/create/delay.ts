/** Delays until a date and time in the browser's time zone, as a datetime-local control has them. */

export const MAX_DELAY_SECONDS = 30 * 24 * 3600;

const MINUTE_MS = 60_000;

/** Return the seconds until a time such as "2027-03-01T09:00", or null if that is past or more than 30 days away. */
export function delayUntil(text: string, now: number): number | null {
  const seconds = Math.round((new Date(text).getTime() - now) / 1000);
  return seconds >= 0 && seconds <= MAX_DELAY_SECONDS ? seconds : null;
}

/** Return the earliest and the latest time that can be chosen, in whole minutes. */
export function bounds(now: number): { min: string; max: string } {
  const first = Math.ceil(now / MINUTE_MS) * MINUTE_MS;
  return { min: localText(first), max: localText(first + 1000 * MAX_DELAY_SECONDS - MINUTE_MS) };
}

/** Return a time (epoch ms) in the form of the control. */
export function localText(time: number): string {
  const date = new Date(time);
  const parts = [date.getMonth() + 1, date.getDate(), date.getHours(), date.getMinutes()];
  const [month, day, hours, minutes] = parts.map((part) => String(part).padStart(2, "0"));
  return `${date.getFullYear()}-${month}-${day}T${hours}:${minutes}`;
}

export function timeZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}
