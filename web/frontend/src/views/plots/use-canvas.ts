/** Keeps one PlotCanvas alive under an element, made anew only when its make-up changes. */

import { useEffect, useRef } from "preact/hooks";
import { PlotCanvas, type CanvasOptions } from "./canvas";

export function useCanvas(options: CanvasOptions, makeUp: string) {
  const root = useRef<HTMLDivElement>(null);
  const canvas = useRef<PlotCanvas | null>(null);
  const latest = useRef(options);
  latest.current = options;
  useEffect(() => {
    if (root.current === null) return;
    const made = new PlotCanvas(root.current, {
      ...latest.current,
      // Callbacks may change with every drawing of the view; the canvas always calls the newest.
      onCursor: (x) => latest.current.onCursor(x),
      onPick: (x) => latest.current.onPick(x),
    });
    canvas.current = made;
    return () => {
      canvas.current = null;
      made.destroy();
    };
  }, [makeUp]);
  return { root, canvas };
}
