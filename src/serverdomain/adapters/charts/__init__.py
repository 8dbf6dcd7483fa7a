"""Charts for notebooks: a server's story, two clocks, a fleet in steps, the ledger's tree.

Time runs to the right, and a change is a step. A chart is a picture and a text that says the same,
for who cannot see it. Colours are those of Okabe and Ito, which the colour-blind can tell apart;
each state has a hatching and its name as well, so that a print in black and white tells as much.
"""

from serverdomain.adapters.charts.bands import bands, story
from serverdomain.adapters.charts.chart import Chart
from serverdomain.adapters.charts.plane import plane
from serverdomain.adapters.charts.steps import steps
from serverdomain.adapters.charts.tree import tree

__all__ = ["Chart", "bands", "plane", "steps", "story", "tree"]
