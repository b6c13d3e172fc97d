import type { Job } from "calo-client/api/types";
import type { KindView, ViewProps } from "./kind-view";
import { Value } from "./value";

function Frame({ job, kind }: ViewProps) {
  if (job.output === null) return null;
  return (
    <div className="output">
      {Object.keys(job.output).length > 0 ? (
        <Value value={job.output} schema={kind?.output} root={kind?.output} />
      ) : (
        <p>Done</p>
      )}
    </div>
  );
}

/** On the job's page, the input. */
function Notes({ job, kind, place }: ViewProps) {
  if (place === "card" || !hasInput(job)) return null;
  return (
    <>
      <h2>Input</h2>
      <Value value={job.input} schema={kind?.input} root={kind?.input} />
    </>
  );
}

function hasInput({ input }: Job): boolean {
  return Object.keys(input).length > 0;
}

export default { Frame, Notes, isFlexible: true } satisfies KindView;
