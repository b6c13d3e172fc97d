/** The place in the list, as it stands in the page's address: `?status=error&page=2` or `?cursor=…`. */

import { PAGE_SIZE } from "../../api/calo-api";
import { type JobPage, type Place, STATUSES } from "../../api/types";

/** Jobs before a page by number, at most; the API goes deeper by cursor only. */
const MAX_OFFSET = 1_000;

/** Whatever is no place is read as the beginning. */
export function placeOf(search: URLSearchParams): Place {
  const status = STATUSES.find((one) => one === search.get("status")) ?? null;
  const page = Number(search.get("page") ?? 1);
  const isPage = Number.isInteger(page) && page >= 1 && (page - 1) * PAGE_SIZE <= MAX_OFFSET;
  return { status, page: isPage ? page : 1, cursor: search.get("cursor") };
}

export function addressOf({ status, page, cursor }: Place): string {
  const search = new URLSearchParams();
  if (status) search.set("status", status);
  if (cursor) search.set("cursor", cursor);
  else if (page > 1) search.set("page", String(page));
  const text = search.toString();
  return text ? `/?${text}` : "/";
}

/** What comes after a page, by number as far as numbers go; null at the end. */
export function placeAfter(place: Place, page: JobPage): Place | null {
  if (page.next_cursor === null) return null;
  if (place.cursor === null && place.page * PAGE_SIZE <= MAX_OFFSET)
    return { ...place, page: place.page + 1 };
  return { ...place, cursor: page.next_cursor };
}
