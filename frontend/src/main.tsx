import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { loadConfig } from "./config";
import { makeServices } from "./make-services";
import { ServicesProvider } from "./services";
import "./styles.css";

const container = document.getElementById("root");
if (!container) throw new Error("index.html has no element #root");
const root = createRoot(container);

loadConfig().then(
  (config) => {
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
  },
  (error: Error) => {
    root.render(
      <main className="page">
        <h1>Calo couldn't load its settings</h1>
        <p>Reload the page to try again. ({error.message})</p>
      </main>,
    );
  },
);
