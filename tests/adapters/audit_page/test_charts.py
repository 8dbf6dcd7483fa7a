"""A chart of the page, where there is little or nothing to draw."""

from __future__ import annotations

from serverdomain.adapters.audit_page.charts import columns, histogram, lines


def test_where_nothing_is_counted_a_chart_is_drawn_all_the_same() -> None:
    for drawn in (
        columns("rebuilds", [], {}),
        columns("rebuilds", ["2012-09"], {"ended": [0]}),
        lines("servers", [], {}),
        lines("servers", ["2012-09", "2012-10"], {"image": [0, 0]}),
        histogram("how long", [], "seconds"),
    ):
        assert drawn.startswith("<svg")
        assert "style" not in drawn
