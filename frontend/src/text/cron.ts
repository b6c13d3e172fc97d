/** Cron expressions as words, and the ones that people need most. */

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/** Expressions to choose from, with their words. */
export const COMMON: readonly (readonly [cron: string, words: string])[] = [
  "0 9 * * *",
  "0 9 * * 1-5",
  "0 9 * * 1",
  "0 9 1 * *",
  "0 * * * *",
  "*/15 * * * *",
].map((cron) => [cron, cronWords(cron) ?? cron]);

/** Return "Every day at 9:00", or null for an expression that is not one of the usual forms. */
export function cronWords(cron: string): string | null {
  const [minute = "", hour = "", day = "", month, weekday = ""] = cron.split(" ");
  if (month !== "*") return null;
  if (day === "*" && weekday === "*" && hour === "*") return minuteWords(minute);
  const time = timeOf(minute, hour);
  const days = dayWords(day, weekday);
  return time && days ? `${days} at ${time}` : null;
}

function minuteWords(minute: string): string | null {
  if (minute === "*") return "Every minute";
  const step = /^\*\/(\d+)$/.exec(minute)?.[1];
  // a step that does not divide the hour starts again with each hour
  if (step) return Number(step) > 1 && 60 % Number(step) === 0 ? `Every ${step} minutes` : null;
  if (!isNumber(minute)) return null;
  return Number(minute) === 0 ? "Every hour" : `Every hour at minute ${minute}`;
}

function timeOf(minute: string, hour: string): string | null {
  return isNumber(minute) && isNumber(hour) ? `${Number(hour)}:${minute.padStart(2, "0")}` : null;
}

function dayWords(day: string, weekday: string): string | null {
  if (weekday === "*") {
    if (day === "*") return "Every day";
    return isNumber(day) ? `Day ${Number(day)} of each month` : null;
  }
  if (day !== "*") return null;
  if (weekday === "1-5") return "Monday to Friday";
  const name = isNumber(weekday) ? DAYS[Number(weekday)] : undefined;
  return name ? `Every ${name}` : null;
}

function isNumber(text: string): boolean {
  return /^\d{1,2}$/.test(text);
}
