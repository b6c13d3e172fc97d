import { useSyncExternalStore } from "react";
import { LoadingPage } from "../../components/loading-page";
import { Loadable, useLoaded } from "../../hooks/loadable";

/** The page of one job. The first view, which is the list, does not need its code. */
export const jobPage = new Loadable(async () => (await import("./job-page")).JobPage);

export function LazyJobPage({ id }: { id: string }) {
  const JobPage = useLoaded(jobPage);
  const hasFailed = useSyncExternalStore(jobPage.subscribe, jobPage.hasFailed);
  return JobPage ? <JobPage key={id} id={id} /> : <LoadingPage hasFailed={hasFailed} />;
}
