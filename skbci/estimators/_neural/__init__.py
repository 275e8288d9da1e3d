"""What the neural estimators have in common."""
