"""What the network sees, computes and learns."""
