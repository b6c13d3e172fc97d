import { PAGE_SIZE } from "calo-client/api/calo-api";
import type { JobPage, ListParams } from "calo-client/api/types";
import { hasPages, MAX_OFFSET } from "./list-params";

/** Return the next page, by number up to MAX_OFFSET and then by cursor. Return null after the last page. */
export function nextPage(params: ListParams, page: JobPage): ListParams | null {
  if (page.next_cursor === null) return null;
  if (params.cursor === null && params.page * PAGE_SIZE <= MAX_OFFSET && hasPages(params)) {
    return { ...params, page: params.page + 1 };
  }
  return { ...params, cursor: page.next_cursor };
}
