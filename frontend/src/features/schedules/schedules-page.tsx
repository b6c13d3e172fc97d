import { useQuery } from "@tanstack/react-query";
import type { Schedule } from "calo-client/api/types";
import { retryFailed } from "calo-client/live/recovery";
import { useState } from "react";
import { Link } from "wouter";
import { ProblemMessage } from "../../components/problem-message";
import { kindsQuery, lastingProblem } from "../../queries";
import { useServices } from "../../services";
import { ScheduleCard } from "./schedule-card";
import { ScheduleForm } from "./schedule-form";
import { MAX_SCHEDULES, schedulesQuery } from "./schedules-query";

export function SchedulesPage() {
  const services = useServices();
  const list = useQuery(schedulesQuery(services));
  const kinds = useQuery(kindsQuery(services));
  const [announcement, announce] = useState("");
  const problem = lastingProblem(list) ?? lastingProblem(kinds);
  return (
    <div className="schedules not-live">
      <title>Schedules · Calo</title>
      <Link href="/" className="back">
        ← All jobs
      </Link>
      <h1>Schedules</h1>
      <p className="lead">A schedule creates a job again and again, at the times you choose.</p>
      {list.data &&
        kinds.data &&
        (list.data.length < MAX_SCHEDULES ? (
          <ScheduleForm kinds={kinds.data} announce={announce} />
        ) : (
          <p className="limit">
            You have {MAX_SCHEDULES} schedules, which is the most. Delete one to create another.
          </p>
        ))}
      {problem && <ProblemMessage error={problem} retry={() => retryFailed(services.queries)} />}
      {list.data ? (
        <ScheduleList schedules={list.data} announce={announce} />
      ) : (
        list.isPending && <p aria-busy="true">Loading schedules…</p>
      )}
      <p role="status" className="visually-hidden">
        {announcement}
      </p>
    </div>
  );
}

interface ListProps {
  schedules: readonly Schedule[];
  announce(text: string): void;
}

function ScheduleList({ schedules, announce }: ListProps) {
  if (schedules.length === 0) {
    return (
      <section className="empty-state">
        <h2>No schedules yet</h2>
        <p>Create one above. Its jobs will appear in the list of jobs.</p>
      </section>
    );
  }
  return (
    <ul>
      {schedules.map((schedule) => (
        <ScheduleCard key={schedule.id} schedule={schedule} announce={announce} />
      ))}
    </ul>
  );
}
