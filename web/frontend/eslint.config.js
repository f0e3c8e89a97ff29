import js from "@eslint/js";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

const withoutDom = ["wire", "connection", "peer", "state"].flatMap((layer) => [`src/${layer}/**`, `src/${layer}.ts`]);

export default defineConfig(
  { files: ["eslint.config.js"], extends: [js.configs.recommended] },
  {
    files: ["**/*.{ts,tsx}"],
    extends: [js.configs.recommended, tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { project: ["tsconfig.json", "tests/tsconfig.json"], tsconfigRootDir: import.meta.dirname },
    },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-confusing-void-expression": [
        "error",
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      eqeqeq: "error",
      "max-lines": ["error", 500],
      "max-lines-per-function": ["error", 80],
      "no-console": "error",
      "no-eval": "error",
      "no-implied-eval": "error",
    },
  },
  {
    // The layers below the views know neither the page nor what draws it.
    files: withoutDom,
    rules: {
      "no-restricted-globals": ["error", "document", "window"],
      "no-restricted-imports": [
        "error",
        { patterns: ["preact", "preact/*", "@preact/*", "uplot", "**/views", "**/views/*"] },
      ],
    },
  },
  {
    // State is pure: reducers over messages, with no socket and no clock of their own.
    files: ["src/state/**", "src/state.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            "preact",
            "preact/*",
            "@preact/*",
            "uplot",
            "**/views",
            "**/views/*",
            "**/connection",
            "**/connection/*",
          ],
        },
      ],
      "no-restricted-properties": [
        "error",
        { object: "Date", property: "now" },
        { object: "performance", property: "now" },
        { object: "Math", property: "random" },
      ],
    },
  },
  {
    // A describe() holds a whole file of tests.
    files: ["tests/**"],
    rules: { "max-lines-per-function": "off" },
  },
);
