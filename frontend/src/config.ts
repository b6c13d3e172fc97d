/** The settings that a deployment gives the page. */
export interface Config {
  /** The base URL of the API, including the stage: `/api` or `https://….amazonaws.com/api`. */
  apiUrl: string;
}

/** Read `/config.json`, which the deployment writes. Rejects with an Error that says what is wrong. */
export async function loadConfig(): Promise<Config> {
  const response = await fetch("/config.json");
  if (!response.ok) throw new Error(`/config.json: status ${response.status}`);
  const config: unknown = await response.json();
  if (typeof config !== "object" || config === null || !("apiUrl" in config)) {
    throw new Error("/config.json: apiUrl is missing");
  }
  return { apiUrl: String(config.apiUrl).replace(/\/+$/, "") };
}
