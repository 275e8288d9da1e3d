"""What a decoder could live on besides the claimed signal."""
