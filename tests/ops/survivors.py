"""The tables of mutants that no law or convention notices, each with the reason why."""

from __future__ import annotations

__all__ = ["SURVIVORS", "WITHOUT_EFFECT"]

SAME_NUMBERS: dict[str, tuple[str, ...]] = {
    "Both ways give the same; one takes fewer steps.": (
        "filters.vjp+10: [(reach, rea…im(input) → [(reach, reach)]",
        "calls.in_one_call+21: any((isinsta… leaves)) → (isinstance(…n leaves)",
        "quadrature.integral+34: np.reshape(m…e made[0] → np.reshape(m…hapes[0])",
        "samples.simpson_definition+16: 1 → 2",
        "interpolation.zoomed+11: True → False",
        "interpolation.interpolated+23: coordinates[…tes[axis] → coordinates[…is] + pad",
        "cubics.spline_slopes+26: np.stack(bands) → bands",
        "cubics.condition_of_ends+3: 2 → 3",
        "indexing.take_from_part+3: np.array(taken) → taken",
        "linalg.cut_pinv_vjp+8: limit if np.….., None] → np.asarray(l….., None]",
        "accumulations.along+2: 0 → 1",
        "elementwise.less_one+3: np.astype(n,…u' else n → np.astype(n,…p.int16))",
        "elementwise.power_base+1: int(n) if is…r) else n → n",
        "elementwise.power_base+1: n → out",
        "reductions.in_dtype+4: x if np.dtyp…p.real(x) → x",
        "reductions.var_vjp+5: np.real(g) i…g) else g → np.real(g)",
        "signal.axes_of+4: int(axis) % ndim → int(axis)",
        "signal.conjugated+1: np.conjugate…x) else x → np.conjugate(x)",
        "signal.lagged+3: 0 → 1",
        "contractions.matmul_left+2: x → y",
        "contractions.matmul_left+2: y → out",
        "contractions.matmul_left+5: g * y if np.…, -1) * y → np.expand_di…, -1) * y",
        "contractions.matmul_right+2: y → out",
        "contractions.matmul_right+5: 1 → 2",
        "contractions.matmul_right+6: np.dot(x.T, …l(x.T, g) → np.matmul(x.T, g)",
        "contractions.matmul_right+8: -1 → 1",
        "contractions.matmul_right+13: np.ndim(x) > 2 → np.ndim(x) < 2",
        "contractions.matmul_right+13: 2 → 3",
        "contractions.dot_left+1: 0 → 1",
        "contractions.dot_left+1: 2 → 3",
        "contractions.dot_right+1: 0 → 1",
        "fft.fit+5: x if have ==… length)] → x[*before, s… length)]",
        "indexing.at_set_replacement_vjp+3: repeats_poss…le(parts) → parts",
        "indexing.repeats_possible+2: any((isinsta…n parts)) → (isinstance(…in parts)",
        "padding.linear_vjp+8: for_rows(static) → static",
        "padding.for_rows+4: 1 → 2",
        "decompositions.diagonal_part+2: matrix_transpose(x) → x",
        "decompositions.lower_part+2: x.dtype.kind != 'c' → x.dtype.kind == 'c'",
        "reductions.spread+3: 0 → 1",
        "reductions.extremum_vjp+10: attained * n…s_like(g) → attained",
        "reductions.extremum_vjp+10: attained * n…s_like(g) → attained / n…s_like(g)",
        "reductions.at_least_zero+2: max(freedom,…eedom, 0) → np.maximum(freedom, 0)",
    ),
    "It says how a product is evaluated, not what it is.": (
        "contractions.einsum_vjp+28: len(factors) > 2 → len(factors) < 2",
        "contractions.einsum_vjp+28: 2 → 3",
    ),
    "The value is SciPy's, and a constant has no derivative.": (
        "samples.from_start+4: np.zeros_lik…..., :1]) → np.ones_like…..., :1])",
        "grids.between+24: 0 → 1",
        "cubics.hermite+20: np.zeros_like(cubic) → np.ones_like(cubic)",
        "bsplines.spline+5: np.zeros(np.…e(c)[1:]) → np.shape(pla…pe(c)[1:]",
        "bsplines.spline+5: np.shape(pla…pe(c)[1:] → np.shape(places)",
        "bsplines.spline+5: np.shape(pla…pe(c)[1:] → np.shape(c)[1:]",
        "bsplines.spline+5: 1 → 2",
    ),
    "It is not read: what lies beyond the last, or between knots that meet.": (
        "cubics.periodic_slopes+10: 1 → 2",
        "cubics.spline_slopes+18: np.zeros_like(h[:1]) → np.ones_like(h[:1])",
        "bsplines.of_derivative+5: 0 → 1",
    ),
    "The terms of a sum come in another order.": (
        "interpolation.interpolated+29: count - 1 - axis → axis",
    ),
    "One is its own reciprocal, and a square has no sign.": (
        "cubics.at_end+11: 2 * one → 2 / one",
        "cubics.at_end+13: h → -h",
    ),
    "Where one of two rises is zero, so is their harmonic mean.": (
        "cubics.monotone_slopes+7: np.sign(befo…gn(after) → np.sign(befo…gn(after)",
    ),
    "Both corners are the same, whatever their shares.": ("grids.between+18: 1.0 → 2.0",),
    "It is multiplied by zero, or masked, afterwards.": (
        "interpolation.zoomed+6: 1.0 → 2.0",
        "accumulations.rule+7: np.zeros_like(edge) → np.ones_like(edge)",
        "accumulations.cumulative_extremum_vjp+6: np.zeros_lik…..., :1]) → np.ones_like…..., :1])",
        "decompositions.eig_vjp+14: np.where(lar…tors), 1) → np.real(vectors)",
        "reductions.nan_rule+2: np.where(mask, x, 0) → x",
        "reductions.nan_rule+2: 0 → 1",
        "entropies.λ g * x / (1 +…0, 0, y)): 0 → 1",
        "along_axes.logsumexp_vjp+7: 0 → 1",
        "orthogonal.below+2: 0 → 1",
    ),
    "The other term is zero here, and is there so that terms stand alike.": (
        "decompositions.svd_vjp+16: outside + ov…, s) @ vh → over_lengths…, s) @ vh",
        "decompositions.svd_vjp+25: outside + u …side, s)) → u @ matrix_t…side, s))",
        "linalg.lstsq_vjp+12: column + mat…_solution → matrix_trans…_solution",
        "linalg.lstsq_vjp+13: g_a + pinv_v…se limit) → pinv_vjp(g_s…se limit)",
    ),
    "Of the two summands one is zero, and their square is taken.": (
        "linalg.cut_pinv_vjp+19: f_row + f_column → f_row - f_column",
    ),
    "The sign goes with the zero of 1 - identity.": (
        "decompositions.reciprocal_gaps+3: x[..., None,… identity → x[..., None,… identity",
    ),
    "The shape of a square matrix; of one axis the first is the last.": (
        "linalg.rule+13: -1 → 1",
        "decompositions.eig_vjp+12: -1 → 1",
        "functions.vjp+4: -1 → 1",
        "multivariate.log_wishart_slopes+1: 0 → 1",
    ),
    "LAPACK makes the largest element real and positive: its sign is 1, the largest there is.": (
        "decompositions.eig_vjp+13: np.abs(vectors) → np.sign(vectors)",
    ),
    "LAPACK gave the eigenvalues in the same order without vectors, which it need not.": (
        "decompositions.eigvals_vjp+8: -1 → 1",
        "decompositions.eigvals_vjp+11: -1 → 1",
    ),
    "Of unit vectors the largest singular value is 1 or more.": (
        "decompositions.divided_by_vectors+4: 0 → 1",
    ),
    "Of ±1 the reciprocal is the same, and of NaN.": (
        "decompositions.over_gaps+14: reciprocal_g…g, sizes) → reciprocal_g…g, sizes)",
        "decompositions.over_lengths+4: quotient * w… lengths) → quotient / w… lengths)",
        "decompositions.divided_by_vectors+8: np.linalg.so… / found) → np.linalg.so… / found)",
        "elementwise.λ g * np.sign(…(out), y): g * np.sign(…(out), y) → g * np.sign(…(out), y)",
        "elementwise.λ g * np.sign(…(out), y): g * np.sign(x) → g / np.sign(x)",
    ),
    "The result has the sign of y, as copysign says; of a complex number, its sign has a zero.": (
        "elementwise.λ g * np.sign(…(out), y): y → out",
        "elementwise.sign_vjp+4: x → out",
    ),
    "Comparing with the result is comparing with the other operand.": (
        "elementwise.λ share(y < x, g, x, y): y → out",
        "elementwise.λ share(y > x, g, x, y): y → out",
        "overwriting.λ share(y > x,… x, y, g): y → out",
        "elementwise.λ g * (x > 0): x → out",
        "choosing.clip_low+1: high → out",
        "choosing.clip_high+2: high → out",
        "choosing.clip_high+3: high → out",
    ),
    "NaN times anything is NaN.": (
        "calculus.interp_x+2: g * np.nan → g / np.nan",
        "calculus.interp_x+2: g → -g",
        "calculus.interp_x+2: g → 1.001 * g",
        "statistics.λ np.where(whe…* nan, g): g * nan → g / nan",
        "statistics.λ np.where(whe…* nan, g): g → -g",
        "statistics.λ np.where(whe…* nan, g): g → 1.001 * g",
        "choosing.defined+5: g * nan → g / nan",
        "choosing.defined+5: g → 1.001 * g",
        "choosing.defined+5: g → -g",
    ),
    "1/0 is masked; it warns.": (
        "linalg.cut_pinv_vjp+9: np.where(kept, s, 1) → s",
        "linalg.cut_pinv_vjp+17: np.where(mix…lumn), 1) → np.abs(row *…* column)",
    ),
    "NumPy's truth is as good as Python's.": (
        "linalg.cuts+7: bool(np.any(… None]))) → np.any(np.lo…, None]))",
    ),
    "A group's number less one is the last one's, for all groups alike.": (
        "sorting.over_ties+5: 1 → 2",
    ),
    "Zeros are added for their shape, where the places would broadcast as well.": (
        "statistics.by_elements+18: np.reshape(w…shape(g)) → np.reshape(w…(g) - 1))",
        "statistics.by_elements+18: np.reshape(w…shape(g)) → np.reshape(w…shape(g))",
        "statistics.by_fraction+14: places + np.…shape(g)) → places",
        "statistics.by_fraction+14: places + np.…shape(g)) → places - np.…shape(g))",
    ),
    "A place beyond the end is the last one.": (
        "statistics.by_elements+20: np.shape(x)[-1] - 1.0 → np.shape(x)[-1]",
        "statistics.by_elements+20: np.shape(x)[-1] - 1.0 → np.shape(x)[-1] + 1.0",
    ),
    "Rows of nothing but NaN have no place, and a gradient of NaN anyway.": (
        "statistics.places_without_nan+2: 0 → 1",
    ),
    "Where the result is a number, so is the argument.": ("along_axes.logsumexp_vjp+5: a → out",),
    "-∞ less anything finite is -∞ still.": ("along_axes.logsumexp_vjp+7: out → a",),
    "K₋₁ is K₁.": ("bessel.λ -g * (kn(abs…, x)) / 2: abs(whole(n) - 1) → whole(n) - 1",),
    "The function is odd, and has the sign of its argument.": (
        "bessel.λ g * (i0e(x) …, out, x): x → out",
    ),
    "Both formulas hold there.": (
        "trigonometric.arctan_vjp+1: g / (1 + 1j … + x * x) → g / (1 + 1j …- 1j * x)",
        "gamma_functions.rgamma_by_x+2: 0.5 → 1.5",
    ),
    "Only its dtype is used.": (
        "decompositions.over_lengths+4: lengths → x",
        "filters.vjp+8: np.real(out) → np.imag(out)",
        "filters.vjp+8: out → input",
        "interpolation.zoomed+13: np.real(input) → np.imag(input)",
        "interpolation.transformed+8: matrix → input",
        "interpolation.transformed+10: matrix → input",
        "hypergeometric.λ -g * in_prec…(pi / 8)): m → out",
        "hypergeometric.λ g * in_preci…(pi / 8)): m → out",
    ),
    "SciPy takes the whole part of the order itself.": (
        "bessel.whole+2: n if isinsta….trunc(n) → np.trunc(n)",
        "bessel.λ -g * (kn(abs…, x)) / 2: whole(n) → n",
        "bessel.λ g * (yn(whol…, x)) / 2: whole(n) → n",
    ),
    "The polynomials of degree -1 and -2 are zero.": ("orthogonal.gegenbauer_below+6: 0 → 1",),
    "Of nothing there are no gradients.": (
        "statistics.by_elements+6: np.zeros_like(a) → np.ones_like(a)",
        "statistics.by_elements+7: np.zeros_like(a) → np.ones_like(a)",
        "statistics.by_fraction+8: np.zeros_like(q) → np.ones_like(q)",
    ),
    "Of a matrix that has an inverse it is the pseudo-inverse.": (
        "multivariate.inverse+2: np.linalg.in…lower(x)) → np.linalg.pi…lower(x))",
    ),
    "It is given the same twice.": (
        "multivariate.outer+1: x → y",
        "multivariate.outer+1: y → x",
    ),
    "NumPy's rule reads the result alone.": (
        "functions.cholesky_vjp+2: a → out",
        "functions.inv_vjp+2: a → out",
    ),
    "Only its shape is used.": (
        "filters.vjp+11: input → out",
        "interpolation.filter_vjp+4: input → out",
        "along_axes.shares_of+2: a + b → a - b",
        "signal.convolve_vjp+5: a → b",
        "signal.correlate_vjp+6: a → b",
        "signal.direct_vjp+3: a → b",
        "decompositions.divided_by_vectors+6: vectors → x",
        "accumulations.rule+3: np.zeros_like(x) → np.ones_like(x)",
        "accumulations.rule+6: g → -g",
        "accumulations.rule+6: g → 1.001 * g",
    ),
    "The engine gives a gradient the dtype of its input.": (
        "writing.λ np.real(g) + 0j: np.real(g) + 0j → np.real(g)",
        "writing.λ np.real(g) + 0j: np.real(g) + 0j → np.real(g) - 0j",
    ),
}
"""Mutants that are equivalent to the rule: they give the same numbers, whatever the input."""

UNNOTICED: dict[str, tuple[str, ...]] = {
    "How small a singular value is rounding: cases lie far on either side.": (
        "linalg.lstsq_vjp+9: a → b",
        "linalg.cuts+5: 0 → 1",
        "linalg.cuts+6: np.finfo(s.d…(a)[-2:]) → np.finfo(s.d…(a)[-2:])",
        "linalg.cuts+6: np.finfo(s.d…(a)[-2:]) → np.finfo(s.dtype).eps",
    ),
    "Which of the neighbours' zeros is read, or how an infinite slope of nobody is dropped.": (
        "calculus.gradient_along_vjp+14: np.where(pla…aces > 0) → edge_order",
        "calculus.gradient_along_vjp+19: (g == 0) & ~…(entries) → g == 0",
        "calculus.gradient_along_vjp+19: 0 → 1",
        "calculus.gradient_along_vjp+19: g → -g",
        "calculus.gradient_along_vjp+19: g → 1.001 * g",
    ),
    "How equal eigenvalues are, and how dependent vectors, is rounding too.": (
        "decompositions.is_lost+6: 0 → 1",
        "decompositions.is_lost+8: 0 → 1",
        "decompositions.is_lost+9: np.sqrt(eps) * most → np.sqrt(eps)",
        "decompositions.is_lost+9: np.sqrt(eps) * most → np.sqrt(eps) / most",
        "decompositions.divided_by_vectors+4: ALIKE * np.f…nitial=0) → ALIKE * np.f…nitial=0)",
        "decompositions.divided_by_vectors+4: ALIKE * np.f…nitial=0) → ALIKE * np.f…type).eps",
        "decompositions.eigvals_vjp+7: 0 → 1",
        "decompositions.eigvals_vjp+9: nearest + AL…ps * size → ALIKE * np.f…ps * size",
    ),
    "Where a series far out takes over: cases lie far on either side, complex ones on the axes.": (
        "error_functions.beyond+2: is_far → x",
        "error_functions.beyond+2: np.where(is_…, x, FAR) → x",
        "error_functions.beyond+4: 0.0 → 1.0",
        "error_functions.is_far+2: 0 → 1",
        "error_functions.is_far+2: x → across",
        "error_functions.λ -g * SLOPE *…- 1, 1.0): np.imag(z) → np.real(z)",
        "error_functions.λ -g * SLOPE *…- 1, 1.0): z → out",
        "error_functions.λ -g * beyond(…- 1, 1.0): 2 * np.abs(np.imag(x)) → 2",
        "error_functions.λ -g * beyond(…- 1, 1.0): 2 * np.abs(np.imag(x)) → np.abs(np.imag(x))",
        "error_functions.λ -g * beyond(…- 1, 1.0): 2 → 3",
        "error_functions.λ -g * beyond(…- 1, 1.0): np.abs(np.imag(x)) → np.sign(np.imag(x))",
        "error_functions.λ -g * beyond(…- 1, 1.0): np.abs(np.re….imag(x)) → 2 * np.abs(np.imag(x))",
        "error_functions.λ -g * beyond(…- 1, 1.0): np.abs(np.re….imag(x)) → np.abs(np.real(x))",
        "error_functions.λ -g * beyond(…- 1, 1.0): np.abs(np.re….imag(x)) → np.abs(np.re….imag(x))",
        "error_functions.λ -g * beyond(…- 1, 1.0): np.real(x) → np.imag(x)",
        "error_functions.λ -g * beyond(…- 1, 1.0): x → out",
        "error_functions.λ g * SLOPE * … 1, -1.0): np.real(x) → np.imag(x)",
        "error_functions.λ g * SLOPE * … 1, -1.0): x → out",
        "hypergeometric.ellipkm1_by_p+2: 0.25 → 1.25",
        "hypergeometric.ellipkm1_by_p+2: 0.5 → 1.5",
        "hypergeometric.ellipkm1_by_p+4: p → out",
    ),
    "For programs, which tests/ops/test_singular_matrices.py compiles.": (
        "linalg.cuts+2: a → limit",
        "linalg.cuts+3: True → False",
    ),
    "It only says how unique numbers are sorted, and NumPy has sorted them.": (
        "sets.unique_vjp+6: 0 → 1",
    ),
    "It is in an error.": (
        "filters.weights_vjp+4: name → is_convolution",
        "samples.steps+6: name → y",
    ),
    "It refuses, and computes nothing.": (
        "statistics.by_elements+4: require_linear(method) → method",
        "statistics.by_fraction+4: require_linear(method) → method",
    ),
}
"""Mutants that other tests notice, or none."""

WITHOUT_EFFECT = frozenset(name for names in SAME_NUMBERS.values() for name in names)

SURVIVORS = WITHOUT_EFFECT.union(*UNNOTICED.values())
