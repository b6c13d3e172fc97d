/** The list parameters in the page's URL: `?status=error&page=2` or `?cursor=…`. */

import { PAGE_SIZE } from "calo-client/api/calo-api";
import { type JobPage, type ListParams, STATUSES } from "calo-client/api/types";

/** The maximum number of jobs before a numbered page. The API serves later pages by cursor only. */
const MAX_OFFSET = 1_000;

/** Parse the parameters of a URL. An invalid status is ignored, an invalid page is page 1. */
export function parseListParams(search: URLSearchParams): ListParams {
  const status = STATUSES.find((name) => name === search.get("status")) ?? null;
  const page = Number(search.get("page") ?? 1);
  const isValidPage = Number.isInteger(page) && page >= 1 && (page - 1) * PAGE_SIZE <= MAX_OFFSET;
  return { status, page: isValidPage ? page : 1, cursor: search.get("cursor") };
}

export function listUrl({ status, page, cursor }: ListParams): string {
  const search = new URLSearchParams();
  if (status) search.set("status", status);
  if (cursor) search.set("cursor", cursor);
  else if (page > 1) search.set("page", String(page));
  const query = search.toString();
  return query ? `/?${query}` : "/";
}

/** Return the next page, by number up to MAX_OFFSET and then by cursor. Return null after the last page. */
export function nextPage(params: ListParams, page: JobPage): ListParams | null {
  if (page.next_cursor === null) return null;
  if (params.cursor === null && params.page * PAGE_SIZE <= MAX_OFFSET) {
    return { ...params, page: params.page + 1 };
  }
  return { ...params, cursor: page.next_cursor };
}
