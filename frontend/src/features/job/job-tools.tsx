import type { Job } from "calo-client/api/types";
import { type MouseEvent, useState } from "react";
import { useLocation } from "wouter";
import { pageTextsOf } from "../../kinds/page-texts";
import { useServices } from "../../services";
import { newDraft, sendDraft } from "../jobs/drafts";
import { NotifyButton } from "./notify-button";

interface Props {
  job: Job;
  subject: string;
  /** Whether a job with the same input may succeed. */
  canSucceed: boolean;
}

/** What can be done with a job besides changing it: get another, open, copy, read as JSON. */
export function JobTools({ job, subject, canSucceed }: Props) {
  const services = useServices();
  const [, navigate] = useLocation();
  const { another, links } = pageTextsOf(job.kind);
  function createAnother() {
    void sendDraft(services, newDraft(job, 0));
    navigate("/"); // where it appears first
  }
  return (
    <div className="tools">
      <NotifyButton job={job} subject={subject} />
      {canSucceed && (
        <button type="button" className="text-button" onClick={createAnother}>
          {another?.(job) ?? "Another job like this"}
        </button>
      )}
      {links?.(job).map(({ text, href, download }) => (
        <a
          key={text}
          className="text-button"
          href={href}
          download={download}
          onClick={download ? (event) => save(event, href, download) : undefined}
        >
          {text}
        </a>
      ))}
      <CopyButton text={location.href}>Copy link</CopyButton>
      <CopyButton text={job.id}>Copy id</CopyButton>
    </div>
  );
}

/** Save a file of another origin, for which browsers ignore the attribute `download`. */
async function save(event: MouseEvent, href: string, name: string) {
  event.preventDefault();
  try {
    const response = await fetch(href);
    if (!response.ok) throw new Error(`status ${response.status}`);
    const url = URL.createObjectURL(await response.blob());
    Object.assign(document.createElement("a"), { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  } catch {
    location.assign(href); // where the browser can save it
  }
}

interface CopyProps {
  text: string;
  children: string;
}

function CopyButton({ text, children }: CopyProps) {
  const [outcome, setOutcome] = useState("");
  async function copy() {
    try {
      await navigator.clipboard.writeText(text);
      setOutcome("Copied");
    } catch {
      setOutcome(`Copy it here: ${text}`); // a page without HTTPS may not use the clipboard
    }
  }
  return (
    <span>
      <button type="button" className="text-button" onClick={copy}>
        {children}
      </button>{" "}
      <span role="status" className="outcome">
        {outcome}
      </span>
    </span>
  );
}
