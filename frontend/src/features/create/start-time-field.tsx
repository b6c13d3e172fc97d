import { useId } from "react";
import { useNow } from "../../hooks/use-now";
import { bounds, timeZone } from "./delay";

interface Props {
  value: string;
  onChange(value: string): void;
}

/** A date and time of the next 30 days, in the browser's time zone. */
export function StartTimeField({ value, onChange }: Props) {
  const id = useId();
  const { min, max } = bounds(useNow());
  return (
    <div className="field" data-control="time">
      <label htmlFor={id}>Start at</label>
      <input
        id={id}
        type="datetime-local"
        required
        min={min}
        max={max}
        value={value}
        aria-describedby={`${id}-zone`}
        onChange={({ target }) => onChange(target.value)}
      />
      <p id={`${id}-zone`} className="description">
        Within 30 days, in your time zone ({timeZone()}).
      </p>
    </div>
  );
}
