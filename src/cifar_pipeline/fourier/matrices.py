"""The constant matrices of a convolution by discrete Fourier transforms (DFT).

A convolution of maps multiplies their spectra, frequency by frequency. Written as matrices, all of
it is: three products of a constant matrix (of the maps, of the kernel, and back), and one product
of channels by filters for each number of the spectrum. The 7x7 maps of a 3x3 kernel then take 94
multiplications for each channel and filter instead of 441.

- Maps are real, so half of a spectrum follows from the other half and is not computed.
- A product of complex numbers takes three real ones (Gauss): (a + ib)(c + id) has the real part
  k1 - k3 and the imaginary part k1 + k2, with k1 = c(a + b), k2 = a(d - c), k3 = b(c + d). The
  sums before and after the three products are part of the matrices.
- Large maps: along rows first, which gives lines of real numbers (frequencies that are their own
  mirror image) and of complex ones; then along the columns of these lines. Small maps: both at
  once, which takes more multiplications but fewer passes over the data.

Source: Mathieu, Henaff and LeCun, "Fast Training of Convolutional Networks through FFTs", 2014;
three products instead of four: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks",
2016, section 5. Small maps need no fast Fourier transform: a matrix is as fast.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

# Products of small matrices reach some two thirds of a direct convolution's speed (measured on two
# cores of an EPYC, forward and backward): a Fourier convolution has to save more than that.
_WORTH_WHILE = 2.0
_PRODUCTS = 3  # of real numbers, for one of complex numbers
# Numbers of the matrix that transforms kernels: it grows with the fourth power of their side, and
# the process holds it several times.
_LARGEST_KERNEL_MATRIX = 4_000_000


@dataclass(frozen=True)
class FourierMatrices:
    """A convolution of square maps of `side` n to maps of `out_side` m, kernels k x k.

    Line by line.

    L points along rows and columns; `real` s of its frequencies are their own mirror image, and of
    the others `pairs` h are computed. A real line has s + 3h products, a complex one 3L. All
    matrices are float64.

    Attributes:
        rows: of the maps, (L, n).
        columns_real: of a line's n numbers, (s + 3h, n).
        columns_complex: of a line's n real and n imaginary parts, (3L, 2n).
        kernel_real: (s (s + 3h), k k).
        kernel_complex: (h 3L, k k).
        back_columns_real: (m, s + 3h).
        back_columns_complex: to m real and m imaginary parts, (2m, 3L).
        back_rows: (m, L).
    """

    side: int
    out_side: int
    real: int
    pairs: int
    rows: np.ndarray
    columns_real: np.ndarray
    columns_complex: np.ndarray
    kernel_real: np.ndarray
    kernel_complex: np.ndarray
    back_columns_real: np.ndarray
    back_columns_complex: np.ndarray
    back_rows: np.ndarray


@dataclass(frozen=True)
class WholeMapMatrices:
    """The same, with P products for a whole map at once.

    Attributes:
        maps: (P, n n).
        kernel: (P, k k).
        back: (m m, P).
    """

    maps: np.ndarray
    kernel: np.ndarray
    back: np.ndarray


def out_side(side: int, kernel_size: int, padding: str) -> int:
    """Return the side of the maps that a convolution leaves; padding "same" or "valid"."""
    return side if padding == "same" else side - kernel_size + 1


def _points(side: int, kernel_size: int, padding: str) -> int:
    """Return the smallest period in which nothing that is kept runs over the edge."""
    return side + (kernel_size // 2 if padding == "same" else 0)


def _frequencies(points: int) -> tuple[list[int], list[int]]:
    """Return the frequencies that are their own mirror image, and one of each pair of others."""
    return [0] if points % 2 else [0, points // 2], list(range(1, (points + 1) // 2))


def _lines(points: int) -> tuple[int, int]:
    """Return the products of all real lines and those of all complex ones."""
    real, pairs = (len(frequencies) for frequencies in _frequencies(points))
    return real * (real + _PRODUCTS * pairs), pairs * _PRODUCTS * points


def products(side: int, kernel_size: int, padding: str) -> int:
    """Return how many products of real numbers a map has, for each pair of channel and filter."""
    return sum(_lines(_points(side, kernel_size, padding)))


def matrix_numbers(side: int, kernel_size: int, padding: str) -> int:
    """Return how many numbers the matrix has that transforms kernels."""
    return products(side, kernel_size, padding) * kernel_size**2


def multiplications(
    side: int, kernel_size: int, padding: str, channels: int, filters: int
) -> tuple[int, int]:
    """Return multiplications for one image, directly and by DFT; the kernel's DFT is left out."""
    points = _points(side, kernel_size, padding)
    lines = _lines(points)
    out = out_side(side, kernel_size, padding)

    def transform(length: int) -> int:
        return points * length**2 + lines[0] * length + lines[1] * 2 * length

    directly = out**2 * kernel_size**2 * channels * filters
    return directly, (
        sum(lines) * channels * filters + transform(side) * channels + transform(out) * filters
    )


def fourier_saves_time(
    side: int, kernel_size: int, padding: str, channels: int, filters: int
) -> bool:
    """Say whether a DFT at least halves the multiplications of a convolution of square maps.

    No DFT does where the matrix that transforms the kernels is large.
    """
    if matrix_numbers(side, kernel_size, padding) > _LARGEST_KERNEL_MATRIX:
        return False
    directly, by_fourier = multiplications(side, kernel_size, padding, channels, filters)
    return directly >= _WORTH_WHILE * by_fourier


def _three_of_maps(spectrum: np.ndarray) -> np.ndarray:
    """Return a + b, a, b for each complex row a + ib: (F, n) to real (3F, n)."""
    real, imaginary = spectrum.real, spectrum.imag
    return np.stack([real + imaginary, real, imaginary], 1).reshape(-1, spectrum.shape[1])


def _three_of_kernel(spectrum: np.ndarray) -> np.ndarray:
    """Return c, d - c, c + d for each complex row c + id: (F, n) to real (3F, n)."""
    real, imaginary = spectrum.real, spectrum.imag
    return np.stack([real, imaginary - real, real + imaginary], 1).reshape(-1, spectrum.shape[1])


def _from_three(weights: np.ndarray) -> np.ndarray:
    """Return the matrix from the products of F frequencies to the real part of their weighted sum.

    Complex (F, m) to real (m, 3F): a weight u + iv of k1 - k3 + i(k1 + k2) contributes
    (u - v) k1 - v k2 - u k3.
    """
    real, imaginary = weights.real, weights.imag
    parts = np.stack([real - imaginary, -imaginary, -real], 1)
    return parts.reshape(-1, weights.shape[1]).T


def _parts(spectrum: np.ndarray) -> np.ndarray:
    """Return real and imaginary part of each complex row by turns: (F, n) to real (2F, n)."""
    return np.stack([spectrum.real, spectrum.imag], 1).reshape(-1, spectrum.shape[1])


@lru_cache
def fourier_matrices(side: int, kernel_size: int, padding: str, kept: int) -> FourierMatrices:
    """Return the matrices for maps of `side`, an odd or even `kernel_size`, and Keras' padding.

    Of the maps that come out, only the first `kept` rows and columns are computed.
    """
    points = _points(side, kernel_size, padding)
    before = (kernel_size - 1) // 2 if padding == "same" else 0
    real, pairs = _frequencies(points)
    turn = 2j * np.pi * np.arange(points)[:, None] / points
    forth = np.exp(-turn * np.arange(side))
    # Layers correlate rather than convolve: a tap at u reads the pixel at u - before.
    taps = np.exp(turn * (np.arange(kernel_size) - before))
    kernel = np.einsum("fu,gv->fguv", taps, taps).reshape(points, points, -1)
    back = np.exp(turn * np.arange(kept)) / points
    twice = 2 * back[pairs]  # a frequency and its mirror image
    return FourierMatrices(
        side=side,
        out_side=kept,
        real=len(real),
        pairs=len(pairs),
        rows=np.concatenate([forth[real].real, _parts(forth[pairs])]),
        columns_real=np.concatenate([forth[real].real, _three_of_maps(forth[pairs])]),
        columns_complex=_three_of_maps(np.concatenate([forth, 1j * forth], 1)),
        kernel_real=np.concatenate(
            [
                part
                for line in real
                for part in (kernel[line, real].real, _three_of_kernel(kernel[line, pairs]))
            ]
        ),
        kernel_complex=np.concatenate(
            [_three_of_kernel(kernel[line]) for line in pairs] or [np.zeros((0, kernel_size**2))]
        ),
        back_columns_real=np.concatenate([back[real].real.T, _from_three(twice)], 1),
        back_columns_complex=np.concatenate([_from_three(back), _from_three(-1j * back)]),
        back_rows=np.concatenate([back[real].real, _parts(twice.conj())]).T,
    )


@lru_cache
def whole_map_matrices(side: int, kernel_size: int, padding: str, kept: int) -> WholeMapMatrices:
    """Return the matrices of `fourier_matrices` for rows and columns, multiplied together."""
    lines = fourier_matrices(side, kernel_size, padding, kept)
    real_rows, complex_rows = np.split(lines.rows, [lines.real])
    complex_rows = complex_rows.reshape(lines.pairs, 2, side)
    columns = lines.columns_complex.reshape(-1, 2, side)
    back_real_rows, back_complex_rows = np.split(lines.back_rows, [lines.real], axis=1)
    back_complex_rows = back_complex_rows.reshape(kept, lines.pairs, 2)
    back_columns = lines.back_columns_complex.reshape(2, kept, -1)
    pixels = kept**2
    return WholeMapMatrices(
        maps=np.concatenate(
            [
                np.einsum("ry,cx->rcyx", real_rows, lines.columns_real).reshape(-1, side**2),
                np.einsum("pqy,cqx->pcyx", complex_rows, columns).reshape(-1, side**2),
            ]
        ),
        kernel=np.concatenate([lines.kernel_real, lines.kernel_complex]),
        back=np.concatenate(
            [
                np.einsum("yr,xc->yxrc", back_real_rows, lines.back_columns_real).reshape(
                    pixels, -1
                ),
                np.einsum("ypq,qxc->yxpc", back_complex_rows, back_columns).reshape(pixels, -1),
            ],
            axis=1,
        ),
    )
