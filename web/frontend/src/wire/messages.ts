/**
 * The words between this page and the gateway: the browser's twin of `signaling/messages.py` and `remotelab/messages.py`.
 * Error codes stay plain strings here, so that a code that is newer than this page is still shown with its text.
 */

import { benchDescription, deviceReport } from "./model";
import {
  bool,
  bytes,
  float,
  int,
  list,
  map,
  nullable,
  oneOf,
  open,
  optional,
  record,
  str,
  withDefault,
  type Infer,
  type Of,
  type Value,
} from "./read";

export const PROTOCOL_VERSION = 1;

// Parts of messages.

export const benchState = oneOf("offline", "online", "in_use", "draining", "quarantined");
export type BenchState = Of<typeof benchState>;

export const commandStatus = oneOf("done", "failed", "expired", "cancelled", "unknown");
export type CommandStatus = Of<typeof commandStatus>;

export const ledger = record({
  sent_ms: float,
  gateway_received_ms: float,
  agent_received_ms: optional(float),
  first_byte_ms: optional(float),
  last_byte_ms: optional(float),
  gateway_replied_ms: optional(float),
});
export type Ledger = Of<typeof ledger>;

export const lease = record({
  participant: str,
  name: str,
  fence: int,
  expires_ms: float,
  away: withDefault(bool, false),
});
export type Lease = Of<typeof lease>;

export const participant = record({ id: str, name: str, may_control: bool, connected: bool });
export type Participant = Of<typeof participant>;

const setPoint = { device: str, action: str, args: map(open) };
export type Args = Readonly<Record<string, Value>>;

const refusal = { id: str, code: str, text: str, retry_after_ms: optional(float) };
const finished = {
  id: str,
  status: commandStatus,
  ledger,
  value: withDefault(open, null),
  code: optional(str),
  text: withDefault(str, ""),
  chunks: optional(str),
  repeated: withDefault(bool, false),
};

// Gateway to page.

export const FROM_GATEWAY = {
  Welcome: {
    version: int,
    features: list(str),
    session: str,
    resume_key: str,
    resumed: bool,
    participant: str,
    server_ms: float,
    silence_ms: float,
    max_frame_bytes: int,
  },
  Pong: { sent_ms: float, received_ms: float, replied_ms: float },
  RequestDone: { id: str },
  RequestRefused: refusal,
  ConnectionClosing: { code: str, text: str, retry_after_ms: optional(float) },
  ValueChunk: { value: str, index: int, count: int, data: bytes },
  CommandAdmitted: { id: str, start_in_ms: float },
  CommandRefused: { ...refusal, parameter: optional(str) },
  CommandFinished: finished,
  CommandLogged: {
    participant: str,
    device: str,
    action: str,
    args: map(open),
    status: commandStatus,
    time_ms: float,
    text: withDefault(str, ""),
  },
  StopFinished: { id: str, participant: str, verified: bool, ledger, text: withDefault(str, "") },
  StopCleared: { participant: str },
  LeaseChanged: { lease: nullable(lease), reason: str },
  BenchChanged: { state: benchState, text: withDefault(str, "") },
  DeviceChanged: { report: deviceReport },
  InterlockChanged: { interlock: str, blocking: bool },
  InventoryChanged: { description: benchDescription },
  PresenceChanged: { participants: list(participant) },
  TelemetrySampled: { device: str, time_ms: float, values: map(open) },
  TelemetryHistory: { device: str, columns: list(str), rows: list(list(open)) },
  BenchSnapshot: {
    bench: str,
    state: benchState,
    text: str,
    description: nullable(benchDescription),
    devices: list(deviceReport),
    stopped: bool,
    blocking: list(str),
    lease: nullable(lease),
    participants: list(participant),
    set_points: list(record(setPoint)),
    outcomes: list(record(finished)),
    may: list(str),
    until_ms: float,
  },
} as const;

// Page to gateway.

export const TO_GATEWAY = {
  Hello: {
    versions: list(int),
    token: str,
    program: str,
    features: withDefault(list(str), []),
    session: optional(str),
    resume_key: optional(str),
    last_seq: withDefault(int, 0),
  },
  Ping: { sent_ms: float },
  Ack: { seq: int },
  Command: {
    id: str,
    fence: int,
    device: str,
    action: str,
    args: map(open),
    sent_ms: float,
    ttl_ms: float,
    mode: withDefault(oneOf("ordered", "latest"), "ordered"),
  },
  CancelCommand: { id: str, command: str },
  Stop: { id: str, sent_ms: float },
  ClearStop: { id: str },
  AskOutcomes: { id: str, commands: list(str) },
  AcquireLease: { id: str },
  RenewLease: { id: str, fence: int },
  TransferLease: { id: str, fence: int, to: str },
  ReleaseLease: { id: str, fence: int },
  RevokeLease: { id: str },
  ReleaseQuarantine: { id: str },
} as const;

type Words<V> = {
  [N in keyof V & string]: { readonly type: N } & (V[N] extends infer S extends Shape0 ? Infer<S> : never);
};
type Shape0 = Parameters<typeof record>[0];

export type FromGatewayWords = Words<typeof FROM_GATEWAY>;
export type ToGatewayWords = Words<typeof TO_GATEWAY>;
export type FromGateway = FromGatewayWords[keyof FromGatewayWords];
export type ToGateway = ToGatewayWords[keyof ToGatewayWords];

export type CommandFinished = FromGatewayWords["CommandFinished"];
export type CommandRefused = FromGatewayWords["CommandRefused"];
export type BenchSnapshot = FromGatewayWords["BenchSnapshot"];
export type Welcome = FromGatewayWords["Welcome"];
export type CommandMode = ToGatewayWords["Command"]["mode"];
