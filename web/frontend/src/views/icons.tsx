/** The few signs of the console, drawn in the text's colour. */

import type { ComponentChildren } from "preact";

const SHAPES = {
  check: <path d="M3.5 8.5l3 3 6-7" />,
  cross: <path d="M4 4l8 8M12 4l-8 8" />,
  clock: <path d="M8 4.5V8l2.5 1.5M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0z" />,
  bar: <path d="M3.5 8h9" />,
  question: <path d="M6 6a2 2 0 1 1 2.7 1.9c-.5.2-.7.6-.7 1.1v.5M8 12v.1" />,
  arrow: <path d="M3 8h9M8.5 4.5L12 8l-3.5 3.5" />,
  lock: <path d="M4 7.5h8v5.5H4zM5.5 7.5V5.5a2.5 2.5 0 0 1 5 0v2" />,
  eye: (
    <path d="M1.5 8S4 3.8 8 3.8 14.5 8 14.5 8 12 12.2 8 12.2 1.5 8 1.5 8zM8 9.8a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6z" />
  ),
  hand: (
    <path d="M5 9V4.2a1 1 0 0 1 2 0V7m0-3.6a1 1 0 0 1 2 0V7m0-2.8a1 1 0 0 1 2 0V10c0 2.2-1.6 3.8-3.6 3.8S4.6 13 3.6 11L2.5 8.8a1 1 0 0 1 1.8-.9L5 9" />
  ),
  people: (
    <path d="M6 7.5a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4zM2 13c.3-2.4 1.9-3.6 4-3.6s3.7 1.2 4 3.6M10.5 7.3a2 2 0 0 0 .2-3.9M11.6 9.7c1.4.3 2.2 1.4 2.4 3.1" />
  ),
  pause: <path d="M5.5 4v8M10.5 4v8" />,
  play: <path d="M5 3.5l7 4.5-7 4.5z" />,
  download: <path d="M8 2.5v7M5 7l3 3 3-3M3 13h10" />,
  warning: <path d="M8 2.5l6 10.5H2zM8 6.5v3M8 11.2v.1" />,
  stop: <path d="M5.3 2h5.4L14 5.3v5.4L10.7 14H5.3L2 10.7V5.3z" />,
  chevron: <path d="M4.5 6.5L8 10l3.5-3.5" />,
  plug: <path d="M6 2v3M10 2v3M4.5 5h7v2.5a3.5 3.5 0 0 1-7 0zM8 11v3" />,
  link: <path d="M6.5 9.5l3-3M7 5l1.5-1.5a2.5 2.5 0 0 1 3.5 3.5L10.5 8.5M9 11l-1.5 1.5A2.5 2.5 0 0 1 4 9l1.5-1.5" />,
} satisfies Record<string, ComponentChildren>;

export type IconName = keyof typeof SHAPES;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      {SHAPES[name]}
    </svg>
  );
}
