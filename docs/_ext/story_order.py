"""The order of the gallery's stories: what a newcomer asks first comes first."""

from __future__ import annotations

__all__ = ["StoryOrder"]

STORIES = (
    "confounds", "leakage", "simulated_imagery", "patterns", "confusion", "learning_curve",
    "calibration", "hjb_against_adam", "step_length", "loss_weighting", "sparsity", "sessions",
    "stream", "moabb", "distributed",
)


class StoryOrder:
    """Sort key of sphinx-gallery: known stories in order, new ones after them by name."""

    def __init__(self, src_dir: str) -> None:
        self.src_dir = src_dir

    def __call__(self, file_name: str) -> tuple[int, str]:
        """Return the place of a file."""
        story = file_name.removeprefix("plot_").removesuffix(".py")
        return (STORIES.index(story) if story in STORIES else len(STORIES), story)
