"""The U-Net and its pretrained encoders."""
