"""Convolutions by discrete Fourier transforms."""
