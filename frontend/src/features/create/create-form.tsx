import { useQuery } from "@tanstack/react-query";
import { ApiError } from "calo-client/api/api-error";
import { isFirstPage, type Job, type Kind, type ListParams } from "calo-client/api/types";
import { type FormEvent, useEffect, useMemo, useRef, useState } from "react";
import { useLocation } from "wouter";
import { Loadable, useLoaded } from "../../hooks/loadable";
import { KEEP_FOCUS } from "../../hooks/use-focus-on-navigation";
import { type KindView, useView } from "../../kinds/kind-view";
import { kindsQuery } from "../../queries";
import { useServices } from "../../services";
import { discardDraft, newDraft, sendDrafts } from "../jobs/drafts";
import { isFiltered } from "../jobs/list-params";
import { FieldControl } from "./field-control";
import {
  type Errors,
  errorsByField,
  excessText,
  type Field,
  fieldsOf,
  initialValues,
  parseValues,
  type Values,
  valuesOf,
} from "./fields";
import { rememberedKind, rememberKind } from "./remembered-kind";
import { SelectField } from "./select-field";

const COUNTS = [1, 2, 3, 5, 10];
const AT_A_TIME = -1;
/** Seconds until the job starts. */
const DELAYS: readonly (readonly [number, string])[] = [
  [0, "now"],
  [10, "in 10 seconds"],
  [60, "in 1 minute"],
  [300, "in 5 minutes"],
  [900, "in 15 minutes"],
  [3600, "in 1 hour"],
  [86_400, "in 1 day"],
  [AT_A_TIME, "at a time…"],
];
/** The choice of a date and time. Few need it, so its code is loaded when it is chosen. */
const startTime = new Loadable(async () => {
  const [{ StartTimeField }, { delayUntil }] = await Promise.all([
    import("./start-time-field"),
    import("./delay"),
  ]);
  return { StartTimeField, delayUntil };
});

interface CreateProps {
  /** The list that is shown below the form. */
  params: ListParams;
  /** The id of a job whose input is filled in, if this page has the job. */
  edit: string | null;
}

export function CreateForm({ params, edit }: CreateProps) {
  const services = useServices();
  const kinds = useQuery(kindsQuery(services)).data;
  const edited = edit === null ? undefined : services.cache.latest(edit);
  const [chosen, setChosen] = useState(rememberedKind);
  const kind = kinds?.find(({ name }) => name === (edited?.kind ?? chosen)) ?? kinds?.[0];
  const view = useView(kind?.name);
  if (!kinds || !kind || !view) return <div className="create" aria-busy="true" />;
  function choose(name: string) {
    rememberKind(name);
    setChosen(name);
  }
  const options = kinds.map(({ name, title }) => [name, title] as const);
  return (
    <div className="create">
      {kinds.length > 1 && (
        <SelectField
          label="Kind of job"
          className="kind"
          options={options}
          value={kind.name}
          onChange={choose}
        />
      )}
      {!view.form && kind.description && <p className="description">{kind.description}</p>}
      <KindForm key={`${kind.name} ${edited?.id}`} kind={kind} view={view} params={params} edited={edited} />
    </div>
  );
}

interface State {
  values: Values;
  /** What the API refused. */
  errors: Errors;
  count: number;
}

interface FormProps {
  kind: Kind;
  view: KindView;
  params: ListParams;
  edited: Job | undefined;
}

function KindForm({ kind, view, params, edited }: FormProps) {
  const services = useServices();
  const [, navigate] = useLocation();
  const fields = useMemo(() => fieldsOf(kind), [kind]);
  const { kept } = services;
  const name = `form of ${kind.name}`;
  const [state, setState] = useState(() =>
    edited
      ? { ...newState(fields), values: valuesOf(fields, edited.input) }
      : ((kept.restored(name) as State | undefined) ?? newState(fields)),
  );
  const [delay, setDelay] = useState(0);
  const [startText, setStartText] = useState("");
  const start = useLoaded(delay === AT_A_TIME ? startTime : undefined);
  const latest = useRef(state);
  useEffect(() => {
    latest.current = state;
  }, [state]);
  useEffect(() => kept.register(name, () => latest.current), [kept, name]);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (edited) form.current?.querySelector<HTMLElement>("[name]")?.focus();
  }, [edited]);
  const texts = view.form;
  const isCompact = texts !== undefined && fields.length === 1;
  const amount = texts?.amount ?? jobs;
  const submitText = texts?.submit ?? ((count: number) => `Create ${count === 1 ? "job" : jobs(count)}`);

  async function submit(event: FormEvent) {
    event.preventDefault();
    const { input, errors } = parseValues(fields, state.values);
    if (Object.keys(errors).length > 0) return setState({ ...state, errors });
    const delaySeconds = delay === AT_A_TIME ? start?.delayUntil(startText, Date.now()) : delay;
    if (delaySeconds === undefined || delaySeconds === null) return; // the control says what is wrong
    // a list of one status would not show the job until its end
    const showsNewJobs = isFirstPage(params) && params.status === null && !isFiltered(params);
    if (!showsNewJobs || edited) navigate("/", { state: KEEP_FOCUS });
    const cleared = newState(fields);
    setState(cleared);
    setDelay(0);
    const content = { kind: kind.name, input };
    const drafts = Array.from({ length: state.count }, () => newDraft(content, delaySeconds));
    const results = await sendDrafts(services, drafts);
    const refused = results.flatMap((error) => (error instanceof ApiError ? error.fields : []));
    const refusedFields = errorsByField(fields, refused);
    // if something else has been typed in the meantime, the draft remains, with the reason
    if (Object.keys(refusedFields).length === 0 || latest.current !== cleared || !form.current) return;
    for (const draft of drafts) discardDraft(services.queries, draft);
    setState({ ...state, errors: refusedFields });
  }

  return (
    <form ref={form} className={isCompact ? "compact" : undefined} onSubmit={submit}>
      {fields.map((field) => {
        const value = state.values[field.name] ?? "";
        return (
          <FieldControl
            key={field.name}
            field={field}
            value={value}
            error={excessText(field, value) ?? state.errors[field.name]}
            placeholder={isCompact ? texts.placeholders[field.name] : undefined}
            onChange={(text) => {
              const { [field.name]: _, ...errors } = state.errors;
              setState({ ...state, values: { ...state.values, [field.name]: text }, errors });
            }}
          />
        );
      })}
      <SelectField
        label="How many"
        options={COUNTS.map((count) => [count, amount(count)] as const)}
        value={state.count}
        onChange={(count) => setState({ ...state, count })}
      />
      <SelectField<number> label="When" options={DELAYS} value={delay} onChange={setDelay} />
      {start && <start.StartTimeField value={startText} onChange={setStartText} />}
      <button type="submit" className="button primary">
        {submitText(state.count)}
      </button>
    </form>
  );
}

function newState(fields: readonly Field[]): State {
  return { values: initialValues(fields), errors: {}, count: 1 };
}

function jobs(count: number): string {
  return count === 1 ? "1 job" : `${count} jobs`;
}
