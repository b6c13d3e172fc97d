const TIMEOUT_MS = 15_000;

/** The settings that a deployment gives the page. */
export interface Config {
  /** The base URL of the API, including the stage: `/api` or `https://….amazonaws.com/api`. */
  apiUrl: string;
  /** Only if users must sign in. */
  signIn: SignInConfig | null;
  /** The page of the deployment's dashboard, if it has one. */
  dashboardUrl: string | null;
}

export interface SignInConfig {
  issuer: string;
  clientId: string;
  scope: string;
  /** The address of Cognito's page. If it is empty, the issuer's discovery document names all addresses. */
  hostedUrl: string;
  /** The token that the API accepts. */
  bearer: "access_token" | "id_token";
}

/** Read `/config.json`, which the deployment writes. Rejects with an Error that says what is wrong. */
export async function loadConfig(): Promise<Config> {
  const response = await fetch("/config.json", { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`/config.json: status ${response.status}`);
  const config: unknown = await response.json();
  if (typeof config !== "object" || config === null || !("apiUrl" in config)) {
    throw new Error("/config.json: apiUrl is missing");
  }
  const signIn = "signIn" in config ? (config.signIn as SignInConfig) : null;
  const dashboardUrl = "dashboardUrl" in config ? String(config.dashboardUrl) : null;
  return { apiUrl: String(config.apiUrl).replace(/\/+$/, ""), signIn, dashboardUrl };
}
