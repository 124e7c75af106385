"""Scans and masks as sharded TFRecords with a manifest."""
