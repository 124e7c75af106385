"""Losses, their curriculum, and metrics."""
