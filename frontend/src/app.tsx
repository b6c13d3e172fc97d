import { type ReactNode, useEffect, useRef } from "react";
import { Link, useLocation } from "wouter";
import { LiveIndicator } from "./components/live-indicator";
import { NotFound } from "./components/not-found";
import { StaleNotice } from "./components/stale-notice";
import { Announcer } from "./features/announcements/announcer";
import { LazyJobPage, preloadJobPage } from "./features/job/lazy-job-page";
import { JobsPage } from "./features/jobs/jobs-page";
import { LazyOperationsPage } from "./features/operations/lazy-operations-page";
import { LazySchedulesPage } from "./features/schedules/lazy-schedules-page";
import { useFocusOnNavigation } from "./hooks/use-focus-on-navigation";
import { useKeepFocus } from "./hooks/use-keep-focus";

interface Props {
  /** Who is signed in, and what to say when that ends. Only with sign-in. */
  account?: ReactNode;
  notice?: ReactNode;
}

export function App({ account, notice }: Props) {
  const content = useRef<HTMLElement>(null);
  const [path] = useLocation();
  useKeepFocus(content);
  useFocusOnNavigation(content);
  useEffect(preloadJobPage, []);
  return (
    <>
      <a className="skip-link" href="#main">
        Skip to main content
      </a>
      <header className="site-header">
        <Link href="/" className="brand">
          <img src="/favicon.svg" width="28" height="28" alt="" />
          Calo
        </Link>
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
      <StaleNotice />
      <Announcer />
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
