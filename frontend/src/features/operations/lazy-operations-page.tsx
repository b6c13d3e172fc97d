import { useSyncExternalStore } from "react";
import { LoadingPage } from "../../components/loading-page";
import { Loadable, useLoaded } from "../../hooks/loadable";

const operationsPage = new Loadable(async () => (await import("./operations-page")).OperationsPage);

export function LazyOperationsPage() {
  const OperationsPage = useLoaded(operationsPage);
  const hasFailed = useSyncExternalStore(operationsPage.subscribe, operationsPage.hasFailed);
  return OperationsPage ? <OperationsPage /> : <LoadingPage hasFailed={hasFailed} />;
}
