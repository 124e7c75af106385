"""Generated chest radiographs with truth."""
