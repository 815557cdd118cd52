"""What programs read besides their arguments, and functions that change it between two calls."""

from __future__ import annotations

from tests.programs.writing import Writer, kind

STATE = {
    "RATE": ("RATE = 0.5", "global RATE\nRATE = 0.75", "RATE"),
    "ZERO": ("ZERO = 0.0", "global ZERO\nZERO = -0.0", "np.copysign(0.5, ZERO)"),
    "TABLE": ("TABLE = {'rate': 0.5, 'how': [1, 2]}", "TABLE['rate'] = 0.75", "TABLE['rate']"),
    "DEEP": ("DEEP = {'a': [None, 0.5]}", "DEEP['a'] = [0.5, None]", "(DEEP['a'][1] or 0.25)"),
    "LIST": ("LIST = [0.5, 0.25]", "LIST.append(0.5)", "sum(LIST)"),
    "SET": ("SET = {1, 2}", "SET.add(3)", "(len(SET) * 0.25)"),
    "ARRAY": ("ARRAY = np.full(1, 0.5)", "ARRAY[0] = 0.75", "float(ARRAY[0])"),
    "WHOLE": ("WHOLE = np.full(1, 0.5)", "global WHOLE\nWHOLE = np.full(1, 0.75)", "WHOLE[0]"),
    "FUNCTIONS": (
        "FUNCTIONS = {'f': lambda: 0.5}",
        "FUNCTIONS['f'] = lambda: 0.75",
        "FUNCTIONS['f']()",
    ),
    "PARTIAL": (
        "OPTIONS = {'by': 0.5}\nPARTIAL = functools.partial(dict.get, OPTIONS)",
        "OPTIONS['by'] = 0.75",
        "PARTIAL('by')",
    ),
    "helper": (
        "def helper(by=0.5, *, power=1):\n    return by**power",
        "helper.__kwdefaults__['power'] = 2",
        "helper()",
    ),
    "scaled": (
        "def scaled():\n    return scaled.by\n\nscaled.by = 0.5",
        "scaled.by = 0.75",
        "scaled()",
    ),
    "COUNTER": (
        "def counter():\n    held = 0.5\n    def read():\n        return held\n"
        "    def write():\n        nonlocal held\n        held = 0.75\n    return read, write\n\n"
        "COUNTER, write_COUNTER = counter()",
        "write_COUNTER()",
        "COUNTER()",
    ),
    "CONFIG": (
        "@dataclasses.dataclass\nclass Config:\n    by: float = 0.5\n\nCONFIG = Config()",
        "CONFIG.by = 0.75",
        "CONFIG.by",
    ),
    "SLOTTED": (
        "class Slotted:\n    __slots__ = ('by',)\n\nSLOTTED = Slotted()\nSLOTTED.by = 0.5",
        "SLOTTED.by = 0.75",
        "SLOTTED.by",
    ),
    "MODEL": (
        "class Base:\n    by = 0.5\n    def scale(self):\n        return self.by\n\n"
        "class Model(Base):\n    def __init__(self):\n        self.parts = [self.by]\n"
        "        self.training = True\n"
        "    @property\n    def half(self):\n        return 0.5 if self.training else 0.25\n"
        "    def scale(self):\n        return super().scale() * self.half\n"
        "    def eval(self):\n        self.training = False\n\nMODEL = Model()",
        "MODEL.eval()",
        "MODEL.scale()",
    ),
    "CLASS": (
        "class Class:\n    by = 0.5\n    def read(self):\n        return self.by\n\n"
        "CLASS = Class()",
        "Class.by = 0.75",
        "CLASS.read()",
    ),
    "METHOD": (
        "class Method:\n    def read(self):\n        return 0.5\n\nMETHOD = Method()",
        "Method.read = lambda self: 0.75",
        "METHOD.read()",
    ),
    "NETWORK": (
        "class Network(nn.Module):\n    def __init__(self):\n        self.by = 0.5\n"
        "    def forward(self, x):\n        return x * (self.by if self.training else 1.5)\n\n"
        "NETWORK = Network()",
        "NETWORK.eval()",
        "NETWORK(0.5)",
    ),
    "LAYERS": (
        "LAYERS = nn.Sequential(nn.Activation('tanh'))",
        "LAYERS.append(nn.Activation('tanh'))",
        "LAYERS(np.full(1, 0.5))[0]",
    ),
    "SWAPPED": (
        "class Swapped(nn.Module):\n    buffers = ('mean',)\n    def __init__(self):\n"
        "        self.mean = np.full(1, 0.5)\n        self.inner = nn.Activation('tanh')\n"
        "    def forward(self, x):\n        return self.inner(x) + self.mean\n\n"
        "SWAPPED = nn.Sequential(Swapped())",
        "SWAPPED[0].inner = nn.Activation('relu')",
        "SWAPPED(np.full(1, 0.5))[0]",
    ),
    "AVERAGES": (
        "class Averages(nn.Module):\n    buffers = ('mean',)\n    def __init__(self):\n"
        "        self.mean = np.full(1, 0.5)\n"
        "    def forward(self, x):\n        return x + self.mean\n\n"
        "AVERAGES = Averages()",
        "AVERAGES.mean[0] = 0.75",
        "AVERAGES(np.full(1, 0.5))[0]",
    ),
    "SHADOWED": (
        "class Shadowed:\n    by = 0.5\n\nSHADOWED = Shadowed()",
        "SHADOWED.by = 0.75",
        "SHADOWED.by",
    ),
    "DYNAMIC": (
        "class Dynamic:\n    pass\n\nDYNAMIC = Dynamic()\nDYNAMIC.by = 0.5",
        "DYNAMIC.by = 0.75",
        "getattr(DYNAMIC, 'b' + 'y')",
    ),
    "VALUE": ("VALUE = ag.Value(0.5, requires_grad=False)", "VALUE.data = 0.75", "VALUE"),
    "VALUES": (
        "VALUES = ag.Value([0.5, 0.25], requires_grad=False)",
        "VALUES[0] = 0.75",
        "VALUES[0]",
    ),
    "LEAF": ("LEAF = ag.Value(0.5)", "with ag.no_grad():\n    LEAF.data = 0.75", "LEAF"),
    "LEAVES": (
        "LEAVES = ag.Value([0.5, 0.25])",
        "global LEAVES\nwith ag.no_grad():\n    LEAVES *= 1.5",
        "LEAVES[0]",
    ),
    "LEAF_READ": (
        "LEAF_READ = ag.Value([0.5, 0.25])",
        "with ag.no_grad():\n    LEAF_READ[0] = 0.75",
        "float(LEAF_READ.data[0])",
    ),
    "READ": ("READ = ag.Value(0.5, requires_grad=False)", "READ.data = 0.75", "float(READ)"),
}
"""Names: how they are defined, how they change, and how they are read as a number."""


@kind("changed state", 6)
def read_state(writer: Writer) -> str | None:
    """A number from outside, which is another one after ``change_...()``."""
    place = writer.array()
    if place is None:
        return None
    name = writer.choose(STATE)
    definition, change, read = STATE[name]
    lines = "".join(f"\n    {line}" for line in change.splitlines())
    writer.define(name, f"{definition}\n\ndef change_{name}():{lines}")
    result = writer.fresh("a")
    return writer.choose(
        [
            f"{result} = {place} * {read}",
            f"{result} = {place} + {read}",
            f"{result} = np.sin({place}) if {read} > 0.4 else np.cos({place})",
            f"{result} = [{place} * {read}, {read}]",
        ]
    )


@kind("draws", 3)
def draw(writer: Writer) -> str | None:
    """Numbers from a generator, which goes on from call to call."""
    place = writer.array()
    if place is None:
        return None
    writer.define("GENERATOR", "GENERATOR = np.random.default_rng(7)")
    result = writer.fresh("a")
    return writer.choose(
        [
            f"{result} = {place} * ag.random.normal(GENERATOR, size=np.shape({place}))",
            f"{result} = ag.random.normal(GENERATOR, {place}, 0.25)",
            f"{result} = ag.random.uniform(GENERATOR, {place}, {place} + 0.5)",
            f"{result} = {place} + ag.random.random(GENERATOR)",
            f"{result} = {place} * ag.random.integers(GENERATOR, 1, 4)",
            f"{result} = [{place} * ag.random.standard_exponential(GENERATOR), 0.5]",
            f"{result} = np.ravel({place})[ag.random.permutation(GENERATOR, np.size({place}))]",
        ]
    )
