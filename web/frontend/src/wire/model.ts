/** What an instrument and a bench are: the browser's twin of `devices/model.py`. */

import { bool, float, int, list, oneOf, open, optional, record, str, withDefault, type Of } from "./read";

export const text = record({ en: str, zh: str });
export type Text = Of<typeof text>;

export const valueType = oneOf("bool", "int", "float", "str", "trace");
export type ValueType = Of<typeof valueType>;

export const limit = record({ low: optional(float), high: optional(float), step: optional(float) });
export type Limit = Of<typeof limit>;
const OPEN_LIMIT: Limit = { low: null, high: null, step: null };

export const property = record({
  name: str,
  title: text,
  type: valueType,
  unit: withDefault(str, ""),
  decimals: withDefault(int, 3),
  poll_ms: optional(float),
  limit: withDefault(limit, OPEN_LIMIT),
});
export type Property = Of<typeof property>;

export const parameter = record({
  name: str,
  title: text,
  type: valueType,
  unit: withDefault(str, ""),
  limit: withDefault(limit, OPEN_LIMIT),
  choices: withDefault(list(str), []),
  default: withDefault(open, null),
});
export type Parameter = Of<typeof parameter>;

export const actionKind = oneOf("set_point", "operation", "query");

export const action = record({
  name: str,
  title: text,
  kind: actionKind,
  parameters: withDefault(list(parameter), []),
  result: optional(valueType),
  unit: withDefault(str, ""),
  expected_ms: withDefault(float, 50),
  settle_ms: withDefault(float, 0),
  time_to_live_ms: withDefault(float, 2_000),
  most_time_to_live_ms: withDefault(float, 10_000),
  reads: optional(str),
});
export type Action = Of<typeof action>;

export const deviceDescription = record({
  name: str,
  driver: str,
  title: text,
  port: str,
  properties: withDefault(list(property), []),
  actions: withDefault(list(action), []),
});
export type DeviceDescription = Of<typeof deviceDescription>;

export const interlock = record({
  name: str,
  text,
  when: str,
  blocks: list(str),
  makes_safe: withDefault(bool, false),
});
export type Interlock = Of<typeof interlock>;

export const benchDescription = record({
  name: str,
  title: text,
  devices: list(deviceDescription),
  interlocks: withDefault(list(interlock), []),
  queue_depth: withDefault(int, 32),
  link_loss_ms: withDefault(float, 10_000),
});
export type BenchDescription = Of<typeof benchDescription>;

export const deviceState = oneOf("connecting", "online", "offline", "wrong_identity");
export type DeviceState = Of<typeof deviceState>;

export const deviceReport = record({
  device: str,
  state: deviceState,
  code: optional(str),
  text: withDefault(str, ""),
  identity: withDefault(str, ""),
});
export type DeviceReport = Of<typeof deviceReport>;
