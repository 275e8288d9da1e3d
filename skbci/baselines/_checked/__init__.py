"""Other packages' estimators, with their targets checked."""
