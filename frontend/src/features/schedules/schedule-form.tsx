import { useMutation } from "@tanstack/react-query";
import { ApiError } from "calo-client/api/api-error";
import type { Kind, ScheduleRequest } from "calo-client/api/types";
import { type FormEvent, useId, useMemo, useState } from "react";
import { useServices } from "../../services";
import { COMMON } from "../../text/cron";
import { problemText } from "../../text/problem";
import { timeZones } from "../../text/zoned-time";
import { FieldControl } from "../create/field-control";
import {
  type Errors,
  errorsByField,
  fieldsOf,
  initialValues,
  parseValues,
  type Values,
} from "../create/fields";
import { SelectField } from "../create/select-field";
import { showSchedule } from "./schedules-query";

const OTHER = "";
const TIMES = [...COMMON, [OTHER, "Other times…"]] as const;

interface Props {
  kinds: readonly Kind[];
  announce(text: string): void;
}

export function ScheduleForm({ kinds, announce }: Props) {
  const [name, setName] = useState(kinds[0]?.name ?? "");
  const kind = kinds.find((each) => each.name === name) ?? kinds[0];
  if (!kind) return null;
  return (
    <div className="create">
      {kinds.length > 1 && (
        <SelectField<string>
          label="Kind of job"
          className="kind"
          options={kinds.map((each) => [each.name, each.title] as const)}
          value={kind.name}
          onChange={setName}
        />
      )}
      <KindForm key={kind.name} kind={kind} announce={announce} />
    </div>
  );
}

function KindForm({ kind, announce }: { kind: Kind; announce(text: string): void }) {
  const { api, queries } = useServices();
  const fields = useMemo(() => fieldsOf(kind), [kind]);
  const zones = useMemo(timeZones, []);
  const [values, setValues] = useState<Values>(() => initialValues(fields));
  const [errors, setErrors] = useState<Errors>({});
  const [common, setCommon] = useState<string>(COMMON[0]?.[0] ?? OTHER);
  const [cron, setCron] = useState("");
  const [timezone, setTimezone] = useState(zones[0] ?? "UTC");
  const create = useMutation({
    mutationFn: (body: ScheduleRequest) => api.createSchedule(body),
    onSuccess: (schedule) => {
      showSchedule(queries, schedule);
      setValues(initialValues(fields));
      setCron("");
      announce("The schedule is created");
    },
    onError: (error) => setErrors(error instanceof ApiError ? errorsByField(fields, error.fields) : {}),
  });

  function submit(event: FormEvent) {
    event.preventDefault();
    if (create.isPending) return;
    const parsed = parseValues(fields, values);
    setErrors(parsed.errors);
    if (Object.keys(parsed.errors).length > 0) return;
    create.mutate({ kind: kind.name, input: parsed.input, cron: common === OTHER ? cron : common, timezone });
  }

  const refused = create.error instanceof ApiError ? create.error.fields : [];
  const cronError = refused.find(({ field }) => field === "cron")?.message;
  const isShown = cronError !== undefined || Object.keys(errors).length > 0;
  return (
    <form onSubmit={submit}>
      {fields.map((field) => (
        <FieldControl
          key={field.name}
          field={field}
          value={values[field.name] ?? ""}
          error={errors[field.name]}
          placeholder={undefined}
          onChange={(text) => setValues({ ...values, [field.name]: text })}
        />
      ))}
      {common === OTHER && <CronField value={cron} error={cronError} onChange={setCron} />}
      <SelectField<string> label="When" options={TIMES} value={common} onChange={setCommon} />
      <SelectField<string>
        label="Time zone"
        options={zones.map((zone) => [zone, zone] as const)}
        value={timezone}
        onChange={setTimezone}
      />
      <button type="submit" className="button primary" aria-disabled={create.isPending}>
        Create schedule
      </button>
      {create.error && !isShown && (
        <p className="error" role="alert">
          {problemText(create.error, Date.now())}
        </p>
      )}
    </form>
  );
}

interface CronProps {
  value: string;
  error: string | undefined;
  onChange(value: string): void;
}

function CronField({ value, error, onChange }: CronProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>Cron expression</label>
      <input
        id={id}
        value={value}
        required
        maxLength={100}
        placeholder="0 9 * * 1-5"
        autoComplete="off"
        spellCheck={false}
        aria-invalid={error !== undefined}
        aria-describedby={error ? `${id}-error` : `${id}-description`}
        onChange={({ target }) => onChange(target.value)}
      />
      <p id={`${id}-description`} className="description">
        Five fields: minute, hour, day of the month, month, day of the week.
      </p>
      {error && (
        <p id={`${id}-error`} className="error" role="alert">
          The expression {error}.
        </p>
      )}
    </div>
  );
}
