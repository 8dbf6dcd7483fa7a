"""Three reports on a fleet, each from a few questions to the timeline's rows.

A report guesses nothing that the rows do not say: a rebuild that no fact ended, never ended.
"""

from serverdomain.audit.reports.images import Images, images
from serverdomain.audit.reports.metadata import LostMetadata, lost_metadata
from serverdomain.audit.reports.rebuilds import Rebuilds, rebuilds

__all__ = ["Images", "LostMetadata", "Rebuilds", "images", "lost_metadata", "rebuilds"]
