/** The composition root: creates the services and connects them. */

import { connect } from "calo-client";
import { OwnJobs } from "calo-client/live/own-jobs";
import type { Config } from "./config";
import { isAwaited, keepDrafts } from "./features/jobs/drafts";
import { Kept, storeKept, takeKept } from "./kept";
import type { Services } from "./services";

export interface Caller {
  /** Sends requests to the API. */
  fetch: typeof fetch;
  owner: string;
  kept: Kept;
}

/** `caller` is the user who is signed in, or null without sign-in. */
export function makeServices(config: Config, caller: Caller | null): Services {
  const ownJobs = new OwnJobs();
  const client = connect(config.apiUrl, {
    ...(caller ? { fetch: caller.fetch, owner: caller.owner } : {}),
    // the name of this file contains a hash of the app's code
    version: import.meta.url,
    isAwaited,
    onJobsChanged: (jobs) => ownJobs.recordChanges(jobs),
  });
  const services = {
    ...client,
    ownJobs,
    kept: caller?.kept ?? new Kept(takeKept("")),
    isSignedIn: caller !== null,
    dashboardUrl: config.dashboardUrl,
  };
  window.addEventListener("pagehide", () => storeKept(caller?.owner ?? "", services.kept));
  keepDrafts(services);
  return services;
}
