import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { waitForConfig } from "./config";
import { rememberedKind } from "./features/create/remembered-kind";
import { loadView } from "./kinds/kind-view";
import { makeServices } from "./make-services";
import { ServicesProvider } from "./services";
import "./styles.css";

const container = document.getElementById("root");
if (!container) throw new Error("index.html has no element #root");
const root = createRoot(container);
void loadView(rememberedKind()); // the first view needs it, so it is loaded together with the settings

const config = await waitForConfig((error) => {
  root.render(
    <main className="page">
      <h1>Calo couldn't load its settings</h1>
      <p>Trying again automatically. ({error.message})</p>
      <button type="button" className="button" onClick={() => location.reload()}>
        Reload
      </button>
    </main>,
  );
});
const services = makeServices(config);
services.live.start();
root.render(
  <StrictMode>
    <ServicesProvider value={services}>
      <QueryClientProvider client={services.queries}>
        <App />
      </QueryClientProvider>
    </ServicesProvider>
  </StrictMode>,
);
