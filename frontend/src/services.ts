/** The services that components use. `make-services.ts` creates and connects them once. */

import type { QueryClient } from "@tanstack/react-query";
import { createContext, useContext } from "react";
import type { CaloApi } from "./api/calo-api";
import type { Kept } from "./kept";
import type { JobCache } from "./live/job-cache";
import type { Live } from "./live/live";
import type { OwnJobs } from "./live/own-jobs";

export interface Services {
  api: CaloApi;
  queries: QueryClient;
  cache: JobCache;
  ownJobs: OwnJobs;
  live: Live;
  kept: Kept;
}

const ServicesContext = createContext<Services | null>(null);
export const ServicesProvider = ServicesContext.Provider;

/** Return the services of the nearest ServicesProvider. Throws an error if there is none. */
export function useServices(): Services {
  const services = useContext(ServicesContext);
  if (!services) throw new Error("useServices must be used inside a ServicesProvider");
  return services;
}
