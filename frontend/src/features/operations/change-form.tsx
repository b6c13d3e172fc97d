import { changeMany, type Outcome } from "calo-client/api/change-many";
import type { Kind, Stats } from "calo-client/api/types";
import { useEffect, useRef, useState } from "react";
import { useServices } from "../../services";
import { problemText } from "../../text/problem";
import { type Change, type Choice, countOf, selectionOf } from "./choice";

const CHANGES: readonly (readonly [Change, string])[] = [
  ["retry failed", "Retry failed jobs"],
  ["retry cancelled", "Retry cancelled jobs"],
  ["cancel pending", "Cancel pending jobs"],
];

interface Props {
  stats: Stats;
  kinds: readonly Kind[];
  owner: string | undefined;
  choice: Choice;
  setChoice(choice: Choice): void;
}

interface Run {
  choice: Choice;
  /** The number of jobs that were selected when it began. */
  count: number;
  changed: number;
  end: Outcome | Error | null;
}

/** Retries or cancels all jobs of a selection: after a question with their number, with progress, until stopped. */
export function ChangeForm({ stats, kinds, owner, choice, setChoice }: Props) {
  const { api, queries } = useServices();
  const [asked, setAsked] = useState<{ choice: Choice; count: string } | null>(null);
  const [run, setRun] = useState<Run | null>(null);
  const isStopped = useRef(false);
  const isRunning = run !== null && run.end === null;
  // when the page is closed, what has been sent ends, and no further call is made
  useEffect(() => {
    isStopped.current = false;
    return () => {
      isStopped.current = true;
    };
  }, []);
  const { count, isExact } = countOf(choice, stats);
  const countText = jobsText(count, isExact);
  const { change, kind, code } = choice;
  const update = (values: Partial<Choice>) => {
    setAsked(null);
    setChoice({ ...choice, ...values });
  };

  async function start() {
    setAsked(null);
    isStopped.current = false;
    const begun: Run = { choice, count, changed: 0, end: null };
    setRun(begun);
    const verb = change === "cancel pending" ? "cancel" : "retry";
    const selection = selectionOf(choice, owner);
    const end = await changeMany({
      call: () => api.changeJobs(verb, selection),
      onProgress: (changed) => setRun((current) => current && { ...current, changed }),
      isStopped: () => isStopped.current,
    }).catch((error: Error) => error);
    setRun((current) => current && { ...current, end });
    void queries.invalidateQueries();
  }

  const kindNames = [...new Set([...kinds.map(({ name }) => name), ...Object.keys(stats.counts_by_kind)])];
  const isAsking = asked !== null && asked.choice === choice;
  return (
    <section className="change" aria-labelledby="change">
      <h2 id="change" tabIndex={-1}>
        Change many jobs
      </h2>
      <form
        className="row"
        onSubmit={(event) => {
          event.preventDefault();
          if (!isRunning && count > 0) setAsked({ choice, count: countText });
        }}
      >
        <label>
          Change
          <select value={change} onChange={({ target }) => update({ change: target.value as Change })}>
            {CHANGES.map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <label>
          Kind
          <select value={kind} onChange={({ target }) => update({ kind: target.value })}>
            <option value="">All kinds</option>
            {kindNames.map((name) => (
              <option key={name} value={name}>
                {kinds.find((declared) => declared.name === name)?.title ?? name}
              </option>
            ))}
          </select>
        </label>
        {change === "retry failed" && (
          <label>
            Error code
            <select value={code} onChange={({ target }) => update({ code: target.value })}>
              <option value="">All codes</option>
              {[...new Set([...Object.keys(stats.codes), ...(code ? [code] : [])])].map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
        )}
        <button type="submit" className="button" aria-disabled={isRunning || count === 0}>
          {count === 0 ? "No such jobs" : `${verbText(change)} ${countText}…`}
        </button>
      </form>
      {isAsking && (
        <Question
          text={`${verbText(change)} ${asked.count}${owner === "*" ? " of all owners" : ""}?`}
          confirm={verbText(change)}
          onConfirm={() => void start()}
          onDismiss={() => setAsked(null)}
        />
      )}
      {run && (
        <Progress
          run={run}
          stop={() => {
            isStopped.current = true;
          }}
        />
      )}
      <p role="status" className="visually-hidden">
        {run?.end && resultText(run)}
      </p>
    </section>
  );
}

interface QuestionProps {
  text: string;
  confirm: string;
  onConfirm(): void;
  onDismiss(): void;
}

function Question({ text, confirm, onConfirm, onDismiss }: QuestionProps) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus(), []);
  const leave = (action: () => void) => () => {
    document.getElementById("change")?.focus(); // the buttons disappear
    action();
  };
  return (
    <div
      className="problem"
      role="alertdialog"
      aria-label={text}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.preventDefault(); // elsewhere it leads back to the list
        leave(onDismiss)();
      }}
    >
      <p>{text}</p>
      <div className="actions">
        <button ref={button} type="button" className="button" onClick={leave(onDismiss)}>
          No
        </button>
        <button type="button" className="button primary" onClick={leave(onConfirm)}>
          {confirm}
        </button>
      </div>
    </div>
  );
}

function Progress({ run, stop }: { run: Run; stop(): void }) {
  const { count, changed, end } = run;
  if (end !== null) {
    return <p className={end instanceof Error ? "error" : undefined}>{resultText(run)}</p>;
  }
  return (
    <div className="running">
      <progress aria-label="Changed jobs" max={Math.max(count, changed, 1)} value={changed} />
      <p>
        {changed.toLocaleString()} of {Math.max(count, changed).toLocaleString()} jobs changed
      </p>
      <button type="button" className="button" onClick={stop}>
        Stop
      </button>
    </div>
  );
}

function verbText(change: Change): string {
  return change === "cancel pending" ? "Cancel" : "Retry";
}

function jobsText(count: number, isExact: boolean): string {
  const jobs = count === 1 ? "1 job" : `${count.toLocaleString()} jobs`;
  return isExact ? jobs : `up to ${jobs}`;
}

function resultText({ choice, changed, end }: Run): string {
  const done = choice.change === "cancel pending" ? "cancelled" : "retried";
  const jobs = `${jobsText(changed, true)} ${changed === 1 ? "was" : "were"} ${done}`;
  if (end instanceof Error) return `${jobs}. Then it failed: ${problemText(end, Date.now())}`;
  return end === "stopped" ? `Stopped. ${jobs}; the others are unchanged.` : `Done: ${jobs}.`;
}
