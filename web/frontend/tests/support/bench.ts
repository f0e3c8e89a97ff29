/** A small bench for tests, as the gateway would describe it. */

const text = (en: string, zh: string) => ({ en, zh });
const limit = (low: number, high: number, step: number) => ({ low, high, step });

export const VOLTAGE = {
  name: "set_voltage",
  title: text("Set voltage", "设定电压"),
  kind: "set_point",
  parameters: [
    {
      name: "voltage",
      title: text("Voltage", "电压"),
      type: "float",
      unit: "V",
      limit: limit(0, 30, 0.01),
      choices: [],
    },
  ],
  time_to_live_ms: 300,
  reads: "voltage",
};

export const DESCRIPTION = {
  name: "lamp",
  title: text("Lamp", "灯泡"),
  devices: [
    {
      name: "psu",
      driver: "tongke-psu",
      title: text("Power supply", "电源"),
      port: "psu-port",
      properties: [
        {
          name: "voltage",
          title: text("Voltage", "电压"),
          type: "float",
          unit: "V",
          poll_ms: 200,
          limit: limit(0, 30, 0.01),
        },
        { name: "output", title: text("Output", "输出"), type: "bool", poll_ms: 500 },
        { name: "mode", title: text("Mode", "模式"), type: "str", poll_ms: 1000 },
      ],
      actions: [
        VOLTAGE,
        {
          name: "set_output",
          title: text("Output", "输出"),
          kind: "set_point",
          parameters: [{ name: "on", title: text("On", "开"), type: "bool" }],
          reads: "output",
        },
        {
          name: "set_mode",
          title: text("Mode", "模式"),
          kind: "set_point",
          parameters: [{ name: "mode", title: text("Mode", "模式"), type: "str", choices: ["CV", "CC"] }],
          reads: "mode",
        },
        {
          name: "measure",
          title: text("Measure", "测量"),
          kind: "query",
          result: "float",
          unit: "V",
          reads: "voltage",
        },
        {
          name: "ramp",
          title: text("Ramp", "斜坡"),
          kind: "operation",
          parameters: [
            { name: "to", title: text("To", "至"), type: "float", unit: "V", limit: limit(0, 30, 0.1) },
            { name: "seconds", title: text("Time", "时间"), type: "int", unit: "s", default: 5 },
          ],
        },
      ],
    },
  ],
  interlocks: [
    {
      name: "hot",
      text: text("The lamp is too hot.", "灯泡过热。"),
      when: "psu.voltage > 20",
      blocks: ["psu.set_voltage"],
    },
  ],
};

export const LEASE = { participant: "p-me", name: "Li Na", fence: 7, expires_ms: 900_000, away: false };

export function snapshot(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    bench: "lamp",
    state: "online",
    text: "",
    description: DESCRIPTION,
    devices: [{ device: "psu", state: "online", text: "", identity: "TONGKE,PSU,1" }],
    stopped: false,
    blocking: [],
    lease: null,
    participants: [
      { id: "p-me", name: "Li Na", may_control: true, connected: true },
      { id: "p-wang", name: "Wang", may_control: true, connected: true },
    ],
    set_points: [],
    outcomes: [],
    may: ["observe", "control", "stop"],
    until_ms: 9_000_000,
    ...changes,
  };
}

export const LEDGER = {
  sent_ms: 100,
  gateway_received_ms: 113,
  agent_received_ms: 114,
  first_byte_ms: 115,
  last_byte_ms: 120,
  gateway_replied_ms: 121,
};
