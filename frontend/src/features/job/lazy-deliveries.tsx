import type { Job } from "calo-client/api/types";
import { Loadable, useLoaded } from "../../hooks/loadable";

/** The deliveries of a job's webhook. Only few jobs have one, and only when they have ended. */
const deliveries = new Loadable(async () => (await import("./deliveries")).Deliveries);

export function LazyDeliveries({ job, title }: { job: Job; title: string }) {
  const Deliveries = useLoaded(job.status === "pending" ? undefined : deliveries);
  return Deliveries && job.status !== "pending" ? <Deliveries job={job} title={title} /> : null;
}
