"""This holds the group convolution as one layer, packed for CPUs.

TensorFlow's own group convolution has no gradient on a CPU. Here several groups share one dense
convolution whose kernel is block-diagonal: the zeros cost less than many thin convolutions.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import keras
import tensorflow as tf
from keras import ops

Tensor = Any  # keras ships no types; an array of the backend in use

_is_one_operation = ContextVar("_is_one_operation", default=False)
PACKED_CHANNELS = 16  # wider, the zeros cost more than the fewer convolutions save


@keras.saving.register_keras_serializable(package="tfptx")
class GroupedConv2D(keras.layers.Conv2D):  # type: ignore[misc]  # keras ships no types
    """A `keras.layers.Conv2D` with `groups` that also trains on a CPU; arguments are the same.

    The kernel is rows x columns x channels of one group x filters, the groups' filters one after
    the other. On a GPU or TPU it is the backend's own group convolution.
    """

    def convolution_op(self, inputs: Tensor, kernel: Tensor) -> Tensor:
        """Convolve; the hook of Keras's convolution layers."""
        if _is_one_operation.get():
            return tf.nn.conv2d(inputs, kernel, self.strides, self.padding.upper())
        if is_native_form_fit():
            return super().convolution_op(inputs, kernel)
        wide = widened(kernel, self.groups)
        packs = inputs.shape[-1] // wide.shape[-2]
        pieces = zip(
            ops.split(inputs, packs, axis=-1), ops.split(wide, packs, axis=-1), strict=True
        )
        convolve = super().convolution_op
        return ops.concatenate([convolve(part, piece) for part, piece in pieces], axis=-1)


@contextmanager
def as_one_operation() -> Iterator[None]:
    """Let what is traced in the block have TensorFlow's group convolution, on a CPU too.

    So it can be counted and converted. Keras puts it into a function of its own, which counts as
    nothing and which other engines don't know.
    """
    token = _is_one_operation.set(True)
    try:
        yield
    finally:
        _is_one_operation.reset(token)


def widened(kernel: Tensor, groups: int) -> Tensor:
    """Give the kernel of the same convolution in fewer groups, with zeros between the old ones.

    `kernel` is rows x columns x channels of one group x filters; the result too, with the channels
    of as many groups as share one.
    """
    rows, columns, channels, filters = kernel.shape
    together = groups_together(channels, groups)
    if together == 1:
        return kernel
    blocks = (rows, columns, 1, channels, groups // together, together, filters // groups)
    diagonal = ops.eye(together, dtype=kernel.dtype)
    diagonal = ops.reshape(diagonal, (1, 1, together, 1, 1, together, 1))
    wide = ops.reshape(kernel, blocks) * diagonal
    return ops.reshape(wide, (rows, columns, together * channels, filters))


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
