import { useJobTexts } from "../../kinds/use-job-texts";
import { useServices } from "../../services";
import { problemText } from "../../text/problem";
import { type Draft, discardDraft, sendDraft } from "./drafts";

/** The card of a job that the server has not confirmed yet. */
export function DraftCard({ draft }: { draft: Draft }) {
  const services = useServices();
  const { title } = useJobTexts();
  return (
    <li className="card">
      <div className="frame" data-status={draft.error ? "error" : "pending"} />
      <div className="caption">
        {/* it gets the focus when the buttons are removed */}
        <h2 tabIndex={-1} dir="auto">
          {title(draft)}
        </h2>
        {draft.error ? (
          <>
            <p className="error" role="alert">
              Not sent. {problemText(draft.error, Date.now())}
            </p>
            <div className="actions">
              <button type="button" className="text-button" onClick={() => void sendDraft(services, draft)}>
                Try again
              </button>
              <button
                type="button"
                className="text-button"
                onClick={() => discardDraft(services.queries, draft)}
              >
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
