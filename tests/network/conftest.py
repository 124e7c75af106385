"""Lets these tests import the reference package, which chooses its Keras at import."""

import os

os.environ["SM_FRAMEWORK"] = "tf.keras"
