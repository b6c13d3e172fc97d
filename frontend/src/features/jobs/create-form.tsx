import { type FormEvent, useId, useState } from "react";
import { useLocation } from "wouter";
import { isFirstPage, type Place } from "../../api/types";
import { useServices } from "../../services";
import { newDraft, send } from "./drafts";

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

export function CreateForm({ place }: { place: Place }) {
  const services = useServices();
  const [, navigate] = useLocation();
  const [query, setQuery] = useState("");
  const [count, setCount] = useState(1);
  const [delay, setDelay] = useState(0);
  const id = useId();

  function submit(event: FormEvent) {
    event.preventDefault();
    const isShown = isFirstPage(place) && (place.status === null || place.status === "pending");
    if (!isShown) navigate("/");
    for (let number = 0; number < count; number += 1) {
      void send(services, newDraft(query.trim() || DEFAULT_QUERY, delay));
    }
    setQuery("");
    setCount(1);
  }

  return (
    <form className="create" onSubmit={submit}>
      <label htmlFor={`${id}-query`} className="unseen">
        Topic
      </label>
      <input
        id={`${id}-query`}
        name="query"
        value={query}
        onChange={(event) => setQuery(event.target.value)}
        maxLength={MAX_QUERY}
        placeholder={`A topic, like ${DEFAULT_QUERY}`}
        autoComplete="off"
        enterKeyHint="send"
      />
      <label htmlFor={`${id}-count`} className="unseen">
        How many
      </label>
      <select id={`${id}-count`} value={count} onChange={(event) => setCount(Number(event.target.value))}>
        {COUNTS.map((number) => (
          <option key={number} value={number}>
            {number === 1 ? "1 photo" : `${number} photos`}
          </option>
        ))}
      </select>
      <label htmlFor={`${id}-delay`} className="unseen">
        When
      </label>
      <select id={`${id}-delay`} value={delay} onChange={(event) => setDelay(Number(event.target.value))}>
        {DELAYS.map(([seconds, words]) => (
          <option key={seconds} value={seconds}>
            {words}
          </option>
        ))}
      </select>
      <button type="submit" className="button primary">
        Ask
      </button>
    </form>
  );
}
