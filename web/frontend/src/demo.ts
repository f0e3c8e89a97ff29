/** The demo's two requests: which benches there are, and a token for a role on one of them. */

import { benchState } from "./wire/messages";
import { text } from "./wire/model";
import { list, record, str, type Of } from "./wire/read";

const benchOfDemo = record({ name: str, title: text, state: benchState });
const benches = list(benchOfDemo);
const joined = record({ token: str, path: str });

export type DemoBench = Of<typeof benchOfDemo>;
export const ROLES = ["student", "observer", "supervisor"] as const;
export type Role = (typeof ROLES)[number];

/** The benches of the demo; null when this server is no demo. Throws when the server does not answer as it should. */
export async function demoBenches(): Promise<readonly DemoBench[] | null> {
  const response = await fetch("/demo/benches");
  if (response.status === 404) return null;
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return benches(await response.json());
}

/** The address that opens a bench in a role. */
export async function joinBench(bench: string, role: Role, name: string): Promise<string> {
  const response = await fetch("/demo/join", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ bench, role, name }),
  });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const { token, path } = joined(await response.json());
  return `${path}#token=${token}`;
}
