"""A recording's channels, electrodes, times, restarts and bad stretches."""
