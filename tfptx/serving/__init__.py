"""From a run to a SavedModel, and from scans to masks with it."""
