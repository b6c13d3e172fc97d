import type { JobFilter, Minute } from "calo-client/api/types";
import { useMemo } from "react";
import { Link } from "wouter";
import { clockTime, duration } from "../../text/time";
import { Chart, type Series } from "./chart";
import { ageColumns, MINUTE_MS, outcomeColumns, rangeFromZero, totals } from "./minutes";

const OUTCOMES: readonly Series[] = [
  { name: "failed", label: "Failed", shape: "bars" },
  { name: "ready", label: "Ready", shape: "bars" },
  { name: "created", label: "Created", shape: "line" },
];
const AGES: readonly Series[] = [
  { name: "median", label: "Median", shape: "line" },
  { name: "slowest", label: "95th percentile", shape: "line" },
];
const compact = new Intl.NumberFormat(undefined, { notation: "compact" });

interface Props {
  minutes: readonly Minute[];
  /** Return the URL of a list. */
  to(filter: Partial<JobFilter>): string;
}

/** What happened in the last hour: jobs per minute by outcome. */
export function Outcomes({ minutes, to }: Props) {
  const columns = useMemo(() => outcomeColumns(minutes), [minutes]);
  const hour = totals(minutes);
  const isEmpty = hour.created + hour.resolved + hour.failed === 0;
  return (
    <section aria-labelledby="outcomes">
      <h2 id="outcomes">Jobs per minute, last hour</h2>
      {isEmpty ? (
        <p className="nothing">No job was created or ended in the last hour.</p>
      ) : (
        <>
          <p>
            <Link href={to({ since: hour.since })}>{hour.created.toLocaleString()} created</Link>
            {", "}
            <Link href={to({ status: "resolved" })}>{hour.resolved.toLocaleString()} ready</Link>
            {", "}
            <Link href={to({ status: "error" })}>{hour.failed.toLocaleString()} failed</Link>
          </p>
          <Chart
            columns={columns}
            series={OUTCOMES}
            format={(value) => compact.format(value)}
            range={rangeFromZero}
          />
          <details>
            <summary>Jobs per minute as a table</summary>
            <p className="note">
              Ready and failed jobs link to the list of those created before the minute's end.
            </p>
            <table>
              <thead>
                <tr>
                  <th scope="col">Minute</th>
                  <th scope="col">Created</th>
                  <th scope="col">Ready</th>
                  <th scope="col">Failed</th>
                </tr>
              </thead>
              <tbody>
                {[...minutes].reverse().map(({ at, created, resolved, failed }) => {
                  const until = at + MINUTE_MS;
                  return (
                    <tr key={at}>
                      <th scope="row">{clockTime(at, at)}</th>
                      <Cell count={created} href={to({ since: at, until })} />
                      <Cell count={resolved} href={to({ status: "resolved", until })} />
                      <Cell count={failed} href={to({ status: "error", until })} />
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </details>
        </>
      )}
    </section>
  );
}

/** How old jobs were when their result was there. */
export function Ages({ minutes }: Pick<Props, "minutes">) {
  const columns = useMemo(() => ageColumns(minutes), [minutes]);
  const measured = minutes.filter(({ age_p50_ms: age }) => age !== null);
  const last = measured.at(-1);
  return (
    <section aria-labelledby="ages">
      <h2 id="ages">Age at resolution</h2>
      {last === undefined ? (
        <p className="nothing">No job became ready in the last hour.</p>
      ) : (
        <>
          <p>
            {`At ${clockTime(last.at, last.at)}: median ${ageText(last.age_p50_ms)}, 95th percentile ${ageText(last.age_p95_ms)}`}
          </p>
          <Chart columns={columns} series={AGES} format={shortDuration} />
          <details>
            <summary>Age at resolution as a table</summary>
            <table>
              <thead>
                <tr>
                  <th scope="col">Minute</th>
                  <th scope="col">Median</th>
                  <th scope="col">95th percentile</th>
                </tr>
              </thead>
              <tbody>
                {measured.reverse().map(({ at, age_p50_ms: p50, age_p95_ms: p95 }) => (
                  <tr key={at}>
                    <th scope="row">{clockTime(at, at)}</th>
                    <td>{ageText(p50)}</td>
                    <td>{ageText(p95)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </details>
        </>
      )}
    </section>
  );
}

/** A number in a table that links to the list that it counts. */
export function Cell({ count, href }: { count: number; href: string }) {
  return <td>{count === 0 ? "0" : <Link href={href}>{count.toLocaleString()}</Link>}</td>;
}

const UNITS = [
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
  ["ms", 0],
] as const;

/** Return "10 ms", "1 s" or "1.7 min", for an axis. */
function shortDuration(ms: number): string {
  const [unit, length] = UNITS.find(([, shortest]) => ms >= shortest) ?? UNITS[3];
  return `${Number((ms / (length || 1)).toPrecision(2))} ${unit}`;
}

function ageText(ms: number | null): string {
  if (ms === null) return "–";
  return ms < 100 ? `${ms} ms` : duration(ms);
}
