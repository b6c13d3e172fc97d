import { type FormEvent, useId, useState } from "react";
import { useLocation } from "wouter";
import { isFirstPage, type ListParams } from "../../api/types";
import { KEEP_FOCUS } from "../../hooks/use-focus-on-navigation";
import { useServices } from "../../services";
import { newDraft, sendDraft } from "./drafts";

const DEFAULT_QUERY = "food";
/** Unicode code points, as the API counts them. */
const MAX_QUERY = 80;

type Option = readonly [value: number, label: string];

const COUNTS: readonly Option[] = [1, 2, 3, 5, 10].map((count) => [count, photos(count)]);
/** Seconds until the job starts. */
const DELAYS: readonly Option[] = [
  [0, "now"],
  [10, "in 10 seconds"],
  [60, "in 1 minute"],
  [300, "in 5 minutes"],
  [900, "in 15 minutes"],
];

/** `params`: the list that is shown below the form. */
export function CreateForm({ params }: { params: ListParams }) {
  const services = useServices();
  const [, navigate] = useLocation();
  const [query, setQuery] = useState("");
  const [count, setCount] = useState(1);
  const [delaySeconds, setDelaySeconds] = useState(0);
  const id = useId();
  const errorId = useId();
  const excess = Math.max(0, [...query.trim()].length - MAX_QUERY);

  function submit(event: FormEvent) {
    event.preventDefault();
    if (excess > 0) return;
    // a list of one status would not show the job until its end
    const showsNewJobs = isFirstPage(params) && params.status === null;
    if (!showsNewJobs) navigate("/", { state: KEEP_FOCUS });
    for (let number = 0; number < count; number += 1) {
      void sendDraft(services, newDraft(query.trim() || DEFAULT_QUERY, delaySeconds));
    }
    setQuery("");
    setCount(1);
  }

  return (
    <form className="create" onSubmit={submit}>
      <label htmlFor={id} className="visually-hidden">
        Topic
      </label>
      <input
        id={id}
        name="query"
        value={query}
        onChange={(event) => setQuery(event.target.value)}
        aria-invalid={excess > 0}
        aria-describedby={excess > 0 ? errorId : undefined}
        placeholder="What should the photo show? e.g. pasta"
        autoComplete="off"
        enterKeyHint="send"
      />
      <SelectField label="How many" options={COUNTS} value={count} onChange={setCount} />
      <SelectField label="When" options={DELAYS} value={delaySeconds} onChange={setDelaySeconds} />
      <button type="submit" className="button primary">
        {count === 1 ? "Get photo" : `Get ${photos(count)}`}
      </button>
      {excess > 0 && (
        <p id={errorId} className="error" role="alert">
          {excessText(excess)}
        </p>
      )}
    </form>
  );
}

interface SelectFieldProps {
  label: string;
  options: readonly Option[];
  value: number;
  onChange(value: number): void;
}

function SelectField({ label, options, value, onChange }: SelectFieldProps) {
  const id = useId();
  return (
    <>
      <label htmlFor={id} className="visually-hidden">
        {label}
      </label>
      <select id={id} value={value} onChange={(event) => onChange(Number(event.target.value))}>
        {options.map(([optionValue, optionLabel]) => (
          <option key={optionValue} value={optionValue}>
            {optionLabel}
          </option>
        ))}
      </select>
    </>
  );
}

function excessText(excess: number): string {
  const characters = excess === 1 ? "1 character" : `${excess} characters`;
  return `The topic is too long. Remove ${characters}: at most ${MAX_QUERY} are allowed.`;
}

function photos(count: number): string {
  return count === 1 ? "1 photo" : `${count} photos`;
}
