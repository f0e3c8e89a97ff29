/** Which control an action gets, decided by its description alone. */

import type { Action, Parameter } from "../../wire/model";
import { ActionForm } from "./action-form";
import { SetPoint } from "./set-point";
import { Choices, Switch } from "./toggle";
import type { ControlProps } from "./use-target";

export type ControlKind = "set_point" | "switch" | "choices" | "form";

/** A single parameter whose value the instrument keeps gets a control that shows it; everything else is a form. */
export function controlKind(action: Action): ControlKind {
  const [parameter, ...others] = action.parameters;
  const keeps = action.kind === "set_point" || (action.kind === "operation" && action.reads !== null);
  if (parameter === undefined || others.length > 0 || !keeps) return "form";
  if (parameter.type === "bool") return "switch";
  if (parameter.type === "str") return parameter.choices.length > 0 ? "choices" : "form";
  return action.kind === "set_point" ? "set_point" : "form";
}

export function ControlFor(props: ControlProps) {
  const [parameter] = props.action.parameters as readonly [Parameter, ...Parameter[]];
  switch (controlKind(props.action)) {
    case "set_point":
      return <SetPoint {...props} parameter={parameter} />;
    case "switch":
      return <Switch {...props} parameter={parameter} />;
    case "choices":
      return <Choices {...props} parameter={parameter} />;
    case "form":
      return <ActionForm {...props} />;
  }
}
