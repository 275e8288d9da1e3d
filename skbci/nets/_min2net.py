"""An autoencoder whose latent is classified."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from skbci._checks import check_count, check_flag
from skbci._docs import fill_references
from skbci.nets._max_norm import MaxNormModule
from skbci.nets._row_linear import RowLinear
from skbci.nets._same_conv import SameConv1d


@fill_references
class MIN2Net(MaxNormModule):
    r"""MIN2Net: an autoencoder with a triplet loss and a classifier on its latent.

    Parameters
    ----------
    n_channels : int
        Number C of channels.
    n_times : int
        Number T of samples of a row.
    n_classes : int
        Number of classes.
    n_bands : int, default=1
        Number D of frequency bands of a row.
    latent_dim : int or None, default=None
        Size of the latent. None: ``int(C * n_classes / 2) * D``, at least one.
    subsampling : int or None, default=100
        The first pooling is over ``T // subsampling`` samples. None: 100, or T if that is less.
    pooling : int or None, default=4
        Samples of the second pooling. None: 4, or what there is if that is less.
    kernel_sizes : (int, int), default=(64, 32)
        Samples of the outer and the inner convolutions.
    max_norm : bool, default=True
        Whether the norms of each unit's weights are bounded: by 2 in the encoder's convolutions,
        1 in the decoder's, and 0.5 in the dense layers. They are at the start; the training loop
        calls `apply_max_norm` after each step.

    Attributes
    ----------
    shared_parameter : Parameter
        Weight of the latent layer, the last one that all three heads share.
    head_names : tuple of str
        What ``forward`` returns.

    Raises
    ------
    ValueError
        If a size is too small, or there are too few samples for the pooling.
    TypeError
        If a size is not an integer.

    Notes
    -----
    ======================  ===================================================================
    encoder                 conv C to C (64), ELU, batch normalization, mean over T // subsampling
    \                       conv C to C // 2 (32), ELU, batch normalization, mean over 4
    \                       dense to the latent
    decoder                 dense, conv (64), nearest up-sampling by 4, ELU
    \                       conv to C (32), nearest up-sampling to T, ELU
    classifier              dense
    ======================  ===================================================================

    Convolutions are along time and keep its length. With D bands they are the same for each, and
    the first pooling is over pairs of bands, too. The losses of the article [1]_ are
    `SemiHardTripletLoss` on the latent, `ReconstructionLoss` and cross-entropy. The published
    sizes are for 4 s at 100 Hz, filtered to 8-30 Hz; with 20 channels and two classes there are
    55,232 trainable parameters.

    Convolutions multiply spectra (see `SameConv1d`), and the decoder's ELU stands before the
    up-sampling, which repeats samples and so commutes with it: same result, less time.

    References
    ----------
    .. [1] %(min2net_paper)s

    Examples
    --------
    >>> import torch
    >>> net = MIN2Net(n_channels=20, n_times=400, n_classes=2)
    >>> sum(p.numel() for p in net.parameters())
    55232
    >>> logits, latent, reconstruction = net(torch.zeros(5, 20, 400))
    >>> logits.shape, latent.shape, reconstruction.shape
    (torch.Size([5, 2]), torch.Size([5, 20]), torch.Size([5, 20, 400]))
    """

    head_names = ("logits", "latent", "reconstruction")

    def __init__(
        self,
        n_channels: int,
        n_times: int,
        n_classes: int,
        *,
        n_bands: int = 1,
        latent_dim: int | None = None,
        subsampling: int | None = 100,
        pooling: int | None = 4,
        kernel_sizes: tuple[int, int] = (64, 32),
        max_norm: bool = True,
    ) -> None:
        super().__init__()
        self.n_channels = check_count(n_channels, "n_channels", self)
        self.n_times = check_count(n_times, "n_times", self)
        self.n_classes = check_count(n_classes, "n_classes", self)
        self.n_bands = check_count(n_bands, "n_bands", self)
        if latent_dim is None:
            latent_dim = max(1, int(n_channels * n_classes / 2)) * n_bands
        self.latent_dim = check_count(latent_dim, "latent_dim", self)
        self.first_pooling, self.pooling = self._check_pooling(subsampling, pooling)
        check_flag(max_norm, "max_norm", self)
        if not isinstance(kernel_sizes, Sequence) or len(kernel_sizes) != 2:
            raise ValueError(f"MIN2Net: kernel_sizes={kernel_sizes!r} must hold two sizes.")
        outer, inner = (check_count(k, "kernel_sizes", self) for k in kernel_sizes)
        n_inner = max(1, n_channels // 2)
        self.bottom = (n_inner, self._n_pooled_times(), max(1, n_bands // 2))
        n_bottom = self.bottom[0] * self.bottom[1] * self.bottom[2]

        self.encoder_conv1 = SameConv1d(n_channels, n_channels, outer)
        self.encoder_norm1 = nn.BatchNorm1d(n_channels)
        self.encoder_conv2 = SameConv1d(n_channels, n_inner, inner)
        self.encoder_norm2 = nn.BatchNorm1d(n_inner)
        self.latent_layer = RowLinear(n_bottom, self.latent_dim)
        self.decoder_input = nn.Linear(self.latent_dim, n_bottom)
        self.decoder_conv2 = SameConv1d(n_inner, n_inner, outer)
        self.decoder_conv1 = SameConv1d(n_inner, n_channels, inner)
        self.classifier = RowLinear(self.latent_dim, n_classes)
        self.max_norms = dict.fromkeys(
            ("latent_layer.weight", "decoder_input.weight", "classifier.weight"), 0.5
        )
        self.max_norms |= dict.fromkeys(("encoder_conv1.weight", "encoder_conv2.weight"), 2.0)
        self.max_norms |= dict.fromkeys(("decoder_conv2.weight", "decoder_conv1.weight"), 1.0)
        if not max_norm:
            self.max_norms = {}
        self.apply_max_norm()

    @property
    def shared_parameter(self) -> Tensor:
        """Weight of the last layer that all heads share."""
        return self.latent_layer.weight

    def forward(self, X: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Compute logits, latent and reconstruction.

        Parameters
        ----------
        X : Tensor, shape (n_rows, n_channels, n_times) or (n_rows, n_bands, n_channels, n_times)
            With one band, either.

        Returns
        -------
        logits : Tensor, shape (n_rows, n_classes)
        latent : Tensor, shape (n_rows, latent_dim)
        reconstruction : Tensor, of the shape of X
        """
        latent = self.encode(X)
        return self.classifier(latent), latent, self.decode(latent).reshape(X.shape)

    def encode(self, X: Tensor) -> Tensor:
        """Compute the latent of rows.

        Parameters
        ----------
        X : Tensor, shape (n_rows, n_channels, n_times) or (n_rows, n_bands, n_channels, n_times)

        Returns
        -------
        Tensor, shape (n_rows, latent_dim)
        """
        row = (self.n_channels, self.n_times)
        allowed = [(self.n_bands, *row)] + ([row] if self.n_bands == 1 else [])
        if tuple(X.shape[1:]) not in allowed:
            raise ValueError(
                f"MIN2Net was built for rows of shape {' or '.join(map(str, allowed))}, got rows "
                f"of shape {tuple(X.shape[1:])}."
            )
        x = X.reshape(-1, *row)
        x = self.encoder_norm1(nn.functional.elu(self.encoder_conv1(x)))
        x = nn.functional.avg_pool1d(x, self.first_pooling)
        if self.n_bands > 1:
            x = x.reshape(-1, self.n_bands, *x.shape[1:])[:, : self.n_bands // 2 * 2]
            x = x.unflatten(1, (-1, 2)).mean(2).flatten(0, 1)
        x = self.encoder_norm2(nn.functional.elu(self.encoder_conv2(x)))
        x = nn.functional.avg_pool1d(x, self.pooling)
        return self.latent_layer(x.reshape(X.shape[0], -1))

    def decode(self, latent: Tensor) -> Tensor:
        """Reconstruct the rows that belong to a latent.

        Parameters
        ----------
        latent : Tensor, shape (n_rows, latent_dim)

        Returns
        -------
        Tensor, shape (n_rows, n_channels, n_times), or (n_rows, n_bands, n_channels, n_times)
        """
        n_inner, n_short, n_pairs = self.bottom
        x = self.decoder_input(latent).reshape(-1, n_inner, n_short)
        x = nn.functional.elu(self.decoder_conv2(x))
        x = nn.functional.interpolate(x, size=n_short * self.pooling, mode="nearest")
        x = nn.functional.elu(self.decoder_conv1(x))
        x = nn.functional.interpolate(x, size=self.n_times, mode="nearest")
        if self.n_bands == 1:
            return x
        x = x.reshape(-1, n_pairs, self.n_channels, self.n_times)
        source = torch.arange(self.n_bands, device=x.device) * n_pairs // self.n_bands
        return x[:, source]

    def _check_pooling(self, subsampling: int | None, pooling: int | None) -> tuple[int, int]:
        """Return how many samples each pooling takes together."""
        if subsampling is None:
            subsampling = min(100, self.n_times)
        check_count(subsampling, "subsampling", self)
        if subsampling > self.n_times:
            raise ValueError(
                f"MIN2Net: n_times={self.n_times} samples are too few for "
                f"subsampling={subsampling}; use at most {self.n_times}, or None."
            )
        first = self.n_times // subsampling
        n_left = self.n_times // first
        if pooling is None:
            pooling = min(4, n_left)
        check_count(pooling, "pooling", self)
        if pooling > n_left:
            raise ValueError(
                f"MIN2Net: the first pooling leaves {n_left} of n_times={self.n_times} samples "
                f"(subsampling={subsampling}), too few for pooling={pooling}; use at most "
                f"{n_left}, or None."
            )
        return first, pooling

    def _n_pooled_times(self) -> int:
        return self.n_times // self.first_pooling // self.pooling
