"""From the samples of a stream to one row for each window."""
