/** Readers: each takes a decoded msgpack value and returns it typed, or throws a `Mismatch` that says where and why. */

/** An open value: its meaning is checked by who uses it. */
export type Value = null | boolean | number | string | Uint8Array | Value[] | ValueMap;
export interface ValueMap {
  [key: string]: Value;
}

/** How deep lists and maps may nest inside an open value; the same bound as the server's. */
export const MAX_OPEN_DEPTH = 6;

/** A value is not of the declared type; the text is a path and a reason. */
export class Mismatch extends Error {}

export type Reader<T> = (value: unknown) => T;

/** A field that may be left out: `absent` stands in for it. */
export interface Field<T> {
  read: Reader<T>;
  absent: T;
}

export type Shape = Record<string, Reader<unknown> | Field<unknown>>;
type Read<F> = F extends Reader<infer T> ? T : F extends Field<infer T> ? T : never;
export type Infer<S extends Shape> = { readonly [K in keyof S]: Read<S[K]> };
/** The type that a reader returns. */
export type Of<R> = R extends Reader<infer T> ? T : never;

export const bool: Reader<boolean> = (value) => {
  if (typeof value === "boolean") return value;
  throw new Mismatch(": true or false is wanted");
};

export const int: Reader<number> = (value) => {
  if (Number.isInteger(value)) return value as number;
  throw new Mismatch(": an integer is wanted");
};

export const float: Reader<number> = (value) => {
  if (Number.isFinite(value)) return value as number;
  throw new Mismatch(": a finite number is wanted");
};

export const str: Reader<string> = (value) => {
  if (typeof value === "string") return value;
  throw new Mismatch(": a string is wanted");
};

export const bytes: Reader<Uint8Array> = (value) => {
  if (value instanceof Uint8Array) return value;
  throw new Mismatch(": bytes are wanted");
};

export const open: Reader<Value> = (value) => {
  checkDepth(value, MAX_OPEN_DEPTH);
  return value as Value;
};

function checkDepth(value: unknown, depth: number): void {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return;
  if (depth === 0) throw new Mismatch(": values nest too deep");
  for (const item of Object.values(value)) checkDepth(item, depth - 1);
}

/** One of a closed set of strings. */
export function oneOf<const T extends string>(...members: readonly T[]): Reader<T> {
  return (value) => {
    if (typeof value === "string" && (members as readonly string[]).includes(value)) return value as T;
    throw new Mismatch(`: one of ${members.join(", ")} is wanted`);
  };
}

/** A value or nothing; the field itself must be there. */
export function nullable<T>(read: Reader<T>): Reader<T | null> {
  return (value) => (value === null || value === undefined ? null : read(value));
}

/** A field that may be absent, read as null then. */
export function optional<T>(read: Reader<T>): Field<T | null> {
  return { read: nullable(read), absent: null };
}

/** A field with a default. */
export function withDefault<T>(read: Reader<T>, absent: T): Field<T> {
  return { read, absent };
}

export function list<T>(read: Reader<T>): Reader<readonly T[]> {
  return (value) => {
    if (!Array.isArray(value)) throw new Mismatch(": a list is wanted");
    return value.map((item) => read(item));
  };
}

export function map<T>(read: Reader<T>): Reader<Readonly<Record<string, T>>> {
  return (value) => {
    const result: Record<string, T> = {};
    for (const [key, item] of Object.entries(plainMap(value))) result[key] = read(item);
    return result;
  };
}

/** A map with these fields: missing and wrongly typed ones are refused; ones that are newer than this page are ignored. */
export function record<S extends Shape>(shape: S): Reader<Infer<S>> {
  const fields = Object.entries(shape);
  return (value) => {
    const content = plainMap(value);
    const result: Record<string, unknown> = {};
    for (const [name, field] of fields) result[name] = readField(content, name, field);
    return result as Infer<S>;
  };
}

function readField(content: Record<string, unknown>, name: string, field: Reader<unknown> | Field<unknown>): unknown {
  if (!Object.hasOwn(content, name)) {
    if (typeof field === "function") throw new Mismatch(`.${name} is missing`);
    return field.absent;
  }
  try {
    return (typeof field === "function" ? field : field.read)(content[name]);
  } catch (error) {
    if (error instanceof Mismatch) throw new Mismatch(`.${name}${error.message}`);
    throw error;
  }
}

function plainMap(value: unknown): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)) {
    return value as Record<string, unknown>;
  }
  throw new Mismatch(": a map is wanted");
}
