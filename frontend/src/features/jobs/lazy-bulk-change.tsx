import type { ListParams, Stats } from "calo-client/api/types";
import { Loadable, useLoaded } from "../../hooks/loadable";

const bulkChange = new Loadable(async () => (await import("./bulk-change")).BulkChange);

interface Props {
  params: ListParams;
  counts: Stats["counts"] | undefined;
}

/** In a list of one status: a button that retries or cancels all jobs of the list. */
export function LazyBulkChange({ params: { status }, counts }: Props) {
  const isChangeable = status !== null && status !== "resolved";
  const BulkChange = useLoaded(isChangeable ? bulkChange : undefined);
  return isChangeable && BulkChange && counts ? (
    <BulkChange key={status} status={status} count={counts[status]} />
  ) : null;
}
