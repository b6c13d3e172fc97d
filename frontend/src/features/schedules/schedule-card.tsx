import { useMutation } from "@tanstack/react-query";
import { ApiError } from "calo-client/api/api-error";
import type { Schedule } from "calo-client/api/types";
import { useEffect, useRef, useState } from "react";
import { Link } from "wouter";
import { useNow } from "../../hooks/use-now";
import { useJobTexts } from "../../kinds/use-job-texts";
import { useServices } from "../../services";
import { cronWords } from "../../text/cron";
import { problemText } from "../../text/problem";
import { zonedTime } from "../../text/zoned-time";
import { hideSchedule, showSchedule } from "./schedules-query";

interface Props {
  schedule: Schedule;
  announce(text: string): void;
}

export function ScheduleCard({ schedule, announce }: Props) {
  const texts = useJobTexts();
  const { api, queries } = useServices();
  const title = texts.title(schedule);
  const { paused } = schedule;
  const change = useMutation({
    mutationFn: () => api.changeSchedule(schedule.id, { paused: !paused }),
    onSuccess: (changed) => {
      showSchedule(queries, changed);
      announce(`${title}: ${changed.paused ? "paused" : "resumed"}`);
    },
    onError: (error) => isGone(error) && hideSchedule(queries, schedule),
  });
  const remove = useMutation({
    mutationFn: () => api.deleteSchedule(schedule.id),
    onSuccess: () => {
      hideSchedule(queries, schedule);
      announce(`${title}: deleted`);
    },
    onError: (error) => isGone(error) && hideSchedule(queries, schedule),
  });
  const error = change.error ?? remove.error;
  return (
    <li className="card schedule" data-schedule={schedule.id}>
      <h2 tabIndex={-1}>{title}</h2>
      <Times schedule={schedule} />
      <div className="actions">
        <button
          type="button"
          className="text-button"
          aria-disabled={change.isPending}
          aria-label={`${paused ? "Resume" : "Pause"}: ${title}`}
          onClick={() => change.isPending || change.mutate()}
        >
          {paused ? "Resume" : "Pause"}
        </button>
        <DeleteButton title={title} isPending={remove.isPending} onConfirm={() => remove.mutate()} />
      </div>
      {error && !isGone(error) && (
        <p className="error" role="alert">
          {problemText(error, Date.now())}
        </p>
      )}
    </li>
  );
}

function Times({ schedule }: { schedule: Schedule }) {
  const now = useNow();
  const { cron, timezone, paused, next, last_run: last } = schedule;
  const words = cronWords(cron);
  const [first] = next;
  return (
    <>
      <p>
        {words ?? <code>{cron}</code>} <span className="zone">({timezone})</span>
      </p>
      {paused && (
        <p className="status">{schedule.pause_reason ? `Paused: ${schedule.pause_reason}` : "Paused"}</p>
      )}
      {first !== undefined && (
        <details>
          <summary>Next: {zonedTime(first, timezone, now)}</summary>
          <ol>
            {next.map((time) => (
              <li key={time}>
                <time dateTime={new Date(time).toISOString()}>{zonedTime(time, timezone, now)}</time>
              </li>
            ))}
          </ol>
        </details>
      )}
      {last && (
        <p className="status">
          <Link href={`/jobs/${last.job}`}>Last job: {zonedTime(last.at, timezone, now)}</Link>
        </p>
      )}
    </>
  );
}

interface DeleteProps {
  title: string;
  isPending: boolean;
  onConfirm(): void;
}

/** Asks once more, in the place of the button, with the focus on the answer that changes nothing. */
function DeleteButton({ title, isPending, onConfirm }: DeleteProps) {
  const [isAsking, setIsAsking] = useState(false);
  const keep = useRef<HTMLButtonElement>(null);
  const first = useRef<HTMLButtonElement>(null);
  const wasAsking = useRef(false);
  useEffect(() => {
    if (isAsking) keep.current?.focus();
    else if (wasAsking.current) first.current?.focus();
    wasAsking.current = isAsking;
  }, [isAsking]);
  if (!isAsking) {
    return (
      <button
        ref={first}
        type="button"
        className="text-button"
        aria-label={`Delete: ${title}`}
        onClick={() => setIsAsking(true)}
      >
        Delete
      </button>
    );
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for the fields of a form
    <span role="group" aria-label={`Delete: ${title}`} className="confirmation">
      Delete this schedule?
      <button
        type="button"
        className="text-button"
        aria-disabled={isPending}
        onClick={() => isPending || onConfirm()}
      >
        Yes, delete
      </button>
      <button ref={keep} type="button" className="text-button" onClick={() => setIsAsking(false)}>
        Keep
      </button>
    </span>
  );
}

/** Return whether the schedule was deleted in the meantime. */
function isGone(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}
