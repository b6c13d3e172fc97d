import type { Budget, JobFilter, Kind, Stats } from "calo-client/api/types";
import { Link } from "wouter";
import { useNow } from "../../hooks/use-now";
import { age, clockTime } from "../../text/time";
import { Cell } from "./hour";

interface Props {
  stats: Stats;
  /** Return the URL of a list. */
  to(filter: Partial<JobFilter>): string;
}

const STATUSES = [
  ["pending", "Pending"],
  ["resolved", "Ready"],
  ["error", "Failed"],
  ["cancelled", "Cancelled"],
] as const;

/** The numbers of all kinds. */
export function Overview({ stats, owner, to }: Props & { owner: string | undefined }) {
  const now = useNow();
  const oldest = stats.oldest_pending;
  return (
    <dl className="tiles">
      {STATUSES.map(([status, name]) => (
        <div key={status}>
          <dt>{name}</dt>
          <dd>
            <Link href={to({ status })}>{stats.counts[status].toLocaleString()}</Link>
          </dd>
        </div>
      ))}
      {owner !== "*" && (
        <div>
          <dt>Oldest pending job</dt>
          <dd>{oldest ? <Link href={`/jobs/${oldest.id}`}>{age(oldest.created_at, now)}</Link> : "none"}</dd>
        </div>
      )}
    </dl>
  );
}

/** What waits and runs, and all jobs, by kind. */
export function Kinds({ stats, kinds, to }: Props & { kinds: readonly Kind[] }) {
  const names = new Set([
    ...kinds.map(({ name }) => name),
    ...Object.keys(stats.queues),
    ...Object.keys(stats.counts_by_kind), // a kind that does not exist any more has jobs
  ]);
  return (
    <section aria-labelledby="kinds">
      <h2 id="kinds">Jobs by kind</h2>
      <div className="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">Kind</th>
              <th scope="col">Waiting</th>
              <th scope="col">Running</th>
              {STATUSES.map(([status, name]) => (
                <th key={status} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {[...names].map((kind) => {
              const queue = stats.queues[kind];
              const pending = to({ kind, status: "pending" });
              return (
                <tr key={kind}>
                  <th scope="row">
                    <Link href={to({ kind })}>{kinds.find(({ name }) => name === kind)?.title ?? kind}</Link>
                  </th>
                  {queue ? <Cell count={queue.waiting} href={pending} /> : <td>–</td>}
                  {queue ? <Cell count={queue.running} href={pending} /> : <td>–</td>}
                  {STATUSES.map(([status]) => (
                    <Cell
                      key={status}
                      count={stats.counts_by_kind[kind]?.[status] ?? 0}
                      href={to({ kind, status })}
                    />
                  ))}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      <p className="note">
        Waiting and running are what the queues of all owners contain, approximately. Delayed jobs and those
        that wait for a budget are pending, but not in a queue.
      </p>
    </section>
  );
}

export function Budgets({ stats }: Pick<Props, "stats">) {
  const budgets = Object.entries(stats.budgets);
  return (
    <section aria-labelledby="budgets">
      <h2 id="budgets">Budgets</h2>
      {budgets.length === 0 ? (
        <p className="nothing">No kind has a budget.</p>
      ) : (
        <ul className="budgets">
          {budgets.map(([name, budget]) => (
            <BudgetRow key={name} name={name} budget={budget} />
          ))}
        </ul>
      )}
    </section>
  );
}

function BudgetRow({ name, budget }: { name: string; budget: Budget }) {
  const { limit, remaining, resets_at: resetsAt } = budget;
  const now = useNow();
  return (
    <li>
      <span className="name">{name}</span>
      <meter aria-label={`${name}: remaining`} min={0} max={limit} value={remaining} />
      <span>
        {remaining.toLocaleString()} of {limit.toLocaleString()} left
        {resetsAt !== null && `, resets at ${clockTime(resetsAt, now)}`}
      </span>
    </li>
  );
}

/** Failed jobs by error code. `choose` prepares to retry those of a code. */
export function Failures({ stats, to, choose }: Props & { choose(code: string): void }) {
  const codes = Object.entries(stats.codes).sort(([, a], [, b]) => b - a);
  return (
    <section aria-labelledby="failures">
      <h2 id="failures">Failures by code</h2>
      {codes.length === 0 ? (
        <p className="nothing">No job has failed.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">Code</th>
              <th scope="col">Failed</th>
              <td />
            </tr>
          </thead>
          <tbody>
            {codes.map(([code, count]) => (
              <tr key={code}>
                <th scope="row">
                  <code>{code}</code>
                </th>
                <Cell count={count} href={to({ status: "error", code })} />
                <td>
                  <button
                    type="button"
                    className="text-button"
                    aria-label={`Retry jobs that failed with ${code}`}
                    onClick={() => {
                      choose(code);
                      document.getElementById("change")?.focus();
                    }}
                  >
                    Retry…
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
