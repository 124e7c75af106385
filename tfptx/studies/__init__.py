"""Whole experiments: the backbone comparison, the demo, the report."""
