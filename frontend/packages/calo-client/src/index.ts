/** The API client, live stream and cache of Calo, without a framework. */

export { ApiError } from "./api/api-error";
export { CaloApi } from "./api/calo-api";
export type {
  Job,
  JobPage,
  JobRequest,
  Kind,
  ListParams,
  Schedule,
  ScheduleChange,
  ScheduleRequest,
  Stats,
  Status,
} from "./api/types";
export { type Client, type ClientOptions, connect } from "./client";
export { JobCache } from "./live/job-cache";
export { Live } from "./live/live";
export type { LiveStatus } from "./live/live-stream";
