"""Cases of Fourier transforms."""

from __future__ import annotations

from autograd_lite.core.numpy_namespace import np
from tests.ops.cases.case import Case, complex_numbers, real, row

ft = np.fft
ALONG_ONE = [{}, {"axis": 0}, {"n": 3}, {"n": 6}, {"norm": "ortho"}, {"norm": "forward", "n": 5}]
ALONG_MANY = [{}, {"axes": (0,)}, {"s": (3, 5), "axes": (1, 0)}, {"norm": "ortho"}]

ROWS: list[Case] = [
    *[
        row(function, complex_numbers(4, 4), **keywords)
        for function in (ft.fft, ft.ifft, ft.irfft, ft.hfft)
        for keywords in ALONG_ONE
    ],
    *[
        row(function, real(4, 5), **keywords)
        for function in (ft.rfft, ft.ihfft)
        for keywords in ALONG_ONE
    ],
    *[row(function, real(5), label="real") for function in (ft.fft, ft.ifft, ft.irfft, ft.hfft)],
    *[
        row(function, complex_numbers(3, 4), **keywords)
        for function in (ft.fftn, ft.ifftn, ft.irfftn, ft.fft2, ft.ifft2, ft.irfft2)
        for keywords in ALONG_MANY
        if not (function in (ft.irfftn, ft.irfft2) and keywords.get("axes") == (0,))
    ],
    *[
        row(function, real(3, 4), **keywords)
        for function in (ft.rfftn, ft.rfft2)
        for keywords in ALONG_MANY
    ],
    row(ft.fftn, complex_numbers(2, 3, 2), label="three axes", axes=(0, 2, 1)),
    row(ft.irfftn, complex_numbers(2, 3, 3), label="three axes"),
]
