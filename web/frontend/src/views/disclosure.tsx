/** A button that opens a small panel below it; Escape and a click elsewhere close it. */

import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";

interface Props {
  label: ComponentChildren;
  title: string;
  class?: string;
  children: (close: () => void) => ComponentChildren;
}

export function Disclosure({ label, title, children, ...rest }: Props) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  useEffect(() => {
    if (!open) return;
    const away = (event: PointerEvent) => {
      if (event.target instanceof Node && root.current?.contains(event.target) === false) setOpen(false);
    };
    document.addEventListener("pointerdown", away);
    return () => document.removeEventListener("pointerdown", away);
  }, [open]);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape" && open) close();
  };
  return (
    <div class={`disclosure ${rest.class ?? ""}`} ref={root} onKeyDown={onKeyDown}>
      <button
        type="button"
        class="chip chip-button"
        ref={button}
        aria-expanded={open}
        aria-controls={id}
        title={title}
        onClick={() => setOpen(!open)}
      >
        {label}
      </button>
      <div class="popover" id={id} role="region" aria-label={title} hidden={!open}>
        {open && children(close)}
      </div>
    </div>
  );
}
