/** What a deployment tells the page. */
export interface Config {
  /** Base of the API, stage included: `/api` or `https://….amazonaws.com/api`. */
  apiUrl: string;
}

/** Read `/config.json`, which is written when the site is deployed. Rejects with what is wrong. */
export async function loadConfig(): Promise<Config> {
  const answer = await fetch("/config.json");
  if (!answer.ok) throw new Error(`/config.json: ${answer.status}`);
  const config: unknown = await answer.json();
  if (typeof config !== "object" || config === null || !("apiUrl" in config)) {
    throw new Error("/config.json has no apiUrl");
  }
  return { apiUrl: String(config.apiUrl).replace(/\/+$/, "") };
}
