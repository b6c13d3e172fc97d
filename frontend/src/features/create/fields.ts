/** The fields of a form, from the JSON Schema of a kind's input. */

import type { FieldError, JsonSchema, Kind } from "calo-client/api/types";
import { fieldTitle, resolve, withoutNull } from "../../text/schema";

/** Texts that may be longer than this get several lines. */
const LONG_TEXT = 200;

export type Control = "text" | "long" | "number" | "choice" | "switch" | "json";

export interface Field {
  name: string;
  title: string;
  description: string | undefined;
  control: Control;
  schema: JsonSchema;
  isRequired: boolean;
  isNullable: boolean;
  /** The text of the control at first. Of a choice: the position of the value. Of a switch: `true` or empty. */
  initial: string;
}

/** By the name of the field. */
export type Values = Record<string, string>;
export type Errors = Record<string, string>;

export function fieldsOf({ input }: Kind): Field[] {
  return Object.entries(input.properties ?? {}).map(([name, property]) => {
    const { schema, isNullable } = withoutNull(resolve(property, input), input);
    const control = controlOf(schema);
    return {
      name,
      title: fieldTitle(name, schema),
      description: schema.description,
      control,
      schema,
      isRequired: input.required?.includes(name) ?? false,
      isNullable,
      initial: initialText(control, schema),
    };
  });
}

function controlOf(schema: JsonSchema): Control {
  if (schema.enum) return "choice";
  switch (schema.type) {
    case "string":
      return (schema.maxLength ?? 0) > LONG_TEXT ? "long" : "text";
    case "integer":
    case "number":
      return "number";
    case "boolean":
      return "switch";
    default:
      return "json";
  }
}

/** Texts start empty: their default is a placeholder. */
function initialText(control: Control, schema: JsonSchema): string {
  return control === "text" || control === "long" ? "" : textOf(control, schema, schema.default);
}

function textOf(control: Control, { enum: choices }: JsonSchema, value: unknown): string {
  if (control === "choice") {
    const position = choices?.indexOf(value) ?? -1;
    return position < 0 ? "" : String(position);
  }
  if (value === undefined || value === null) return "";
  if (control === "switch") return value === true ? "true" : "";
  return control === "json" ? JSON.stringify(value) : String(value);
}

export function initialValues(fields: readonly Field[]): Values {
  return Object.fromEntries(fields.map(({ name, initial }) => [name, initial]));
}

/** Return the texts of the controls for an input. */
export function valuesOf(fields: readonly Field[], input: Record<string, unknown>): Values {
  return Object.fromEntries(
    fields.map(({ name, control, schema }) => [name, textOf(control, schema, input[name])]),
  );
}

/** Say how many Unicode code points a text is too long, as the API counts them. */
export function excessText({ control, schema }: Field, text: string): string | undefined {
  const limit = schema.maxLength;
  if ((control !== "text" && control !== "long") || limit === undefined) return undefined;
  const count = [...trimmed(control, text)].length - limit;
  if (count <= 0) return undefined;
  return `Too long. Remove ${count === 1 ? "1 character" : `${count} characters`}: at most ${limit} are allowed.`;
}

interface Parsed {
  input: Record<string, unknown>;
  errors: Errors;
}

/** Return the input to send. Fields that are empty have their default, or are left out. */
export function parseValues(fields: readonly Field[], values: Values): Parsed {
  const input: Record<string, unknown> = {};
  const errors: Errors = {};
  for (const field of fields) {
    const { name, control, schema, isRequired } = field;
    const text = trimmed(control, values[name] ?? "");
    const excess = excessText(field, text);
    if (excess) errors[name] = excess;
    else if (control === "switch") input[name] = text === "true";
    else if (text !== "") {
      try {
        input[name] = parseText(field, text);
      } catch {
        errors[name] = 'Must be JSON, for example [1, 2] or {"a": true}.';
      }
    } else if (schema.default !== undefined && (control === "text" || control === "long")) {
      input[name] = schema.default;
    } else if (isRequired) {
      input[name] = schema.type === "string" && !schema.enum ? "" : null; // the API says what it must be
    }
  }
  return { input, errors };
}

function parseText({ control, schema }: Field, text: string): unknown {
  if (control === "number") return Number(text);
  if (control === "choice") return schema.enum?.[Number(text)];
  return control === "json" ? JSON.parse(text) : text;
}

/** Spaces around a line are left out; a long text may need them. */
function trimmed(control: Control, text: string): string {
  return control === "long" ? text : text.trim();
}

/** Return the errors of the fields, by name, that the API has refused. */
export function errorsByField(fields: readonly Field[], refused: readonly FieldError[]): Errors {
  const errors: Errors = {};
  for (const { field: path, message } of refused) {
    const field = fields.find(({ name }) => isWithin(path, `input.${name}`));
    if (!field) continue;
    const inner = path.slice(`input.${field.name}`.length).replace(/^\./, "");
    const text = inner ? `${inner} ${message}` : message.charAt(0).toUpperCase() + message.slice(1);
    errors[field.name] ??= /[.!?]$/.test(text) ? text : `${text}.`;
  }
  return errors;
}

/** Return whether a path, such as `input.a[1].b`, is that of a field or of a part of it. */
function isWithin(path: string, field: string): boolean {
  return path.startsWith(field) && /^(?:$|[.[])/.test(path.slice(field.length));
}
