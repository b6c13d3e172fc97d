import { type ReactNode, useEffect, useRef } from "react";
import { Link, Route, Switch } from "wouter";
import { LiveIndicator } from "./components/live-indicator";
import { NotFound } from "./components/not-found";
import { StaleNotice } from "./components/stale-notice";
import { Announcer } from "./features/announcements/announcer";
import { LazyJobPage, preloadJobPage } from "./features/job/lazy-job-page";
import { JobsPage } from "./features/jobs/jobs-page";
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
          <Link href="/schedules">Schedules</Link>
        </nav>
        <LiveIndicator />
        {account}
      </header>
      <main ref={content} id="main" className="page" tabIndex={-1}>
        <Switch>
          <Route path="/" component={JobsPage} />
          <Route path="/jobs/:id">{({ id }) => <LazyJobPage id={id} />}</Route>
          <Route path="/schedules" component={LazySchedulesPage} />
          <Route>
            <NotFound>There is no page at this address.</NotFound>
          </Route>
        </Switch>
      </main>
      {notice}
      <StaleNotice />
      <Announcer />
    </>
  );
}
