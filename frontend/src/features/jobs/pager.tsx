import { Link } from "wouter";
import { isFirstPage, type JobPage, type Place } from "../../api/types";
import { addressOf, placeAfter } from "./place";

export function Pager({ place, page }: { place: Place; page: JobPage }) {
  const after = placeAfter(place, page);
  if (isFirstPage(place) && !after) return null;
  const newer = place.cursor ? { ...place, page: 1, cursor: null } : { ...place, page: place.page - 1 };
  return (
    <nav className="pager" aria-label="Pages">
      {isFirstPage(place) ? (
        <span />
      ) : (
        <Link href={addressOf(newer)}>{place.cursor ? "Newest" : "Newer"}</Link>
      )}
      <p>{place.cursor ? "Older jobs" : `Page ${place.page} of ${page.totalPages}`}</p>
      {after ? <Link href={addressOf(after)}>Older</Link> : <span />}
    </nav>
  );
}
