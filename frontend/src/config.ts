import { retryDelayMs } from "./api/retry-policy";

const TIMEOUT_MS = 15_000;

/** The settings that a deployment gives the page. */
export interface Config {
  /** The base URL of the API, including the stage: `/api` or `https://….amazonaws.com/api`. */
  apiUrl: string;
}

/**
 * Read `/config.json` until it succeeds. `onFailure` is called with an Error that says what is wrong after each
 * failure.
 */
export async function waitForConfig(onFailure: (error: Error) => void): Promise<Config> {
  for (let failures = 0; ; failures += 1) {
    try {
      return await loadConfig();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      onFailure(error);
      await new Promise((resolve) => setTimeout(resolve, retryDelayMs(failures, error)));
    }
  }
}

/** Read `/config.json`, which the deployment writes. Rejects with an Error that says what is wrong. */
async function loadConfig(): Promise<Config> {
  const response = await fetch("/config.json", { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`/config.json: status ${response.status}`);
  const config: unknown = await response.json();
  if (typeof config !== "object" || config === null || !("apiUrl" in config)) {
    throw new Error("/config.json: apiUrl is missing");
  }
  return { apiUrl: String(config.apiUrl).replace(/\/+$/, "") };
}
