import { useId } from "react";

interface Props<T extends string | number> {
  label: string;
  options: readonly (readonly [value: T, label: string])[];
  value: T;
  onChange(value: T): void;
  className?: string;
}

/** A choice whose label is for screen readers only, because the chosen option says what it is. */
export function SelectField<T extends string | number>({
  label,
  options,
  value,
  onChange,
  className,
}: Props<T>) {
  const id = useId();
  return (
    <>
      <label htmlFor={id} className="visually-hidden">
        {label}
      </label>
      <select
        id={id}
        className={className}
        value={value}
        onChange={({ target }) => {
          const option = options[target.selectedIndex];
          if (option) onChange(option[0]);
        }}
      >
        {options.map(([optionValue, optionLabel]) => (
          <option key={optionValue} value={optionValue}>
            {optionLabel}
          </option>
        ))}
      </select>
    </>
  );
}
