/** Short names for the types that are generated from the OpenAPI document. */

import type { components } from "./schema";

export type { components };

type Schemas = components["schemas"];

/** A job of any kind. The generated type of an unknown kind's job has the schema's name as its kind. */
export type Job = Omit<Schemas["OtherJob"], "kind"> & { kind: string };
/** The total is null if the list is filtered by code or time. */
export type JobPage = Omit<Schemas["JobPage"], "data"> & { data: Job[] };
export type HistoryEntry = Schemas["HistoryEntry"];
export type Delivery = Schemas["Delivery"];
export type DeliveryList = Schemas["DeliveryList"];
export type Budget = Schemas["Budget"];
export type FieldError = Schemas["FieldError"];
export type Schedule = Schemas["Schedule"];
export type ScheduleRequest = Pick<Schedule, "kind" | "input" | "cron" | "timezone">;
export type ScheduleChange = Schemas["ScheduleChange"];
export type Stats = Schemas["Stats"];
export type Status = Schemas["Status"];

/** What identifies a job for people: also of one that has not been created yet. */
export type JobContent = Pick<Job, "kind" | "input">;

export interface JobRequest extends JobContent {
  delay_seconds?: number;
}

/** A job to create with others. Its idempotency key is `key`. */
export interface BulkEntry extends JobRequest {
  key: string;
}

/** The parts of JSON Schema that declarations of kinds use. */
export interface JsonSchema {
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
  type?: string;
  title?: string;
  description?: string;
  default?: unknown;
  examples?: unknown[];
  enum?: unknown[];
  anyOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema | false;
  required?: string[];
  format?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  multipleOf?: number;
}

export type Kind = Omit<Schemas["Kind"], "input" | "output"> & { input: JsonSchema; output: JsonSchema };

export const STATUSES: readonly Status[] = ["pending", "resolved", "error", "cancelled"];

/** What the jobs of a list have in common. */
export interface JobFilter {
  status: Status | null;
  kind?: string;
  /** That of the error. */
  code?: string;
  /** Created at this time or later, and before that time (epoch ms). */
  since?: number;
  until?: number;
  /** It occurs in one of the texts of the input, in capital or small letters. */
  text?: string;
  /** For operators: another owner, or `*` for all. By default one's own jobs are listed. */
  owner?: string;
}

/** Selects a page of the list, by page number or after a cursor. */
export interface ListParams extends JobFilter {
  page: number;
  cursor: string | null;
}

/** Which jobs a call changes. */
export type Selection = Pick<JobFilter, "kind" | "code" | "owner"> & { status?: Status };
export type Changed = Schemas["Changed"];
export type Counts = Schemas["Counts"];
export type Minute = Schemas["Minute"];

export function isFirstPage(params: ListParams): boolean {
  return params.page === 1 && params.cursor === null;
}
