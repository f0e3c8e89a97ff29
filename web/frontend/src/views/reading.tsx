/** What an instrument reads: a big number with its unit, where it lies in its usual range, and whether it is stale. */

import { target, type Bench } from "../state/bench";
import { scaleOf, toFraction } from "../state/numbers";
import type { Property } from "../wire/model";
import { useConsole, useLanguage, useNow } from "./context";
import { readingText } from "./words";
import { curveStyle } from "./plots/curves";

/** A reading older than this, or than five polls, is marked. */
const STALE_MS = 3_000;

interface Props {
  bench: Bench;
  device: string;
  property: Property;
}

export function Reading({ bench, device, property }: Props) {
  const language = useLanguage();
  const reading = useConsole((state) => state.readings[target(device, property.name)]);
  const nowMs = useNow(1_000);
  const staleMs = Math.max(STALE_MS, 5 * (property.poll_ms ?? Infinity));
  const ageMs = reading === undefined ? 0 : nowMs - reading.timeMs;
  const offline = bench.devices[device]?.state !== "online" || bench.state === "offline";
  const stale = reading !== undefined && (ageMs > staleMs || offline);
  const style = curveStyle(bench, device, property.name);
  return (
    <div class="reading" data-stale={stale} data-curve={style?.index}>
      <dt>
        {style !== null && <span class="swatch" aria-hidden="true" />}
        {language.text(property.title)}
      </dt>
      <dd>
        {reading === undefined ? (
          <span class="reading-none">–</span>
        ) : (
          <span class="reading-value">
            <Figures text={readingText(property, reading.value, language)} />
          </span>
        )}
        {reading !== undefined && typeof reading.value === "number" && (
          <Range property={property} value={reading.value} />
        )}
        <span class="reading-age">
          {reading === undefined
            ? language.t("set.no_reading")
            : stale && language.t("set.stale", { age: age(ageMs, language.locale) })}
        </span>
      </dd>
    </div>
  );
}

/** A reading that is no number: whether something is on, or a word. */
export function Fact({ bench, device, property }: Props) {
  const language = useLanguage();
  const reading = useConsole((state) => state.readings[target(device, property.name)]);
  const value = reading?.value ?? null;
  const stale = bench.devices[device]?.state !== "online" || bench.state === "offline";
  return (
    <div class="fact" data-on={value === true} data-stale={stale}>
      <dt>
        {property.type === "bool" && <span class="fact-light" aria-hidden="true" />}
        {language.text(property.title)}
      </dt>
      <dd>{readingText(property, value, language)}</dd>
    </div>
  );
}

/** The number large, its unit smaller. */
function Figures({ text }: { text: string }) {
  const [number, unit] = text.split("\u202f");
  return (
    <>
      {number}
      {unit !== undefined && <span class="reading-unit">{"\u202f" + unit}</span>}
    </>
  );
}

function Range({ property, value }: { property: Property; value: number }) {
  const scale = scaleOf(property.limit);
  if (scale === null) return null;
  const at = toFraction(scale, value) * 100;
  const zero = scale.low < 0 && scale.high > 0 ? toFraction(scale, 0) * 100 : 0;
  return (
    <svg class="range" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
      <rect class="range-track" width="100" height="4" />
      <rect class="range-fill" x={Math.min(at, zero)} width={Math.abs(at - zero)} height="4" />
    </svg>
  );
}

function age(ageMs: number, locale: string): string {
  const seconds = Math.max(0, Math.round(ageMs / 1000));
  const [value, unit] = seconds < 120 ? [seconds, "second"] : [Math.round(seconds / 60), "minute"];
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "narrow" }).format(value);
}
