import { isFirstPage, type JobPage, type ListParams } from "calo-client/api/types";
import { Link } from "wouter";
import { listUrl, nextPage } from "./list-params";

export function Pager({ params, page }: { params: ListParams; page: JobPage }) {
  const older = nextPage(params, page);
  if (isFirstPage(params) && !older) return null;
  const newer = params.cursor ? { ...params, page: 1, cursor: null } : { ...params, page: params.page - 1 };
  return (
    <nav className="pager" aria-label="Pages">
      {isFirstPage(params) ? (
        <span />
      ) : (
        <Link href={listUrl(newer)}>{params.cursor ? "Back to newest" : "Newer jobs"}</Link>
      )}
      <p>{params.cursor ? "Older pages" : `Page ${params.page} of ${page.totalPages}`}</p>
      {older ? <Link href={listUrl(older)}>Older jobs</Link> : <span />}
    </nav>
  );
}
