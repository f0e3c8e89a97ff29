/** All series of a bench, by device: fed by history and samples, read by plots and downloads. */

import type { FromGateway } from "../wire/messages";
import { appendHistory, Series } from "./series";

export class Telemetry {
  readonly #series = new Map<string, Series>();

  of(device: string): Series {
    let series = this.#series.get(device);
    if (series === undefined) {
      series = new Series();
      this.#series.set(device, series);
    }
    return series;
  }

  /** Take a message; true when it brought readings. */
  take(message: FromGateway): boolean {
    if (message.type === "TelemetrySampled") this.of(message.device).append(message.time_ms, message.values);
    else if (message.type === "TelemetryHistory") appendHistory(this.of(message.device), message.columns, message.rows);
    else return false;
    return true;
  }
}
