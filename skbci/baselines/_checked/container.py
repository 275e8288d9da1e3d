"""Output that no table holds."""

from __future__ import annotations

from typing import Any, Self

__all__ = ["KeepsContainer"]


class KeepsContainer:
    """Mixin of steps whose output stays what it is, whatever container is asked for."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        # scikit-learn then leaves what the methods return alone.
        super().__init_subclass__(auto_wrap_output_keys=None, **kwargs)  # type: ignore[call-arg]

    def set_output(self, *, transform: str | None = None) -> Self:
        """Leave the output as it is: matrices and signals are no table.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, optional

        Returns
        -------
        self
        """
        return self
