import { type FormEvent, useId, useState } from "react";
import { useLocation } from "wouter";
import { isFirstPage, type ListParams } from "../../api/types";
import { useServices } from "../../services";
import { newDraft, sendDraft } from "./drafts";

const DEFAULT_QUERY = "food";
const MAX_QUERY = 80;
const COUNTS = [1, 2, 3, 5, 10];
const DELAYS: [number, string][] = [
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

  function submit(event: FormEvent) {
    event.preventDefault();
    const showsNewJobs = isFirstPage(params) && (params.status === null || params.status === "pending");
    if (!showsNewJobs) navigate("/");
    for (let number = 0; number < count; number += 1) {
      void sendDraft(services, newDraft(query.trim() || DEFAULT_QUERY, delaySeconds));
    }
    setQuery("");
    setCount(1);
  }

  return (
    <form className="create" onSubmit={submit}>
      <label htmlFor={`${id}-query`} className="visually-hidden">
        Topic
      </label>
      <input
        id={`${id}-query`}
        name="query"
        value={query}
        onChange={(event) => setQuery(event.target.value)}
        maxLength={MAX_QUERY}
        placeholder="What should the photo show? e.g. pasta"
        autoComplete="off"
        enterKeyHint="send"
      />
      <label htmlFor={`${id}-count`} className="visually-hidden">
        How many
      </label>
      <select id={`${id}-count`} value={count} onChange={(event) => setCount(Number(event.target.value))}>
        {COUNTS.map((number) => (
          <option key={number} value={number}>
            {photos(number)}
          </option>
        ))}
      </select>
      <label htmlFor={`${id}-delay`} className="visually-hidden">
        When
      </label>
      <select
        id={`${id}-delay`}
        value={delaySeconds}
        onChange={(event) => setDelaySeconds(Number(event.target.value))}
      >
        {DELAYS.map(([seconds, label]) => (
          <option key={seconds} value={seconds}>
            {label}
          </option>
        ))}
      </select>
      <button type="submit" className="button primary">
        {count === 1 ? "Get photo" : `Get ${photos(count)}`}
      </button>
    </form>
  );
}

function photos(count: number): string {
  return count === 1 ? "1 photo" : `${count} photos`;
}
