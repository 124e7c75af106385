"""This holds the group convolution as one layer, packed for CPUs.

TensorFlow's own group convolution has no gradient on a CPU. Here several groups share one dense
convolution whose kernel is block-diagonal: the zeros cost less than many thin convolutions.
"""

from typing import Any

import keras
from keras import ops

Tensor = Any  # keras ships no types; an array of the backend in use

PACKED_CHANNELS = 32  # from here on a CPU's dense convolution gains nothing by being wider


@keras.saving.register_keras_serializable(package="tfptx")
class GroupedConv2D(keras.layers.Conv2D):  # type: ignore[misc]  # keras ships no types
    """A `keras.layers.Conv2D` with `groups` that also trains on a CPU; arguments are the same.

    The kernel is rows x columns x channels of one group x filters, the groups' filters one after
    the other. On a GPU or TPU it is the backend's own group convolution.
    """

    def convolution_op(self, inputs: Tensor, kernel: Tensor) -> Tensor:
        """Convolve; the hook of Keras's convolution layers."""
        if is_native_form_fit():
            return super().convolution_op(inputs, kernel)
        kernels = packed_kernels(kernel, self.groups)
        parts = ops.split(inputs, len(kernels), axis=-1)
        convolve = super().convolution_op
        outputs = [convolve(part, dense) for part, dense in zip(parts, kernels, strict=True)]
        return ops.concatenate(outputs, axis=-1)


def packed_kernels(kernel: Tensor, groups: int) -> list[Tensor]:
    """Give the dense block-diagonal kernels that stand for a grouped one, in the channels' order.

    `kernel` is rows x columns x channels of one group x filters.
    """
    rows, columns, channels, filters = kernel.shape
    together = groups_together(channels, groups)
    packs, width = groups // together, filters // groups
    blocks = ops.reshape(kernel, (rows, columns, 1, channels, packs, together, width))
    diagonal = ops.reshape(
        ops.eye(together, dtype=kernel.dtype), (1, 1, together, 1, 1, together, 1)
    )
    dense = ops.reshape(
        blocks * diagonal, (rows, columns, together * channels, packs, together * width)
    )
    return [dense[:, :, :, pack] for pack in range(packs)]


def groups_together(channels: int, groups: int) -> int:
    """How many groups of `channels` each share a dense convolution: a divisor of `groups`."""
    fitting = [
        count
        for count in range(1, groups + 1)
        if groups % count == 0 and count * channels <= PACKED_CHANNELS
    ]
    return max(fitting, default=1)


def is_native_form_fit() -> bool:
    """Whether the backend's own group convolution has a gradient and is the faster form here."""
    if keras.config.backend() == "torch":
        return True
    return not keras.distribution.list_devices()[0].startswith("cpu")
