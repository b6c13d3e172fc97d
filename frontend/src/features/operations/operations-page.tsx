import { useQuery } from "@tanstack/react-query";
import type { JobFilter } from "calo-client/api/types";
import { retryFailed } from "calo-client/live/recovery";
import { useState } from "react";
import { Link, useSearchParams } from "wouter";
import { ProblemMessage } from "../../components/problem-message";
import { kindsQuery, lastingProblem } from "../../queries";
import { useServices } from "../../services";
import { firstPage, listUrl } from "../jobs/list-params";
import "./operations.css";
import { ChangeForm } from "./change-form";
import type { Choice } from "./choice";
import { Ages, Outcomes } from "./hour";
import { isForbidden, operationsQuery } from "./operations-query";
import { OwnerField } from "./owner-field";
import { Budgets, Failures, Kinds, Overview } from "./tables";

/** What operators look at. Without sign-in everyone is one. */
export function OperationsPage() {
  const services = useServices();
  const [search] = useSearchParams();
  const owner = search.get("owner") ?? (services.isSignedIn ? "*" : undefined);
  const query = useQuery(operationsQuery(services, owner));
  const kinds = useQuery(kindsQuery(services)).data ?? [];
  const [choice, setChoice] = useState<Choice>({ change: "retry failed", kind: "", code: "" });
  const stats = query.data;
  if (isForbidden(query.error)) return <NotAnOperator />;
  const problem = lastingProblem(query);
  const to = (filter: Partial<JobFilter>) => listUrl(firstPage({ status: null, owner, ...filter }));
  return (
    <div className="operations not-live">
      <title>Operations · Calo</title>
      <Link href="/" className="back">
        ← All jobs
      </Link>
      <header>
        <h1>Operations</h1>
        {services.dashboardUrl && (
          <p>
            <a href={services.dashboardUrl}>CloudWatch dashboard</a>
          </p>
        )}
      </header>
      {services.isSignedIn && <OwnerField key={owner} owner={owner} />}
      {problem && <ProblemMessage error={problem} retry={() => retryFailed(services.queries)} />}
      {stats ? (
        <>
          <Overview stats={stats} owner={owner} to={to} />
          <div className="columns">
            <Outcomes minutes={stats.minutes} to={to} />
            <Ages minutes={stats.minutes} />
          </div>
          <Kinds stats={stats} kinds={kinds} to={to} />
          <div className="columns">
            <Budgets stats={stats} />
            <Failures
              stats={stats}
              to={to}
              choose={(code) => setChoice({ change: "retry failed", kind: "", code })}
            />
          </div>
          <ChangeForm stats={stats} kinds={kinds} owner={owner} choice={choice} setChoice={setChoice} />
        </>
      ) : (
        !query.error && <p aria-busy="true">Loading…</p>
      )}
    </div>
  );
}

function NotAnOperator() {
  return (
    <section className="empty-state">
      <title>Operations · Calo</title>
      <h1>For operators only</h1>
      <p>This page shows the jobs of all users. Ask the people who run Calo to make you an operator.</p>
      <Link href="/" className="button">
        Your jobs
      </Link>
    </section>
  );
}
