/** Converts what is typed into the fields that find jobs. */

const ID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i;

/** Return the id of a job in a text, such as a link to the job, or null. */
export function jobIdIn(text: string): string | null {
  return ID.exec(text)?.[0].toLowerCase() ?? null;
}

/** Return the value of a field of the type `datetime-local`, in the local time zone. `time` is epoch ms. */
export function fieldTime(time: number | undefined): string | undefined {
  if (time === undefined) return undefined;
  const offset = new Date(time).getTimezoneOffset() * 60_000;
  return new Date(time - offset).toISOString().slice(0, 19);
}

/** Return the time (epoch ms) of such a field, or undefined if it is empty. */
export function fromFieldTime(value: string | undefined): number | undefined {
  const time = value ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? undefined : Math.max(0, time);
}
