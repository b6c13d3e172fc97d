import { useSyncExternalStore } from "react";
import { LoadingPage } from "../../components/loading-page";
import { Loadable, useLoaded } from "../../hooks/loadable";

const schedulesPage = new Loadable(async () => (await import("./schedules-page")).SchedulesPage);

export function LazySchedulesPage() {
  const SchedulesPage = useLoaded(schedulesPage);
  const hasFailed = useSyncExternalStore(schedulesPage.subscribe, schedulesPage.hasFailed);
  return SchedulesPage ? <SchedulesPage /> : <LoadingPage hasFailed={hasFailed} />;
}
