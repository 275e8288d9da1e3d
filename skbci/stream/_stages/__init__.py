"""The steps of a fitted pipeline, as parts that take one row at a time."""
