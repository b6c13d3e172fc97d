/** The services that components use. `make-services.ts` creates and connects them once. */

import type { QueryClient } from "@tanstack/react-query";
import type { CaloApi } from "calo-client/api/calo-api";
import type { JobCache } from "calo-client/live/job-cache";
import type { Live } from "calo-client/live/live";
import type { OwnJobs } from "calo-client/live/own-jobs";
import { createContext, useContext } from "react";
import type { Kept } from "./kept";

export interface Services {
  api: CaloApi;
  queries: QueryClient;
  cache: JobCache;
  ownJobs: OwnJobs;
  live: Live;
  kept: Kept;
  /** Whether jobs have owners: users must sign in. */
  isSignedIn: boolean;
  /** Where operators find what the app does not show, or null. */
  dashboardUrl: string | null;
}

const ServicesContext = createContext<Services | null>(null);
export const ServicesProvider = ServicesContext.Provider;

/** Return the services of the nearest ServicesProvider. Throws an error if there is none. */
export function useServices(): Services {
  const services = useContext(ServicesContext);
  if (!services) throw new Error("useServices must be used inside a ServicesProvider");
  return services;
}
