"""The one error of the shims: something that the original offers and Resonate cannot give."""

from __future__ import annotations

__all__ = ["UnsupportedFeatureError"]


class UnsupportedFeatureError(NotImplementedError):
    """A feature of the original that cannot be honoured, so it is refused instead of accepted and ignored.

    Attributes:
        feature: what was asked for, in the original's words.
        instead: the nearest thing that works.
    """

    def __init__(self, feature: str, instead: str) -> None:
        super().__init__(f"{feature} is not available on Resonate; {instead}")
        self.feature = feature
        self.instead = instead
