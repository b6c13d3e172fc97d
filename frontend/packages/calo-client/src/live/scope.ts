/** What tabs need from the live stream, and what a stream covers. */

/** What a tab shows: ids of jobs with commas between them, or null for a list, which needs the changes of all jobs. */
export type Need = string | null;

/** What a stream covers: the changes of all jobs, or of the jobs with these ids, in order. */
export type Scope = "all" | readonly string[];

/** The API's limit for one stream. */
const MAX_JOBS = 100;

/** Return the smallest scope that covers all needs, or null if there are no needs. */
export function combineNeeds(needs: readonly Need[]): Scope | null {
  if (needs.length === 0) return null;
  const ids = [...new Set(needs.flatMap((need) => need?.split(",") ?? []))].sort();
  return needs.includes(null) || ids.length > MAX_JOBS ? "all" : ids;
}

export function covers(scope: Scope, need: Need): boolean {
  return scope === "all" || (need?.split(",").every((id) => scope.includes(id)) ?? false);
}

export function isSameScope(a: Scope | null, b: Scope | null): boolean {
  return a === b || (Array.isArray(a) && Array.isArray(b) && a.join() === b.join());
}
