// What Grafana's own types say of a board of ours. JSON has no enums, so an enum stands for its values.
import type { Dashboard, DataQuery, FieldConfig, Panel, RowPanel, VariableModel } from "@grafana/schema";
import type * as bargauge from "@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen";
import type * as stat from "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen";
import type * as timeseries from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";

type Json<T> = T extends string
  ? `${T}`
  : T extends number
    ? T
    : T extends (infer Item)[]
      ? Json<Item>[]
      : T extends object
        ? { [Key in keyof T]: Json<T[Key]> }
        : T;

interface Target extends DataQuery {
  expr: string;
  instant: boolean;
  legendFormat: string;
  range: boolean;
}

interface Fields<Custom> {
  defaults: Omit<FieldConfig, "custom"> & { custom?: Custom };
  overrides: [];
}

interface Show<Kind, Options, Custom> extends Omit<Panel, "type" | "options" | "fieldConfig" | "targets"> {
  type: Kind;
  options: Options;
  fieldConfig: Fields<Custom>;
  targets: Target[];
}

interface Ours extends Omit<Dashboard, "panels" | "templating"> {
  panels: (
    | RowPanel
    | Show<"timeseries", timeseries.Options, timeseries.FieldConfig>
    | Show<"stat", stat.Options, never>
    | Show<"bargauge", bargauge.Options, never>
  )[];
  templating: { list: VariableModel[] };
}

export type Board = Json<Ours>;
