import { defineConfig } from "vitest/config";

// The bundle is served under /static/ with a content security policy that allows neither inline code nor data: addresses.
export default defineConfig({
  base: "/static/",
  build: {
    outDir: "../static",
    emptyOutDir: true,
    manifest: "manifest.json",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    rolldownOptions: {
      input: ["index.html", "lab.html"],
      onLog(level, log, report) {
        if (level === "warn") throw new Error(log.message);
        report(level, log);
      },
    },
  },
  test: {
    environment: "happy-dom",
    include: ["tests/**/*.test.{ts,tsx}"],
    testTimeout: 10_000,
  },
});
