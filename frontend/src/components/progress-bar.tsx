import type { Job } from "calo-client/api/types";

interface Props {
  progress: NonNullable<Job["progress"]>;
  title: string;
}

/** How far the work is. It is not a live region: only the end of a job is announced. */
export function ProgressBar({ progress: { fraction, message }, title }: Props) {
  const percent = fraction === null ? "" : `${Math.floor(fraction * 100)} %`;
  return (
    <div className="progress">
      <progress
        aria-label={`Progress of ${title}`}
        aria-valuetext={[percent, message].filter(Boolean).join(", ") || undefined}
        value={fraction ?? undefined}
      />
      <p aria-hidden="true">
        <span>{message ?? ""}</span> <span>{percent}</span>
      </p>
    </div>
  );
}
