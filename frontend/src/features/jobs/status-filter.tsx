import { type ListParams, STATUSES, type Stats, type Status } from "calo-client/api/types";
import { Link } from "wouter";
import { listUrl } from "./list-params";

const NAMES: Record<Status, string> = {
  pending: "Pending",
  resolved: "Ready",
  error: "Failed",
  cancelled: "Cancelled",
};

interface Props {
  params: ListParams;
  counts: Stats["counts"] | undefined;
}

/** Links that filter the list by status, with the number of jobs of each status. */
export function StatusFilter({ params, counts }: Props) {
  const total = counts && STATUSES.reduce((sum, status) => sum + counts[status], 0);
  return (
    <nav className="filter" aria-label="Jobs by status">
      <FilterLink status={null} name="All" count={total} isCurrent={params.status === null} />
      {STATUSES.map((status) => (
        <FilterLink
          key={status}
          status={status}
          name={NAMES[status]}
          count={counts?.[status]}
          isCurrent={params.status === status}
        />
      ))}
    </nav>
  );
}

interface FilterLinkProps {
  status: Status | null;
  name: string;
  count: number | undefined;
  isCurrent: boolean;
}

function FilterLink({ status, name, count, isCurrent }: FilterLinkProps) {
  return (
    <Link
      href={listUrl({ status, page: 1, cursor: null })}
      aria-current={isCurrent ? "page" : undefined}
      data-status={status ?? "all"}
    >
      {name} <span className="count">{count === undefined ? "–" : count.toLocaleString()}</span>
    </Link>
  );
}
