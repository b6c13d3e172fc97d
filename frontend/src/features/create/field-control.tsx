import { type ChangeEvent, useId } from "react";
import type { Field } from "./fields";

interface Props {
  field: Field;
  value: string;
  error: string | undefined;
  /** Without a visible label and description: the placeholder says what is meant. */
  placeholder: string | undefined;
  onChange(value: string): void;
}

const INPUT_TYPES: Record<string, string> = { uri: "url", email: "email", date: "date" };

/** A control with its label, description and error. */
export function FieldControl({ field, value, error, placeholder, onChange }: Props) {
  const { name, title, description, control, schema, isRequired, isNullable } = field;
  const id = useId();
  const isCompact = placeholder !== undefined;
  const descriptions = [!isCompact && description && `${id}-description`, error && `${id}-error`];
  const shared = {
    id,
    name,
    value,
    "aria-invalid": error !== undefined,
    "aria-describedby": descriptions.filter(Boolean).join(" ") || undefined,
    onChange: ({ target }: ChangeEvent<HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement>) =>
      onChange(target.value),
  };
  const hint = placeholder ?? hintOf(field);
  const hasText = isRequired && (schema.minLength ?? 0) > 0;

  function renderControl() {
    switch (control) {
      case "switch":
        return (
          <input
            {...shared}
            type="checkbox"
            role="switch"
            value="true"
            checked={value === "true"}
            aria-checked={value === "true"}
            onChange={({ target }) => onChange(target.checked ? "true" : "")}
          />
        );
      case "choice":
        return (
          <select {...shared} required={isRequired && !isNullable}>
            {(schema.default === undefined || isNullable) && <option value="">–</option>}
            {schema.enum?.map((choice, position) => (
              <option key={String(choice)} value={position}>
                {String(choice)}
              </option>
            ))}
          </select>
        );
      case "number":
        return (
          <input
            {...shared}
            type="number"
            inputMode={schema.type === "integer" ? "numeric" : "decimal"}
            required={isRequired && !isNullable}
            min={lowest(field)}
            max={highest(field)}
            step={schema.multipleOf ?? (schema.type === "integer" ? 1 : "any")}
          />
        );
      case "text":
        return (
          <input
            {...shared}
            type={INPUT_TYPES[schema.format ?? ""] ?? "text"}
            placeholder={hint}
            required={hasText && schema.default === undefined}
            autoComplete="off"
            enterKeyHint="send"
          />
        );
      default:
        return (
          <textarea
            {...shared}
            rows={control === "long" ? 4 : 2}
            placeholder={control === "json" ? "JSON" : hint}
            required={control === "json" ? isRequired && !isNullable : hasText}
            spellCheck={control === "long"}
          />
        );
    }
  }

  return (
    <div className="field" data-control={control}>
      <label htmlFor={id} className={isCompact ? "visually-hidden" : undefined}>
        {title}
      </label>
      {renderControl()}
      {!isCompact && description && (
        <p id={`${id}-description`} className="description">
          {description}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} className="error" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}

function hintOf({ schema }: Field): string | undefined {
  if (schema.default !== undefined && schema.default !== null) return String(schema.default);
  const example = schema.examples?.[0];
  return example === undefined ? undefined : `e.g. ${String(example)}`;
}

/** An exclusive bound of a number that is not whole cannot be stated in HTML: the API checks it. */
function lowest({ schema: { type, minimum, exclusiveMinimum } }: Field): number | undefined {
  if (minimum !== undefined || exclusiveMinimum === undefined) return minimum;
  return type === "integer" ? exclusiveMinimum + 1 : exclusiveMinimum;
}

function highest({ schema: { type, maximum, exclusiveMaximum } }: Field): number | undefined {
  if (maximum !== undefined || exclusiveMaximum === undefined) return maximum;
  return type === "integer" ? exclusiveMaximum - 1 : exclusiveMaximum;
}
