"""Models of lamina as estimators of scikit-learn: a classifier, a regressor and a transformer.

They are imported from here, not by ``import lamina``; scikit-learn comes with ``pip install 'lamina[sklearn]'``.
"""

from __future__ import annotations

from lamina.errors import MissingLibraryError

try:
    import sklearn.utils.validation
except ImportError as error:
    raise MissingLibraryError(
        "lamina_sklearn needs scikit-learn, which is not installed.", fix="pip install 'lamina[sklearn]'."
    ) from error
if not hasattr(sklearn.utils.validation, "validate_data"):
    raise MissingLibraryError(
        f"lamina_sklearn found scikit-learn {sklearn.__version__}.",
        expected="version 1.6 or later.",
        fix="pip install -U 'scikit-learn>=1.6'.",
    )

from lamina_sklearn.classifier import LaminaClassifier
from lamina_sklearn.regressor import LaminaRegressor
from lamina_sklearn.transformer import LaminaTransformer

__all__ = ["LaminaClassifier", "LaminaRegressor", "LaminaTransformer"]
