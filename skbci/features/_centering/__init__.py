"""Running means that are removed without a look ahead."""
