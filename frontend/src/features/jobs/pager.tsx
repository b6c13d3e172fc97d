import { useQuery } from "@tanstack/react-query";
import { isFirstPage, type JobPage, type ListParams } from "calo-client/api/types";
import { Link } from "wouter";
import { jobsQuery } from "../../queries";
import { useServices } from "../../services";
import { listUrl } from "./list-params";
import { nextPage } from "./next-page";
import { olderQuery } from "./older";

/** Links to the pages before and after those that are shown. */
export function Pager({ params, page }: { params: ListParams; page: JobPage }) {
  const services = useServices();
  const cursors = useQuery(olderQuery(params)).data ?? [];
  const cursor = cursors.at(-1);
  const lastParams = cursor ? { ...params, page: 1, cursor } : params;
  const last = useQuery({
    ...jobsQuery(services, lastParams),
    enabled: false,
    placeholderData: undefined,
  }).data;
  const lastNumber = params.page + cursors.length;
  const older = nextPage({ ...params, page: lastNumber }, last ?? page);
  if (isFirstPage(params) && !older) return null;
  const totalPages = page.totalPages ?? 0;
  const isNumbered = params.cursor === null && totalPages > 0;
  const isBeyond = isNumbered && params.page > totalPages;
  const newer = params.cursor ? { ...params, page: 1, cursor: null } : { ...params, page: params.page - 1 };
  return (
    <nav className="pager" aria-label="Pages">
      {isFirstPage(params) ? (
        <span />
      ) : (
        <span>
          {params.page > 2 && <Link href={listUrl({ ...params, page: 1 })}>First page</Link>}
          {isBeyond || <Link href={listUrl(newer)}>{params.cursor ? "Back to newest" : "Newer jobs"}</Link>}
        </span>
      )}
      <p>{isBeyond ? "" : pageText(params, lastNumber, page.totalPages)}</p>
      <span>
        {older && <Link href={listUrl(older)}>Older jobs</Link>}
        {isNumbered && lastNumber + 1 < totalPages && (
          <Link href={listUrl({ ...params, page: totalPages })}>Last page</Link>
        )}
      </span>
    </nav>
  );
}

function pageText({ cursor, page }: ListParams, lastNumber: number, totalPages: number | null): string {
  if (cursor) return "Older pages";
  if (totalPages === null) return "";
  return lastNumber > page
    ? `Pages ${page} to ${lastNumber} of ${totalPages}`
    : `Page ${page} of ${totalPages}`;
}
