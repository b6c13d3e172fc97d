import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { loadConfig } from "./config";
import { makeServices } from "./make-services";
import { ServicesProvider } from "./services";
import "./styles.css";

const place = document.getElementById("root");
if (!place) throw new Error("no #root in the page");
const root = createRoot(place);

loadConfig().then(
  (config) => {
    const services = makeServices(config);
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
        <h1>Calo cannot start</h1>
        <p>Its configuration could not be read ({error.message}). Reload the page to try again.</p>
      </main>,
    );
  },
);
