"""Pneumothorax segmentation on chest X-rays, from DICOM to mask."""
