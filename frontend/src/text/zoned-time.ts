/** Times on the clock of a time zone. */

/** Return "Mon, Mar 1, 9:00 AM", with the year if it is another one. `time` and `now` are epoch ms. */
export function zonedTime(time: number, timeZone: string, now: number): string {
  const isSameYear = new Date(time).getFullYear() === new Date(now).getFullYear();
  const options: Intl.DateTimeFormatOptions = {
    weekday: "short",
    month: "short",
    day: "numeric",
    hour: "numeric",
    minute: "2-digit",
    ...(isSameYear ? {} : { year: "numeric" }),
  };
  try {
    return new Intl.DateTimeFormat(undefined, { ...options, timeZone }).format(time);
  } catch {
    return new Intl.DateTimeFormat(undefined, options).format(time); // the browser does not know the zone
  }
}

/** Return the names of the time zones that the browser knows, its own first. */
export function timeZones(): string[] {
  const own = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  return [...new Set([own, "UTC", ...Intl.supportedValuesOf("timeZone")])];
}
