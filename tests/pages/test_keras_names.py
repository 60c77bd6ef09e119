"""Every name of Keras that lamina is to have is there, with Keras's arguments and defaults."""

from __future__ import annotations

import pytest

from pages.keras_names import REQUIRED, arguments, found, own_arguments, required_names, same_default
from recorded import folder

LIST = folder("tensorflow.js").parent / "spec" / "keras_api.csv"

NOT_HERE = {
    "lora_rank": "low-rank adapters are layers that wrap another, not settings",
    "lora_alpha": "as lora_rank",
    "quantization_config": "nothing is quantized in memory",
    "gptq_unpacked_column_size": "as quantization_config",
    "preferred_backend": "datasets are lamina's own",
    "format": "datasets are lamina's own",
}
"""Arguments that lamina does not take, with the reason."""


@pytest.fixture(scope="module")
def names():
    if not LIST.exists():
        pytest.skip(f"the list of Keras's names is not at {LIST}")
    return required_names(LIST)


def test_every_name_is_there(names):
    assert len(names) > 350
    missing = []
    for name in names:
        try:
            found(name)
        except AttributeError:
            missing.append(name.path)
    assert missing == []


def test_arguments_and_defaults(names):
    wrong = []
    for name in names:
        if name.kind == "property" or not name.signature.startswith("("):
            continue
        ours = own_arguments(found(name))
        for argument, default in arguments(name.signature).items():
            if argument not in ours and argument in NOT_HERE:
                continue
            if argument not in ours:
                wrong.append(f"{name.path} has no {argument}")
            elif default is not REQUIRED and not same_default(ours[argument], default):
                wrong.append(f"{name.path}: {argument} is {ours[argument]!r}, in Keras {default!r}")
    assert wrong == []
