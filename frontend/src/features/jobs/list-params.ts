/** The list parameters in the page's URL: `?status=error&kind=photo&page=2` or `?cursor=…`. */

import { type JobFilter, type ListParams, STATUSES } from "calo-client/api/types";

/** The maximum number of jobs before a numbered page. The API serves later pages by cursor only. */
export const MAX_OFFSET = 1_000;

/** Parse the parameters of a URL. What is invalid is ignored. The API refuses a page after MAX_OFFSET. */
export function parseListParams(search: URLSearchParams): ListParams {
  const status = STATUSES.find((name) => name === search.get("status")) ?? null;
  const filter: JobFilter = { status };
  for (const name of ["kind", "code", "text", "owner"] as const) {
    const text = search.get(name);
    if (text) filter[name] = text;
  }
  if (filter.code) filter.status = "error"; // no other jobs have a code
  for (const name of ["since", "until"] as const) {
    const text = search.get(name);
    if (text && /^\d{1,13}$/.test(text)) filter[name] = Number(text);
  }
  const page = Number(search.get("page") ?? 1);
  const isValidPage = Number.isSafeInteger(page) && page >= 1 && hasPages(filter);
  return { ...filter, page: isValidPage ? page : 1, cursor: search.get("cursor") };
}

/** The state of a navigation from the list to a job. */
export const FROM_LIST = "from-list";
let lastList = "/";

/** Remember the list that is shown, for the way back. */
export function rememberList(params: ListParams): void {
  lastList = listUrl(params);
}

export function lastListUrl(): string {
  return lastList;
}

export function listUrl({ page, cursor, ...filter }: ListParams): string {
  const search = new URLSearchParams(
    Object.entries(filter).flatMap(([name, value]) => (value == null ? [] : [[name, String(value)]])),
  );
  if (cursor) search.set("cursor", cursor);
  else if (page > 1) search.set("page", String(page));
  return search.size ? `/?${search}` : "/";
}

/** Return the first page of the list with a filter. */
export function firstPage(filter: JobFilter): ListParams {
  const { page, cursor, ...rest } = filter as ListParams;
  return { ...rest, page: 1, cursor: null };
}

/** Return whether the list is filtered by anything but the status. */
export function isFiltered({ kind, code, since, until, text, owner }: JobFilter): boolean {
  return (kind ?? code ?? since ?? until ?? text ?? owner) !== undefined;
}

/** Return whether the API knows the number of these jobs. */
export function isCounted({ code, since, until, text }: JobFilter): boolean {
  return (code ?? since ?? until ?? text) === undefined;
}

/** Return whether the API serves numbered pages of the list. Otherwise it has only cursors. */
export function hasPages(filter: JobFilter): boolean {
  return isCounted(filter) && filter.owner !== "*";
}
