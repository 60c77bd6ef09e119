"""The model: a layer made of layers, with training and saving."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from lamina.contract import SaveResult
from lamina.errors import GraphError, NotBuiltError, ShapeError, UnknownNameError
from lamina.layers.layer import Layer
from lamina.layers.masks import masks_of, with_mask
from lamina.layers.probing import as_outputs
from lamina.layers.symbolic import SymbolicTensor
from lamina.models.graph import Graph
from lamina.models.metadata import checked_metadata
from lamina.models.trainer import Trainer
from lamina.runtime.backends import find_backend
from lamina.runtime.variable import move_variables
from lamina.serialization import custom_object_scope
from lamina.shapes import as_int
from lamina.structures import flatten

if TYPE_CHECKING:
    from lamina.io import Limits
    from lamina.models.drawing import Drawing


class Model(Trainer):
    """A graph of layers from ``inputs`` to ``outputs``, or a subclass with a ``call`` of its own.

    ``inputs`` and ``outputs`` are symbolic tensors, or lists or dicts of them. A model is a layer: it can be called on
    tensors, symbolic or concrete, and be part of another model.

    >>> import lamina
    >>> x = lamina.Input(shape=(4,))
    >>> model = Model(x, lamina.layers.Dense(2)(x))
    >>> model.count_params(), model(lamina.zeros((3, 4))).shape
    (10, (3, 2))
    """

    supports_masking = True
    graph: Graph | None = None

    def __init__(self, inputs: Any = None, outputs: Any = None, **common: Any) -> None:
        super().__init__(**common)
        self._widens = common.get("dtype") is None
        self._metadata: dict[str, Any] = {}
        self._made_by: str | None = None  # another program, in whose file the model was
        self._start_trainer()
        if (inputs is None) != (outputs is None):
            raise GraphError(
                "a Model with only one of inputs and outputs.", expected="both, or neither for a subclass."
            )
        if inputs is not None:
            self._set_graph(Graph(inputs, outputs))

    @property
    def class_name(self) -> str:
        return super().class_name if self._has_own_call() else "Model"

    def _set_graph(self, graph: Graph) -> None:
        self.graph = graph
        self._layers = graph.layers
        self.built = True
        if self._widens and any(symbolic.dtype == "float64" for symbolic in graph.inputs):
            self.dtype = "float64"  # or data for such inputs would be rounded on their way

    def _graph(self) -> Graph:
        if self.graph is None:
            raise NotBuiltError(
                f"the model {self.name!r} has no graph of layers.",
                expected="a Model(inputs, outputs) or a built Sequential.",
            )
        return self.graph

    def check_input(self, input_shape: Any) -> None:
        if self.graph is not None:
            for symbolic, given in zip(self.inputs, self._in_order(as_outputs(input_shape, self.dtype)), strict=True):
                sizes = zip(given.shape[1:], symbolic.shape[1:], strict=False)
                if len(given.shape) != symbolic.ndim or any(None not in (a, b) and a != b for a, b in sizes):
                    raise ShapeError(
                        f"the model {self.name!r} got an input of shape {given.shape} for {symbolic.name!r}.",
                        expected=f"the shape {symbolic.shape}.",
                    )

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        found = self._in_order(inputs)
        if mask is not None:
            found = [with_mask(x, m) for x, m in zip(found, flatten(mask), strict=True)]
        return self._graph().run(found, training)

    def _naming_weights(self) -> AbstractContextManager[None]:
        return nullcontext()  # a model's layers are named on their own

    def _with_masks(self, inputs: Any, outputs: Any, mask: Any) -> Any:
        return outputs  # they have those that the layers gave

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The masks of the outputs for inputs with masks; it runs the model."""
        return masks_of(self(inputs, mask=mask, training=False))

    def _in_order(self, inputs: Any) -> list[Any]:
        """The given inputs in the graph's order: a dict goes by the names of its keys or of the inputs."""
        graph = self._graph()
        if isinstance(inputs, dict):
            keys = list(graph.input_structure) if isinstance(graph.input_structure, dict) else self.input_names
            missing = [key for key in keys if key not in inputs]
            if missing:
                raise GraphError(f"no data for the input {missing[0]!r}.", expected=f"a dict with {', '.join(keys)}.")
            return [inputs[key] for key in keys]
        found = flatten(inputs)
        if len(found) != len(graph.inputs):
            raise GraphError(
                f"the model {self.name!r} got {len(found)} inputs.",
                expected=f"{len(graph.inputs)}: {', '.join(self.input_names)}.",
            )
        return found

    @property
    def layers(self) -> list[Layer]:
        """The layers, those farthest from the outputs first; each once, also when it is shared."""
        return list(self.graph.layers) if self.graph is not None else self.sublayers()

    def sublayers(self) -> list[Any]:
        if self.graph is not None:
            return list(self.graph.layers)
        return super().sublayers()

    @property
    def inputs(self) -> list[SymbolicTensor]:
        """The symbolic tensors that take the data."""
        return list(self._graph().inputs)

    @property
    def outputs(self) -> list[SymbolicTensor]:
        """The symbolic tensors that give the results."""
        return list(self._graph().outputs)

    @property
    def input_layers(self) -> list[Layer]:
        """The layers of the inputs."""
        return [x.layer for x in self.inputs]

    @property
    def output_layers(self) -> list[Layer]:
        """The layers of the outputs."""
        return [x.layer for x in self.outputs]

    @property
    def input_names(self) -> list[str]:
        """The names of the input layers."""
        return [x.name for x in self.inputs]

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs: the keys of a dict of outputs, else those of the output layers, each once."""
        structure = self._graph().output_structure
        if isinstance(structure, dict):
            return list(structure)
        names: list[str] = []
        for x in self.outputs:
            name = x.name if x.name not in names else f"{x.name}_{x.index}"
            names.append(name)
        return names

    @property
    def input(self) -> Any:
        return self._graph().input_structure

    @property
    def output(self) -> Any:
        return self._graph().output_structure

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of a name or at an index. Raises UnknownNameError that lists the names."""
        layers = self.layers
        if index is not None:
            number = as_int(index, "index")
            if not -len(layers) <= number < len(layers):
                raise UnknownNameError(f"there is no layer {number}.", expected=f"an index below {len(layers)}.")
            return layers[number]
        for layer in layers:
            if layer.name == name:
                return layer
        raise UnknownNameError(
            f"the model {self.name!r} has no layer named {name!r}.",
            expected=f"one of {', '.join(x.name for x in layers)}.",
        )

    def to(self, backend: str, device: str | None = None) -> Model:
        """Moves weights, optimizer state, metrics and random streams to another backend; returns the model itself.

        Raises BackendNotAvailableError, BackendError or OutOfMemoryError, and then all of it stays where it was.
        """
        move_variables(self.state_variables(), find_backend(backend, device))
        return self

    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Sequence[str] | None = None,
        *,
        show_memory: bool = False,
        show_multiply_adds: bool = False,
    ) -> None:
        """Prints a table of the layers: output shapes, parameters, and for a graph what each layer receives.

        ``line_length`` is the width of the table, ``positions`` are the ends of its columns, as shares of it or in
        characters; both follow from the contents else. ``print_fn`` is called with each line instead of ``print``.
        ``expand_nested`` lists the layers of models inside too, ``show_trainable`` says what training changes,
        ``layer_range`` takes the names (or regular expressions) of the first and the last layer to list.
        ``show_memory`` tells the bytes of weights, and of outputs for one example; ``show_multiply_adds`` the
        multiply-adds for one example of matrix products and convolutions, counted while each layer runs on zeros.

        What is not known yet, such as the shapes of a model that has seen no data, is shown as "?".
        """
        from lamina.models.summary import summary_lines

        lines = summary_lines(
            self, line_length, positions, expand_nested=expand_nested, show_trainable=show_trainable,
            layer_range=layer_range, show_memory=show_memory, show_multiply_adds=show_multiply_adds,
        )  # fmt: skip
        for line in lines:
            (print_fn or print)(line)

    def to_mermaid(self, *, expand_nested: bool = False, rankdir: str = "TB") -> str:
        """The model as a diagram in the language of Mermaid; ``lamina.utils.plot_model`` says and draws more.

        >>> import lamina
        >>> print(lamina.Sequential([lamina.layers.Dense(1, input_shape=(2,), name="d")]).to_mermaid(), end="")
        flowchart TB
          n0["d_input (InputLayer)"]
          n1["d (Dense)"]
          n0 --> n1
        """
        return self._drawn(expand_nested, rankdir).mermaid()

    def to_dot(self, *, expand_nested: bool = False, rankdir: str = "TB") -> str:
        """The model as a diagram in DOT, the language of Graphviz. Settings as for ``lamina.utils.plot_model``."""
        return self._drawn(expand_nested, rankdir).dot()

    def to_svg(self, *, expand_nested: bool = False, rankdir: str = "TB") -> str:
        """The model as a picture in SVG, which needs no other program. Settings as for ``lamina.utils.plot_model``."""
        return self._drawn(expand_nested, rankdir).svg()

    def _drawn(self, expand_nested: bool, rankdir: str) -> Drawing:
        from lamina.models.drawing import plot_model

        return plot_model(self, None, show_layer_names=True, expand_nested=expand_nested, rankdir=rankdir)

    def __repr__(self) -> str:
        count = len(self.layers)
        params = f"{sum(v.size for v in self.weights):,} parameters" if self.built else "not built"
        return f"<{type(self).__name__} {self.name!r}: {count} layer{'' if count == 1 else 's'}, {params}>"

    def _repr_html_(self) -> str:
        from lamina.models.notebook import model_html

        return model_html(self)

    def save(
        self,
        filepath: Any,
        overwrite: bool = True,
        zipped: bool | None = None,
        *,
        include_optimizer: bool = True,
        trainable_only: bool = False,
        fingerprint: bool = True,
    ) -> SaveResult:
        """Saves topology, weights, training configuration and optimizer state, in the layout that the path names.

        As ``lamina.models.save_model``, where the settings are told.
        """
        from lamina.models.saving import save_model

        return save_model(
            self,
            filepath,
            overwrite,
            zipped,
            include_optimizer=include_optimizer,
            trainable_only=trainable_only,
            fingerprint=fingerprint,
        )

    def export(
        self,
        filepath: Any,
        format: str = "tfjs",
        *,
        quantization: Any = None,
        shard_bytes: int | None = None,
        split_by_layer: bool = False,
        include_optimizer: bool = True,
    ) -> SaveResult:
        """Writes the model for TensorFlow.js, its layers replaced by those it has, where that is exact.

        As ``lamina.models.exporting.export_model``, where the settings are told.
        """
        from lamina.models.exporting import export_model

        return export_model(
            self,
            filepath,
            format,
            quantization=quantization,
            shard_bytes=shard_bytes,
            split_by_layer=split_by_layer,
            include_optimizer=include_optimizer,
        )

    def save_weights(self, filepath: Any, overwrite: bool = True) -> SaveResult:
        """Saves the weights, without optimizer state; a layer without a config is no hindrance."""
        from lamina.models.saving import save_weights

        return save_weights(self, filepath, overwrite)

    def load_weights(self, weights: Any, *, strict: bool = True, limits: Limits | None = None) -> None:
        """Gives the weights the values of those of the same names; all or, if something does not fit, none.

        ``weights`` is where a model was saved, or a mapping from names to arrays. With ``strict`` both must have the
        same names; without, names that only one of them has are passed over. ``limits`` bounds what the files may hold.
        Raises ModelFileError for files that cannot be read or do not fit, NotBuiltError for a model without weights.
        """
        from lamina.models.saving import load_weights

        load_weights(self, weights, strict=strict, limits=limits)

    def set_user_defined_metadata(self, metadata: dict[str, Any]) -> None:
        """Keeps a dict of the user's, of JSON's kinds of values, with the model: it is saved and loaded with it.

        Raises ArgumentTypeError for something else.
        """
        self._metadata = checked_metadata(metadata)

    def get_user_defined_metadata(self) -> dict[str, Any]:
        """What ``set_user_defined_metadata`` was given, or a loaded model had; else an empty dict."""
        return dict(self._metadata)

    @property
    def stateful(self) -> bool:  # type: ignore[override]
        """Whether a layer carries states from one batch to the next."""
        return any(layer.stateful for layer in self.sublayers())

    def execute(self, inputs: Any, outputs: Any) -> Any:
        """What layers inside give for inputs: ``outputs`` are names of layers or symbolic tensors, one or a list."""
        wanted = flatten(outputs)
        if not wanted:
            raise GraphError(f"no outputs of {self.name!r} are asked for.", expected="at least one.")
        graph = self._graph()
        tensors = [x if isinstance(x, SymbolicTensor) else graph.output_of(self.get_layer(x)) for x in wanted]
        given = tensors if isinstance(outputs, (list, tuple)) else tensors[0]
        return Model(graph.input_structure, given, name=self.name)(inputs, training=False)

    def to_json(self) -> str:
        """The layers and how they are joined as JSON text, of which ``lamina.models.model_from_json`` makes a model."""
        from lamina.models.from_json import model_to_json

        return model_to_json(self)

    def get_config(self) -> dict[str, Any]:
        """The layers and how they are joined; of a class with a ``call`` of its own the constructor's arguments."""
        from lamina.models.topology import graph_config

        return super().get_config() if self._has_own_call() else graph_config(self)

    def _has_own_call(self) -> bool:
        return self.graph is None and type(self).call is not Model.call

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """A model of a config, with the classes of ``custom_objects`` known by their names."""
        from lamina.models.topology import model_from_config

        with custom_object_scope(custom_objects or {}):
            return super().from_config(config) if cls.call is not Model.call else model_from_config(config)
