"""The data as it comes: DICOM and image files, run lengths, annotations, folds, phantoms."""
