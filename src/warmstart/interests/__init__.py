"""What people are interested in, from coarse to fine, in words."""
