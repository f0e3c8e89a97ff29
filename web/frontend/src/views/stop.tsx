/** Stop: always in reach, for everybody who may. The button, Escape twice, and the banner that says it is stopped. */

import { useEffect } from "preact/hooks";
import { mayClearStop, mayStop } from "../state/access";
import { nameOf, type Bench } from "../state/bench";
import { useLab, useLanguage, useSelect, useViewer } from "./context";
import { Icon } from "./icons";

/** Two presses of Escape within this time mean Stop. */
export const TWICE_WITHIN_MS = 700;

export function StopButton({ bench }: { bench: Bench }) {
  const { t } = useLanguage();
  const lab = useLab();
  const press = useSelect(lab.stopping.press, (state) => state);
  const allowed = mayStop(bench);
  useEscapeTwice(allowed, () => lab.stopping.stop());
  // A Stop that does nothing must not stand there to be trusted.
  if (!allowed) return null;
  return (
    <div class="stop-bar" data-stopped={bench.stopped !== null}>
      <button
        type="button"
        class="stop"
        aria-pressed={press !== "idle" || bench.stopped !== null}
        aria-keyshortcuts="Escape Escape"
        title={t("stop.hint")}
        onClick={() => lab.stopping.stop()}
      >
        <Icon name="stop" />
        {t(press === "pressed" ? "stop.pressing" : "stop.button")}
      </button>
    </div>
  );
}

function useEscapeTwice(allowed: boolean, stop: () => void): void {
  useEffect(() => {
    if (!allowed) return;
    let lastMs = -Infinity;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || event.repeat) return;
      if (event.timeStamp - lastMs < TWICE_WITHIN_MS) stop();
      lastMs = event.timeStamp;
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  });
}

export function StoppedBanner({ bench }: { bench: Bench }) {
  const { t } = useLanguage();
  const lab = useLab();
  const { me, ready } = useViewer();
  const clearing = useSelect(lab.errands.running, (errands) => errands.has("clear_stop"));
  const { stopped } = bench;
  if (stopped === null) return null;
  const by =
    stopped.by === null ? "" : stopped.by === me ? t("stop.by_you") : t("stop.by", { name: nameOf(bench, stopped.by) });
  return (
    <div class="banner banner-stop">
      <Icon name="stop" />
      <div class="banner-text">
        <p class="banner-title">{t("stop.stopped")}</p>
        <p>
          {by} {stopped.verified !== null && t(stopped.verified ? "stop.verified" : "stop.unverified")}
          {!mayClearStop(bench, me) && ` ${t("stop.clear_who")}`}
        </p>
      </div>
      {mayClearStop(bench, me) && (
        <button type="button" class="button" disabled={!ready || clearing} onClick={() => void lab.errands.clearStop()}>
          {t("stop.clear")}
        </button>
      )}
    </div>
  );
}
