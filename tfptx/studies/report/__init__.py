"""The report of a study: one page that stands alone, made from the files beside it."""
