import react from "@vitejs/plugin-react";
import { defineConfig, loadEnv, type Plugin } from "vite";

/** The API that `npm run dev` uses. To use another: CALO_API_URL=https://….amazonaws.com/api npm run dev */
const API_URL = loadEnv("development", ".", "CALO_").CALO_API_URL ?? "http://localhost:8080/api";

/** Serve `/config.json` on the development server. A deployment writes this file next to the site. */
function devConfig(): Plugin {
  return {
    name: "calo-dev-config",
    configureServer(server) {
      server.middlewares.use("/config.json", (_, response) => {
        response.setHeader("Content-Type", "application/json");
        response.end(JSON.stringify({ apiUrl: API_URL }));
      });
    },
  };
}

export default defineConfig({
  plugins: [react(), devConfig()],
  build: {
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // what every page needs is one file, which compresses better than several
      output: { codeSplitting: { groups: [{ name: "app", tags: ["$initial"] }] } },
    },
  },
});
