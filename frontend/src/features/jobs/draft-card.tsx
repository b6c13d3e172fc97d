import { useServices } from "../../services";
import { problemText } from "../../text/problem";
import { type Draft, discard, send } from "./drafts";

/** A job on its way to the server. */
export function DraftCard({ draft }: { draft: Draft }) {
  const services = useServices();
  return (
    <li className="card">
      <div className="frame" data-look={draft.error ? "error" : "pending"} />
      <div className="caption">
        <h2>{draft.query}</h2>
        {draft.error ? (
          <>
            <p className="mistake" role="alert">
              Not sent. {problemText(draft.error, Date.now())}
            </p>
            <div className="actions">
              <button type="button" className="quiet" onClick={() => void send(services, draft)}>
                Try again
              </button>
              <button type="button" className="quiet" onClick={() => discard(services.queries, draft)}>
                Discard
              </button>
            </div>
          </>
        ) : (
          <p className="status">Sending…</p>
        )}
      </div>
    </li>
  );
}
