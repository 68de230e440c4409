"""The few kinds of panels that our boards have, and how they are laid out.

It knows Grafana's library; it must not know a metric.
"""

from __future__ import annotations

from collections.abc import Sequence

from grafana_foundation_sdk.builders import bargauge, common, dashboard, stat, timeseries
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models import common as shared
from grafana_foundation_sdk.models import dashboard as model

COLUMNS = 24
SOURCE = shared.DataSourceRef(type_val="prometheus", uid="${datasource}")

# (query, legend)
Query = tuple[str, str]
# (from which value on, colour); the first colour has no value.
Limits = Sequence[tuple[float | None, str]]
# (title, address)
Link = tuple[str, str]
Row = tuple[str, list[model.Panel]]
Kind = timeseries.Panel | stat.Panel | bargauge.Panel

NEUTRAL: Limits = ((None, "blue"),)
GOOD_IS_NONE: Limits = ((None, "green"), (1, "red"))
NOTE_ANY: Limits = ((None, "green"), (1, "orange"))


def lines(
    title: str,
    text: str,
    unit: str,
    *queries: Query,
    width: int = 8,
    limits: Limits = (),
    links: Sequence[Link] = (),
    top: float | None = None,
) -> model.Panel:
    """Values over time. A limit is drawn as a dashed line."""
    panel = timeseries.Panel().min(0).fill_opacity(10).line_width(2)
    panel.legend(
        common.VizLegendOptions()
        .show_legend(True)
        .display_mode(shared.LegendDisplayMode.LIST)
        .placement(shared.LegendPlacement.BOTTOM)
    )
    panel.tooltip(
        common.VizTooltipOptions()
        .mode(shared.TooltipDisplayMode.MULTI)
        .sort(shared.SortOrder.DESCENDING)
    )
    panel.color_scheme(dashboard.FieldColor().mode(model.FieldColorModeId.PALETTE_CLASSIC))
    if top is not None:
        panel.axis_soft_max(top)
    if limits:
        dashed = shared.GraphThresholdsStyleMode.DASHED
        panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(dashed))
    return finish(panel, title, text, unit, queries, limits or NEUTRAL, links, (width, 8))


def numbers(
    title: str,
    text: str,
    unit: str,
    *queries: Query,
    width: int = 4,
    limits: Limits = NEUTRAL,
    links: Sequence[Link] = (),
    empty: str = "",
    words: dict[str, tuple[str, str]] | None = None,
    decimals: int = 0,
) -> model.Panel:
    """The newest value of each query, large, in the colour of its limit."""
    panel = stat.Panel().decimals(decimals)
    panel.color_mode(shared.BigValueColorMode.BACKGROUND).graph_mode(shared.BigValueGraphMode.NONE)
    panel.reduce_options(newest())
    if len(queries) > 1 or "{{" in queries[0][1]:
        panel.text_mode(shared.BigValueTextMode.VALUE_AND_NAME)
    else:
        panel.text_mode(shared.BigValueTextMode.VALUE)
    if empty:
        panel.no_value(empty)
    if words:
        results = {
            value: model.ValueMappingResult(text=word, color=colour, index=index)
            for index, (value, (word, colour)) in enumerate(words.items())
        }
        panel.mappings([model.ValueMap(options=results)])
    return finish(panel, title, text, unit, queries, limits, links, (width, 4))


def bars(
    title: str,
    text: str,
    unit: str,
    *queries: Query,
    width: int = 8,
    limits: Limits = NEUTRAL,
    links: Sequence[Link] = (),
    empty: str = "",
    decimals: int = 0,
) -> model.Panel:
    """The newest value of each series as a bar, one below the other."""
    panel = bargauge.Panel().min(0).decimals(decimals)
    panel.orientation(shared.VizOrientation.HORIZONTAL)
    panel.display_mode(shared.BarGaugeDisplayMode.BASIC)
    panel.reduce_options(newest())
    if empty:
        panel.no_value(empty)
    return finish(panel, title, text, unit, queries, limits, links, (width, 8))


def newest() -> common.ReduceDataOptions:
    """Of a series, its last value."""
    return common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False)


def finish(
    panel: Kind,
    title: str,
    text: str,
    unit: str,
    queries: Sequence[Query],
    limits: Limits,
    links: Sequence[Link],
    size: tuple[int, int],
) -> model.Panel:
    """What all kinds have."""
    panel.title(title).description(text).unit(unit).datasource(SOURCE)
    steps = [model.Threshold(color=colour, value=value) for value, colour in limits]
    absolute = model.ThresholdsMode.ABSOLUTE
    panel.thresholds(dashboard.ThresholdsConfig().mode(absolute).steps(steps))
    if not isinstance(panel, timeseries.Panel):
        panel.color_scheme(dashboard.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
    for letter, (query, legend) in zip("ABCDEFGH", queries, strict=False):
        target = Dataquery().ref_id(letter).expr(query).legend_format(legend).datasource(SOURCE)
        over_time = isinstance(panel, timeseries.Panel)
        panel.with_target(target.range() if over_time else target.instant())
    panel.data_links([Address(link) for link in links])
    panel.grid_pos(model.GridPos(w=size[0], h=size[1]))
    return panel.build()


class Address(dashboard.DashboardLink):
    """A link in a panel or on top of a board. It is in sight, not in a menu."""

    def __init__(self, link: Link) -> None:
        title, url = link
        super().__init__(title)
        outside = url.startswith("http")
        self.type(model.DashboardLinkType.LINK).url(url).tooltip(title)
        self.icon("external link" if outside else "dashboard").target_blank(outside)

    def build(self) -> model.DashboardLink:
        """As the library makes it, without its default of hiding links in a menu."""
        made = super().build()
        vars(made)["placement"] = None
        return made


def datasource_variable() -> model.VariableModel:
    """Lets a reader look at another Prometheus than the provisioned one."""
    variable = dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")
    return plain(variable.current(model.VariableOption(text="Prometheus", value="prometheus")))


def query_variable(name: str, label: str, text: str, query: str) -> model.VariableModel:
    """A choice of one value that Prometheus knows."""
    variable = dashboard.QueryVariable(name).label(label).description(text).query(query)
    variable.datasource(SOURCE).multi(False).include_all(False)
    variable.refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
    return plain(variable.sort(model.VariableSort.ALPHABETICAL_ASC))


def plain(
    variable: dashboard.DatasourceVariable | dashboard.QueryVariable,
) -> model.VariableModel:
    """Without the settings that only an interval has: Grafana's types refuse them elsewhere."""
    made = variable.build()
    made.auto = made.auto_count = made.auto_min = None
    return made


def build(
    uid: str,
    title: str,
    text: str,
    rows: Sequence[Row],
    variables: Sequence[model.VariableModel],
    links: Sequence[Link],
) -> model.Dashboard:
    """A board: rows from top to bottom, in each its panels from left to right."""
    board = dashboard.Dashboard(title).uid(uid).description(text).tags(["airflow"]).readonly()
    board.time("now-1h", "now").refresh("30s").tooltip(model.DashboardCursorSync.CROSSHAIR)
    board.links([Address(link) for link in links])
    made = board.build()
    made.templating = model.DashboardDashboardTemplating(list_val=list(variables))
    made.annotations = model.AnnotationContainer(list_val=[])
    made.panels = place(rows)
    return made


def place(rows: Sequence[Row]) -> list[model.Panel | model.RowPanel]:
    """Give each panel its number and its place."""
    placed: list[model.Panel | model.RowPanel] = []
    y = 0
    for title, panels in rows:
        bar = model.RowPanel(title=title, grid_pos=model.GridPos(x=0, y=y, w=COLUMNS, h=1))
        bar.id_val = len(placed) + 1
        placed.append(bar)
        x, y, height = 0, y + 1, 0
        for panel in panels:
            where = panel.grid_pos
            assert where is not None
            if x + where.w > COLUMNS:
                x, y, height = 0, y + height, 0
            where.x, where.y = x, y
            x, height = x + where.w, max(height, where.h)
            panel.id_val = len(placed) + 1
            placed.append(panel)
        y += height
    return placed
