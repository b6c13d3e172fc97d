import { keepPreviousData, useMutation, useQuery } from "@tanstack/react-query";
import type { Delivery, Job } from "calo-client/api/types";
import { useState } from "react";
import { useNow } from "../../hooks/use-now";
import { useServices } from "../../services";
import { problemText } from "../../text/problem";
import { exactTime } from "../../text/time";
import { askAgainAfter } from "./delivery-times";

/** The deliveries of the webhook of a job that has ended, and a button that sends it again. */
export function Deliveries({ job, title }: { job: Job; title: string }) {
  const { api } = useServices();
  const now = useNow();
  const [requestedAt, setRequestedAt] = useState(0);
  const query = useQuery({
    queryKey: ["deliveries", job.id, job.version],
    queryFn: ({ signal }) => api.listDeliveries(job.id, signal),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      askAgainAfter(state.data, Math.max(requestedAt, job.updated_at), Date.now()),
  });
  const mutation = useMutation({
    mutationFn: () => api.sendAgain(job.id),
    onSuccess: () => {
      setRequestedAt(Date.now());
      void query.refetch();
    },
  });
  const list = query.data;
  // a deployment without webhooks has no such call
  if (!list || list.host === null) return null;
  const isWaiting = requestedAt > 0 && !list.data.some(({ at }) => at >= requestedAt - CLOCKS_DIFFER_MS);
  return (
    <section className="deliveries" aria-labelledby="webhook">
      <h2 id="webhook">Webhook</h2>
      <p>This job's end is reported to {list.host}.</p>
      <ol className="timeline">
        {list.data.map((delivery) => (
          <li key={delivery.at}>
            <time dateTime={new Date(delivery.at).toISOString()}>{exactTime(delivery.at, now)}</time>
            <span>{describe(delivery)}</span>
          </li>
        ))}
        {list.next_at !== null && (
          <li>
            <time dateTime={new Date(list.next_at).toISOString()}>{exactTime(list.next_at, now)}</time>
            <span>Next attempt</span>
          </li>
        )}
      </ol>
      <div className="actions">
        <button
          type="button"
          className="text-button"
          // not `disabled`, which would take the focus away
          aria-disabled={mutation.isPending}
          onClick={() => mutation.isPending || mutation.mutate()}
          aria-label={`Send again: ${title}`}
        >
          Send again
        </button>
        <p role="status">{isWaiting && "It will be sent again in a moment."}</p>
        {mutation.isError && (
          <p className="error" role="alert">
            {problemText(mutation.error, Date.now())}
          </p>
        )}
      </div>
    </section>
  );
}

const CLOCKS_DIFFER_MS = 5_000;

function describe({ status, answer }: Delivery): string {
  return status === "delivered" ? `Delivered: ${answer}` : `Not delivered: ${answer}`;
}
