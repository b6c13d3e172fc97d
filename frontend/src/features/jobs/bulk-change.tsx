import { useMutation } from "@tanstack/react-query";
import { changeMany } from "calo-client/api/change-many";
import type { Status } from "calo-client/api/types";
import { useState } from "react";
import { ProblemMessage } from "../../components/problem-message";
import { useServices } from "../../services";
import { LOCALE } from "../../text/time";

type Changeable = Exclude<Status, "resolved">;

const ADJECTIVES: Record<Changeable, string> = {
  pending: "pending",
  error: "failed",
  cancelled: "cancelled",
};

interface Props {
  status: Changeable;
  /** How many jobs have the status. */
  count: number;
}

/** Retries all failed or cancelled jobs, or cancels all pending jobs, after a question that says how many. */
export function BulkChange({ status, count }: Props) {
  const { api, queries } = useServices();
  const [isAsked, setIsAsked] = useState(false);
  const [changed, setChanged] = useState(0);
  const action = status === "pending" ? "cancel" : "retry";
  const mutation = useMutation({
    mutationFn: () => changeMany({ call: () => api.changeJobs(action, { status }), onProgress: setChanged }),
    onSettled: () => queries.invalidateQueries(), // those that the stream did not report
  });
  function start() {
    setIsAsked(false);
    setChanged(0);
    mutation.mutate();
  }
  const verb = action === "cancel" ? "Cancel" : "Retry";
  const all = `${verb} all ${ADJECTIVES[status]} jobs`;
  const some = `${count.toLocaleString(LOCALE)} ${ADJECTIVES[status]} ${count === 1 ? "job" : "jobs"}`;
  const isIdle = !mutation.isPending && count > 0;
  return (
    <div className="bulk-change">
      {isIdle && !isAsked && (
        <button type="button" className="text-button" onClick={() => setIsAsked(true)}>
          {all}
        </button>
      )}
      {isIdle && isAsked && (
        <fieldset>
          <legend>{`${verb} ${some}?`}</legend>
          <button type="button" className="button primary" onClick={start}>
            {`${verb} ${count === 1 ? "it" : "them"}`}
          </button>
          {/* it has the focus, so that Enter does nothing by accident */}
          <button type="button" className="button" onClick={() => setIsAsked(false)} ref={focus}>
            {action === "cancel" ? "Keep them" : "Not now"}
          </button>
        </fieldset>
      )}
      <p role="status">
        {mutation.isPending && `${changed.toLocaleString(LOCALE)} of ${some} done…`}
        {mutation.isSuccess &&
          `${action === "cancel" ? "Cancelled" : "Retried"} ${changed.toLocaleString(LOCALE)} ${changed === 1 ? "job" : "jobs"}.`}
      </p>
      {mutation.isError && <ProblemMessage error={mutation.error} retry={start} />}
    </div>
  );
}

function focus(element: HTMLElement | null): void {
  element?.focus();
}
