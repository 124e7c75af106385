"""Losses of pixels and of overlap."""
