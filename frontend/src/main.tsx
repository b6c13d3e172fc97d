import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { loadConfig } from "./config";
import { rememberedKind } from "./features/create/remembered-kind";
import { loadView } from "./kinds/kind-view";
import { makeServices } from "./make-services";
import { type Services, ServicesProvider } from "./services";
import type { SignedIn } from "./sign-in";
import { untilSuccess } from "./until-success";
import "./styles.css";

const container = document.getElementById("root");
if (!container) throw new Error("index.html has no element #root");
const root = createRoot(container);
void loadView(rememberedKind()); // the first view needs it, so it is loaded together with the settings

void start();

/** Not at the top level: files that are loaded on demand import this one, and would wait for its end. */
async function start(): Promise<void> {
  const config = await untilSuccess(loadConfig, (error) =>
    showProblem("Calo couldn't load its settings", error),
  );
  const { signIn } = config;
  if (signIn === null) return showApp(makeServices(config, null), null);
  const session = await untilSuccess(
    async () => (await import("./sign-in")).startSession(signIn),
    (error) => showProblem("Calo couldn't sign you in", error),
  );
  if (session === null) return; // the page is being left
  if ("signedOut" in session) root.render(session.signedOut);
  else showApp(makeServices(config, session), session);
}

function showApp(services: Services, session: SignedIn | null): void {
  services.live.start();
  root.render(
    <StrictMode>
      <ServicesProvider value={services}>
        <QueryClientProvider client={services.queries}>
          <App account={session?.account} notice={session?.notice} />
        </QueryClientProvider>
      </ServicesProvider>
    </StrictMode>,
  );
}

function showProblem(title: string, { message }: Error): void {
  root.render(
    <main className="page">
      <h1>{title}</h1>
      <p>Trying again automatically. ({message})</p>
      <button type="button" className="button" onClick={() => location.reload()}>
        Reload
      </button>
    </main>,
  );
}
