import { useQuery } from "@tanstack/react-query";
import type { ListParams } from "calo-client/api/types";
import { type FormEvent, useId, useState } from "react";
import { Link, useLocation } from "wouter";
import { KEEP_FOCUS } from "../../hooks/use-focus-on-navigation";
import { kindsQuery, statsQuery } from "../../queries";
import { useServices } from "../../services";
import { firstPage, isFiltered, listUrl } from "../jobs/list-params";
import { fieldTime, fromFieldTime, jobIdIn } from "./find-texts";
import "./finder.css";

/** Fields for everything by which jobs are found. What they select is in the page's URL. */
export function JobFinder({ params }: { params: ListParams }) {
  return (
    <div className="finder">
      <FilterForm params={params} />
      <IdForm />
    </div>
  );
}

function FilterForm({ params }: { params: ListParams }) {
  const services = useServices();
  const kinds = useQuery(kindsQuery(services)).data ?? [];
  const codes = Object.keys(useQuery(statsQuery(services)).data?.codes ?? {});
  const [, navigate] = useLocation();
  const codesId = useId();
  const [problem, setProblem] = useState("");

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const text = (name: string) => String(data.get(name) ?? "").trim() || undefined;
    const [since, until] = [fromFieldTime(text("since")), fromFieldTime(text("until"))];
    if (since !== undefined && until !== undefined && since >= until) {
      setProblem("“Created before” must be later than “Created from”.");
      return;
    }
    const code = text("code");
    const status = code === undefined ? params.status : "error";
    const filter = {
      status,
      kind: text("kind"),
      code,
      since,
      until,
      text: text("text"),
      owner: text("owner"),
    };
    navigate(listUrl(firstPage(filter)), { state: KEEP_FOCUS });
  }

  // a kind that does not exist any more has jobs
  const names = kinds.map(({ name, title }) => [name, title] as const);
  const isUnknown = params.kind !== undefined && !kinds.some(({ name }) => name === params.kind);
  return (
    <form onSubmit={submit} aria-label="Filter the list">
      <label>
        Kind
        <select name="kind" key={kinds.length} defaultValue={params.kind ?? ""}>
          <option value="">All kinds</option>
          {isUnknown && <option>{params.kind}</option>}
          {names.map(([name, title]) => (
            <option key={name} value={name}>
              {title}
            </option>
          ))}
        </select>
      </label>
      <label>
        Text
        <input name="text" defaultValue={params.text} placeholder="e.g. a topic" maxLength={200} />
      </label>
      <label>
        Error code
        <input
          name="code"
          list={codesId}
          defaultValue={params.code}
          placeholder="any"
          pattern="[a-z][a-z0-9_]{0,63}"
          title="Small letters, digits and _"
          spellCheck={false}
          autoCapitalize="none"
        />
        <datalist id={codesId}>
          {codes.map((code) => (
            <option key={code} value={code} />
          ))}
        </datalist>
      </label>
      <label>
        Created from
        <input
          type="datetime-local"
          name="since"
          step="1"
          defaultValue={fieldTime(params.since)}
          max="2286-01-01T00:00"
        />
      </label>
      <label>
        Created before
        <input
          type="datetime-local"
          name="until"
          step="1"
          defaultValue={fieldTime(params.until)}
          max="2286-01-01T00:00"
        />
      </label>
      {(services.isSignedIn || params.owner) && (
        <label>
          Owner (operators)
          <input
            name="owner"
            defaultValue={params.owner}
            placeholder="you; * for all"
            pattern="[0-9a-f]{32}|public|\*"
            title="An owner's 32 digits, public, or * for all"
            spellCheck={false}
            autoCapitalize="none"
          />
        </label>
      )}
      <div className="actions">
        <button type="submit" className="button">
          Show jobs
        </button>
        {isFiltered(params) && (
          <Link href={listUrl(firstPage({ status: params.status }))}>Remove filters</Link>
        )}
      </div>
      {problem && (
        <p className="error" role="alert">
          {problem}
        </p>
      )}
    </form>
  );
}

/** Opens a job's page by the job's id. */
function IdForm() {
  const [, navigate] = useLocation();
  const [problem, setProblem] = useState(false);
  function open(text: string) {
    const id = jobIdIn(text);
    setProblem(id === null);
    if (id) navigate(`/jobs/${id}`);
  }
  return (
    <form
      aria-label="Open a job"
      onSubmit={(event) => {
        event.preventDefault();
        open(String(new FormData(event.currentTarget).get("id")));
      }}
    >
      <label>
        Job id
        <input
          name="id"
          placeholder="Paste an id or a link"
          required
          spellCheck={false}
          autoCapitalize="none"
          aria-invalid={problem || undefined}
          aria-describedby={problem ? "id-problem" : undefined}
          onPaste={(event) => {
            const text = event.clipboardData.getData("text");
            if (jobIdIn(text) === null) return;
            event.preventDefault();
            open(text);
          }}
        />
      </label>
      <div className="actions">
        <button type="submit" className="button">
          Open job
        </button>
      </div>
      {problem && (
        <p id="id-problem" className="error" role="alert">
          This contains no job id. An id looks like 3f2b8c1e-9d4a-4e7b-8a53-0c6f1d2e7b90.
        </p>
      )}
    </form>
  );
}
