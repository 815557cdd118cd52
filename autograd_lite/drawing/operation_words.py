"""What a learner is told of how each operation hands its gradient back.

Of operations element by element a formula says it; of the others one of these sentences.
"""

from __future__ import annotations

__all__ = ["GENERAL", "OPERATIONS", "SENTENCES", "sentence_of"]

GENERAL = "by.general"
"""True of every operation, so of those that nobody has described."""

SENTENCES: dict[str, tuple[str, str]] = {
    "by.general": (
        "An entry gets upstream × local from every entry of the result that depends on it; "
        "these are added up.",
        "Un elemento recibe lo que llega × la derivada local de cada elemento del resultado que "
        "depende de él; todo ello se suma.",
    ),
    "by.element": (
        "Each entry of the result depends on its own entry alone: upstream × local, entry by "
        "entry.",
        "Cada elemento del resultado depende solo del suyo: lo que llega × la derivada local, "
        "elemento a elemento.",
    ),
    "by.broadcast": (
        "Each entry was used in {count} entries of the result: their upstream × local is added up.",
        "Cada elemento se usó en {count} elementos del resultado: se suma lo que llega × la "
        "derivada local de todos ellos.",
    ),
    "by.move": (
        "Entries only change places: each gets the gradient of the place it went to (local "
        "derivative 1).",
        "Los elementos solo cambian de lugar: cada uno recibe el gradiente del lugar al que fue "
        "(derivada local 1).",
    ),
    "by.choice": (
        "An entry that was taken gets the gradient of its place in the result (local derivative "
        "1); the others get 0.",
        "Un elemento que se tomó recibe el gradiente de su lugar en el resultado (derivada local "
        "1); los demás reciben 0.",
    ),
    "by.writing": (
        "What stands in the result gets the gradient of its place (local derivative 1); what was "
        "written over gets 0.",
        "Lo que está en el resultado recibe el gradiente de su lugar (derivada local 1); aquello "
        "sobre lo que se escribió recibe 0.",
    ),
    "by.copies": (
        "An entry that became several adds up their gradients (local derivative 1 each).",
        "Un elemento que se convirtió en varios suma los gradientes de todos (derivada local 1 "
        "cada uno).",
    ),
    "by.sum": (
        "Every entry went into a sum as it is: each gets the gradient of its sum (local "
        "derivative 1).",
        "Cada elemento entró tal cual en una suma: cada uno recibe el gradiente de su suma "
        "(derivada local 1).",
    ),
    "by.mean": (
        "Every entry went into a mean: each gets the gradient of its mean, divided by how many "
        "entries that has (local derivative 1/n).",
        "Cada elemento entró en una media: cada uno recibe el gradiente de su media, dividido por "
        "el número de elementos que tiene (derivada local 1/n).",
    ),
    "by.variance": (
        "The local derivative is 2 (entry - mean) / n, with n - ddof for n where that is given.",
        "La derivada local es 2 (elemento - media) / n, con n - ddof en vez de n donde se indica.",
    ),
    "by.deviation": (
        "The local derivative is (entry - mean) / (n · std), with n - ddof for n where that is "
        "given.",
        "La derivada local es (elemento - media) / (n · std), con n - ddof en vez de n donde se "
        "indica.",
    ),
    "by.extreme": (
        "Only the entry that is the result moves it: it gets the gradient (local derivative 1), "
        "the others get 0; equals share it.",
        "Solo el elemento que es el resultado lo mueve: recibe el gradiente (derivada local 1), "
        "los demás 0; si hay iguales, lo reparten.",
    ),
    "by.quantile": (
        "The result lies between two entries: they share the gradient by how near they are, the "
        "others get 0.",
        "El resultado está entre dos elementos: reparten el gradiente según su cercanía, los "
        "demás reciben 0.",
    ),
    "by.running": (
        "An entry is part of its own running sum and of all after it: it adds up their gradients "
        "(local derivative 1 each).",
        "Un elemento forma parte de su suma acumulada y de todas las siguientes: suma los "
        "gradientes de todas (derivada local 1 cada una).",
    ),
    "by.factors": (
        "The local derivative of an entry is the product of all other factors.",
        "La derivada local de un elemento es el producto de todos los demás factores.",
    ),
    "by.product": (
        "An entry was multiplied by an entry of the other operand for each result that it went "
        "into: that entry is the local derivative, and upstream × local is added up.",
        "Un elemento se multiplicó por uno del otro operando para cada resultado en el que entró: "
        "ese otro es la derivada local, y se suma lo que llega × local.",
    ),
    "by.weights": (
        "Every result is a sum of entries with fixed weights: the weights are the local "
        "derivatives, and upstream × local is added up.",
        "Cada resultado es una suma de elementos con pesos fijos: los pesos son las derivadas "
        "locales, y se suma lo que llega × local.",
    ),
    "by.softmax": (
        "All outputs share one sum, so each entry moves all of them: output j changes with entry "
        "i by out_j · ((1 if i = j, else 0) - out_i).",
        "Todas las salidas comparten una suma, y cada elemento las mueve todas: la salida j cambia "
        "con el elemento i en out_j · ((1 si i = j, si no 0) - out_i).",
    ),
    "by.log_softmax": (
        "All outputs share one sum, so each entry moves all of them: output j changes with entry "
        "i by (1 if i = j, else 0) - softmax_i.",
        "Todas las salidas comparten una suma, y cada elemento las mueve todas: la salida j cambia "
        "con el elemento i en (1 si i = j, si no 0) - softmax_i.",
    ),
    "by.share": (
        "The local derivative of an entry is its share in the sum, exp(entry - result).",
        "La derivada local de un elemento es su parte de la suma, exp(elemento - resultado).",
    ),
    "by.length": (
        "The local derivative of an entry is entry / length: the gradient points away from 0.",
        "La derivada local de un elemento es elemento / longitud: el gradiente se aleja de 0.",
    ),
    "by.equation": (
        "The result solves equations in which the entry stands; the local derivatives are those "
        "of the solution.",
        "El resultado resuelve ecuaciones en las que está el elemento; las derivadas locales son "
        "las de la solución.",
    ),
    "by.function": (
        "The local derivatives are those of the function, by this operand.",
        "Las derivadas locales son las de la función, respecto de este operando.",
    ),
    "by.nothing": (
        "The result does not change with small changes of the entries: local derivative 0.",
        "El resultado no varía con cambios pequeños de los elementos: derivada local 0.",
    ),
}

GROUPS = {
    "by.move": "reshape ravel transpose swapaxes moveaxis rollaxis expand_dims squeeze flip fliplr "
    "flipud roll rot90 fftshift ifftshift sort array concatenate diagflat "
    "astype real_if_close",
    "by.choice": "getitem take take_along_axis diag diagonal partition delete tril triu where "
    "select select_constant trim_zeros choose extract compress piecewise part_of",
    "by.writing": "at.set at.add at.put at.imag at.real copyto put putmask place put_along_axis "
    "fill_diagonal insert",
    "by.copies": "broadcast_to resize repeat tile sliding_window_view pad",
    "by.sum": "sum nansum add.reduce add.reduceat trace bincount histogram",
    "by.mean": "mean nanmean average",
    "by.variance": "var nanvar",
    "by.deviation": "std nanstd",
    "by.extreme": "max min nanmax nanmin amax amin ptp fmax.reduce fmin.reduce maximum.reduce "
    "minimum.reduce maximum.accumulate minimum.accumulate fmax.accumulate fmin.accumulate",
    "by.quantile": "median nanmedian quantile percentile nanquantile nanpercentile",
    "by.running": "cumsum nancumsum add.accumulate cumulative_sum",
    "by.factors": "prod nanprod cumprod nancumprod multiply.reduce multiply.accumulate "
    "cumulative_prod",
    "by.product": "matmul dot vdot vecdot matvec vecmat inner outer tensordot einsum multi_dot "
    "kron cross convolve correlate polymul sparse_product fftconvolve oaconvolve",
    "by.weights": "fft ifft rfft irfft fft2 ifft2 fftn ifftn rfftn irfftn hfft ihfft linspace diff "
    "ediff1d gradient trapezoid simpson cumulative_trapezoid cumulative_simpson interp lfilter "
    "savgol_filter uniform_filter uniform_filter1d gaussian_filter gaussian_filter1d "
    "gaussian_laplace laplace prewitt sobel spline_filter spline_filter1d shift zoom rotate "
    "affine_transform map_coordinates",
    "by.softmax": "softmax",
    "by.log_softmax": "log_softmax",
    "by.share": "logsumexp weighted_logsumexp logaddexp.reduce logaddexp2.reduce "
    "logaddexp.accumulate logaddexp2.accumulate",
    "by.length": "norm hypot.reduce hypot.accumulate",
    "by.equation": "inv pinv solve lstsq tensorsolve cholesky qr svd svdvals eig eigh eigvals "
    "eigvalsh roots lu lu_factor lu_solve cho_factor cho_solve solve_banded solve_triangular "
    "solveh_banded solve_sylvester solve_continuous_lyapunov solve_discrete_lyapunov spsolve cg "
    "gmres bicgstab sqrtm logm",
    "by.nothing": "around round fix",
    "by.function": "det slogdet vander polyval poly expm cosm sinm coshm sinhm matrix_power i0 "
    "sinc modf frexp unwrap unique unique_all unique_counts unique_inverse unique_values",
}

OPERATIONS = {name: sentence for sentence, names in GROUPS.items() for name in names.split()}
"""By name of an operation: its sentence."""


def sentence_of(operation: str) -> str:
    """The key of the sentence about an operation.

    >>> from autograd_lite.drawing.operation_words import sentence_of
    >>> sentence_of("cumsum"), sentence_of("an operation of your own")
    ('by.running', 'by.general')
    """
    return OPERATIONS.get(operation, GENERAL)
