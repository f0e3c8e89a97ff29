/** The frame around one control: its title, whether something is on its way, why it is disabled, what went wrong. */

import type { ComponentChildren } from "preact";
import { useConsole, useLanguage } from "../context";
import { Icon } from "../icons";
import { failureText, reasonText } from "../words";
import type { TargetView } from "./use-target";

interface Props {
  id: string;
  title: string;
  view: TargetView;
  kind: string;
  children: ComponentChildren;
}

export function Tile({ id, title, view, kind, children }: Props) {
  const language = useLanguage();
  const { ownReason, reason, status } = view;
  return (
    <div class="tile" data-kind={kind} data-disabled={reason !== null} data-pending={status.pending > 0}>
      <h3 class="tile-title" id={`${id}-title`}>
        {title}
      </h3>
      {children}
      <div class="tile-note" id={`${id}-note`}>
        {ownReason !== null ? (
          <p class="why">
            <Icon name="lock" />
            {reasonText(ownReason, language)}
          </p>
        ) : (
          <Failure view={view} />
        )}
      </div>
    </div>
  );
}

function Failure({ view }: { view: TargetView }) {
  const language = useLanguage();
  const bench = useConsole((state) => state.bench);
  const { failure } = view.status;
  if (failure === null) return null;
  // The key makes each new failure shake anew.
  return (
    <p class="failure" key={failure.key}>
      <Icon name="warning" />
      {failureText(failure, bench, language)}
    </p>
  );
}
