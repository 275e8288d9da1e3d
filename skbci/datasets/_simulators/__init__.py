"""The simulators: one file a paradigm."""
