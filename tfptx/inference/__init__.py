"""From a run folder and scans to probability maps."""
