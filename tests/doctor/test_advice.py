"""Advice is a pure function of facts: each of these is off in one way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autograd_lite.doctor import Facts, advice
from autograd_lite.doctor.blas import Blas, Kernel, find_blas, rate_with
from autograd_lite.doctor.command import report
from autograd_lite.doctor.facts import Option

DOT = Option("dot", "12.0", "drawings", "apt install graphviz")
HEALTHY = Facts(
    versions={"autograd_lite": "0.1.0", "NumPy": "2.4.6"},
    system="Linux",
    processor="Example 9000",
    cores=4,
    simd=frozenset({"X86_V2", "X86_V3", "X86_V4"}),
    blas=Blas("openblas 0.3.31", "SkylakeX", 4),
    gigaflops={"float32": 200.0, "float64": 100.0},
    variables={},
    options=[DOT],
)


def test_nothing_is_off_where_nothing_is():
    assert advice(HEALTHY) == []
    assert report(HEALTHY).endswith("\nadvice\nnothing is off")


def test_loops_that_no_other_process_finds():
    numba = replace(HEALTHY, options=[DOT, Option("Numba", "0.68", "loops", "numba")])
    assert advice(replace(numba, kept_loops=("/home/a/.cache", None))) == []
    assert "\nloops        kept in /home/a/.cache\n" in report(
        replace(numba, kept_loops=("/home/a/.cache", None))
    )
    refused = "/home/a/.cache", "it is no folder"
    assert advice(replace(HEALTHY, kept_loops=refused)) == []  # it compiles none
    assert advice(replace(numba, kept_loops=refused)) == [
        "loops by Numba are not kept in /home/a/.cache for other processes: it is no folder; mend "
        "that, or let AUTOGRAD_LITE_CACHE name another folder"
    ]


@pytest.mark.parametrize(
    ("kernel", "simd", "better", "instructions"),
    [
        ("Haswell", "X86_V4", "SkylakeX", "AVX-512"),
        ("Zen", "AVX512_SKX", "SkylakeX", "AVX-512"),
        ("Prescott", "AVX512_SKX", "SkylakeX", "AVX-512"),
        ("Katmai", "AVX2", "Haswell", "AVX2"),
        ("Prescott", "X86_V3", "Haswell", "AVX2"),
        ("Sandybridge", "AVX2", "Haswell", "AVX2"),
    ],
)
def test_a_kernel_below_what_the_processor_can(kernel, simd, better, instructions):
    facts = replace(
        HEALTHY, blas=Blas("openblas 0.3.31", kernel, 4), simd=frozenset({"X86_V2", simd})
    )
    told = (
        f"OpenBLAS computes with the kernel {kernel}, and this processor has {instructions}; "
        f"set OPENBLAS_CORETYPE={better}"
    )
    assert advice(facts) == [f"{told} and measure again"]
    assert advice(replace(facts, with_better_kernel=171.0)) == [f"{told}: 171 GFLOP/s, not 100"]
    assert advice(replace(facts, with_better_kernel=105.0)) == []  # it brings nothing here


def test_the_rate_with_another_kernel_is_measured_in_a_process_of_its_own():
    assert rate_with(Kernel(find_blas().kernel, "those of this processor")) > 0.1


def test_a_kernel_that_a_process_dies_of_is_not_recommended(tmp_path, monkeypatch):
    dying = tmp_path / "python"
    dying.write_text("#!/bin/sh\nkill -SEGV $$\n", encoding="utf-8")
    dying.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(dying))
    facts = replace(HEALTHY, blas=Blas("openblas 0.3.34", "Haswell", 4))
    assert rate_with(Kernel("SkylakeX", "AVX-512")) == 0.0
    assert advice(replace(facts, with_better_kernel=0.0)) == []


def test_an_avx2_kernel_is_right_without_avx512():
    facts = replace(
        HEALTHY,
        blas=Blas("openblas 0.3.31", "Haswell", 4),
        simd=frozenset({"X86_V2", "X86_V3", "AVX2"}),
    )
    assert advice(facts) == []


@pytest.mark.parametrize(
    ("library", "variable"),
    [
        ("openblas 0.3.31", "OPENBLAS_NUM_THREADS"),
        ("mkl 2025.2", "MKL_NUM_THREADS"),
        ("blis 1.0", "BLIS_NUM_THREADS"),
        ("accelerate", "OMP_NUM_THREADS"),
    ],
)
def test_more_threads_than_cores(library, variable):
    assert advice(replace(HEALTHY, blas=Blas(library, None, 64))) == [
        f"64 BLAS threads share 4 cores and wait for each other; set {variable}=4"
    ]


def test_fewer_threads_than_cores():
    assert advice(replace(HEALTHY, blas=Blas("openblas 0.3.31", "SkylakeX", 1))) == [
        "matrix products use 1 of 4 cores; that is right where several processes share the "
        "machine, else set OPENBLAS_NUM_THREADS=4"
    ]


def test_a_number_of_threads_that_is_not_known_is_no_fault():
    assert advice(replace(HEALTHY, blas=Blas("accelerate"))) == []


def test_a_blas_without_kernels():
    facts = replace(HEALTHY, blas=Blas("blas 3.12"), gigaflops={"float64": 1.0})
    assert advice(facts) == [
        "NumPy was built with blas 3.12, which has no kernels for this processor; NumPy from "
        "PyPI (pip install --force-reinstall numpy) brings OpenBLAS"
    ]


def test_a_blas_that_is_not_known_is_no_blas_without_kernels():
    for name in ("unknown to the doctor", "unknown"):
        assert advice(replace(HEALTHY, blas=Blas(name))) == []


def test_a_slow_product():
    assert advice(replace(HEALTHY, gigaflops={"float32": 3.0, "float64": 1.52})) == [
        "a matrix product reached 1.5 GFLOP/s, less than one core should; see what else is "
        "computing on this machine, and measure again"
    ]


def test_a_disturbed_measurement():
    assert advice(replace(HEALTHY, gigaflops={"float32": 4.4, "float64": 19.6})) == [
        "float32 reached 4 GFLOP/s and float64 20, where float32 should be about twice as fast: "
        "the measurement was disturbed, so measure again"
    ]


def test_no_graphviz_in_any_form():
    wasm = Option("Graphviz as WebAssembly", None, "drawings", "pip")
    assert advice(replace(HEALTHY, options=[replace(DOT, version=None), wasm])) == [
        "drawings cannot be saved as .svg or shown in notebooks, as there is no Graphviz; "
        "pip install 'autograd-lite[draw]'"
    ]
    assert advice(replace(HEALTHY, options=[replace(wasm, version="0.1")])) == []


def test_the_report_names_everything_that_is_known():
    numba = Option("Numba", None, "faster loops", "pip install numba")
    facts = replace(HEALTHY, options=[DOT, numba], variables={"OPENBLAS_NUM_THREADS": "4"})
    assert report(facts).splitlines() == [
        "autograd_lite 0.1.0, NumPy 2.4.6",
        "Linux",
        "processor    Example 9000, usable cores: 4, AVX-512",
        "BLAS         openblas 0.3.31, kernel SkylakeX, threads 4",
        "1024×1024 @  float32 200 GFLOP/s, float64 100 GFLOP/s",
        "environment  OPENBLAS_NUM_THREADS=4",
        "",
        "optional",
        "  dot                     12.0        drawings",
        "  Numba                   missing     would add faster loops: pip install numba",
        "",
        "advice",
        "nothing is off",
    ]


def test_a_long_version_keeps_its_distance():
    option = Option("SciPy", "of unknown version", "SciPy's functions", "pip install scipy")
    lines = report(replace(HEALTHY, options=[DOT, option])).splitlines()
    assert "  SciPy                   of unknown version SciPy's functions" in lines
    assert "  dot                     12.0        drawings" in lines
