"""Filter-bank network with temporal kernels of several lengths."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from skbci._checks import check_count, check_flag
from skbci._docs import fill_references
from skbci.nets._batch_norm import running, update_running
from skbci.nets._log_variance import NormedLogVariance
from skbci.nets._max_norm import MaxNormModule
from skbci.nets._row_linear import RowLinear
from skbci.nets._same_conv import same_conv1d
from skbci.nets._tracing import being_traced
from skbci.nets._window_moments import window_moments


@fill_references
class FBMSNet(MaxNormModule):
    r"""FBMSNet: filter bank, multi-scale temporal and spatial convolutions, log-variances.

    Parameters
    ----------
    n_bands : int
        Number of frequency bands of a row; at least one for each kernel size.
    n_channels : int
        Number C of channels.
    n_times : int
        Number T of samples of a row.
    n_classes : int
        Number of classes.
    kernel_sizes : sequence of int, default=(15, 31, 63, 125)
        Samples of the temporal kernels, each odd. The bands are dealt out among them, in order,
        the first one taking the remainder: 9 bands as 3, 2, 2, 2.
    n_maps : int or None, default=None
        Maps of each kernel size. None: as many as bands.
    depth : int, default=8
        Spatial filters of each map.
    n_segments : int, default=4
        Equal parts of time whose log-variances are the features; the last ``T % n_segments``
        samples are left out.
    shared_layer : bool, default=False
        Whether a dense layer of the features' size stands before the classifier. Policies that
        compare gradients (AlphaGrad) were published with one, which changes accuracy by itself:
        compare policies with the same architecture.
    max_norm : bool, default=True
        Whether the norms of each unit's weights are bounded: by 2 in the spatial convolution and
        by 0.5 in the classifier. They are at the start; the training loop calls `apply_max_norm`
        after each step.

    Attributes
    ----------
    n_features : int
        Size of the features, kernel sizes times maps times depth times segments.
    shared_parameter : Parameter
        Weight of the last layer that all heads share: the dense layer if there is one, else the
        spatial convolution.
    head_names : tuple of str
        What ``forward`` returns.

    Raises
    ------
    ValueError
        If a size is too small, there are fewer bands than kernels, or fewer than two samples a
        segment.
    TypeError
        If a size is not an integer.

    Notes
    -----
    For each kernel size its share of the bands goes through a temporal convolution without bias,
    "same" padding, to ``n_maps`` maps; then, all maps together, batch normalization, ``depth``
    spatial filters over the channels for each map, batch normalization, swish, and the logarithm
    of the variance in each segment (within 1e-6 and 1e6). A dense layer classifies. The losses of
    the article [1]_ are `CenterLoss` on the features and cross-entropy; its bands are 4-8 to
    36-40 Hz. With 9 bands, 20 channels and two classes there are 13,349 trainable parameters
    without the shared layer.

    The temporal and the spatial filters commute. On the CPU they are one convolution with the
    composed kernels, done by FFT, so that the maps of all channels are never formed; what the
    first batch normalization needs of them, mean and variance, follows from second moments of the
    input's windows (see `window_moments`). Where the gradient in the input is asked for in
    training, and on accelerators, the convolutions are done one after the other.

    References
    ----------
    .. [1] %(fbmsnet_paper)s

    Examples
    --------
    >>> import torch
    >>> net = FBMSNet(n_bands=9, n_channels=20, n_times=400, n_classes=2)
    >>> sum(p.numel() for p in net.parameters())
    13349
    >>> logits, features = net(torch.randn(5, 9, 20, 400))
    >>> logits.shape, features.shape
    (torch.Size([5, 2]), torch.Size([5, 1152]))
    """

    head_names = ("logits", "features")

    def __init__(
        self,
        n_bands: int,
        n_channels: int,
        n_times: int,
        n_classes: int,
        *,
        kernel_sizes: Sequence[int] = (15, 31, 63, 125),
        n_maps: int | None = None,
        depth: int = 8,
        n_segments: int = 4,
        shared_layer: bool = False,
        max_norm: bool = True,
    ) -> None:
        super().__init__()
        self.n_bands = check_count(n_bands, "n_bands", self)
        self.n_channels = check_count(n_channels, "n_channels", self)
        self.n_times = check_count(n_times, "n_times", self)
        self.n_classes = check_count(n_classes, "n_classes", self)
        self.n_maps = check_count(n_bands if n_maps is None else n_maps, "n_maps", self)
        self.depth = check_count(depth, "depth", self)
        self.n_segments = check_count(n_segments, "n_segments", self)
        check_flag(shared_layer, "shared_layer", self)
        check_flag(max_norm, "max_norm", self)
        if not isinstance(kernel_sizes, Sequence):
            raise ValueError(f"FBMSNet: kernel_sizes={kernel_sizes!r} must hold odd numbers.")
        sizes = tuple(check_count(k, "kernel_sizes", self) for k in kernel_sizes)
        self._check_fit(sizes)
        self.splits = _split(n_bands, len(sizes))
        n_temporal = len(sizes) * self.n_maps
        n_spatial = n_temporal * self.depth
        self.n_features = n_spatial * self.n_segments

        self.temporal = nn.ModuleList(
            nn.Conv2d(n_in, self.n_maps, (1, size), padding=(0, size // 2), bias=False)
            for n_in, size in zip(self.splits, sizes)
        )
        self.temporal_norm = nn.BatchNorm2d(n_temporal)
        self.spatial = nn.Conv2d(n_temporal, n_spatial, (n_channels, 1), groups=n_temporal)
        self.log_variance = NormedLogVariance(n_spatial, self.n_segments)
        self.latent_layer = RowLinear(self.n_features, self.n_features) if shared_layer else None
        self.classifier = RowLinear(self.n_features, n_classes)
        self.max_norms = {"spatial.weight": 2.0, "classifier.weight": 0.5} if max_norm else {}
        self.apply_max_norm()

    @property
    def shared_parameter(self) -> Tensor:
        """Weight of the last layer that all heads share."""
        return self.spatial.weight if self.latent_layer is None else self.latent_layer.weight

    def forward(self, X: Tensor) -> tuple[Tensor, Tensor]:
        """Compute logits and features.

        Parameters
        ----------
        X : Tensor, shape (n_rows, n_bands, n_channels, n_times)

        Returns
        -------
        logits : Tensor, shape (n_rows, n_classes)
        features : Tensor, shape (n_rows, n_features)
            The log-variances, map by map and in time within each, or what the shared layer makes
            of them.
        """
        row = (self.n_bands, self.n_channels, self.n_times)
        if tuple(X.shape[1:]) != row:
            raise ValueError(
                f"FBMSNet was built for rows of shape {row} (bands, channels, times), got rows of "
                f"shape {tuple(X.shape[1:])}."
            )
        on_cpu = X.device.type == "cpu" and not being_traced()
        composed = on_cpu and not (self.training and X.requires_grad)
        x = self.compose_filters(X) if composed else self.apply_filters(X)
        features = self.log_variance(x)
        if self.latent_layer is not None:
            features = self.latent_layer(features)
        return self.classifier(features), features

    def apply_filters(self, X: Tensor) -> Tensor:
        """Filter in time, then in space, with the batch normalization between.

        Parameters
        ----------
        X : Tensor, shape (n_rows, n_bands, n_channels, n_times)

        Returns
        -------
        Tensor, shape (n_rows, n_temporal * depth, n_times)
        """
        parts = X.split(self.splits, dim=1)
        maps = torch.cat([conv(part) for conv, part in zip(self.temporal, parts)], dim=1)
        return self.spatial(self.temporal_norm(maps)).squeeze(2)

    def compose_filters(self, X: Tensor) -> Tensor:
        """Compute what `apply_filters` does, by one filter in time and space for each output.

        Parameters
        ----------
        X : Tensor, shape (n_rows, n_bands, n_channels, n_times)

        Returns
        -------
        Tensor, shape (n_rows, n_temporal * depth, n_times)
        """
        parts = X.split(self.splits, dim=1)
        kernels = [self._kernel(k) for k in range(len(self.temporal))]
        scale, shift = self._temporal_scale_and_shift(parts, kernels)
        filters = self.spatial.weight.reshape(-1, self.depth, self.n_channels)
        outputs = []
        for kernel, part, factor, spatial in zip(
            kernels,
            parts,
            scale.split(self.n_maps),
            filters.split(self.n_maps),
        ):
            scaled = factor[:, None, None] * kernel
            both = torch.einsum("mbk,mdc->mdbck", scaled, spatial)
            outputs.append(same_conv1d(part.flatten(1, 2), both.flatten(0, 1).flatten(1, 2)))
        constant = (shift[:, None] * filters.sum(2)).reshape(-1)
        if self.spatial.bias is not None:
            constant = constant + self.spatial.bias
        return torch.cat(outputs, dim=1) + constant[:, None]

    def _kernel(self, k: int) -> Tensor:
        """One temporal convolution's weight, map x band x sample."""
        return self.get_parameter(f"temporal.{k}.weight")[:, :, 0]

    def _temporal_scale_and_shift(
        self, parts: Sequence[Tensor], kernels: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Write the first batch normalization as a factor and a term for each map."""
        norm = self.temporal_norm
        if self.training:
            mean, variance = self._temporal_moments(parts, kernels)
            count = len(parts[0]) * self.n_channels * self.n_times
            update_running(norm, mean, variance, count)
        else:
            mean, variance = running(norm)
        scale = norm.weight * torch.rsqrt(variance + norm.eps).to(norm.weight)
        return scale, norm.bias - scale * mean.to(scale)

    def _temporal_moments(
        self, parts: Sequence[Tensor], kernels: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor]:
        means, variances = [], []
        for part, kernel in zip(parts, kernels):
            signals = part.transpose(1, 2).flatten(0, 1)
            mean, second = window_moments(signals, kernel.shape[-1])
            flat = kernel.flatten(1).double()
            means.append(flat @ mean)
            variances.append(((flat @ second) * flat).sum(1) - means[-1].square())
        return torch.cat(means), torch.cat(variances).clamp_min(0.0)

    def _check_fit(self, sizes: Sequence[int]) -> None:
        even = [size for size in sizes if size % 2 == 0]
        if not sizes or even:
            raise ValueError(f"FBMSNet: kernel_sizes={tuple(sizes)!r} must hold odd numbers.")
        if self.n_bands < len(sizes):
            raise ValueError(
                f"FBMSNet: n_bands={self.n_bands} bands cannot be dealt out among {len(sizes)} "
                f"kernels; give at least {len(sizes)} bands, or fewer kernel_sizes."
            )
        if self.n_times < 2 * self.n_segments:
            raise ValueError(
                f"FBMSNet: n_times={self.n_times} samples are too few for the variances of "
                f"n_segments={self.n_segments} segments; {2 * self.n_segments} are needed."
            )


def _split(n: int, parts: int) -> list[int]:
    """Deal n out among parts, the first one taking the remainder."""
    share = n // parts
    return [n - share * (parts - 1)] + [share] * (parts - 1)
