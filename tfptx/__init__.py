"""Pneumothorax segmentation on chest X-rays: progressive fine-tuning and honest operating points."""
