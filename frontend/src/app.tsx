import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useRef } from "react";
import { Link, useLocation } from "wouter";
import { LiveIndicator } from "./components/live-indicator";
import { NotFound } from "./components/not-found";
import { LazyBackground } from "./features/background/lazy-background";
import { DEFAULT_KIND } from "./features/create/remembered-kind";
import { jobPage, LazyJobPage } from "./features/job/lazy-job-page";
import { JobsPage } from "./features/jobs/jobs-page";
import { LazyOperationsPage } from "./features/operations/lazy-operations-page";
import { LazySchedulesPage } from "./features/schedules/lazy-schedules-page";
import { useLoadedWhenIdle } from "./hooks/loadable";
import { useFocusOnNavigation } from "./hooks/use-focus-on-navigation";
import { kindsQuery } from "./queries";
import { useServices } from "./services";

interface Props {
  /** Who is signed in, and what to say when that ends. Only with sign-in. */
  account?: ReactNode;
  notice?: ReactNode;
}

export function App({ account, notice }: Props) {
  const content = useRef<HTMLElement>(null);
  const [path] = useLocation();
  const kinds = useQuery(kindsQuery(useServices())).data;
  const hasPhotos = kinds?.some(({ name }) => name === DEFAULT_KIND) ?? true;
  useFocusOnNavigation(content);
  useLoadedWhenIdle(jobPage); // so that opening a job is immediate
  return (
    <>
      {/* the jobs are after the form */}
      <a className="skip-link" href={path === "/" ? "#jobs" : "#main"}>
        Skip to main content
      </a>
      <header className="site-header">
        <Link href="/" className="brand">
          <img src="/favicon.svg" width="28" height="28" alt="" />
          Calo
        </Link>
        <p className="tagline">
          {hasPhotos
            ? "Ask for a photo of anything. It arrives here live, in every open window."
            : "Create a job. Its result arrives here live, in every open window."}
        </p>
        <nav>
          <Link href="/schedules">Schedules</Link> <Link href="/operations">Operations</Link>
        </nav>
        <LiveIndicator />
        {account}
      </header>
      <main ref={content} id="main" className="page" tabIndex={-1}>
        {pageAt(path)}
      </main>
      {notice}
      <LazyBackground />
    </>
  );
}

/** Return the page of an address. Matching patterns would need a kilobyte more. */
function pageAt(path: string): ReactNode {
  const [first = "", id = "", ...others] = path.replace(/\/$/, "").split("/").slice(1);
  if (others.length === 0) {
    if (id === "" && first === "") return <JobsPage />;
    if (id === "" && first === "schedules") return <LazySchedulesPage />;
    if (id === "" && first === "operations") return <LazyOperationsPage />;
    if (id !== "" && first === "jobs") return <LazyJobPage id={id} />;
  }
  return <NotFound>There is no page at this address.</NotFound>;
}
