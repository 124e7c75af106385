"""From shards to batches with tf.data."""
