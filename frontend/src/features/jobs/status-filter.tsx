import { type ListParams, STATUSES, type Stats, type Status } from "calo-client/api/types";
import { Link } from "wouter";
import { LOCALE } from "../../text/time";
import { firstPage, isCounted, listUrl } from "./list-params";

export const STATUS_NAMES: Record<Status, string> = {
  pending: "Pending",
  resolved: "Ready",
  error: "Failed",
  cancelled: "Cancelled",
};

const NONE: Stats["counts"] = { pending: 0, resolved: 0, error: 0, cancelled: 0 };

interface Props {
  params: ListParams;
  stats: Stats | undefined;
}

/** Return the counts of the jobs that match the rest of the filter, if the server has them. */
function countsOf(params: ListParams, stats: Stats | undefined): Stats["counts"] | undefined {
  if (!stats || !isCounted(params) || params.owner) return undefined;
  return params.kind ? (stats.counts_by_kind[params.kind] ?? NONE) : stats.counts;
}

/** Links that filter the list by status, with the number of jobs of each status. */
export function StatusFilter({ params, stats }: Props) {
  const counts = countsOf(params, stats);
  const total = counts && STATUSES.reduce((sum, status) => sum + counts[status], 0);
  return (
    <nav className="filter" aria-label="Jobs by status">
      <FilterLink params={params} status={null} name="All" count={total} />
      {STATUSES.map((status) => (
        <FilterLink
          key={status}
          params={params}
          status={status}
          name={STATUS_NAMES[status]}
          count={counts?.[status]}
        />
      ))}
    </nav>
  );
}

interface FilterLinkProps {
  params: ListParams;
  status: Status | null;
  name: string;
  count: number | undefined;
}

function FilterLink({ params, status, name, count }: FilterLinkProps) {
  return (
    <Link
      href={listUrl(firstPage({ ...params, status, code: status === "error" ? params.code : undefined }))}
      aria-current={params.status === status ? "page" : undefined}
      data-status={status ?? "all"}
    >
      {name} <span className="count">{count === undefined ? "–" : count.toLocaleString(LOCALE)}</span>
    </Link>
  );
}
