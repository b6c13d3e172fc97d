import { Link } from "wouter";
import { type Place, STATUSES, type Stats, type Status } from "../../api/types";
import { addressOf } from "./place";

const NAMES: Record<Status, string> = {
  pending: "Pending",
  resolved: "Ready",
  error: "Failed",
  cancelled: "Cancelled",
};

/** Which jobs are shown, and how many there are of each status. */
export function StatusFilter({ place, counts }: { place: Place; counts: Stats["counts"] | undefined }) {
  const total = counts && STATUSES.reduce((sum, status) => sum + counts[status], 0);
  return (
    <nav className="filter" aria-label="Jobs by status">
      <FilterLink status={null} name="All" count={total} place={place} />
      {STATUSES.map((status) => (
        <FilterLink
          key={status}
          status={status}
          name={NAMES[status]}
          count={counts?.[status]}
          place={place}
        />
      ))}
    </nav>
  );
}

interface Props {
  status: Status | null;
  name: string;
  count: number | undefined;
  place: Place;
}

function FilterLink({ status, name, count, place }: Props) {
  return (
    <Link
      href={addressOf({ status, page: 1, cursor: null })}
      aria-current={place.status === status ? "page" : undefined}
      data-status={status ?? "all"}
    >
      {name} <span className="count">{count === undefined ? "–" : count.toLocaleString()}</span>
    </Link>
  );
}
